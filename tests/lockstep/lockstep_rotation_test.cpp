// Random rotating loops on two processors, one interpreting and one translating: the same state after every run.
#include <random>

#include "cpu/arch/register_differences.h"
#include "cpu/jit/options.h"
#include "tests/support/bare_machine.h"
#include "tests/support/each_optimisation.h"
#include "tests/support/environment.h"
#include "tests/support/random_program.h"
#include "tests/support/translator_choice.h"

using namespace ia64;
using namespace ia64::test;
using cpu::StopReason;

namespace {

constexpr unsigned kStacked = 96;

/// One loop, which begins anew whenever it ends.
struct Loop {
  u64 seed = 0;
  unsigned bundles = 0;
  std::vector<u8> code;
  u64 end() const { return BareMachine::kCode + code.size(); }
};

void append(std::vector<u8>& code, u64 s0, u64 s1, u64 s2, u64 bits) {
  const auto word = [&](u64 v) { for (int n = 0; n < 8; n++) code.push_back(static_cast<u8>(v >> 8 * n)); };
  word(bits | s0 << 5 | s1 << 46), word(s1 >> 18 | s2 << 23);
}

/// A branch to a bundle that far away. @param type  btype of formats B1 and B2
u64 branch(unsigned type, unsigned qp, int bundles) {
  const u64 d = static_cast<u64>(i64{bundles}) & 0x1fffff;
  return u64{4} << 37 | (d >> 20) << 36 | (d & 0xfffff) << 13 | type << 6 | qp;
}

/// Integer work and memory above all, as loops that software pipelines have it.
double row_weight(const cpu::OpInfo& op) {
  using F = cpu::Format;
  const bool memory = op.flags & (cpu::op_flag::kLoad | cpu::op_flag::kStore);
  const bool integer = op.format >= F::A1 && op.format <= F::A8;
  if (op.unit == cpu::Unit::F || op.format == F::M16 || op.format == F::M17) return default_row_weight(op) * 0.02;
  return default_row_weight(op) * (integer ? 6 : memory ? 1.5 : 0.5);
}

Loop make_loop(u64 seed) {
  std::mt19937_64 random(seed);
  ProgramMix mix;
  mix.row_weight = row_weight, mix.stacked = kStacked;
  Loop loop;
  loop.seed = seed, loop.bundles = static_cast<unsigned>(1 + random() % 4);
  loop.code = RandomProgram(seed, mix).program(loop.bundles);
  const int back = -static_cast<int>(loop.bundles);
  constexpr u64 nop = u64{1} << 27, nop_b = u64{2} << 37;
  constexpr unsigned kCtop = 7, kWtop = 3;
  const bool counted = random() % 4 != 0;
  // An early way out in some.
  const u64 out = random() % 3 ? nop_b : branch(0, static_cast<unsigned>(1 + random() % 31), 2);
  append(loop.code, nop, out, branch(counted ? kCtop : kWtop, counted ? 0 : static_cast<unsigned>(random() % 32), back), 0x13);
  append(loop.code, nop, nop_b, branch(0, 0, back - 1), 0x13);
  append(loop.code, nop, nop_b, branch(0, 0, back - 2), 0x13);
  return loop;
}

/// What both machines begin a slice with: another count, other predicates, bases that were not moved away.
void prepare_slice(BareMachine& m, u64 seed) {
  std::mt19937_64 random(seed);
  auto& r = m.regs();
  for (unsigned n = 8; n <= 11; n++) r.set_gr(n, BareMachine::kData + (n - 8) * 0x40000 + random() % 64 * 16);
  r.lc = random() % 3 ? random() % 20 : random() % 2000;
  r.ec = static_cast<u8>(random() % 3 ? random() % 8 : random() % 64);
  for (unsigned n = 1; n < 64; n++) r.pr_phys[n] = random() & 1;
  if (random() % 2) std::fill(r.pr_phys + 16, r.pr_phys + 64, u8{1});
}

void prepare(BareMachine& m, const Loop& loop) {
  std::mt19937_64 random(loop.seed ^ 0x5eed);
  m.bus().write_bytes(BareMachine::kCode, loop.code.data(), loop.code.size());
  auto& r = m.regs();
  const unsigned sor = 8 * static_cast<unsigned>(loop.seed % 13);
  r.cfm = cpu::Cfm{.sof = kStacked, .sol = kStacked, .sor = static_cast<u8>(sor)};
  if (sor) r.cfm.rrb_gr = static_cast<u8>(random() % sor);
  r.cfm.rrb_pr = static_cast<u8>(random() % 48), r.cfm.rrb_fr = static_cast<u8>(random() % 96);
  for (unsigned n = 1; n < 32 + kStacked; n++) r.set_gr_nat(n, random(), loop.seed % 8 == 0 && random() % 40 == 0);
  for (u64& b : r.br) b = random();
  r.unat = random(), r.fpsr = 0x9804c0270033f;
  r.psr |= cpu::psr::kAc;
  if (loop.seed % 9 == 0) r.psr |= cpu::psr::kBe;
  if (loop.seed & 1) r.psr |= cpu::psr::kIc;
  for (unsigned n = 0; n < 0x100000; n += 8) m.write64(BareMachine::kData + n, n * 0x9e3779b97f4a7c15);
}

/// Leaves the handler for the bundle behind the one that was interrupted.
void go_on_behind(BareMachine& m, const Loop& loop, u64 psr) {
  auto& r = m.regs();
  const u64 next = (r.iip & ~u64{15}) + 16;
  m.core().set_psr(psr);
  r.ip = next >= BareMachine::kCode && next < loop.end() ? next : BareMachine::kCode;
  r.slot = 0;
}

void compare(BareMachine& a, BareMachine& b, const Loop& loop) {
  for (auto* m : {&a, &b}) prepare(*m, loop), m->core().set_stop_on_interruption(true);
  const u64 psr = a.regs().psr;
  std::mt19937_64 random(loop.seed ^ 0x51ce);
  for (unsigned slice = 0; slice < 60; slice++) {
    const u64 length = random() % 4 ? 1 + random() % 300 : 5000;
    const bool fresh = random() % 2;
    if (fresh) prepare_slice(a, loop.seed * 64 + slice), prepare_slice(b, loop.seed * 64 + slice);
    const StopReason first = a.core().run(length), second = b.core().run(length);
    std::string difference = cpu::register_differences(a.regs(), b.regs());
    if (first != second) difference += "  stop reasons differ\n";
    if (a.core().slots_retired() != b.core().slots_retired()) difference += "  instructions differ\n";
    if (!difference.empty()) FAIL("seed " << loop.seed << " slice " << slice << "\n" << difference);
    if (first != StopReason::Interruption) continue;
    if (!(psr & cpu::psr::kIc)) break;  // where it was is not recorded
    for (auto* m : {&a, &b}) go_on_behind(*m, loop, psr);
  }
  for (u64 at = 0; at < 0x100000; at += 8)
    if (a.read64(BareMachine::kData + at) != b.read64(BareMachine::kData + at)) FAIL("seed " << loop.seed << " memory differs at " << at);
}

}  // namespace

