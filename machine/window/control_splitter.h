// Cuts guest output into text and whole control sequences before the terminal sees it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/int_types.h"

namespace ia64::machine::window {

/// A guest may send anything: half sequences, numbers of a hundred digits, malformed UTF-8, titles without an end. What comes out
/// here is harmless to a terminal that expects a friendly program: one piece at a time, each complete. Text comes in runs that
/// are all ASCII or all not. Strings (OSC, DCS, PM, APC, SOS) and control characters without a meaning are left out.
/// @source ECMA-48, 5.4 and 8.3; Unicode 15, 3.9 (U+FFFD for each maximal subpart)
class ControlSplitter {
 public:
  static constexpr unsigned kMaxNumber = 9999, kMaxNumbers = 16;

  explicit ControlSplitter(std::function<void(std::string_view)> emit) : emit_(std::move(emit)) {}
  void feed(std::span<const u8> bytes);

 private:
  enum class State : u8 { Ground, Escape, Csi, String, StringEscape };

  void byte(u8 b);
  void control(u8 b);
  void escape(u8 b);
  void csi(u8 b);
  void finish_csi();
  void text(u8 b);
  void character();
  void flush();

  std::function<void(std::string_view)> emit_;
  State state_ = State::Ground;
  std::string sequence_;  ///< a control sequence under way, without ESC
  bool bad_ = false;      ///< it is too long or not in order: skipped up to its end
  std::string run_;       ///< text that waits to be emitted
  std::string utf8_;      ///< a character under way
};

}  // namespace ia64::machine::window
