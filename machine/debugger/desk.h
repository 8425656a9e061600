// What everybody who debugs one guest shares: symbols, loaded images, breakpoints, the fault log.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cpu/core.h"
#include "machine/debugger/symbol_files.h"
#include "machine/debugger/symbol_table.h"
#include "machine/machine.h"

namespace ia64::machine::debugger {

/// A place where the machine pauses.
struct Point {
  unsigned number = 0;
  bool watch = false;                ///< otherwise a breakpoint
  u64 address = 0, size_bytes = 0;   ///< of a breakpoint: bundle and slot
  bool read = false, write = false;  ///< Watch: accesses that count
};

/// One per run. Before the machine starts on the loop's thread, afterwards on the processor's: inside Machine::call(), where
/// handlers of `Where::Machine` commands run, or in its callbacks.
class Desk final : public cpu::InterruptionObserver {
 public:
  /// Takes over the machine's interruption and image observers. The machine must be stopped before this goes away.
  explicit Desk(Machine& machine);

  /// `--symbols`. @param argument FILE, or FILE@EFI-NAME for an image that is still to be loaded
  Result<void> add_symbols(const std::string& argument);
  const SymbolTable& symbols() const { return symbols_; }

  struct Image {
    firmware::EfiImage image;
    std::string symbol_file;  ///< what `--symbols` named for it; empty for none
    /// `add-symbol-file FILE -o OFFSET`, for gdb.
    std::string gdb_line() const;
  };
  const std::vector<Image>& images() const { return images_; }
  /// Called for every image that came or went. To be set before the machine starts.
  std::function<void(const Image&, bool loaded)> on_image;

  // --- breakpoints and watchpoints ---
  /// @returns the new point's number
  unsigned add_point(Point point);
  bool remove_point(unsigned number);
  void remove_points();
  /// The machine pauses before the first instruction of the next EFI image of that name. @param name any letter case; empty: any
  void stop_at_image(const std::string& name);
  const std::vector<Point>& points() const { return points_; }
  /// Those of a remote debugger, which keeps them itself.
  void set_remote_points(std::vector<u64> stops, std::vector<cpu::WatchRange> watches);
  /// The machine has paused itself. @returns "breakpoint 2 at start_kernel" where a point of points() or an awaited image, which
  /// is forgotten then, was the cause; otherwise empty
  std::string stopped(const DebugStop& stop);

  /// `--log-faults`: the channels that show interruptions. @param routine also TLB misses and external interrupts
  static void log_faults(bool routine);
  void on_interruption(cpu::Core& core, const cpu::InterruptionRecord& record) override;
  struct Numbered {
    u64 number;  ///< of all interruptions since reset, from 1
    cpu::InterruptionRecord record;
  };
  static constexpr size_t kFaultsKept = 64;
  /// The last interruptions but external ones, oldest first. When the machine has gone back, those that lie before it are not among them.
  std::vector<Numbered> faults();

 private:
  void image_event(const ImageEvent& event);
  void image_loaded(const firmware::EfiImage& image);
  void apply_points();
  void forget_undone_faults(u64 taken);

  Machine& machine_;
  SymbolTable symbols_;
  std::vector<SymbolFile> efi_files_;
  std::vector<Image> images_;
  std::vector<Point> points_;
  std::optional<std::string> awaited_image_;
  std::optional<u64> image_entry_;  ///< of the one that was awaited and is here
  unsigned last_number_ = 0;
  std::array<Numbered, kFaultsKept> faults_{};
  u64 fault_count_ = 0, first_fault_ = 0;  ///< of those since the run began; older ones than the first have been overwritten
  u64 fault_resets_ = 0;                   ///< resets when the last one was taken
  std::vector<u64> remote_stops_;
  std::vector<cpu::WatchRange> remote_watches_;
};

}  // namespace ia64::machine::debugger