TEST_CASE("random rotating loops give the same state under both engines", "[lockstep]") {
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 600);
  u64 instructions = 0, translated = 0, regions = 0, windows = 0;
  for (u64 seed = first; seed < first + count; seed++) {
    BareMachine a, b;
    cpu::TranslatorOptions options = translator_choice(2);
    if (seed % 11 == 0) options.optimisations.switch_off("fold_constants,dead_values");
    if (seed % 7 == 0) options.host.remove("all");
    b.core().use_translator(options);
    compare(a, b, make_loop(seed));
    instructions += b.core().slots_retired();
    const auto& c = *b.core().translator_counters();
    translated += c.instructions, regions += c.regions, windows += c.windows;
  }
  const auto n = [](u64 v) { return static_cast<unsigned long long>(v); };
  std::printf("seeds %llu..%llu: %llu instructions, %llu of them translated; %llu regions, %llu with a window\n", n(first), n(first + count - 1),
              n(instructions), n(translated), n(regions), n(windows));
  CHECK(regions > 0);
}

TEST_CASE("random rotating loops give the same state without any one optimisation", "[lockstep]") {
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 600) / 12;
  without_each_optimisation(first, count, [](u64 seed, const cpu::TranslatorOptions& options) {
    BareMachine a, b;
    b.core().use_translator(options);
    compare(a, b, make_loop(seed));
  });
}
