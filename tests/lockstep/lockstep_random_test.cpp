// Random programs on two processors, one interpreting and one translating: the same state after every run.
#include <random>

#include "cpu/arch/register_differences.h"
#include "cpu/decode/decoder.h"
#include "cpu/disasm/printer.h"
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

constexpr unsigned kBundles = 48, kStacked = 32;
constexpr u64 kEnd = BareMachine::kCode + kBundles * 16;

/// What a run starts from; equal for both machines.
struct Start {
  std::vector<u8> code;
  u64 seed = 0;
  unsigned rotating = 0;   // CFM.sor
  bool big_endian = false, nats = false, wild = false;
};

/// The program, then enough room for its last branches, then a branch to the first bundle: a loop, so that blocks run often
/// and are linked.
std::vector<u8> looped(std::vector<u8> code) {
  const auto word = [&](u64 v) { for (int n = 0; n < 8; n++) code.push_back(static_cast<u8>(v >> 8 * n)); };
  const auto bundle = [&](u64 s0, u64 s1, u64 s2, u64 bits) { word(bits | s0 << 5 | s1 << 46), word(s1 >> 18 | s2 << 23); };
  constexpr u64 nop = u64{1} << 27, nop_b = u64{2} << 37;  // nop.m, nop.i; nop.b
  for (int n = 0; n < 4; n++) bundle(nop, nop, nop, 0x01);
  const u64 back = static_cast<u64>(-static_cast<i64>(kBundles + 4)) & 0x1fffff;
  const u64 branch = u64{4} << 37 | (back >> 20) << 36 | (back & 0xfffff) << 13;
  bundle(nop, nop_b, branch, 0x13);
  return code;
}

void prepare(BareMachine& m, const Start& s) {
  std::mt19937_64 random(s.seed ^ 0x5eed);
  m.bus().write_bytes(BareMachine::kCode, s.code.data(), s.code.size());
  auto& r = m.regs();
  const u64 edges[] = {0, 1, ~u64{0}, u64{1} << 63, 0x7fffffff, 0x80000000, 63, 64};
  const auto value = [&] { return random() % 3 ? random() : edges[random() % 8]; };
  r.cfm = cpu::Cfm{.sof = kStacked, .sol = static_cast<u8>(kStacked), .sor = static_cast<u8>(s.rotating)};
  if (s.rotating) r.cfm.rrb_gr = static_cast<u8>(random() % s.rotating), r.cfm.rrb_pr = static_cast<u8>(random() % 48), r.cfm.rrb_fr = static_cast<u8>(random() % 96);
  for (unsigned n = 1; n < 32 + kStacked; n++) r.set_gr_nat(n, value(), s.nats && random() % 24 == 0);
  for (unsigned n = 8; n <= 11; n++) r.set_gr(n, BareMachine::kData + (n - 8) * 0x40000 + (s.wild && random() % 4 == 0 ? 1 : 0));
  for (unsigned n = 1; n < 64; n++) r.pr_phys[n] = random() & 1;
  for (u64& b : r.br) b = value();
  r.unat = random(), r.lc = random() % 5, r.fpsr = 0x9804c0270033f;
  r.psr |= cpu::psr::kAc;
  if (s.big_endian) r.psr |= cpu::psr::kBe;
  if (s.seed & 1) r.psr |= cpu::psr::kIc;
  for (unsigned n = 0; n < 0x100000; n += 8) m.write64(BareMachine::kData + n, n * 0x9e3779b97f4a7c15);
}

