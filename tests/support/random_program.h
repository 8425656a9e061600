// Random valid bundles made from the decode rows, for lockstep runs and fuzzing.
#pragma once

#include <array>
#include <functional>
#include <random>
#include <vector>

#include "cpu/decode/decoder.h"

namespace ia64::test {

/// What a random program may contain.
struct ProgramMix {
  /// How often a row is chosen relative to others; 0 excludes it. Empty: default_row_weight.
  std::function<double(const cpu::OpInfo&)> row_weight = {};
  /// Chooses the content of a field (letter of the row's picture) instead of the generator. A negative number: no opinion.
  std::function<i64(const cpu::OpInfo&, char letter, u64 random)> field = {};
  /// General registers r1..r31 and r32..r32+stacked-1 may be read and written; match CFM.sof.
  unsigned stacked = 32;
  /// Addresses of loads and stores come from these registers, which no instruction writes except by a
  /// post-increment of 16: point them at 16-byte aligned buffers. Empty: memory rows are left out.
  std::vector<u8> bases = {8, 9, 10, 11};
  /// Odds in 1/16 that a slot is predicated by something other than p0.
  unsigned predicated_in_16 = 6;
  /// Odds in 1/16 of a stop after a bundle's last slot.
  unsigned stop_in_16 = 8;
  /// br.cond to one of the next few bundles.
  bool branches = false;
  /// Also keep slots whose operands are statically illegal.
  bool illegal = false;
};

/// 1 for rows that need no setup and can neither leave the program nor change the machine's mode; more for
/// those with interesting operands, 0 for system, privileged, control-transfer and alloc rows.
double default_row_weight(const cpu::OpInfo& op);

/// An endless stream of bundles; equal seeds and mixes give equal streams.
class RandomProgram {
 public:
  explicit RandomProgram(u64 seed, ProgramMix mix = {});

  std::array<u8, 16> next_bundle();
  /// `count` bundles in memory order, without a terminator. With branches, the last ones may jump up to four
  /// bundles past the end.
  std::vector<u8> program(unsigned count);

 private:
  using Weighted = std::discrete_distribution<unsigned>;
  struct Pool {
    std::vector<u16> ops;
    Weighted pick;
  };

  Pool& pool(cpu::Unit unit) { return pools_[static_cast<unsigned>(unit)]; }
  unsigned choose_template();
  u64 choose_slot(cpu::Unit unit, unsigned slot);
  u64 fill_row(const cpu::OpInfo& op);
  u64 fill_field(const cpu::OpInfo& op, char letter, unsigned width);
  u64 general_register(bool target);
  bool one_in_16(unsigned odds) { return random_() % 16 < odds; }

  std::mt19937_64 random_;
  ProgramMix mix_;
  Pool pools_[6];
};

}  // namespace ia64::test
