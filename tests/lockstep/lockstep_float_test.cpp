// Random floating-point programs on two processors, one interpreting and one translating: the same state after every run.
// Operands are mostly ordinary numbers, so that results stay ordinary too; the rest is every other kind of register.
#include <cstring>
#include <optional>
#include <random>

#include "cpu/arch/register_differences.h"
#include "cpu/decode/decoder.h"
#include "cpu/disasm/printer.h"
#include "cpu/fp/fpsr.h"
#include "cpu/fp/memory_format.h"
#include "cpu/jit/options.h"
#include "tests/support/bare_machine.h"
#include "tests/support/environment.h"
#include "tests/support/random_program.h"

using namespace ia64;
using namespace ia64::test;
using cpu::FpReg;
using cpu::OpInfo;
using cpu::StopReason;

namespace {

constexpr unsigned kBundles = 32, kStacked = 16;
constexpr u64 kDataBytes = 0x100000;
// Registers that mostly hold numbers, and such that mostly hold integers, so that programs make sense.
constexpr u8 kNumbers[] = {0, 1, 6, 7, 8, 9, 10, 11, 12, 32, 33, 34, 127}, kIntegers[] = {0, 1, 13, 14, 35};

bool names_floats(const OpInfo& op) { return std::strstr(op.text, "%f") != nullptr; }

double weight(const OpInfo& op) {
  const double usual = default_row_weight(op);
  if (usual == 0 || !names_floats(op)) return usual * 0.1;
  if (std::strncmp(op.text, "fp", 2) == 0) return 0.1;
  switch (op.format) {
    case cpu::Format::F1: return std::strstr(op.text, ".d%") ? 20 : std::strstr(op.text, ".s%") ? 10 : 8;
    case cpu::Format::F2: return 4;
    case cpu::Format::F4: return 4;
    case cpu::Format::F8: return 4;
    case cpu::Format::F10: return 1;
    case cpu::Format::M6:
    case cpu::Format::M8:
    case cpu::Format::M9:
    case cpu::Format::M10: return std::strstr(op.text, "fill") || std::strstr(op.text, "spill") ? 3 : std::strchr(op.text, '.') ? 0.6 : 8;
    case cpu::Format::M11: return std::strchr(op.text, '.') ? 0.6 : 3;
    case cpu::Format::M12: return std::strchr(op.text, '.') ? 0.3 : 2;
    case cpu::Format::M18:
    case cpu::Format::M19: return 8;
    default: return std::strncmp(op.text, "fmerge", 6) == 0 ? 6 : 0.5;
  }
}

bool starts(const OpInfo& op, const char* text) { return std::strncmp(op.text, text, std::strlen(text)) == 0; }

bool uses_integer(const OpInfo& op, bool target) {
  if (starts(op, "fcvt.xf")) return !target;
  if (starts(op, "fcvt.fx")) return target;
  return starts(op, "xma") || starts(op, "ldf8") || starts(op, "ldfp8") || starts(op, "stf8") || starts(op, "setf.sig") || starts(op, "getf.sig") ||
         op.format == cpu::Format::F3 || starts(op, "fand") || starts(op, "fxor") || starts(op, "for");
}

/// Few registers, mostly status field 0, often the constants 0 and 1 as operands.
i64 operand_field(const OpInfo& op, char letter, u64 random) {
  char operand[] = "%f0";
  switch (letter) {
    case 'a': operand[2] = '1'; break;
    case 'b': operand[2] = '2'; break;
    case 'c': operand[2] = '3'; break;
    case 'd': operand[2] = '4'; break;
    case 'x': return random % 4 ? 0 : random % 16 < 8 ? 1 : -1;
    case 'p': return random % 4 ? 0 : -1;
    default: return -1;
  }
  if (!std::strstr(op.text, operand)) return -1;
  const bool target = letter == 'a' || (letter == 'b' && (op.flags & cpu::op_flag::kWritesF2));
  const bool integer = random >> 32 & 31 ? uses_integer(op, target) : random >> 40 & 1;
  const u8* const from = integer ? kIntegers : kNumbers;
  const u64 count = integer ? sizeof kIntegers : sizeof kNumbers;
  return target ? from[2 + random % (count - 2)] : from[random % count];
}

class Operands {
 public:
  explicit Operands(u64 seed, bool many_rare) : rare(many_rare), random_(seed) {}
  bool rare = false;  ///< many strange operands
  u64 bits() { return random_(); }
  u64 below(u64 n) { return random_() % n; }
  /// A double of moderate size, often with few bits.
  u64 ordinary() {
    const u64 sign = random_() << 63, exponent = 1023 - 12 + random_() % 25;
    const unsigned cut = static_cast<unsigned>(below(4) ? 29 + below(24) : below(52));
    return sign | exponent << 52 | (random_() & low_mask(52) & ~low_mask(cut));
  }
  u32 ordinary_single() { return static_cast<u32>(bits() << 31 | (127 - 10 + below(20)) << 23 | (bits() & 0x7fffff & ~low_mask(static_cast<unsigned>(below(23))))); }
  u64 any_double() {
    const u64 edges[] = {0, u64{1} << 63, 1, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
                         0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0x3ff0000000000000, 0x47efffffe0000000,
                         0x380fffffc0000000, 0x36a0000000000000, 0x43f0000000000000, 0xc3e0000000000000, 0x3ff0000010000000};
    return below(2) ? edges[below(17)] : bits();
  }
  u64 memory_word() {
    switch (below(rare ? 8 : 32)) {
      case 0: return any_double();
      case 1: return u64{ordinary_single()} << 32 | ordinary_single();
      case 2: return below(2) ? bits() % 1000 : -(bits() % 1000);
      default: return ordinary();
    }
  }
  FpReg register_value(unsigned n) {
    if (n == 13 || n == 14 || n % 32 == 3) return cpu::fp::from_integer(below(2) ? below(100) : bits());
    switch (below(rare ? 16 : 64)) {
      case 0: return cpu::fp::from_double(any_double());
      case 1: return cpu::fp::from_integer(below(2) ? below(100) : bits());
      case 2: return {bits() | bit(63), static_cast<u32>(0xffff - 20 + below(40)), 0};
      case 3: return {bits(), static_cast<u32>(below(1 << 18)), 0};
      case 4: return below(4) ? cpu::fp::from_extended(bits(), static_cast<u16>(bits())) : cpu::kFpNatVal;
      case 5:
      case 6:
      case 7: return cpu::fp::from_single(ordinary_single());
      default: return cpu::fp::from_double(ordinary());
    }
  }
  u64 fpsr() {
    u64 v = 0x9804c0270033f;
    if (below(2)) v |= u64{1} << 18;  // Inexact is set already
    if (below(2)) v |= u64{1} << 31 | u64{below(2)} << 27;  // Inexact and perhaps Denormal of status field 1
    if (below(4) == 0) {
      v = bits() & low_mask(58);
      for (unsigned sf = 0; sf < 4; sf++)
        if (cpu::fp::reserved_controls(sf, cpu::fp::Fpsr(v).controls(sf))) v = cpu::fp::Fpsr(v).with_controls(sf, 0x0c);
      if (below(2)) v |= 0x3f;
    }
    return v;
  }

