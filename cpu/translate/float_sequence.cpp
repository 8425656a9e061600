// Recognition of division and root sequences by what they compute: the order of independent steps and the registers do not matter.
// @source Cornea, Harrison, Tang: Scientific Computing on Itanium-based Systems (the algorithms and their proofs)
#include "cpu/translate/float_sequence.h"

#include <algorithm>

#include "cpu/decode/op_info.h"
#include "cpu/exec/handlers.h"
#include "cpu/fp/memory_format.h"
#include "cpu/interp/block.h"
#include "cpu/translate/clobbers.h"

namespace ia64::cpu::ir {

namespace {

using Kind = FloatSequence::Kind;

/// Names of intermediate results. The steps of a template follow from kFirst on.
enum Name : u8 { kZero, kOne, kA, kB, kY, kConstants, kHalf = kConstants, k1_5, k2_5, k4_375, k7_875, k14_4375, kFirst, kUnknown = 0xff };
/// The doubles that kConstants and the following names stand for.
constexpr u64 kConstantBits[] = {0x3fe0000000000000, 0x3ff8000000000000, 0x4004000000000000,
                                 0x4011800000000000, 0x401f800000000000, 0x402ce00000000000};

/// x * y + z, or z - x * y.
struct Step {
  Handler handler;
  u8 x, y, z;
};

constexpr u8 at(unsigned n) { return static_cast<u8>(kFirst + n); }

const Step kQuotient[] = {
    {&fnma_f1, kB, kY, kOne},               // 0  e = 1 - b y
    {&fma_f1, at(0), at(0), kZero},         // 1  e^2
    {&fma_f1, kY, at(0), kY},               // 2  y1 = y + y e
    {&fma_f1, at(1), at(1), kZero},         // 3  e^4
    {&fma_f1, at(2), at(1), at(2)},         // 4  y2 = y1 + y1 e^2
    {&fma_f1, at(4), at(3), at(4)},         // 5  y3 = y2 + y2 e^4
    {&fma_d_f1, kA, at(5), kZero},          // 6  q = a y3, a double
    {&fnma_f1, kB, at(6), kA},              // 7  r = a - b q
};
const Step kSingle[] = {
    {&fnma_f1, kB, kY, kOne},               // 0  e = 1 - b y
    {&fma_f1, kY, at(0), kY},               // 1  y1 = y + y e
    {&fma_f1, at(1), at(0), kY},            // 2  y2 = y + y1 e
    {&fma_s_f1, kA, at(2), kZero},          // 3  q = a y2, a single
    {&fnma_f1, kB, at(3), kA},              // 4  r = a - b q
};
const Step kNatural[] = {
    {&fnma_f1, kB, kY, kOne},               // 0  e = 1 - b y
    {&fma_f1, kA, kY, kZero},               // 1  q = a y
    {&fma_f1, at(0), at(0), kZero},         // 2  e^2
    {&fma_f1, at(0), at(1), at(1)},         // 3  q1 = q + q e
    {&fma_f1, at(0), kY, kY},               // 4  y1 = y + y e
    {&fma_f1, at(2), at(3), at(3)},         // 5  q2 = q1 + q1 e^2
    {&fma_f1, at(2), at(4), at(4)},         // 6  y2 = y1 + y1 e^2
    {&fnma_f1, kB, at(5), kA},              // 7  r = a - b q2
    {&fma_f1, at(7), at(6), at(5)},         // 8  q3 = q2 + r y2
};

const Step kRoot[] = {
    {&fma_f1, kHalf, kY, kZero},            // 0  h = y / 2
    {&fma_f1, kA, kY, kZero},               // 1  g = a y
    {&fnma_f1, at(0), at(1), kHalf},        // 2  e = 1/2 - g h; 1/sqrt(1 - 2e) = 1 + e + 1.5 e^2 + 2.5 e^3 + ...
    {&fma_f1, k2_5, at(2), k1_5},           // 3  2.5 e + 1.5
    {&fma_f1, at(2), at(2), kZero},         // 4  e^2
    {&fma_f1, k14_4375, at(2), k7_875},     // 5  14.4375 e + 7.875
    {&fma_f1, at(4), at(3), at(2)},         // 6  e + 1.5 e^2 + 2.5 e^3
    {&fma_f1, at(4), at(4), kZero},         // 7  e^4
    {&fma_f1, at(2), at(5), k4_375},        // 8  4.375 + 7.875 e + 14.4375 e^2
    {&fma_f1, at(1), at(6), at(1)},         // 9  g + g (6)
    {&fma_f1, at(1), at(7), kZero},         // 10 g e^4
    {&fma_f1, at(7), at(8), at(6)},         // 11 all terms but 1
    {&fma_d_f1, at(10), at(8), at(9)},      // 12 G, a double
    {&fma_f1, at(0), at(11), at(0)},        // 13 H
    {&fnma_f1, at(12), at(12), kA},         // 14 r = a - G^2
};

struct Template {
  Kind kind;
  const Step* steps;
  unsigned count;
  Step last;  ///< in status field 0; not of Natural
};
const Template kDivisions[] = {
    {Kind::Quotient, kQuotient, std::size(kQuotient), {&fma_d_f1, at(7), at(5), at(6)}},
    {Kind::Single, kSingle, std::size(kSingle), {&fma_s_f1, at(4), at(2), at(3)}},
    {Kind::Natural, kNatural, std::size(kNatural), {}},
};
const Template kRootTemplate = {Kind::Root, kRoot, std::size(kRoot), {&fma_d_f1, at(14), at(13), at(12)}};

class Matcher {
 public:
  Matcher(const Insn& first, const Insn* begin, const Template& t)
      : first_(first), begin_(begin), template_(t), root_(t.kind == Kind::Root) {
    std::fill_n(names_, 32, u8{kUnknown});
    names_[0] = kZero, names_[1] = kOne;
    found_.kind = t.kind, found_.dividend = root_ ? first.r3 : first.r2, found_.divisor = root_ ? u8{0} : first.r3;
  }

