// Floating-point instructions as translated loops execute them, against MPFR: values as they arrive in memory, flags as ar.fpsr shows them.
#include <fmt/format.h>

#include "tests/fp_mpfr/operands.h"
#include "tests/support/bare_machine.h"

namespace ia64::test {
namespace {

using namespace cpu::fp;

constexpr unsigned kBatch = 1000;
constexpr u64 kRecordBytes = 64;
constexpr u64 kStatusField1 = u64{0x40 | 3 << 2 | 1 << 1} << 19;  // the compilers' convention, see sequences.cpp

struct Operands {
  FpReg a, b, c;
};
/// What one round of the loop left: f9 as memory format and status field 0's flags.
struct Left {
  FpReg value;  // from stf.spill
  u64 word;     // from stfd or stfs
  u8 flags;
};
enum class Form { Register, Double, Single };

/// One round: three operands from the record, flags cleared, `body` from f6, f7, f8 to f9, result and ar.fpsr back to the record.
std::string program(std::string_view body, Form form) {
  const bool spill = form == Form::Register;
  const char* load = spill ? "ldf.fill" : form == Form::Double ? "ldfd" : "ldfs";
  const char* store = spill ? "stf.spill" : form == Form::Double ? "stfd" : "stfs";
  return fmt::format(R"(
        movl r14 = {0} ;;
        mov r15 = {1} ;;
        mov.i ar.lc = r15 ;;
top:    adds r15 = 16, r14
        adds r16 = 32, r14
        adds r17 = 48, r14 ;;
        {2} f6 = [r14]
        {2} f7 = [r15]
        {2} f8 = [r16]
        mov.m ar.fpsr = r20 ;;
{3}
        {4} [r14] = f9
        mov.m r18 = ar.fpsr ;;
        st8 [r17] = r18
        adds r14 = {5}, r14
        br.cloop.sptk.few top ;;
        break.m 0x100 ;;
)",
                     BareMachine::kData, kBatch - 1, load, body, store, kRecordBytes);
}

u64 as_word(const FpReg& r, Form form) {
  if ((r.sign_exp & 0x1ffff) == 0x1ffff && r.significand << 1)  // the only NaN here: QNaN Indefinite
    return form == Form::Double ? 0xfff8000000000000 : 0xffc00000;
  const Real x(r);
  return form == Form::Double ? std::bit_cast<u64>(mpfr_get_d(x.get(), MPFR_RNDN)) : std::bit_cast<u32>(mpfr_get_flt(x.get(), MPFR_RNDN));
}

void write_operand(BareMachine& m, u64 at, const FpReg& r, Form form) {
  if (form == Form::Register) {
    m.write64(at, r.significand), m.write64(at + 8, r.sign_exp);
  } else {
    m.write64(at, as_word(r, form));
  }
}

/// Runs the loop over `operands` (kBatch of them) under the translator.
std::vector<Left> run(std::string_view text, Form form, u64 fpsr, const std::vector<Operands>& operands) {
  BareMachine m;
  m.core().use_translator(translator_choice());
  m.load(text);
  m.regs().set_gr(20, fpsr);
  for (unsigned n = 0; n < kBatch; n++) {
    const u64 at = BareMachine::kData + n * kRecordBytes;
    write_operand(m, at, operands[n].a, form), write_operand(m, at + 16, operands[n].b, form), write_operand(m, at + 32, operands[n].c, form);
  }
  m.run_to_interruption(100 * kBatch);
  CHECK(m.core().translator_counters()->instructions > 8 * kBatch);
  std::vector<Left> left;
  for (unsigned n = 0; n < kBatch; n++) {
    const u64 at = BareMachine::kData + n * kRecordBytes;
    const u64 first = m.read64(at), flags = m.read64(at + 48) >> 13 & 0x3f;
    left.push_back({{first, static_cast<u32>(m.read64(at + 8)), 0}, form == Form::Single ? first & 0xffffffff : first, static_cast<u8>(flags)});
  }
  return left;
}

/// One instruction or sequence: its text for a completer, and the exact result.
struct Operation3 {
  const char* name;
  const char* text;  // {0}: ".d", ".s" or ""
  unsigned operands;
  int (*compute)(mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr c, mpfr_rnd_t mode);
};

int product_difference(mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr c, mpfr_rnd_t mode) {
  Real negated;
  mpfr_neg(negated.get(), a, MPFR_RNDN);
  return mpfr_fma(r, negated.get(), b, c, mode);
}
constexpr Operation3 kArithmetic[] = {
    {"fma", "fma{0}.s0 f9 = f6, f7, f8 ;;", 3, [](mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr c, mpfr_rnd_t m) { return mpfr_fma(r, a, b, c, m); }},
    {"fms", "fms{0}.s0 f9 = f6, f7, f8 ;;", 3, [](mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr c, mpfr_rnd_t m) { return mpfr_fms(r, a, b, c, m); }},
    {"fnma", "fnma{0}.s0 f9 = f6, f7, f8 ;;", 3, product_difference},
    {"fmpy", "fmpy{0}.s0 f9 = f6, f7 ;;", 2, [](mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr, mpfr_rnd_t m) { return mpfr_mul(r, a, b, m); }},
    {"fadd", "fadd{0}.s0 f9 = f6, f7 ;;", 2, [](mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr, mpfr_rnd_t m) { return mpfr_add(r, a, b, m); }},
    {"fsub", "fsub{0}.s0 f9 = f6, f7 ;;", 2, [](mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr, mpfr_rnd_t m) { return mpfr_sub(r, a, b, m); }},
    {"fnorm", "fnorm{0}.s0 f9 = f6 ;;", 1, [](mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t m) { return mpfr_set(r, a, m); }},
};

int quotient(mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr, mpfr_rnd_t mode) { return mpfr_div(r, a, b, mode); }
int root(mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t mode) { return mpfr_sqrt(r, a, mode); }

// The sequences as gcc 12 emits them for a division and a root (its last step of the root in status field 0 here).
constexpr Operation3 kDivideDouble = {"division of doubles", R"(
        frcpa.s0 f9, p6 = f6, f7 ;;
        (p6) fnma.s1 f10 = f7, f9, f1 ;;
        (p6) fmpy.s1 f11 = f10, f10
        (p6) fma.s1 f10 = f9, f10, f9 ;;
        (p6) fmpy.s1 f12 = f11, f11
        (p6) fma.s1 f10 = f10, f11, f10 ;;
        (p6) fma.s1 f10 = f10, f12, f10 ;;
        (p6) fmpy.d.s1 f11 = f6, f10 ;;
        (p6) fnma.s1 f12 = f7, f11, f6 ;;
        (p6) fma.d.s0 f9 = f12, f10, f11 ;;)", 2, quotient};
constexpr Operation3 kDivideSingle = {"division of singles", R"(
        frcpa.s0 f9, p6 = f6, f7 ;;
        (p6) fnma.s1 f10 = f7, f9, f1 ;;
        (p6) fma.s1 f11 = f9, f10, f9 ;;
        (p6) fma.s1 f11 = f11, f10, f9 ;;
        (p6) fmpy.s.s1 f10 = f6, f11 ;;
        (p6) fnma.s1 f12 = f10, f7, f6 ;;
        (p6) fma.s.s0 f9 = f12, f11, f10 ;;)", 2, quotient};
constexpr Operation3 kRootDouble = {"root of a double", R"(
        movl r19 = 0x3fe0000000000000 ;;
        setf.d f10 = r19
        frsqrta.s0 f9, p6 = f6 ;;
        (p6) fmpy.s1 f11 = f6, f9 ;;
        (p6) fmpy.s1 f12 = f10, f9 ;;
        (p6) fnma.s1 f13 = f11, f12, f10 ;;
        (p6) fma.s1 f11 = f11, f13, f11
        (p6) fma.s1 f12 = f12, f13, f12 ;;
        (p6) fnma.s1 f10 = f11, f12, f10 ;;
        (p6) fma.s1 f11 = f11, f10, f11
        (p6) fma.s1 f12 = f12, f10, f12 ;;
        (p6) fnma.s1 f10 = f11, f11, f6 ;;
        (p6) fma.s1 f11 = f10, f12, f11 ;;
        (p6) fnma.s1 f13 = f11, f11, f6 ;;
        (p6) fma.d.s0 f9 = f13, f12, f11 ;;)", 1, root};

/// Infinities have rules that MPFR does not know, and tests of their own.
bool finite(const FpReg& r) { return (r.sign_exp & 0x1ffff) != 0x1ffff && !r.is_natval(); }
FpReg finite_register(Random& random) {
  for (;;)
    if (const FpReg r = random_register(random); finite(r)) return r;
}
FpReg operand(Random& random, Form form) {
  if (form == Form::Double) return random_in_format(random, 53, 1023);
  if (form == Form::Single) return random_in_format(random, 24, 127);
  return random.one_in(2) ? random_in_format(random, 53, 1023) : finite_register(random);
}

const char* completer_text(Completer c) { return c == Completer::Double ? ".d" : c == Completer::Single ? ".s" : ""; }

/// Runs kBatch random operands of a form; returns how many results or flags differ and reports the first few.
unsigned compare_batch(const Operation3& op, Form form, const Environment& env, Random& random) {
  std::vector<Operands> operands;
  for (unsigned n = 0; n < kBatch; n++) {
    Operands o{operand(random, form), operand(random, form), operand(random, form)};
    if (form == Form::Register && op.operands == 3 && random.one_in(4))
      if (const FpReg c = cancelling_addend(random, o.a, o.b); finite(c)) o.c = c;
    if (op.compute == root) o.a.sign_exp &= 0x1ffff;
    operands.push_back(o);
  }
  const std::string body = fmt::format(fmt::runtime(op.text), completer_text(env.completer));
  const auto left = run(program(body, form), form, env.fpsr() | kStatusField1, operands);
  unsigned failures = 0;
  for (unsigned n = 0; n < kBatch; n++) {
    const Operands& o = operands[n];
    const Real a(o.a), b(o.b), c(o.c);
    const auto compute = [&](mpfr_ptr r, mpfr_rnd_t mode) { return op.compute(r, a.get(), b.get(), c.get(), mode); };
    const FpReg* used[] = {&o.a, &o.b, &o.c};
    u8 denormal = 0;
    for (unsigned i = 0; i < op.operands; i++) denormal |= encodes_unnormal(*used[i]) ? kDenormal : 0;
    const Expected want = expected_result(compute, env, denormal);
    const bool same = form == Form::Register ? difference(want, Outcome{.value = left[n].value, .flags = left[n].flags}).empty()
                                             : as_word(want.value, form) == left[n].word && want.flags == left[n].flags;
    if (same || ++failures > 4) continue;
    std::printf("%s of %s, %s, %s, %s: %s\n", op.name, text(o.a).c_str(), text(o.b).c_str(), text(o.c).c_str(), env.text().c_str(),
                form == Form::Register ? difference(want, Outcome{.value = left[n].value, .flags = left[n].flags}).c_str()
                                       : fmt::format("{:#x} flags {:#x}, not {:#x} flags {:#x}", left[n].word, left[n].flags, as_word(want.value, form), want.flags).c_str());
  }
  return failures;
}

Environment masked_environment(Completer completer, unsigned rounding, bool flush = false) {
  return {.completer = completer, .pc = 3, .wre = false, .rounding = rounding, .masked = 63, .flush = flush};
}

}  // namespace

