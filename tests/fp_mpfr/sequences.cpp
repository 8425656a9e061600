// Division and square root as compilers emit them inline.
#include "tests/fp_mpfr/sequences.h"

namespace ia64::test {
namespace {

using namespace cpu::fp;

const FpReg kHalf{u64{1} << 63, 0xfffe, 0};
const FpReg kThreeEighths{u64{3} << 62, 0xfffd, 0};

/// Status field 1 in the compilers' convention: wre, 64 bits, nearest, traps disabled.
constexpr u64 kStatusField1 = u64{0x40 | 3 << 2 | 1 << 1} << 19;

}  // namespace

Approximation SequenceMachine::frcpa(const FpReg& a, const FpReg& b) {
  const Approximation y = reciprocal(a, b, Fpsr(fpsr_).control(Completer::None, 0));
  flags_ |= y.outcome.flags;
  return y;
}

Approximation SequenceMachine::frsqrta(const FpReg& a) {
  const Approximation y = reciprocal_root(a, Fpsr(fpsr_).control(Completer::None, 0));
  flags_ |= y.outcome.flags;
  return y;
}

FpReg SequenceMachine::last(const FpReg& f3, const FpReg& f4, const FpReg& f2, Completer completer) {
  const Outcome o = multiply_add(f3, f4, f2, {}, Fpsr(fpsr_).control(completer, 0));
  flags_ |= o.flags;
  return o.value;
}

FpReg SequenceMachine::s1(const FpReg& f3, const FpReg& f4, const FpReg& f2, MultiplyAddKind kind,
                          Completer completer) {
  return multiply_add(f3, f4, f2, kind, Fpsr(kStatusField1).control(completer, 1)).value;
}

FpReg divide_single(SequenceMachine& m, const FpReg& a, const FpReg& b) {
  const Approximation p = m.frcpa(a, b);
  if (!p.refine) return p.outcome.value;
  const FpReg y = p.outcome.value;
  const FpReg e = m.fnma(b, y, cpu::kFpOne);
  const FpReg q = m.fmpy(a, y);
  const FpReg e1 = m.fma(e, e, e);
  const FpReg q1 = m.fma_s(q, e1, q);
  const FpReg y1 = m.fma(y, e1, y);
  const FpReg r = m.fnma(q1, b, a);
  return m.last(r, y1, q1, Completer::Single);
}

FpReg divide_double(SequenceMachine& m, const FpReg& a, const FpReg& b) {
  const Approximation p = m.frcpa(a, b);
  if (!p.refine) return p.outcome.value;
  const FpReg y = p.outcome.value;
  const FpReg e = m.fnma(b, y, cpu::kFpOne);
  const FpReg q = m.fmpy(a, y);
  const FpReg e1 = m.fma(e, e, e);
  const FpReg e2 = m.fmpy(e, e);
  const FpReg q1 = m.fma(q, e1, q);
  const FpReg e3 = m.fma(e2, e2, e);
  const FpReg y1 = m.fma(y, e1, y);
  const FpReg q2 = m.fma_d(q1, e3, q);
  const FpReg y2 = m.fma(y1, e3, y);
  const FpReg r = m.fnma(b, q2, a);
  return m.last(r, y2, q2, Completer::Double);
}

FpReg divide_extended(SequenceMachine& m, const FpReg& a, const FpReg& b) {
  const Approximation p = m.frcpa(a, b);
  if (!p.refine) return p.outcome.value;
  const FpReg y = p.outcome.value;
  const FpReg e = m.fnma(b, y, cpu::kFpOne);
  const FpReg q = m.fmpy(a, y);
  const FpReg e1 = m.fma(e, e, e);
  const FpReg e2 = m.fmpy(e, e);
  const FpReg r = m.fnma(b, q, a);
  const FpReg y1 = m.fma(y, e1, y);
  const FpReg e3 = m.fma(e2, e2, e);
  const FpReg y2 = m.fma(y1, e3, y);
  const FpReg q1 = m.fma(r, y2, q);
  const FpReg e4 = m.fnma(b, y2, cpu::kFpOne);
  const FpReg r1 = m.fnma(b, q1, a);
  const FpReg y3 = m.fma(y2, e4, y2);
  return m.last(r1, y3, q1, Completer::None);
}

FpReg root_single(SequenceMachine& m, const FpReg& a) {
  const Approximation p = m.frsqrta(a);
  if (!p.refine) return p.outcome.value;
  const FpReg y = p.outcome.value;
  const FpReg g = m.fmpy(a, y);
  const FpReg e = m.fnma(g, y, cpu::kFpOne);
  const FpReg s = m.fma(kThreeEighths, e, kHalf);
  const FpReg d = m.fmpy(y, e);
  const FpReg y1 = m.fma(d, s, y);
  const FpReg g1 = m.fmpy_s(a, y1);
  const FpReg h = m.fmpy(kHalf, y1);
  const FpReg r = m.fnma(g1, g1, a);
  return m.last(r, h, g1, Completer::Single);
}

FpReg root_double(SequenceMachine& m, const FpReg& a) {
  const Approximation p = m.frsqrta(a);
  if (!p.refine) return p.outcome.value;
  const FpReg y = p.outcome.value;
  FpReg g = m.fmpy(a, y), h = m.fmpy(kHalf, y);
  for (int step = 0; step < 2; step++) {
    const FpReg r = m.fnma(g, h, kHalf);
    g = m.fma(g, r, g);
    h = m.fma(h, r, h);
  }
  const FpReg d = m.fnma(g, g, a);
  const FpReg g1 = m.fma(d, h, g);
  const FpReg d1 = m.fnma(g1, g1, a);
  return m.last(d1, h, g1, Completer::Double);
}

FpReg root_extended(SequenceMachine& m, const FpReg& a) {
  const Approximation p = m.frsqrta(a);
  if (!p.refine) return p.outcome.value;
  const FpReg y = p.outcome.value;
  FpReg g = m.fmpy(a, y), h = m.fmpy(kHalf, y);
  for (int step = 0; step < 2; step++) {
    const FpReg r = m.fnma(g, h, kHalf);
    g = m.fma(g, r, g);
    h = m.fma(h, r, h);
  }
  const FpReg d = m.fnma(g, g, a);
  const FpReg r = m.fnma(g, h, kHalf);
  const FpReg g1 = m.fma(d, h, g);
  const FpReg h1 = m.fma(r, h, h);
  const FpReg d1 = m.fnma(g1, g1, a);
  return m.last(d1, h1, g1, Completer::None);
}

}  // namespace ia64::test