  std::optional<FloatSequence> run() {
    if (!start()) return {};
    look_back();
    write(first_, kY);
    for (const Insn* i = &first_ + 1; !is_end_of_block(*i); i++) {
      if (ends(*i)) return finish(*i);
      if (!step(*i) && !other(*i)) return {};
    }
    return {};
  }

 private:
  bool start() {
    const u8 a = found_.dividend, b = found_.divisor;
    if (first_.qp || !first_.p2 || first_.r1 < 2 || first_.r1 >= 32 || a == 0 || a >= 32) return false;
    if (root_ ? a < 2 : b < 2 || b >= 32 || a == b) return false;
    if (a != 1) names_[a] = kA;
    if (!root_) names_[b] = kB;
    return true;
  }
  /// Copies of the dividend and constants that instructions shortly before the first step made.
  void look_back() {
    u32 floats = 0;
    u64 general = 0;
    const Insn* i = &first_;
    for (unsigned n = 0; n < kLookBack && i != begin_; n++) {
      i--;
      const u32 flags = op_info(i->op).flags;
      const bool copies = i->handler == &fmerge_s_f9 && i->r2 == i->r3 && i->r3 == found_.dividend && !i->qp;
      if (copies && i->r1 >= 2 && i->r1 < 32 && !(floats >> i->r1 & 1) && i->r1 != found_.divisor && i->r1 != found_.dividend)
        names_[i->r1] = kA, found_.copies.push_back(i->r1);
      if (i->handler == &movl_x2 && !i->qp && i->r1 < 64 && !(general >> i->r1 & 1)) know(*i);
      if (flags & op_flag::kWritesF1) floats |= i->r1 < 32 ? 1u << i->r1 : 0;
      if (flags & op_flag::kWritesF2) floats |= i->r2 < 32 ? 1u << i->r2 : 0;
      if (flags & op_flag::kWritesR1) general |= i->r1 < 64 ? u64{1} << i->r1 : 0;
      if (flags & op_flag::kWritesR3) general |= i->r3 < 64 ? u64{1} << i->r3 : 0;
      if (!writes_only_declared(*i) || floats >> found_.dividend & 1) return;
    }
  }
  bool holds(unsigned f, u8 name) const {
    return f < 32 && (names_[f] == name || (name == kA && found_.dividend == 1 && f == 1));
  }
  bool computes(const Insn& i, const Step& s) const {
    if (i.handler != s.handler || !holds(i.r2, s.z)) return false;
    return (holds(i.r3, s.x) && holds(i.r4, s.y)) || (holds(i.r4, s.x) && holds(i.r3, s.y));
  }
  void write(const Insn& i, u8 name) {
    names_[i.r1] = name;
    found_.steps.push_back(&i);
    written_ |= 1u << i.r1;
    if (std::find(found_.left.begin(), found_.left.end(), i.r1) == found_.left.end()) found_.left.push_back(i.r1);
  }

