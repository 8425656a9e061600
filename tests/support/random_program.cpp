// Random valid bundles made from the decode rows.
#include "tests/support/random_program.h"

#include <algorithm>
#include <cstring>

#include "base/bits.h"
#include "cpu/exec/handlers.h"

namespace ia64::test {
namespace {

using cpu::Format;
using cpu::OpInfo;
using cpu::Unit;
using namespace cpu::op_flag;

bool has_operand(const OpInfo& op, const char* name) {
  return std::strstr(op.text, name) != nullptr;
}
bool touches_memory(const OpInfo& op) {
  return (op.flags & (kLoad | kStore)) != 0;
}
bool is_forward_branch(const OpInfo& op) {
  return op.handler == cpu::br_cond_b1;
}

/// Formats that need a prepared machine: system registers, translations, frames, checks that branch, long
/// branches.
bool needs_setup(Format f) {
  switch (f) {
    case Format::I19:
    case Format::I20:
    case Format::I26:
    case Format::I27:
    case Format::I28:
    case Format::M20:
    case Format::M21:
    case Format::M22:
    case Format::M23:
    case Format::M25:
    case Format::M28:
    case Format::M29:
    case Format::M30:
    case Format::M31:
    case Format::M34:
    case Format::M35:
    case Format::M36:
    case Format::M37:
    case Format::M38:
    case Format::M39:
    case Format::M40:
    case Format::M43:
    case Format::M44:
    case Format::M46:
    case Format::M47:
    case Format::F12:
    case Format::F14:
    case Format::F15:
    case Format::X1:
    case Format::X3:
    case Format::X4: return true;
    default: return false;
  }
}

/// Bases must stay in their buffer and aligned to 16: no increments by a register, nor by the 8 of ldfps.
bool moves_base_freely(const OpInfo& op) {
  if (op.format == Format::M12) return std::strncmp(op.text, "ldfps", 5) == 0;
  return op.format == Format::M2 || op.format == Format::M7 || op.format == Format::M14;
}

/// A load pair across static and rotating registers is legal for one parity of RRB.fr only.
bool depends_on_rotation(const OpInfo& op, const cpu::Insn& i) {
  return (op.flags & kWritesF2) && (i.r1 < 32) != (i.r2 < 32);
}

bool is_filler(Format f) {
  return f == Format::I18 || f == Format::M48 || f == Format::B9 || f == Format::F16 || f == Format::X5;
}

}  // namespace

double default_row_weight(const OpInfo& op) {
  if (op.flags & (kPriv | kEnds)) return 0;
  if (needs_setup(op.format) || moves_base_freely(op)) return 0;
  if (is_filler(op.format)) return 0.2;
  return op.unit == Unit::A || op.unit == Unit::I ? 2 : 1;
}

RandomProgram::RandomProgram(u64 seed, ProgramMix mix) : random_(seed), mix_(std::move(mix)) {
  std::vector<double> weights[6];
  const auto add = [&](Unit unit, u16 op, double weight) {
    pool(unit).ops.push_back(op);
    weights[static_cast<unsigned>(unit)].push_back(weight);
  };
  for (u16 n = 1; n < cpu::op_count(); ++n) {
    const OpInfo& op = cpu::op_info(n);
    double weight = mix_.row_weight ? mix_.row_weight(op) : default_row_weight(op);
    if (mix_.branches && is_forward_branch(op)) weight = 2;
    if (weight == 0 || (touches_memory(op) && mix_.bases.empty())) continue;
    add(op.unit == Unit::A ? Unit::M : op.unit, n, weight);
    if (op.unit == Unit::A) add(Unit::I, n, weight);
  }
  for (unsigned u = 0; u < 6; ++u) pools_[u].pick = Weighted(weights[u].begin(), weights[u].end());
}

unsigned RandomProgram::choose_template() {
  for (;;) {
    const unsigned bits = (random_() % 32 & ~1u) | one_in_16(mix_.stop_in_16);
    const cpu::BundleTemplate& t = cpu::bundle_template(bits);
    const bool possible = !t.reserved && std::all_of(std::begin(t.units), std::end(t.units),
                                                     [this](Unit u) { return !pool(u).ops.empty(); });
    if (possible) return bits;
  }
}

u64 RandomProgram::general_register(bool target) {
  for (;;) {
    const u64 n = random_() % (32 + mix_.stacked);
    if (!target) return n;
    if (n != 0 && std::find(mix_.bases.begin(), mix_.bases.end(), n) == mix_.bases.end()) return n;
  }
}

u64 RandomProgram::fill_field(const OpInfo& op, char letter, unsigned width) {
  if (mix_.field)
    if (const i64 chosen = mix_.field(op, letter, random_()); chosen >= 0) return static_cast<u64>(chosen);
  const bool memory = touches_memory(op);
  const bool small_immediate = memory && op.format != Format::M17;
  switch (letter) {
    case '-': return random_() & 1 ? random_() : 0;
    case 'z': return 0;
    case 'p': return one_in_16(mix_.predicated_in_16) ? random_() : 0;
    case 'a':
      if (has_operand(op, "%r1")) return general_register(true);
      break;
    case 'b':
      if (has_operand(op, "%r2")) return general_register(false);
      break;
    case 'c':
      if (memory) return mix_.bases[random_() % mix_.bases.size()];
      if (width == 2) return random_();  // A5: r0..r3
      if (has_operand(op, "%r3")) return general_register(false);
      break;
    case 's':
    case 'j':
      if (small_immediate || is_forward_branch(op)) return 0;
      break;
    case 'i':
      if (small_immediate) return random_() & 0x10;  // small, and keeps the base aligned to 16
      if (is_forward_branch(op)) return 1 + random_() % 4;
      break;
    default: break;
  }
  const u64 edges[] = {0, 1, low_mask(width), u64{1} << (width - 1)};
  return random_() % 4 == 0 ? edges[random_() % 4] : random_();
}

u64 RandomProgram::fill_row(const OpInfo& op) {
  u64 bits = 0;
  for (const char* c = op.picture; *c != '\0';) {
    const char cell = *c;
    unsigned width = 0;
    if (cell == '0' || cell == '1' || cell == ' ') {
      if (cell != ' ') bits = bits << 1 | u64{cell == '1'};
      ++c;
      continue;
    }
    for (; *c == cell; ++c) ++width;
    bits = bits << width | (fill_field(op, cell, width) & low_mask(width));
  }
  return bits;
}

u64 RandomProgram::choose_slot(Unit unit, unsigned slot) {
  Pool& from = pool(unit);
  for (;;) {
    const OpInfo& op = cpu::op_info(from.ops[from.pick(random_)]);
    const u64 bits = fill_row(op);
    cpu::Insn insn;
    cpu::decode_slot(unit, bits, 0, slot, insn);
    if (mix_.illegal || (insn.handler == op.handler && !depends_on_rotation(op, insn))) return bits;
  }
}

std::array<u8, 16> RandomProgram::next_bundle() {
  const unsigned bits = choose_template();
  const cpu::BundleTemplate& t = cpu::bundle_template(bits);
  u64 s[3];
  for (unsigned n = 0; n < 3; ++n)
    s[n] = t.mlx && n == 1 ? random_() & low_mask(41) : choose_slot(t.units[n], t.mlx && n == 2 ? 1 : n);
  const u64 low = bits | s[0] << 5 | s[1] << 46, high = s[1] >> 18 | s[2] << 23;
  std::array<u8, 16> bytes;
  std::memcpy(bytes.data(), &low, 8);
  std::memcpy(bytes.data() + 8, &high, 8);
  return bytes;
}

std::vector<u8> RandomProgram::program(unsigned count) {
  std::vector<u8> bytes;
  for (unsigned n = 0; n < count; ++n) {
    const auto bundle = next_bundle();
    bytes.insert(bytes.end(), bundle.begin(), bundle.end());
  }
  return bytes;
}

}  // namespace ia64::test
