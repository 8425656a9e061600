// Framing and encodings of the GDB remote serial protocol.
#include "machine/debugger/gdb_packet.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace ia64::machine::debugger {
namespace {

u8 checksum(std::string_view payload) {
  u8 sum = 0;
  for (const char c : payload) sum = static_cast<u8>(sum + static_cast<u8>(c));
  return sum;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string PacketBuffer::take(size_t n) {
  std::string out = bytes_.substr(0, n);
  bytes_.erase(0, n);
  searched_ = 0;
  return out;
}

std::optional<std::string> PacketBuffer::next(bool) {
  for (;;) {
    take(std::min(bytes_.find_first_of(std::string_view("$-\3", 3)), bytes_.size()));
    if (bytes_.empty()) return std::nullopt;
    if (bytes_[0] != '$') return take(1);
    const size_t end = bytes_.find_first_of("#$", searched_ + 1);
    if (end == std::string::npos || end + 2 >= bytes_.size()) {
      searched_ = end == std::string::npos ? bytes_.size() - 1 : end - 1;
      if (end == std::string::npos || bytes_[end] == '#') return std::nullopt;
    }
    if (bytes_[end] == '$') {  // the packet was cut off: data never hold one
      take(end);
      continue;
    }
    const int high = digit(bytes_[end + 1]), low = digit(bytes_[end + 2]);
    std::string packet = take(end + 3).substr(0, end);
    if (high < 0 || low < 0 || checksum(std::string_view(packet).substr(1)) != (high << 4 | low)) return "!";
    return packet;
  }
}

std::string frame(std::string_view payload) { return fmt::format("${}#{:02x}", payload, checksum(payload)); }

std::string to_hex(std::span<const u8> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const u8 b : bytes) out += {kDigits[b >> 4], kDigits[b & 15]};
  return out;
}

std::string to_hex(std::string_view text) { return to_hex({reinterpret_cast<const u8*>(text.data()), text.size()}); }

std::optional<std::vector<u8>> from_hex(std::string_view digits) {
  if (digits.size() % 2) return std::nullopt;
  std::vector<u8> out;
  out.reserve(digits.size() / 2);
  for (size_t n = 0; n < digits.size(); n += 2) {
    const int high = digit(digits[n]), low = digit(digits[n + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<u8>(high << 4 | low));
  }
  return out;
}

std::string escape_binary(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const bool special = c == '$' || c == '#' || c == '}' || c == '*';
    if (special) out += '}';
    out += special ? static_cast<char>(c ^ 0x20) : c;
  }
  return out;
}

std::string unescape_binary(std::string_view bytes) {
  std::string out;
  for (size_t n = 0; n < bytes.size(); n++) {
    const bool escaped = bytes[n] == '}' && n + 1 < bytes.size();
    if (escaped) n++;
    out += escaped ? static_cast<char>(bytes[n] ^ 0x20) : bytes[n];
  }
  return out;
}

bool Cursor::skip(std::string_view what) {
  if (!rest_.starts_with(what)) return false;
  rest_.remove_prefix(what.size());
  return true;
}

std::optional<u64> Cursor::number() {
  u64 value = 0;
  const auto [end, bad] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, 16);
  if (bad != std::errc{}) return std::nullopt;
  rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
  return value;
}

std::string_view Cursor::up_to(char end) {
  const size_t at = rest_.find(end);
  const std::string_view out = rest_.substr(0, at);
  rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + 1);
  return out;
}

}  // namespace ia64::machine::debugger
