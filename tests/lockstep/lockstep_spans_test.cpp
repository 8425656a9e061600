// Random loops that walk through memory in even steps, on two processors, one interpreting and one translating: the same state after every run.
#include <random>

#include <fmt/format.h>

#include "cpu/arch/register_differences.h"
#include "cpu/jit/options.h"
#include "tests/support/bare_machine.h"
#include "tests/support/environment.h"
#include "tests/support/translator_choice.h"

using namespace ia64;
using namespace ia64::test;
using cpu::StopReason;

namespace {

constexpr u64 kData = BareMachine::kData, kDataBytes = 0x180000;

/// Text of a loop that begins anew whenever it ends. r8..r11 walk, r4..r7 and r12 are left alone, the others are worked on.
class Loop {
 public:
  explicit Loop(u64 seed) : random_(seed), nested_(seed % 2) {}
  std::string text() {
    rotates_ = below(3) == 0;
    const std::string again = branch(nested_ ? "br.few start" : "br.few top");
    std::string t = nested_ ? "start:\n" + bundle("adds r13 = 1, r13") + branch("br.few top") + "top:\n" : "top:\n";
    const u64 operations = 2 + below(7);
    for (u64 n = 0; n < operations; n++) t += operation();
    if (below(3) == 0) t += bundle(fmt::format("cmp.ltu p6, p0 = {}, r7", any())) + branch("(p6) br.cond.sptk.few out");
    t += end();
    return t + again + "out:\n" + bundle("adds r13 = 1, r13") + again;
  }

 private:
  u64 below(u64 n) { return random_() % n; }
  static std::string bundle(const std::string& i) { return "{ .mii\n  " + i + "\n  nop.i 0\n  nop.i 0 ;;\n}\n"; }
  static std::string shift(const std::string& i) { return "{ .mii\n  nop.m 0\n  " + i + "\n  nop.i 0 ;;\n}\n"; }
  static std::string branch(const std::string& i) { return "{ .mib\n  nop.m 0\n  nop.i 0\n  " + i + " ;;\n}\n"; }
  std::string base() { return fmt::format("r{}", 8 + below(4)); }
  /// A register with data; of rotating ones mostly those that younger rounds have written.
  std::string any() { return rotates_ && below(3) ? fmt::format("r{}", 32 + below(12)) : fmt::format("r{}", 14 + below(4)); }
  std::string stage() { return rotates_ && below(3) ? fmt::format("(p{}) ", 16 + below(4)) : below(12) ? "" : "(p9) "; }
  std::string step(u64 size) {
    switch (below(6)) {
      case 0: return "";
      case 1: return fmt::format(", {}", -static_cast<int>(size));
      case 2: return fmt::format(", {}", size * (1 + below(8)) % 256);
      case 3: return below(4) ? ", 8" : ", 4";
      default: return fmt::format(", {}", size);
    }
  }
  std::string operation() {
    const u64 size = u64{1} << below(4);
    switch (below(11)) {
      case 10: return bundle(fmt::format("mov {} = {}", base(), base()));  // behind another one, by a round
      case 0:
      case 1:
      case 2: return bundle(fmt::format("{}ld{}{} {} = [{}]{}", stage(), size, below(4) ? "" : ".s", any(), base(), step(size)));
      case 3:
      case 4: return bundle(fmt::format("{}st{} [{}] = {}{}", stage(), size, base(), any(), step(size)));
      case 5: return shift(fmt::format("{}{} {} = {}, {}", stage(), below(2) ? "shl" : "shr.u", any(), any(), below(4) ? "r4" : any()));
      case 6: return shift(fmt::format("{}shrp {} = {}, {}, {}", stage(), any(), any(), any(), 1 + below(63)));
      case 7: return bundle(fmt::format("adds r{0} = {1}, r{0}", 8 + below(4), static_cast<int>(below(5)) * 8 - 16));
      default: {
        constexpr const char* kNames[] = {"add", "xor", "sub", "or", "and"};
        if (below(8) == 0) return shift(fmt::format("{}czx1.r {} = {}", stage(), any(), any()));
        return bundle(fmt::format("{}{} {} = {}, {}", stage(), kNames[below(5)], any(), any(), any()));
      }
    }
  }
  std::string end() {
    if (rotates_) return branch("br.ctop.sptk.few top");
    switch (below(3)) {
      case 0: return branch("br.cloop.sptk.few top");
      case 1: return bundle(fmt::format("cmp.ltu p8, p0 = {}, r12", base())) + branch("(p8) br.cond.sptk.few top");
      default: return bundle("cmp.eq p8, p0 = r14, r0") + branch("(p8) br.cond.spnt.few out") + branch("br.few top");
    }
  }

