// XXH64 over a stream.
#include "machine/snapshot/checksum.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/endian.h"

namespace ia64::machine {

namespace {

constexpr u64 kPrime[5] = {0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9, 0x85ebca77c2b2ae63, 0x27d4eb2f165667c5};

constexpr u64 round(u64 lane, u64 word) { return std::rotl(lane + word * kPrime[1], 31) * kPrime[0]; }

}  // namespace

void Checksum::add_stripe(const u8* stripe) {
  for (size_t n = 0; n < lanes_.size(); n++) lanes_[n] = round(lanes_[n], load_le<u64>(stripe + 8 * n));
}

void Checksum::add(std::span<const u8> bytes) {
  size_t held = total_bytes_ % kStripe;
  total_bytes_ += bytes.size();
  if (held) {
    const size_t n = std::min(kStripe - held, bytes.size());
    std::copy_n(bytes.begin(), n, rest_.begin() + static_cast<std::ptrdiff_t>(held));
    bytes = bytes.subspan(n);
    if ((held += n) < kStripe) return;
    add_stripe(rest_.data());
  }
  for (; bytes.size() >= kStripe; bytes = bytes.subspan(kStripe)) add_stripe(bytes.data());
  std::copy(bytes.begin(), bytes.end(), rest_.begin());
}

u64 Checksum::value() const {
  u64 h = kPrime[4];
  if (total_bytes_ >= kStripe) {
    h = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) + std::rotl(lanes_[3], 18);
    for (const u64 lane : lanes_) h = (h ^ round(0, lane)) * kPrime[0] + kPrime[3];
  }
  h += total_bytes_;
  std::span<const u8> rest = std::span(rest_).first(total_bytes_ % kStripe);
  for (; rest.size() >= 8; rest = rest.subspan(8)) h = std::rotl(h ^ round(0, load_le<u64>(rest.data())), 27) * kPrime[0] + kPrime[3];
  if (rest.size() >= 4) {
    h = std::rotl(h ^ u64{load_le<u32>(rest.data())} * kPrime[0], 23) * kPrime[1] + kPrime[2];
    rest = rest.subspan(4);
  }
  for (const u8 byte : rest) h = std::rotl(h ^ byte * kPrime[4], 11) * kPrime[0];
  h = (h ^ h >> 33) * kPrime[1];
  h = (h ^ h >> 29) * kPrime[2];
  return h ^ h >> 32;
}

std::string Checksum::text() const { return fmt::format("{:016x}", value()); }

std::string checksum_text(std::span<const u8> bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.text();
}

}  // namespace ia64::machine
