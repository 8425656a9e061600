// Typing long texts into a guest no faster than it takes them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/int_types.h"

namespace ia64::machine::window {

/// Hands a text on in small pieces, the next when the guest's receiver has taken the last, and stops while the guest says XOFF.
/// One thread.
class PasteFeeder {
 public:
  static constexpr size_t kPieceBytes = 256;

  /// Types one piece; to be set. The one who types calls drained() when the guest has it.
  std::function<void(std::span<const u8>)> type;

  /// Appends text to what is to be typed: newlines become carriage returns; control characters but tab are left out, so that a
  /// text cannot press keys.
  void start(std::string_view text, std::string_view before = {}, std::string_view behind = {});
  void drained();
  void stop();
  /// Guest output: XOFF and XON of a guest that asks for it (`stty ixoff`).
  void watch_output(std::span<const u8> bytes);
  /// Goes on in spite of XOFF.
  void release();

  bool active() const { return at_ < text_.size(); }
  bool held() const { return held_; }
  unsigned percent() const { return text_.empty() ? 100 : static_cast<unsigned>(at_ * 100 / text_.size()); }

 private:
  void pump();

  std::string text_;
  size_t at_ = 0;
  bool waiting_ = false;  ///< a piece is on its way
  bool pumping_ = false;
  bool held_ = false;     ///< XOFF
};

/// The bytes that pasted text is on the line.
std::string paste_bytes(std::string_view text);

}  // namespace ia64::machine::window
