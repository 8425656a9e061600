// Packets of the GDB remote serial protocol as text: framing, checksums, hexadecimal and binary data. No meaning.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/int_types.h"
#include "machine/host/framing.h"

namespace ia64::machine::debugger {

/// Longest payload in either direction. A reply to `g` has 9440 characters.
inline constexpr size_t kMaxPayloadBytes = 0x4000;

/// Cuts what gdb sends into messages, told apart by their first byte: `$` with a payload behind it, `!` for a packet whose checksum
/// is wrong, `-` for a request to repeat the last reply, 0x03 for an interrupt. Acknowledgements and bytes between packets vanish.
/// @source GDB manual, appendix E.1
class PacketBuffer final : public Framing {
 public:
  static constexpr char kInterrupt = 3;
  void add(std::string_view bytes) override { bytes_.append(bytes); }
  std::optional<std::string> next(bool at_end) override;
  bool overflowed() const override { return bytes_.size() > kMaxPayloadBytes + kFrameBytes; }

 private:
  static constexpr size_t kFrameBytes = 4;  // $, #, two digits
  std::string take(size_t n);

  std::string bytes_;
  size_t searched_ = 0;  // of the packet at the front: bytes without its end
};

/// `$payload#checksum`.
std::string frame(std::string_view payload);

std::string to_hex(std::span<const u8> bytes);
std::string to_hex(std::string_view text);
/// @returns nullopt for an odd number of digits and for anything that is none
std::optional<std::vector<u8>> from_hex(std::string_view digits);

/// Replaces the bytes that framing needs. @source GDB manual, E.1, binary data
std::string escape_binary(std::string_view bytes);
std::string unescape_binary(std::string_view bytes);

/// Reads a payload from left to right.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  /// Takes `what` when it comes next.
  bool skip(std::string_view what);
  /// Takes a hexadecimal number of 1 to 16 digits.
  std::optional<u64> number();
  /// Takes everything up to `end`, which goes too; all that is left when there is none.
  std::string_view up_to(char end);
  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace ia64::machine::debugger
