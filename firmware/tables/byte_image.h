// A growing little-endian byte image: the raw material of every firmware table.
#pragma once

#include <numeric>
#include <string_view>
#include <vector>

#include "base/endian.h"

namespace ia64::firmware {

/// Appends integers and text to a byte vector; offsets are patched afterwards.
class ByteImage {
 public:
  template <class T>
  ByteImage& put(T value) {
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    store_le(bytes_.data() + at, value);
    return *this;
  }
  ByteImage& u8v(u64 v) { return put(static_cast<u8>(v)); }
  ByteImage& u16v(u64 v) { return put(static_cast<u16>(v)); }
  ByteImage& u32v(u64 v) { return put(static_cast<u32>(v)); }
  ByteImage& u64v(u64 v) { return put(v); }
  ByteImage& zeros(size_t n) { return bytes_.resize(bytes_.size() + n), *this; }
  ByteImage& raw(const void* p, size_t n) {
    const auto* b = static_cast<const u8*>(p);
    bytes_.insert(bytes_.end(), b, b + n);
    return *this;
  }
  ByteImage& append(const std::vector<u8>& other) { return raw(other.data(), other.size()); }
  /// `text` cut or filled with `fill` to exactly `width` bytes.
  ByteImage& text(std::string_view text, size_t width, char fill = 0) {
    for (size_t i = 0; i < width; i++) u8v(static_cast<u8>(i < text.size() ? text[i] : fill));
    return *this;
  }
  template <class T>
  void patch(size_t at, T value) {
    store_le(bytes_.data() + at, value);
  }
  /// Sets the byte at `at` so that [first, first + count) sums to 0 modulo 256.
  void fix_checksum(size_t at, size_t first, size_t count) {
    bytes_[at] = 0;
    bytes_[at] =
        static_cast<u8>(-std::accumulate(bytes_.begin() + first, bytes_.begin() + first + count, 0u));
  }
  size_t size() const { return bytes_.size(); }
  std::vector<u8>& bytes() { return bytes_; }
  std::vector<u8> take() { return std::move(bytes_); }

 private:
  std::vector<u8> bytes_;
};

}  // namespace ia64::firmware
