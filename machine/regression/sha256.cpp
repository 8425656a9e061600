// The compression function of SHA-256 and its padding. @source FIPS 180-4, 4.1.2, 5.1.1, 6.2.2
#include "machine/regression/sha256.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace ia64::machine::regression {
namespace {

constexpr std::array<u32, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

u32 big_endian(const u8* b) { return static_cast<u32>(b[0]) << 24 | static_cast<u32>(b[1]) << 16 | static_cast<u32>(b[2]) << 8 | b[3]; }

}  // namespace

void Sha256::block(const u8* bytes) {
  std::array<u32, 64> w;
  for (unsigned t = 0; t < 16; t++) w[t] = big_endian(bytes + 4 * t);
  for (unsigned t = 16; t < 64; t++) {
    const u32 s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
    const u32 s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = s1 + w[t - 7] + s0 + w[t - 16];
  }
  auto [a, b, c, d, e, f, g, h] = hash_;
  for (unsigned t = 0; t < 64; t++) {
    const u32 t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + kRound[t] + w[t];
    const u32 t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::array<u32, 8> more = {a, b, c, d, e, f, g, h};
  for (unsigned i = 0; i < 8; i++) hash_[i] += more[i];
}

void Sha256::add(std::span<const u8> bytes) {
  while (!bytes.empty()) {
    const size_t used = length_ % 64;
    if (used == 0 && bytes.size() >= 64) {
      block(bytes.data());
      length_ += 64, bytes = bytes.subspan(64);
      continue;
    }
    const size_t n = std::min<size_t>(64 - used, bytes.size());
    std::copy_n(bytes.data(), n, partial_.data() + used);
    length_ += n, bytes = bytes.subspan(n);
    if (length_ % 64 == 0) block(partial_.data());
  }
}

std::string Sha256::finish() {
  const u64 bits = length_ * 8;
  static constexpr std::array<u8, 64> kPadding = {0x80};
  add(std::span(kPadding).first(1 + (119 - length_ % 64) % 64));
  std::array<u8, 8> tail;
  for (unsigned i = 0; i < 8; i++) tail[i] = static_cast<u8>(bits >> (56 - 8 * i));
  add(tail);
  std::string out;
  for (const u32 h : hash_) out += fmt::format("{:08x}", h);
  return out;
}

}  // namespace ia64::machine::regression
