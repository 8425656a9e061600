// The short way of multiply-add against the general one, which is tested against MPFR.
#include <random>

#include "cpu/fp/multiply_add.h"
#include "cpu/fp/quick_multiply_add.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::cpu;

namespace {

/// Exponents close together, so that sums cancel, and far apart; significands with long runs of equal bits.
FpReg operand(std::mt19937_64& random) {
  u64 significand = random();
  switch (random() % 4) {
    case 0: significand &= random() << random() % 64; break;
    case 1: significand |= ~u64{0} >> random() % 64; break;
    case 2: significand = ~u64{0} << random() % 64; break;
    default: break;
  }
  if (random() % 8) significand |= u64{1} << 63;
  const u64 spread = u64{1} << random() % 9;
  return {significand, static_cast<u32>(0xffff - spread / 2 + random() % spread) | static_cast<u32>(random() & 1) << 17, 0};
}

template <unsigned kPrecision>
void compare(std::mt19937_64& random, fp::Completer completer) {
  for (unsigned n = 0; n < 400000; n++) {
    const FpReg f3 = operand(random), f4 = operand(random);
    FpReg f2 = operand(random);
    // Often close to the product, to cancel.
    if (random() % 2) f2.sign_exp = (f2.sign_exp & ~0x1ffffu) | (f3.exponent() + f4.exponent() - 0xffff + static_cast<u32>(random() % 4) - 1);
    if (random() % 4 == 0) f2.significand = static_cast<u64>((u128{f3.significand} * f4.significand) >> (63 + random() % 2));
    fp::QuickOperand a, b, c;
    bool unnormal = false;
    if (!fp::quick_operand(f3, a, unnormal) || !fp::quick_operand(f4, b, unnormal) || !fp::quick_operand(f2, c, unnormal)) continue;
    const fp::MultiplyAddKind kind{random() % 2 != 0, random() % 2 != 0, random() % 4 == 0};
    const fp::Control control = fp::Fpsr(0x3f | u64{0x0e} << 6).control(completer, 0);
    const fp::Outcome expected = fp::multiply_add(f3, f4, f2, kind, control);
    unsigned signs = (f3.sign() ^ f4.sign() ^ kind.negate_product) | (f2.sign() ^ kind.negate_addend) << 1;
    i64 exponent;
    bool inexact;
    const u64 significand = fp::quick_multiply_add<kPrecision>(a, b, c, !kind.no_addend, signs, exponent, inexact);
    FpReg got{significand, 0, 0};
    if (significand) got.sign_exp = static_cast<u32>(exponent) | (signs & 1) << 17;
    if (got == expected.value && inexact == ((expected.flags & fp::kInexact) != 0)) continue;
    FAIL("operands " << std::hex << f3.significand << " " << f3.sign_exp << ", " << f4.significand << " " << f4.sign_exp << ", "
                     << f2.significand << " " << f2.sign_exp << ": " << got.significand << " " << got.sign_exp << " instead of "
                     << expected.value.significand << " " << expected.value.sign_exp);
  }
}

}  // namespace

TEST_CASE("quick multiply-add rounds as the general one does", "[fp]") {
  std::mt19937_64 random(7);
  compare<64>(random, fp::Completer::None);
  compare<53>(random, fp::Completer::Double);
  compare<24>(random, fp::Completer::Single);
}
