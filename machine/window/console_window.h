// The console in a window of the host's desktop: `--console window`.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "machine/control/command.h"
#include "machine/window/window_ui.h"

namespace ia64::machine::window {

/// What the window's thread asks of the rest of the run. Each may be called on the window's thread and does its work elsewhere.
struct WindowWires {
  std::string name;  ///< of the guest
  std::function<void(std::string)> type;
  std::function<void(std::string text, std::string before, std::string behind)> paste;
  std::function<void()> stop_paste, release_paste, send_break;
  /// Runs a line of the control commands. `done` comes on any thread.
  std::function<void(std::string line, std::function<void(Result<control::Json>)> done)> run;
};

/// run() belongs to the process' first thread, where desktops want their windows to live. Neither the guest nor the host loop ever
/// waits for it: output that it cannot show in time is dropped from kMaxUnshownBytes on.
class ConsoleWindow : public control::WindowControl {
 public:
  static constexpr size_t kMaxUnshownBytes = 16 << 20;

  /// Opens the window. First thread. @returns Unsupported when this ivm was built without the libraries; Io when no display or no
  /// font is there
  static Result<std::unique_ptr<ConsoleWindow>> open(WindowWires wires);

  /// Serves the window until close(). First thread.
  virtual void run() = 0;
  /// Any thread.
  virtual void close() = 0;
  /// Guest output. Any thread.
  virtual void feed(std::span<const u8> bytes) = 0;
  /// Any thread.
  virtual void paste_state(PasteState state) = 0;
};

}  // namespace ia64::machine::window
