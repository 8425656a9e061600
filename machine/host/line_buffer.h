// Lines out of a byte stream, bounded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ia64::machine {

/// Collects bytes and gives back whole lines without their newline.
class LineBuffer {
 public:
  explicit LineBuffer(size_t max_line_bytes) : max_(max_line_bytes) {}

  void add(std::string_view bytes) { bytes_.append(bytes); }
  /// The next line; nullopt when none is complete. @param at_end what is left counts as a line
  std::optional<std::string> next(bool at_end = false) {
    const auto newline = bytes_.find('\n', searched_);
    if (newline == std::string::npos) {
      searched_ = bytes_.size();
      if (!at_end || bytes_.empty()) return std::nullopt;
    }
    std::string line = bytes_.substr(0, newline);
    bytes_.erase(0, newline == std::string::npos ? newline : newline + 1);
    searched_ = 0;
    return line;
  }
  /// Whether the line under way is longer than allowed. To be asked when next() gave none.
  bool overflowed() const { return bytes_.size() > max_; }

 private:
  size_t max_;
  size_t searched_ = 0;  // bytes without a newline
  std::string bytes_;
};

}  // namespace ia64::machine