 private:
  std::mt19937_64 random_;
};

struct Start {
  u64 seed = 0;
  std::vector<u8> code;
};

constexpr u64 kNop = u64{1} << 27;

u64 multiply_add(unsigned major, unsigned sf, unsigned f1, unsigned f3, unsigned f4, unsigned f2, unsigned qp) {
  return u64{major} << 37 | u64{sf} << 34 | u64{f4} << 27 | u64{f3} << 20 | u64{f2} << 13 | u64{f1} << 6 | qp;
}
u64 reciprocal(unsigned sf, unsigned f1, unsigned p2, unsigned f2, unsigned f3) {
  return u64{sf} << 34 | u64{1} << 33 | u64{p2} << 27 | u64{f3} << 20 | u64{f2} << 13 | u64{f1} << 6;
}
u64 set_significand(unsigned f, unsigned r) { return u64{6} << 37 | u64{0x1c} << 30 | u64{1} << 27 | u64{r} << 13 | u64{f} << 6; }
u64 subtract(unsigned r1, unsigned r2, unsigned r3) { return u64{8} << 37 | u64{1} << 29 | u64{1} << 27 | u64{r3} << 20 | u64{r2} << 13 | u64{r1} << 6; }
u64 to_unsigned(unsigned f1, unsigned f2) { return u64{1} << 34 | u64{0x1b} << 27 | u64{f2} << 13 | u64{f1} << 6; }

u64 reciprocal_root(unsigned f1, unsigned p2, unsigned f3) { return u64{1} << 36 | u64{1} << 33 | u64{p2} << 27 | u64{f3} << 20 | u64{f1} << 6; }
u64 set_from(unsigned x6, unsigned f, unsigned r) { return u64{6} << 37 | u64{x6} << 30 | u64{1} << 27 | u64{r} << 13 | u64{f} << 6; }
u64 class_of(unsigned p1, unsigned p2, unsigned f, unsigned classes) {
  return u64{5} << 37 | u64{classes & 3} << 33 | u64{p2} << 27 | u64{classes >> 2} << 20 | u64{f} << 13 | u64{p1} << 6;
}
u64 copy_of(unsigned f1, unsigned f2) { return u64{0x10} << 27 | u64{f2} << 20 | u64{f2} << 13 | u64{f1} << 6; }

constexpr unsigned kFma = 8, kFmaD = 9, kFmaS = 8, kFnma = 12;

/// A bundle with movl in its second and third slots.
struct Long {
  unsigned r;
  u64 value;
};
struct Step {
  u64 m = kNop, f = kNop;
  std::optional<Long> load{};
};

/// The square root of a double as the C library takes it.
std::vector<Step> root(Operands& o) {
  constexpr unsigned kExp = 0x1d, kSingle = 0x1e;
  const auto m = [](unsigned f1, unsigned f3, unsigned f4, unsigned f2) { return multiply_add(kFma, 1, f1, f3, f4, f2, 6); };
  const auto n = [](unsigned f1, unsigned f3, unsigned f4, unsigned f2) { return multiply_add(kFnma, 1, f1, f3, f4, f2, 6); };
  const u64 wrong = o.below(8) == 0;  // not the constant it should be: no root
  std::vector<Step> s = {
      {kNop, reciprocal_root(7, 6, 8)}, {.load = Long{20, 0xfffe}}, {set_from(kExp, 9, 20), kNop}, {.load = Long{21, 0x3fc00000}},
      {set_from(kSingle, 10, 21), class_of(14, 15, 8, 0x3a)}, {.load = Long{20, 0x40200000}}, {.load = Long{21, 0x40fc0000 + wrong}},
      {set_from(kSingle, 11, 20), m(6, 9, 7, 0)}, {set_from(kSingle, 12, 21), m(7, 8, 7, 0)}, {kNop, copy_of(15, 8)},
      {.load = Long{20, 0x41670000}}, {set_from(kSingle, 13, 20), n(9, 7, 6, 9)}, {.load = Long{21, 0x408c0000}},
      {set_from(kSingle, 14, 21), m(10, 11, 9, 10)}, {kNop, m(11, 9, 9, 0)}, {kNop, m(12, 13, 9, 12)}, {kNop, m(10, 11, 10, 9)},
      {kNop, m(11, 11, 11, 0)}, {kNop, m(9, 9, 12, 14)}, {kNop, m(12, 10, 7, 7)}, {kNop, m(7, 7, 11, 0)}, {kNop, m(10, 11, 9, 10)},
      {kNop, multiply_add(kFmaD, 1, 7, 9, 7, 12, 6)}, {kNop, m(6, 10, 6, 6)}, {kNop, n(9, 7, 7, 8)},
      {kNop, multiply_add(kFmaD, 0, o.below(2) ? 8 : 33, 9, 6, 7, 6)}};
  return s;
}

/// The quotient of two singles, perhaps of a copy of the dividend.
std::vector<Step> single_division(Operands& o) {
  const unsigned a = o.below(2) ? 6 : 8;
  const auto m = [](unsigned f1, unsigned f3, unsigned f4, unsigned f2) { return multiply_add(kFma, 1, f1, f3, f4, f2, 6); };
  const auto n = [](unsigned f1, unsigned f3, unsigned f4, unsigned f2) { return multiply_add(kFnma, 1, f1, f3, f4, f2, 6); };
  return {{kNop, o.below(4) ? multiply_add(kFmaS, 0, 8, 8, 1, 0, 0) | u64{1} << 36 : copy_of(9, 9)}, {kNop, multiply_add(kFmaS, 0, 9, 9, 1, 0, 0) | u64{1} << 36},
          {kNop, copy_of(6, 8)}, {kNop, reciprocal(static_cast<unsigned>(o.below(2)), a == 8 ? 12 : 8, 6, 8, 9)},
          {kNop, n(10, 9, a == 8 ? 12 : 8, 1)}, {kNop, m(7, a == 8 ? 12 : 8, 10, a == 8 ? 12 : 8)}, {kNop, m(7, 7, 10, a == 8 ? 12 : 8)},
          {kNop, multiply_add(kFmaS, 1, 10, a, 7, 0, 6) | u64{1} << 36}, {kNop, n(a, 10, 9, a)},
          {kNop, multiply_add(kFmaS, 0, 8, a, 7, 10, 6) | u64{1} << 36}};
}

/// M and F slots of bundles that divide: two doubles, or two integers. Independent steps change places now and then.
std::vector<std::pair<u64, u64>> division(Operands& o) {
  const auto m = [](unsigned f1, unsigned f3, unsigned f4, unsigned f2) { return std::pair{kNop, multiply_add(kFma, 1, f1, f3, f4, f2, 6)}; };
  const auto n = [](unsigned f1, unsigned f3, unsigned f4, unsigned f2) { return std::pair{kNop, multiply_add(kFnma, 1, f1, f3, f4, f2, 6)}; };
  std::vector<std::pair<u64, u64>> s;
  if (o.below(2)) {
    const unsigned a = o.below(4) ? 6 : 1, r = o.below(2) && a == 6 ? 6 : 12;  // sometimes over the dividend
    s = {{kNop, reciprocal(static_cast<unsigned>(o.below(2)), 8, 6, a, 7)}, n(9, 7, 8, 1), m(10, 9, 9, 0), m(9, 8, 9, 8),
         m(11, 10, 10, 0), m(9, 9, 10, 9), m(9, 9, 11, 9), {kNop, multiply_add(kFmaD, 1, 10, a, 9, 0, 6)}, n(r, 7, 10, a),
         {kNop, multiply_add(kFmaD, 0, o.below(2) ? 8 : 10, r, 9, 10, 6)}};
    if (o.below(2)) std::swap(s[2], s[3]), s[3] = m(10, 9, 9, 0), s[2] = m(12, 8, 9, 8), s[5] = m(9, 12, 10, 12);
  } else {
    s = {{set_significand(6, 20), kNop}, {set_significand(7, 21), multiply_add(kFma, 1, 6, 6, 1, 0, 0)},
         {kNop, multiply_add(kFma, 1, 7, 7, 1, 0, 0)}, {kNop, reciprocal(1, 8, 6, 6, 7)}, n(9, 7, 8, 1), m(10, 6, 8, 0), m(11, 9, 9, 0),
         m(10, 9, 10, 10), m(8, 9, 8, 8), m(9, 11, 10, 10), m(8, 11, 8, 8), n(10, 7, 9, 6), m(8, 10, 8, 9),
         {kNop, to_unsigned(o.below(2) ? 8 : 13, 8)}};
    if (o.below(2)) s[10].first = subtract(21, 0, 21), s[12].first = set_significand(7, 21);
  }
  return s;
}

/// adds r1 = imm, r3
u64 add_immediate(unsigned r1, i64 imm, unsigned r3) {
  const u64 v = static_cast<u64>(imm);
  return u64{8} << 37 | (v >> 13 & 1) << 36 | u64{2} << 34 | (v >> 7 & 0x3f) << 27 | u64{r3} << 20 | (v & 0x7f) << 13 | u64{r1} << 6;
}
u64 load_float(u64 kind, u64 format, bool pair, unsigned f1, unsigned f2, unsigned base, u64 qp) {
  return u64{6} << 37 | kind << 32 | format << 30 | u64{pair} << 27 | u64{base} << 20 | u64{pair ? f2 : 0} << 13 | u64{f1} << 6 | qp;
}
u64 store_general(u64 size, unsigned base, unsigned r2) { return u64{4} << 37 | (0x30 + size) << 30 | u64{base} << 20 | u64{r2} << 13; }

/// Advanced loads, of one register or a pair, with stores near by before their checks.
std::vector<Step> advanced(Operands& o) {
  constexpr u8 kPairs[][2] = {{6, 7}, {13, 14}, {9, 8}, {32, 33}, {33, 34}, {35, 34}, {12, 11}, {14, 13}};
  constexpr u64 kAdvanced = 2, kSpeculativeAdvanced = 3, kCheckClear = 8, kCheckKeep = 9;
  const auto& f = kPairs[o.below(8)];
  const bool pair = o.below(4) != 0;
  const u64 format = 1 + o.below(3), qp = o.below(4) ? 0 : 1 + o.below(15);
  const i64 at = static_cast<i64>(o.below(4)) * 16, apart = static_cast<i64>(o.below(8) * 8) - 24;
  const auto load = [&](u64 kind) { return load_float(kind, format, pair, f[0], f[1], 21, qp); };
  std::vector<Step> s = {{add_immediate(20, at + apart, 8), kNop}, {add_immediate(21, at, 8), kNop},
                         {load(o.below(4) ? kAdvanced : kSpeculativeAdvanced), kNop}};
  for (u64 n = 1 + o.below(2); n > 0; n--) {
    if (o.below(4)) s.push_back({store_general(o.below(4), 20, 33), multiply_add(kFmaD, 0, 10, f[0], f[pair], 1, 0)});
    s.push_back({load(o.below(2) ? kCheckClear : kCheckKeep), kNop});
  }
  return s;
}

/// Puts bundles with these slots somewhere into the program.
void put_steps(std::vector<u8>& code, const std::vector<Step>& s, Operands& o) {
  size_t at = 16 * o.below(kBundles - s.size());
  for (const Step& step : s) {
    u64 words[] = {0x0d | step.m << 5 | step.f << 46, step.f >> 18 | kNop << 23};
    if (step.load) {
      const u64 v = step.load->value;
      const u64 x = u64{6} << 37 | (v >> 63) << 36 | (v >> 7 & 0x1ff) << 27 | (v >> 16 & 0x1f) << 22 | (v >> 21 & 1) << 21 |
                    (v & 0x7f) << 13 | u64{step.load->r} << 6;
      const u64 l = v >> 22 & low_mask(41);
      words[0] = 0x05 | kNop << 5 | l << 46, words[1] = l >> 18 | x << 23;
    }
    std::memcpy(&code[at], words, 16);
    at += 16;
  }
}

/// Puts a division or a root into the program.
void divide(std::vector<u8>& code, u64 seed) {
  Operands o(seed ^ 0xd171de, false);
  std::vector<Step> s;
  switch (o.below(4)) {
    case 0: s = root(o); break;
    case 1: s = single_division(o); break;
    default: for (const auto& [m, f] : division(o)) s.push_back({m, f});
  }
  put_steps(code, s, o);
}

void advance(std::vector<u8>& code, u64 seed) {
  Operands o(seed ^ 0xadaced, false);
  put_steps(code, advanced(o), o);
}

/// A bundle with a conditional branch by `bundles` in its last slot.
void put_branch(u8* at, i64 bundles, unsigned qp) {
  constexpr u64 nop_b = u64{2} << 37;
  const u64 distance = static_cast<u64>(bundles) & 0x1fffff;
  const u64 branch = u64{4} << 37 | (distance >> 20) << 36 | (distance & 0xfffff) << 13 | qp;
  const u64 words[] = {0x13 | kNop << 5 | nop_b << 46, nop_b >> 18 | branch << 23};
  std::memcpy(at, words, 16);
}

/// Branches over some bundles, and short loops, in place of some bundles.
void add_branches(std::vector<u8>& code, u64 seed) {
  Operands o(seed ^ 0xb4a2c4, false);
  for (u64 n = 1 + o.below(4); n > 0; n--) {
    const i64 at = static_cast<i64>(o.below(kBundles - 1));
    const i64 to = at + (o.below(4) ? 1 + static_cast<i64>(o.below(8)) : -static_cast<i64>(o.below(6)));
    if (to >= 0 && to < static_cast<i64>(kBundles)) put_branch(&code[static_cast<size_t>(at) * 16], to - at, to > at ? static_cast<unsigned>(o.below(16)) : 1 + static_cast<unsigned>(o.below(15)));
  }
}

/// The program and a branch back to its first bundle.
std::vector<u8> looped(std::vector<u8> code) {
  code.resize(code.size() + 16);
  put_branch(&code[code.size() - 16], -static_cast<i64>(kBundles), 0);
  return code;
}

void prepare(BareMachine& m, const Start& s) {
  Operands o(s.seed ^ 0xf10a7, s.seed % 4 == 0);
  m.bus().write_bytes(BareMachine::kCode, s.code.data(), s.code.size());
  auto& r = m.regs();
  r.cfm = cpu::Cfm{.sof = kStacked, .sol = kStacked};
  r.cfm.rrb_fr = static_cast<u8>(o.below(3) ? 0 : o.below(96));
  for (unsigned n = 1; n < 32 + kStacked; n++) r.set_gr_nat(n, o.memory_word(), s.seed % 8 == 5 && o.below(32) == 0);
  for (unsigned n = 8; n <= 11; n++) r.set_gr(n, BareMachine::kData + (n - 8) * 0x40000);
  for (unsigned n = 1; n < 64; n++) r.pr_phys[n] = o.bits() & 1;
  for (unsigned n = 2; n < 128; n++) r.fr_phys[n] = o.register_value(n);
  r.fpsr = o.fpsr();
  r.psr |= cpu::psr::kAc | cpu::psr::kIc;
  if (s.seed % 5 == 0) r.psr |= cpu::psr::kBe;
  if (o.below(16) == 0) r.psr |= o.below(2) ? cpu::psr::kDfl : cpu::psr::kDfh;
  for (u64 n = 0; n < kDataBytes; n += 8) m.write64(BareMachine::kData + n, s.seed % 5 ? o.memory_word() : byte_swap(o.memory_word()));
}

std::string listing(const std::vector<u8>& code, u64 ip) {
  const u64 offset = (ip - BareMachine::kCode) & ~u64{15};
  std::string text;
  for (u64 at = offset >= 64 ? offset - 64 : 0; at < offset + 32 && at + 16 <= code.size(); at += 16) {
    cpu::Insn insns[3];
    const unsigned count = cpu::decode_bundle(code.data() + at, insns);
    for (unsigned n = 0; n < count; n++) text += "    " + cpu::insn_text(insns[n], BareMachine::kCode + at) + "\n";
  }
  return text;
}

/// Leaves the handler for the bundle behind the one that was interrupted.
void go_on_behind(BareMachine& m, u64 psr) {
  auto& r = m.regs();
  const u64 next = (r.iip & ~u64{15}) + 16;
  m.core().set_psr(psr | (r.psr & (cpu::psr::kMfl | cpu::psr::kMfh)));
  r.ip = next >= BareMachine::kCode && next < BareMachine::kCode + kBundles * 16 ? next : BareMachine::kCode;
  r.slot = 0;
}

void compare_runs(BareMachine& a, BareMachine& b, const Start& s, u64 slice, unsigned slices) {
  for (auto* m : {&a, &b}) prepare(*m, s), m->core().set_stop_on_interruption(true);
  const u64 start_psr = a.regs().psr;
  for (unsigned n = 0; n < slices; n++) {
    const StopReason first = a.core().run(slice), second = b.core().run(slice);
    std::string difference = cpu::register_differences(a.regs(), b.regs());
    if (first != second) difference += "  stop reasons differ\n";
    if (a.core().slots_retired() != b.core().slots_retired()) difference += "  instruction counts differ\n";
    if (!difference.empty()) FAIL("seed " << s.seed << " slice " << n << "\n" << difference << listing(s.code, a.regs().ip));
    if (first == StopReason::Interruption)
      for (auto* m : {&a, &b}) go_on_behind(*m, start_psr);
    if (n % 8 != 7) continue;  // fresh operands, now that blocks are translated
    Operands o(s.seed * 31 + n, s.seed % 4 == 0);
    for (unsigned k = 2; k < 128; k++) a.regs().fr_phys[k] = b.regs().fr_phys[k] = o.register_value(k);
    a.regs().fpsr = b.regs().fpsr = o.fpsr();
    for (unsigned k = 8; k <= 11; k++)
      for (auto* m : {&a, &b}) m->regs().set_gr(k, BareMachine::kData + (k - 8) * 0x40000 + 16 * n);
  }
  for (u64 at = 0; at < kDataBytes; at += 8)
    if (a.read64(BareMachine::kData + at) != b.read64(BareMachine::kData + at)) FAIL("seed " << s.seed << " memory differs at " << at);
}

}  // namespace

