// XXH64: a fast checksum of large files. It finds damage, not malice. @source xxHash fast digest algorithm, specification 0.1.1
#pragma once

#include <array>
#include <span>
#include <string>

#include "base/int_types.h"

namespace ia64::machine {

/// Takes bytes piece by piece. Seed 0.
class Checksum {
 public:
  void add(std::span<const u8> bytes);
  u64 value() const;
  /// 16 hexadecimal digits.
  std::string text() const;

 private:
  static constexpr size_t kStripe = 32;
  void add_stripe(const u8* stripe);
  std::array<u64, 4> lanes_{0x60ea27eeadc0b5d6, 0xc2b2ae3d27d4eb4f, 0, 0x61c8864e7a143579};
  std::array<u8, kStripe> rest_{};
  u64 total_bytes_ = 0;
};

std::string checksum_text(std::span<const u8> bytes);

}  // namespace ia64::machine
