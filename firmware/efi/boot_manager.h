// The boot manager: menu, countdown, boot options, removable media fallback, maintenance menu.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "firmware/efi/boot_options.h"
#include "firmware/efi/boot_services.h"
#include "firmware/efi/console.h"
#include "firmware/efi/menu.h"
#include "firmware/efi/runtime_services.h"

namespace ia64::firmware {

/// What the boot manager works with.
struct BootManagerParts {
  EfiContext& efi;
  Images& images;
  Console& console;
  Watchdog& watchdog;
  VariableStore& variables;
  RuntimeServices& runtime;
  std::optional<u32> timeout_override_s;
};

/// Runs on the boot processor's first fiber. @source EFI 1.10, chapter 17
class BootManager {
 public:
  explicit BootManager(const BootManagerParts& parts);
  /// Returns only when the user leaves for a cold reset (`reset` was called on the host) or boot services
  /// have ended.
  void run(GateCall& call);
  /// Gives the global variables every OS expects (Timeout, Lang, console paths) their defaults and saves
  /// them.
  void set_default_variables();

 private:
  // One line of the main menu.
  struct Choice {
    std::string text;
    std::optional<BootOption> option;  // absent: maintenance menu
  };
  void load_drivers(GateCall& call);
  void main_menu(GateCall& call);
  std::vector<Choice> choices() const;
  u64 timeout_s() const;
  /// Tries everything in order. @returns true when something was started
  bool boot_automatically(GateCall& call);
  bool boot_removable(GateCall& call);
  bool boot(GateCall& call, const BootOption& option, bool numbered);

  // Maintenance menu (boot_maintenance.cpp).
  void maintenance(GateCall& call);
  void boot_from_file(GateCall& call);
  void add_option(GateCall& call);
  void delete_option(GateCall& call);
  void change_order(GateCall& call);
  void manage_boot_next(GateCall& call);
  void set_timeout(GateCall& call);
  void show_console_devices(GateCall& call, const char* title);
  std::optional<DevicePath> pick_file(GateCall& call, const char* title);
  std::optional<DevicePath> browse(GateCall& call, EfiHandle volume, const char* title);
  std::optional<u16> pick_option(GateCall& call, const char* title);
  std::vector<std::string> footer() const;
  bool confirm_save(GateCall& call);

  BootManagerParts p_;
  BootOptions options_;
  Menu menu_;
  std::string last_result_;  // what became of the last program, shown below the menu
  bool nothing_bootable_ = false;
  bool done_ = false;
};

/// Text for people from UCS-2.
std::string ascii_text(std::u16string_view s);

}  // namespace ia64::firmware