TEST_CASE("random floating-point programs give the same state under both engines", "[lockstep]") {
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 300);
  u64 translated = 0, deopts = 0, bails = 0, regions = 0, parts = 0;
  for (u64 seed = first; seed < first + count; seed++) {
    BareMachine a, b;
    cpu::TranslatorOptions options;
    options.threshold = 2, options.verify = true;
    options.region_threshold = static_cast<u32>(1 + seed % 8);
    if (seed % 16 == 3) options.optimisations.native_float = false;
    if (seed % 16 == 7) options.optimisations.native_float_memory = false;
    if (seed % 16 == 13) options.optimisations.float_values = false;
    if (seed % 16 == 11) options.optimisations.native_float_moves = false;
    b.core().use_translator(options);
    ProgramMix mix;
    mix.stacked = kStacked, mix.row_weight = weight, mix.field = operand_field, mix.predicated_in_16 = 4;
    auto code = RandomProgram(seed, mix).program(kBundles);
    if (seed % 2 == 1) add_branches(code, seed);
    if (seed % 3 == 1) divide(code, seed);
    if (seed % 3 == 2) advance(code, seed);
    const Start s{seed, looped(std::move(code))};
    compare_runs(a, b, s, seed % 3 ? 500 : 37, 48);
    const auto& c = *b.core().translator_counters();
    translated += c.instructions, deopts += c.deopts, bails += c.bails, regions += c.regions, parts += c.region_parts;
  }
  std::printf("seeds %llu..%llu: %llu instructions translated, %llu deopts, %llu bails, %llu regions of %llu parts\n", static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(first + count - 1), static_cast<unsigned long long>(translated),
              static_cast<unsigned long long>(deopts), static_cast<unsigned long long>(bails), static_cast<unsigned long long>(regions),
              static_cast<unsigned long long>(parts));
  CHECK(translated > 0);
}