  std::mt19937_64 random_;
  bool nested_ = false;   ///< another loop around, so that ways out lead on in the region
  bool rotates_ = false;
};

/// Counts, bases and what they lead to: mostly aligned, sometimes close to each other or to a page's end.
void prepare_slice(BareMachine& m, u64 seed) {
  std::mt19937_64 random(seed);
  auto& r = m.regs();
  for (unsigned n = 8; n <= 11; n++) {
    u64 at = kData + 0x20000 + (n - 8) * 0x40000 + random() % 512 * 16;
    if (n > 8 && random() % 4 == 0) at = r.gr(8) + (random() % 8) * 8 - 16;
    if (random() % 16 == 0) at += random() % 8;
    r.set_gr(n, at);
  }
  r.set_gr(12, r.gr(8) + random() % 0x3000);
  r.set_gr(4, random() % 4 ? random() % 64 : random() % 80);
  r.set_gr(7, random() % 2 ? 0 : random() >> (8 + random() % 40));
  r.lc = random() % 3 ? random() % 2000 : random() % 20;
  r.ec = static_cast<u8>(random() % 8);
  for (unsigned n = 1; n < 64; n++) r.pr_phys[n] = random() & 1;
  if (random() % 2) std::fill(r.pr_phys + 16, r.pr_phys + 64, u8{1});
  r.ip = BareMachine::kCode, r.slot = 0;
}

void prepare(BareMachine& m, u64 seed) {
  std::mt19937_64 random(seed ^ 0x5eed);
  auto& r = m.regs();
  const unsigned sor = 8 * static_cast<unsigned>(2 + seed % 6);
  r.cfm = cpu::Cfm{.sof = 64, .sol = 64, .sor = static_cast<u8>(sor)};
  for (unsigned n = 1; n < 96; n++) r.set_gr(n, random());
  if (seed % 4) r.psr |= cpu::psr::kAc;
  if (seed % 5 == 0) r.psr |= cpu::psr::kBe;
  if (seed % 8) r.psr |= cpu::psr::kIc;
  for (u64 n = 0; n < kDataBytes; n += 8) m.write64(kData + n, random());
}

std::string difference_of(BareMachine& a, BareMachine& b) {
  std::string text = cpu::register_differences(a.regs(), b.regs());
  if (a.core().slots_retired() != b.core().slots_retired()) text += "  instructions differ\n";
  for (u64 at = 0; at < kDataBytes; at += 8)
    if (a.read64(kData + at) != b.read64(kData + at)) return text + fmt::format("  memory differs at {:#x}\n", at);
  return text;
}

/// What the translator was told to do and what came of it.
struct Total {
  u64 instructions = 0, translated = 0, spans = 0;
};

void compare(u64 seed, Total& total) {
  const std::string text = Loop(seed).text();
  const std::vector<u8> code = assemble(text);
  REQUIRE_FALSE(code.empty());
  BareMachine a, b;
  cpu::TranslatorOptions options = translator_choice(2);
  if (seed % 11 == 0) options.optimisations.switch_off("fold_constants,dead_values");
  if (seed % 7 == 0) options.host.remove("all");
  b.core().use_translator(options);
  for (auto* m : {&a, &b}) {
    prepare(*m, seed), m->core().set_stop_on_interruption(true);
    m->bus().write_bytes(BareMachine::kCode, code.data(), code.size());
  }
  const u64 psr = a.regs().psr;
  std::mt19937_64 random(seed ^ 0x51ce);
  for (unsigned slice = 0; slice < 40; slice++) {
    if (slice == 0 || random() % 2)
      for (auto* m : {&a, &b}) prepare_slice(*m, seed * 64 + slice);
    const u64 length = random() % 4 ? 1 + random() % 3000 : 20000;
    const StopReason first = a.core().run(length), second = b.core().run(length);
    std::string difference = difference_of(a, b);
    if (first != second) difference += "  stop reasons differ\n";
    if (!difference.empty()) FAIL("seed " << seed << " slice " << slice << "\n" << difference << text);
    if (first != StopReason::Interruption) continue;
    for (auto* m : {&a, &b}) m->core().set_psr(psr), prepare_slice(*m, seed * 64 + slice);
  }
  const auto& c = *b.core().translator_counters();
  total.instructions += b.core().slots_retired(), total.translated += c.instructions, total.spans += c.span_loops;
}

}  // namespace

TEST_CASE("random loops through memory give the same state under both engines", "[lockstep]") {
  NEEDS_ASSEMBLER();
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 150);
  Total total;
  for (u64 seed = first; seed < first + count; seed++) compare(seed, total);
  const auto n = [](u64 v) { return static_cast<unsigned long long>(v); };
  std::printf("seeds %llu..%llu: %llu instructions, %llu of them translated; %llu loops with rounds without look-ups\n", n(first),
              n(first + count - 1), n(total.instructions), n(total.translated), n(total.spans));
  CHECK((total.spans > 0 || count < 50));
}