TEST_CASE("translated: arithmetic of doubles and singles equals MPFR in every rounding", "[jit]") {
  NEEDS_ASSEMBLER();
  Random random(announce_seed("translated doubles and singles"));
  for (unsigned round = 0; round < scaled(1); round++)
    for (const auto& op : kArithmetic)
      for (unsigned rounding = 0; rounding < 4; rounding++)
        for (const bool flush : {false, true}) {
          CHECK(compare_batch(op, Form::Double, masked_environment(Completer::Double, rounding, flush), random) == 0);
          CHECK(compare_batch(op, Form::Single, masked_environment(Completer::Single, rounding, flush), random) == 0);
        }
}

// 2^-3 and a number just below twice the smallest normal number times 2^3: the product lies just below the smallest normal number,
// is rounded up to it, and underflows, for with an unbounded exponent it would be exact and too small.
TEST_CASE("translated: a product that is rounded up to the smallest normal number underflows", "[jit]") {
  NEEDS_ASSEMBLER();
  constexpr u8 kUnderflowInexact = kUnderflow | kInexact;
  const FpReg eighth{u64{1} << 63, 0xffff - 3, 0};
  const FpReg in_double{~u64{0} << 11, 0xffff - 1020, 0}, in_single{~u64{0} << 40, 0xffff - 124, 0};
  for (const bool flush : {false, true}) {
    const auto fpsr = [&](Completer c) { return masked_environment(c, 0, flush).fpsr() | kStatusField1; };
    const std::vector<Operands> doubles(kBatch, {eighth, in_double, {}}), singles(kBatch, {eighth, in_single, {}});
    for (const Left& left : run(program("fmpy.d.s0 f9 = f6, f7 ;;", Form::Double), Form::Double, fpsr(Completer::Double), doubles)) {
      REQUIRE(left.word == (flush ? 0 : 0x0010000000000000));
      REQUIRE(left.flags == kUnderflowInexact);
    }
    for (const Left& left : run(program("fmpy.s.s0 f9 = f6, f7 ;;", Form::Single), Form::Single, fpsr(Completer::Single), singles)) {
      REQUIRE(left.word == (flush ? 0 : 0x00800000));
      REQUIRE(left.flags == kUnderflowInexact);
    }
  }
}

TEST_CASE("translated: arithmetic of any registers in any environment equals MPFR", "[jit]") {
  NEEDS_ASSEMBLER();
  Random random(announce_seed("translated registers"));
  for (unsigned round = 0; round < scaled(8); round++)
    for (const auto& op : kArithmetic) CHECK(compare_batch(op, Form::Register, random_environment(random, false), random) == 0);
}

TEST_CASE("translated: the compilers' divisions and roots are correctly rounded, their flags right", "[jit]") {
  NEEDS_ASSEMBLER();
  Random random(announce_seed("translated sequences"));
  for (unsigned round = 0; round < scaled(4); round++)
    for (unsigned rounding = 0; rounding < 4; rounding++) {
      CHECK(compare_batch(kDivideDouble, Form::Double, masked_environment(Completer::Double, rounding), random) == 0);
      CHECK(compare_batch(kDivideSingle, Form::Single, masked_environment(Completer::Single, rounding), random) == 0);
      CHECK(compare_batch(kRootDouble, Form::Double, masked_environment(Completer::Double, rounding), random) == 0);
    }
}

}  // namespace ia64::test