  // What may as well come in front of the steps.
  bool other(const Insn& i) {
    if (i.qp || !is_other(i)) return false;
    return found_.others.push_back(&i), true;
  }
  bool is_other(const Insn& i) {
    const Handler h = i.handler;
    if (h == &sub_a1) return i.r1 != 0 && (general_known_ &= ~(u64{1} << i.r1 % 64), true);
    if (h == &movl_x2) return know(i), true;
    if (h == &setf_sig_m18) return take(i.r1);
    if (h == &setf_s_m18 || h == &setf_exp_m18) return sets_constant(i);
    if (h == &fclass_m_f5 || h == &fclass_m_unc_f5) return holds(i.r2, kA) && i.p1 != first_.p2 && i.p2 != first_.p2;
    return h == &fmerge_s_f9 && i.r2 == i.r3 && holds(i.r2, kA) && take(i.r1);
  }
  /// A register that no step shall read or write from here on.
  bool take(u8 f) {
    if (f < 2 || f >= 32) return false;
    names_[f] = kUnknown, taken_ |= 1u << f;
    std::erase(found_.left, f);
    return true;
  }
  void know(const Insn& i) {
    if (i.r1 >= 64) return;
    general_[i.r1] = i.imm, general_known_ |= u64{1} << i.r1;
  }
  bool sets_constant(const Insn& i) {
    if (i.r2 >= 64 || !(general_known_ >> i.r2 & 1) || i.r1 < 2 || i.r1 >= 32 || (written_ | taken_) >> i.r1 & 1) return false;
    const u64 v = general_[i.r2];
    const FpReg value = i.handler == &setf_s_m18 ? fp::from_single(static_cast<u32>(v)) : fp::from_exponent(v);
    for (u8 n = 0; n < std::size(kConstantBits); n++) {
      if (!(fp::from_double(kConstantBits[n]) == value)) continue;
      names_[i.r1] = static_cast<u8>(kConstants + n), written_ |= 1u << i.r1;
      return found_.constants.emplace_back(i.r1, value), true;
    }
    return false;
  }

  bool step(const Insn& i) {
    if (i.qp != first_.p2 || i.x != 1 || i.r1 < 2 || i.r1 >= 32 || taken_ >> i.r1 & 1) return false;
    for (unsigned n = 0; n < template_.count; n++)
      if (computes(i, template_.steps[n])) return write(i, at(n)), true;
    return false;
  }
  bool ends(const Insn& i) const {
    if (i.r1 < 2 || i.r1 >= 32 || taken_ >> i.r1 & 1) return false;
    if (template_.kind == Kind::Natural)
      return i.handler == &fcvt_fxu_trunc_f10 && i.x == 1 && (!i.qp || i.qp == first_.p2) && holds(i.r2, at(8));
    return i.qp == first_.p2 && i.x == 0 && computes(i, template_.last);
  }
  /// Registers of constants that a step overwrites need not be set.
  FloatSequence finish(const Insn& last) {
    found_.last = &last;
    const auto replaced = [&](const Insn* i) {
      const bool sets = i->handler == &setf_s_m18 || i->handler == &setf_exp_m18;
      return sets && (i->r1 == last.r1 || std::find(found_.left.begin(), found_.left.end(), i->r1) != found_.left.end());
    };
    std::erase_if(found_.others, replaced);
    std::erase(found_.left, last.r1);
    return std::move(found_);
  }

  static constexpr unsigned kLookBack = 16;

  const Insn& first_;
  const Insn* const begin_;
  const Template& template_;
  const bool root_;
  u8 names_[32];
  u32 taken_ = 0;    ///< registers that other instructions wrote
  u32 written_ = 0;  ///< registers that steps wrote, and those of constants
  u64 general_[64] = {}, general_known_ = 0;
  FloatSequence found_;
};

}  // namespace

std::optional<FloatSequence> match_float_sequence(const Insn& first, const Insn* begin) {
  if (first.handler == &frsqrta_f7) return Matcher(first, begin, kRootTemplate).run();
  for (const Template& t : kDivisions)
    if (t.kind != Kind::Natural || first.x == 1)
      if (auto found = Matcher(first, begin, t).run()) return found;
  return {};
}

}  // namespace ia64::cpu::ir