std::string listing(const std::vector<u8>& code, u64 ip) {
  const u64 offset = (ip - BareMachine::kCode) & ~u64{15};
  std::string text;
  for (u64 at = offset >= 32 ? offset - 32 : 0; at < offset + 32 && at + 16 <= code.size(); at += 16) {
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
  m.core().set_psr(psr);
  r.ip = next >= BareMachine::kCode && next < kEnd ? next : BareMachine::kCode;
  r.slot = 0;
}

/// Runs both in slices of `slice` instructions up to the limit. @returns instructions executed
u64 compare_runs(BareMachine& a, BareMachine& b, const Start& s, u64 slice, u64 limit) {
  for (auto* m : {&a, &b}) prepare(*m, s), m->core().set_stop_on_interruption(true);
  const u64 start_psr = a.regs().psr;
  u64 ip_before = a.regs().ip;
  for (u64 done = 0; done < limit; done += slice) {
    ip_before = a.regs().ip;
    const StopReason first = a.core().run(slice), second = b.core().run(slice);
    std::string difference = cpu::register_differences(a.regs(), b.regs());
    if (first != second) difference += "  stop reasons differ\n";
    if (a.core().slots_retired() != b.core().slots_retired())
      difference += "  instructions: " + std::to_string(a.core().slots_retired()) + " and " + std::to_string(b.core().slots_retired()) + "\n";
    if (!difference.empty()) {
      char where[160];
      std::snprintf(where, sizeof where, "seed %llu after %llu instructions, started at %llx, now %llx\n",
                    static_cast<unsigned long long>(s.seed), static_cast<unsigned long long>(done + slice),
                    static_cast<unsigned long long>(ip_before), static_cast<unsigned long long>(a.regs().ip));
      FAIL(where << difference << listing(s.code, a.regs().ip));
    }
    if (first == StopReason::Interruption) {
      if (!(start_psr & cpu::psr::kIc)) return done;  // where it was is not recorded
      for (auto* m : {&a, &b}) go_on_behind(*m, start_psr);
    }
  }
  for (u64 at = 0; at < 0x100000; at += 8)
    if (a.read64(BareMachine::kData + at) != b.read64(BareMachine::kData + at)) FAIL("seed " << s.seed << " memory differs at " << at);
  return limit;
}

struct Totals {
  u64 executed = 0;
  cpu::TranslatorCounters counters;
};

/// Runs the program that `seed` makes under both engines.
void compare_seed(u64 seed, cpu::TranslatorOptions options, Totals& total, ProgramMix mix = {}) {
  BareMachine a, b;
  b.core().use_translator(options);
  Start s;
  s.seed = seed;
  s.rotating = seed % 3 == 2 ? 8 * (seed % 4) : 0;
  s.big_endian = seed % (mix.row_weight ? 3 : 17) == 0, s.nats = seed % 4 == 3, s.wild = seed % 7 == 0;
  mix.stacked = kStacked, mix.branches = true;
  s.code = looped(RandomProgram(seed, mix).program(kBundles));
  const u64 slice = seed % 6 == 0 ? 7 : seed % 6 == 1 ? 101 : 4000;
  total.executed += compare_runs(a, b, s, slice, slice * 8 + 1000);
  const auto& c = *b.core().translator_counters();
  auto& t = total.counters;
  t.instructions += c.instructions, t.blocks += c.blocks, t.enters += c.enters, t.bails += c.bails, t.deopts += c.deopts;
  t.regions += c.regions, t.region_parts += c.region_parts, t.links += c.links, t.handler_exits += c.handler_exits, t.refused += c.refused;
}

void print(const Totals& total, u64 first, u64 count) {
  const auto n = [](u64 v) { return static_cast<unsigned long long>(v); };
  const auto& c = total.counters;
  std::printf("seeds %llu..%llu: %llu instructions, %llu of them translated; %llu blocks, %llu regions of %llu parts, %llu refused, %llu enters, %llu bails, %llu deopts, %llu links, %llu handler exits\n",
              n(first), n(first + count - 1), n(total.executed), n(c.instructions), n(c.blocks), n(c.regions), n(c.region_parts), n(c.refused), n(c.enters), n(c.bails),
              n(c.deopts), n(c.links), n(c.handler_exits));
}

}  // namespace

TEST_CASE("random programs give the same state under both engines", "[lockstep]") {
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 600);
  Totals total;
  for (u64 seed = first; seed < first + count; seed++) {
    cpu::TranslatorOptions options = translator_choice(2);
    options.region_threshold = static_cast<u32>(1 + seed % 20);
    if (seed % 5 == 0) options.optimisations.switch_off("fold_constants,dead_writes,dead_values");
    compare_seed(seed, options, total);
  }
  print(total, first, count);
  CHECK(total.counters.blocks > 0);
}

TEST_CASE("random programs give the same state without any one optimisation", "[lockstep]") {
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 600) / 20;
  Totals total;
  without_each_optimisation(first, count, [&](u64 seed, const cpu::TranslatorOptions& options) { compare_seed(seed, options, total); });
  CHECK(total.counters.blocks > 0);
}

TEST_CASE("random memory and parallel operations give the same state with and without extensions of the host", "[lockstep]") {
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 600) / 3;
  ProgramMix mix;
  mix.row_weight = [](const cpu::OpInfo& op) {
    using F = cpu::Format;
    const bool wanted = op.flags & (cpu::op_flag::kLoad | cpu::op_flag::kStore) || op.format == F::M16 || op.format == F::M17;
    const bool parallel = op.format == F::A9 || (op.format >= F::I1 && op.format <= F::I9) || op.format == F::I29;
    const bool integer = op.unit == cpu::Unit::A || op.unit == cpu::Unit::I || op.unit == cpu::Unit::M;
    return default_row_weight(op) * (wanted ? 4 : parallel ? 2 : integer ? 1 : 0.1);
  };
  Totals total;
  for (u64 seed = first; seed < first + count; seed++) {
    cpu::TranslatorOptions options = translator_choice(2);
    if (seed % 2) options.host.remove("all");
    compare_seed(seed, options, total, mix);
  }
  print(total, first, count);
  CHECK(total.counters.blocks > 0);
}
