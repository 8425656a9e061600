// Recognition of division sequences by what they compute: the order of independent steps and the registers do not matter.
// @source Cornea, Harrison, Tang: Scientific Computing on Itanium-based Systems (the algorithms and their proofs)
#include "cpu/translate/float_sequence.h"

#include <algorithm>

#include "cpu/exec/handlers.h"
#include "cpu/interp/block.h"

namespace ia64::cpu::ir {

namespace {

/// Names of intermediate results. The steps of a template follow from kFirst on.
enum Name : u8 { kZero, kOne, kA, kB, kY, kFirst, kUnknown = 0xff };

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

class Matcher {
 public:
  Matcher(const Insn& first, const Step* steps, unsigned count, FloatSequence::Kind kind)
      : first_(first), template_(steps), count_(count) {
    std::fill_n(names_, 32, u8{kUnknown});
    names_[0] = kZero, names_[1] = kOne;
    found_.kind = kind, found_.dividend = first.r2, found_.divisor = first.r3;
  }

  std::optional<FloatSequence> run() {
    if (first_.qp || !first_.p2 || first_.r1 < 2 || first_.r1 >= 32 || first_.r2 == 0 || first_.r2 >= 32) return {};
    if (first_.r3 < 2 || first_.r3 >= 32 || first_.r2 == first_.r3) return {};
    if (first_.r2 != 1) names_[first_.r2] = kA;
    names_[first_.r3] = kB;
    write(first_, kY);
    for (const Insn* i = &first_ + 1; !is_end_of_block(*i); i++) {
      if (ends(*i)) return finish(*i);
      if (!step(*i) && !other(*i)) return {};
    }
    return {};
  }

 private:
  bool holds(unsigned f, u8 name) const {
    return f < 32 && (names_[f] == name || (name == kA && first_.r2 == 1 && f == 1));
  }
  bool computes(const Insn& i, const Step& s) const {
    if (i.handler != s.handler || !holds(i.r2, s.z)) return false;
    return (holds(i.r3, s.x) && holds(i.r4, s.y)) || (holds(i.r4, s.x) && holds(i.r3, s.y));
  }
  void write(const Insn& i, u8 name) {
    names_[i.r1] = name;
    found_.steps.push_back(&i);
    if (std::find(found_.left.begin(), found_.left.end(), i.r1) == found_.left.end()) found_.left.push_back(i.r1);
  }
  /// What may as well come behind the last step.
  bool other(const Insn& i) {
    const bool moves = i.handler == &setf_sig_m18;
    if (i.qp || i.r1 == 0 || (!moves && i.handler != &sub_a1) || (moves && (i.r1 < 2 || i.r1 >= 32))) return false;
    if (moves) names_[i.r1] = kUnknown, taken_ |= 1u << i.r1;
    return found_.others.push_back(&i), true;
  }
  bool step(const Insn& i) {
    if (i.qp != first_.p2 || i.x != 1 || i.r1 < 2 || i.r1 >= 32 || taken_ >> i.r1 & 1) return false;
    for (unsigned n = 0; n < count_; n++)
      if (computes(i, template_[n])) return write(i, at(n)), true;
    return false;
  }
  bool ends(const Insn& i) const {
    if (i.r1 < 2 || i.r1 >= 32 || taken_ >> i.r1 & 1) return false;
    if (found_.kind == FloatSequence::Kind::Natural)
      return i.handler == &fcvt_fxu_trunc_f10 && i.x == 1 && (!i.qp || i.qp == first_.p2) && holds(i.r2, at(8));
    return i.qp == first_.p2 && i.x == 0 && computes(i, {&fma_d_f1, at(7), at(5), at(6)});
  }
  FloatSequence finish(const Insn& last) {
    found_.last = &last;
    std::erase(found_.left, last.r1);
    return std::move(found_);
  }

  const Insn& first_;
  const Step* const template_;
  const unsigned count_;
  u8 names_[32];
  u32 taken_ = 0;  ///< registers that other instructions wrote
  FloatSequence found_;
};

}  // namespace

std::optional<FloatSequence> match_float_sequence(const Insn& first) {
  using Kind = FloatSequence::Kind;
  if (auto s = Matcher(first, kQuotient, std::size(kQuotient), Kind::Quotient).run()) return s;
  if (first.x == 1) return Matcher(first, kNatural, std::size(kNatural), Kind::Natural).run();
  return {};
}

}  // namespace ia64::cpu::ir
