// Hash of registers and memory.
#include "machine/icount/state_hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/invariant.h"
#include "cpu/arch/register_values.h"

namespace ia64::machine {

namespace {

constexpr u64 kPageBytes = 4096;

/// Two lanes of multiply and rotate, a word at a time.
class Mix {
 public:
  void add(u64 word) {
    a_ = std::rotl(a_ ^ word * 0x9e3779b97f4a7c15, 29) * 0xbf58476d1ce4e5b9;
    b_ = std::rotl(b_ + word, 37) * 0x94d049bb133111eb ^ a_ >> 32;
  }
  void add_page(const u8* page) {
    for (u64 at = 0; at < kPageBytes; at += 8) {
      u64 word;
      std::memcpy(&word, page + at, 8);
      add(word);
    }
  }
  std::string text() const { return fmt::format("{:016x}{:016x}", a_ ^ a_ >> 31, b_ ^ b_ >> 29); }

 private:
  u64 a_ = 0x243f6a8885a308d3, b_ = 0x13198a2e03707344;
};

bool all_zero(const u8* page) {
  u64 first;
  std::memcpy(&first, page, 8);
  return first == 0 && std::memcmp(page, page + 8, kPageBytes - 8) == 0;
}

}  // namespace

std::string state_hash(const cpu::Registers& registers, std::span<const firmware::MemoryRange> ranges, std::span<GuestMemory> ram) {
  INVARIANT(ranges.size() == ram.size());
  Mix mix;
  cpu::each_register(registers, [&](const char*, int, u64 value) { mix.add(value); });
  for (size_t n = 0; n < ram.size(); n++)
    for (u64 at = 0; at < ram[n].size_bytes(); at += kPageBytes) {
      const u8* const page = ram[n].data() + at;
      if (all_zero(page)) continue;  // most pages, and those never touched stay so
      mix.add(ranges[n].base + at);
      mix.add_page(page);
    }
  return mix.text();
}

}  // namespace ia64::machine
