// Boot options: the Boot#### variables and the order they are tried in. @source EFI 1.10, chapter 17
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "firmware/efi/device_path.h"
#include "firmware/efi/variables.h"

namespace ia64::firmware {

/// One EFI_LOAD_OPTION.
struct BootOption {
  static constexpr u32 kActive = 1;
  u16 number = 0;
  u32 attributes = kActive;
  std::u16string description;
  DevicePath path;
  std::vector<u8> optional_data;

  bool active() const { return attributes & kActive; }
  std::vector<u8> bytes() const;
  /// @returns nothing when the bytes are no load option
  static std::optional<BootOption> parse(u16 number, std::span<const u8> bytes);
};

/// Reads and writes the boot manager's global variables.
class BootOptions {
 public:
  explicit BootOptions(VariableStore& variables) : variables_(variables) {}

  /// The options BootOrder names, in that order; unreadable ones are left out. @param prefix u"Boot" or
  /// u"Driver"
  std::vector<BootOption> in_order(std::u16string_view prefix = u"Boot") const;
  std::optional<BootOption> get(u16 number, std::u16string_view prefix = u"Boot") const;
  /// Stores a new option under a free number and puts it at the end of BootOrder. @returns its number
  std::optional<u16> add(BootOption option);
  void remove(u16 number);
  void set_order(const std::vector<u16>& order);

  std::optional<u16> next() const { return get_u16(u"BootNext"); }
  void set_next(std::optional<u16> number);
  void set_current(std::optional<u16> number);
  std::optional<u16> timeout() const { return get_u16(u"Timeout"); }
  void set_timeout(u16 seconds);

  /// Sets a global variable unless it exists.
  void set_default(std::u16string_view name, u32 attributes, std::span<const u8> data);
  static std::u16string variable_name(std::u16string_view prefix, u16 number);

 private:
  std::optional<u16> get_u16(std::u16string_view name) const;
  void set_global(std::u16string_view name, u32 attributes, std::span<const u8> data);
  std::vector<u16> order(std::u16string_view prefix) const;
  VariableStore& variables_;
};

}  // namespace ia64::firmware
