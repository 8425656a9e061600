// SHA-256. @source FIPS 180-4
#pragma once

#include <array>
#include <span>
#include <string>

#include "base/int_types.h"

namespace ia64::machine::regression {

class Sha256 {
 public:
  void add(std::span<const u8> bytes);
  /// Hexadecimal digits. Once, at the end.
  std::string finish();

 private:
  void block(const u8* bytes);

  std::array<u32, 8> hash_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<u8, 64> partial_{};
  u64 length_ = 0;  // bytes
};

}  // namespace ia64::machine::regression
