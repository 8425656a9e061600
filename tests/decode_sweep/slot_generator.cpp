// Systematic and random encodings for the sweep.
#include "slot_generator.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "base/bits.h"
#include "cpu/decode/decoder.h"

namespace ia64::sweep {
namespace {

using cpu::Unit;
using Random = std::mt19937_64;

constexpr unsigned kUnits = 6;

/// Slots waiting to be placed, by unit.
struct Pools {
  std::vector<u64> slots[kUnits];
  std::vector<u64>& of(Unit u) { return slots[static_cast<unsigned>(u)]; }
  bool empty() const {
    return std::all_of(std::begin(slots), std::end(slots), [](const auto& s) { return s.empty(); });
  }
};

/// A value for a field of `width` bits: often one of the edges.
u64 field_value(Random& random, unsigned width, u64 previous) {
  switch (random() % 8) {
    case 0: return 0;
    case 1: return 1;
    case 2: return low_mask(width);
    case 3: return previous;
    default: return random();
  }
}

/// A slot of a row: fixed bits as pictured, every run of one letter a field.
u64 slot_of_row(Random& random, const char* picture) {
  u64 bits = 0, value = 0, previous = 0;
  char letter = '\0';
  for (const char* c = picture; *c != '\0'; ++c) {
    if (*c == ' ') continue;
    bits <<= 1;
    if (*c == '0' || *c == '1') {
      bits |= *c == '1';
      letter = '\0';
      continue;
    }
    if (*c != letter) {
      const char* end = c;
      while (*end == *c) ++end;
      const auto width = static_cast<unsigned>(end - c);
      value = field_value(random, width, previous) & low_mask(width);
      previous = value;
      value <<= 64 - width;
      letter = *c;
    }
    bits |= value >> 63;
    value <<= 1;
  }
  return bits;
}

void fill_by_index(Random& random, unsigned per_index, Pools& pools) {
  for (Unit unit : {Unit::I, Unit::M, Unit::B, Unit::F, Unit::X})
    for (u64 index = 0; index < (1u << 14); ++index)
      for (unsigned n = 0; n < per_index; ++n) {
        u64 low = random() & low_mask(27);
        if (random() % 4 == 0) low &= ~u64{63};
        pools.of(unit).push_back(index << 27 | low);
      }
}

void fill_by_row(Random& random, unsigned per_row, Pools& pools) {
  for (u16 op = 1; op < cpu::op_count(); ++op) {
    const cpu::OpInfo& info = cpu::op_info(op);
    for (unsigned n = 0; n < per_row; ++n) {
      Unit unit = info.unit;
      if (unit == Unit::A) unit = random() & 1 ? Unit::I : Unit::M;
      pools.of(unit).push_back(slot_of_row(random, info.picture));
    }
  }
}

u64 take(Random& random, std::vector<u64>& pool) {
  if (pool.empty()) return random() & low_mask(41);
  const u64 slot = pool.back();
  pool.pop_back();
  return slot;
}

Bundle assemble(unsigned template_bits, const u64 (&slots)[3]) {
  const u64 low = template_bits | slots[0] << 5 | slots[1] << 46, high = slots[1] >> 18 | slots[2] << 23;
  Bundle b;
  std::memcpy(b.data(), &low, 8);
  std::memcpy(b.data() + 8, &high, 8);
  return b;
}

/// A random template that takes a slot from a pool that still has some.
unsigned useful_template(Random& random, Pools& pools) {
  for (;;) {
    const unsigned bits = random() % 32;
    const cpu::BundleTemplate& t = cpu::bundle_template(bits);
    if (t.reserved) continue;
    for (Unit u : t.units)
      if (!pools.of(u).empty()) return bits;
  }
}

Bundle next_bundle(Random& random, Pools& pools) {
  const unsigned bits = useful_template(random, pools);
  const cpu::BundleTemplate& t = cpu::bundle_template(bits);
  u64 slots[3];
  for (unsigned n = 0; n < 3; ++n)
    slots[n] = t.mlx && n == 1 ? random() & low_mask(41) : take(random, pools.of(t.units[n]));
  return assemble(bits, slots);
}

}  // namespace

std::vector<Bundle> generate_bundles(u64 seed, unsigned per_index, unsigned per_row) {
  Random random(seed);
  Pools pools;
  fill_by_index(random, per_index, pools);
  fill_by_row(random, per_row, pools);
  for (auto& pool : pools.slots) std::shuffle(pool.begin(), pool.end(), random);
  std::vector<Bundle> bundles;
  while (!pools.empty()) bundles.push_back(next_bundle(random, pools));
  return bundles;
}

std::vector<Bundle> generate_reserved_templates(u64 seed, unsigned count) {
  static constexpr unsigned kReserved[] = {0x06, 0x07, 0x14, 0x15, 0x1a, 0x1b, 0x1e, 0x1f};
  Random random(seed);
  std::vector<Bundle> bundles;
  for (unsigned n = 0; n < count; ++n) {
    const u64 slots[3] = {random() & low_mask(41), random() & low_mask(41), random() & low_mask(41)};
    bundles.push_back(assemble(kReserved[n % 8], slots));
  }
  return bundles;
}

}  // namespace ia64::sweep
