// Random programs over all formats, system instructions, faults and their handlers included, on two processors, one
// interpreting and one translating: the same registers after every slice, the same memory at the end.
#include <cstring>
#include <random>

#include "cpu/arch/register_differences.h"
#include "cpu/decode/decoder.h"
#include "cpu/disasm/printer.h"
#include "cpu/exec/handlers.h"
#include "cpu/mmu/tlb.h"
#include "tests/support/bare_machine.h"
#include "tests/support/each_optimisation.h"
#include "tests/support/environment.h"
#include "tests/support/random_program.h"
#include "tests/support/translator_choice.h"

using namespace ia64;
using namespace ia64::test;
using cpu::Format;
using cpu::OpInfo;
using cpu::StopReason;
namespace psr = cpu::psr;

namespace {

constexpr unsigned kBundles = 96, kStacked = 32;
constexpr u64 kCode = BareMachine::kCode, kEnd = kCode + kBundles * 16;

bool is_branch(const OpInfo& op) {
  return op.format == Format::B1 || op.format == Format::B2 || op.format == Format::B3;
}

/// What leaves the little world of the program for good is rare or absent; everything else may happen.
double row_weight(const OpInfo& op) {
  switch (op.format) {
    case Format::M41:
    case Format::M42:                     // translations, region registers
    case Format::M45:
    case Format::X3:                      // far branches
    case Format::X4: return 0.03;
    case Format::B4:
    case Format::B5: return op.handler == cpu::br_ia_b4 ? 0.03 : 1;
    case Format::B8: return op.handler == cpu::rfi_b8 || op.handler == cpu::vmsw_1_b8 ? 0.05 : 0.4;
    case Format::B9:
    case Format::M37:
    case Format::I19: return 0.1;
    case Format::M35: return 0.1;         // mov psr.l
    case Format::M32: return 0.5;
    case Format::M34:                     // alloc
    case Format::B1:
    case Format::B2:
    case Format::B3: return 2;
    default: return op.unit == cpu::Unit::A || op.unit == cpu::Unit::I ? 1.5 : 1;
  }
}

template <size_t N>
i64 one_of(const u8 (&numbers)[N], u64 random) { return numbers[random % N]; }

/// One to three bits of PSR that sum, rum, ssm and rsm may name, sometimes any.
i64 psr_bits(u64 random) {
  constexpr u8 kBits[] = {1, 2, 3, 4, 5, 13, 13, 13, 14, 14, 14, 18, 19, 20};
  if (random % 16 == 0) return -1;
  i64 bits = 0;
  for (u64 left = random >> 8 & 3, from = random >> 16; left || !bits; left -= left != 0, from >>= 8) bits |= i64{1} << one_of(kBits, from & 0xff);
  return bits;
}

/// Short jumps, backwards one time in four; frames that mostly exist. Control registers that exist; what would lead out of this world for
/// good is read only.
i64 row_field(const OpInfo& op, char letter, u64 random) {
  constexpr u8 kRead[] = {0, 2, 8, 16, 16, 17, 19, 19, 20, 21, 22, 23, 23, 24, 25, 64, 66, 72}, kWritten[] = {0, 16, 16, 17, 19, 19, 20, 21, 22, 23, 23, 24, 25, 66};
  if (op.format == Format::M44 && letter != 'p') return letter == 'i' ? psr_bits(random) : random % 16 == 0 ? -1 : 0;
  if (op.format == Format::M33 && letter == 'c' && random % 16) return one_of(kRead, random >> 8);
  if (op.format == Format::M32 && letter == 'c') return one_of(kWritten, random >> 8);
  const bool back = random >> 40 & 1 && random >> 41 & 1;
  if (is_branch(op) && letter == 'i') return back ? 0xfffff - static_cast<i64>(random % 6) : 1 + static_cast<i64>(random % 6);
  if (is_branch(op) && letter == 's') return back;
  return -1;
}

/// A handler for all vectors: goes on behind the interrupted bundle, at the beginning of the program when that is elsewhere,
/// with PSR bits that keep the world alive.
constexpr const char* kHandler = R"(
{ .mmi
  mov r16 = cr.iip
  mov r17 = cr.ipsr
  nop.i 0 ;;
}
{ .mlx
  adds r16 = 16, r16
  movl r18 = 0x3c ;;
}
{ .mlx
  and r17 = r17, r18
  movl r19 = 0x10000 ;;
}
{ .mmi
  sub r20 = r16, r19
  or r17 = r17, r25
  nop.i 0 ;;
}
{ .mmi
  cmp.ltu p1, p2 = r20, r24
  nop.m 0
  nop.i 0 ;;
}
{ .mii
  (p2) mov r16 = r19
  nop.i 0
  nop.i 0 ;;
}
{ .mmi
  mov cr.iip = r16
  mov cr.ipsr = r17
  nop.i 0 ;;
}
{ .mmb
  mov cr.ifs = r0
  nop.m 0
  rfi ;;
}
)";

struct Start {
  std::vector<u8> code;
  u64 seed = 0;
};

void put_handlers(BareMachine& m, const std::vector<u8>& handler) {
  for (u64 vector = 0; vector < 0x8000; vector += 0x100)
    m.bus().write_bytes(BareMachine::kIva + vector, handler.data(), handler.size());
}

void prepare(BareMachine& m, const Start& s, const std::vector<u8>& handler, const std::vector<u8>& data) {
  std::mt19937_64 random(s.seed ^ 0x5eed);
  m.bus().write_bytes(kCode, s.code.data(), s.code.size());
  m.bus().write_bytes(BareMachine::kData, data.data(), data.size());
  put_handlers(m, handler);
  auto& r = m.regs();
  const u64 edges[] = {0, 1, ~u64{0}, u64{1} << 63, 0x7fffffff, 0x80000000, BareMachine::kData, kCode};
  const auto value = [&] { return random() % 3 ? random() : edges[random() % 8]; };
  const bool rotates = s.seed % 3 == 0, nats = s.seed % 4 == 3, user = s.seed % 11 == 5, mapped = s.seed % 2 == 0;
  r.cfm = cpu::Cfm{.sof = kStacked, .sol = 16, .sor = static_cast<u8>(rotates ? 8 * (random() % 5) : 0)};
  if (r.cfm.sor) r.cfm.rrb_gr = static_cast<u8>(random() % r.cfm.sor);
  if (rotates) r.cfm.rrb_pr = static_cast<u8>(random() % 48), r.cfm.rrb_fr = static_cast<u8>(random() % 96);
  for (unsigned n = 1; n < 32 + kStacked; n++) r.set_gr_nat(n, value(), nats && random() % 24 == 0);
  for (unsigned n = 8; n <= 11; n++) r.set_gr(n, BareMachine::kData + (n - 8) * 0x40000 + (random() % 16 == 0 ? random() % 16 : 0));
  for (unsigned n = 1; n < 64; n++) r.pr_phys[n] = random() & 1;
  for (unsigned n = 2; n < 128; n++)
    r.fr_phys[n] = {random() % 4 ? random() | u64{1} << 63 : random(), static_cast<u32>(random() % 3 ? 0xffff + random() % 64 - 32 : random() & 0x3ffff), 0};
  for (u64& b : r.br) b = kCode + random() % kBundles * 16;
  r.unat = random(), r.lc = random() % 20, r.ec = static_cast<u8>(random() % 8);
  r.fpsr = s.seed % 5 == 0 ? 0x9804c0270033f ^ (random() & 0x3f) : 0x9804c0270033f;  // some with traps enabled
  r.rsc = s.seed % 2 ? 3 : 0;
  r.psr |= psr::kIc | (random() & 1 ? psr::kAc : 0);
  if (s.seed % 7 == 0) r.psr |= psr::kBe, r.rsc |= 0x10;
  // What the handler keeps, in its own bank: the size of the program and the bits to add to PSR.
  u64 kept = psr::kIc | psr::kBn | (r.psr & psr::kBe);
  if (mapped) {
    const u64 pte = 1 | 1 << 5 | 1 << 6 | 3 << 7 | 3 << 9, itir = 22 << 2;
    m.core().tlb().insert_instruction_register(0, 0, pte, itir);
    m.core().tlb().insert_data_register(0, 0, pte, itir);
    kept |= psr::kIt | psr::kDt | psr::kRt;
  }
  if (user) kept |= u64{3} << psr::kCplPos;
  r.gr_banked[24 - 16] = kBundles * 16, r.gr_banked[25 - 16] = kept;
  r.psr |= kept & ~psr::kBn;
  m.core().tlb().registers_replaced();
}

std::string listing(BareMachine& m, u64 ip) {
  const u64 at_ip = ip & (BareMachine::kRamBytes - 16);
  std::string text;
  for (u64 at = at_ip >= 48 ? at_ip - 48 : 0; at < at_ip + 32; at += 16) {
    const u8* const bytes = m.bus().host_ptr(at, false);
    if (!bytes) continue;
    std::string lines[3];
    cpu::bundle_text(bytes, at, lines);
    for (const std::string& line : lines) text += "    " + line + "\n";
  }
  return text;
}

struct Totals {
  u64 executed = 0, interruptions = 0, translated = 0, blocks = 0;
};

void compare_runs(BareMachine& a, BareMachine& b, const Start& s, u64 slice, u64 limit, Totals& total) {
  for (u64 done = 0; done < limit; done += slice) {
    const u64 ip_before = a.regs().ip;
    const StopReason first = a.core().run(slice), second = b.core().run(slice);
    std::string difference = cpu::register_differences(a.regs(), b.regs());
    if (first != second) difference += "  stop reasons differ\n";
    if (a.core().slots_retired() != b.core().slots_retired())
      difference += "  instructions: " + std::to_string(a.core().slots_retired()) + " and " + std::to_string(b.core().slots_retired()) + "\n";
    if (!difference.empty())
      FAIL("seed " << s.seed << " after " << done << " to " << done + slice << " instructions, started at " << std::hex << ip_before << ", now "
                   << a.regs().ip << "\n" << difference << listing(a, a.regs().ip));
    if (first != StopReason::Budget) break;
  }
  total.executed += a.core().slots_retired(), total.interruptions += a.core().interruptions_taken();
  const u8 *left = a.bus().ram_span(0, BareMachine::kRamBytes), *right = b.bus().ram_span(0, BareMachine::kRamBytes);
  if (std::memcmp(left, right, BareMachine::kRamBytes) == 0) return;
  const auto at = std::mismatch(left, left + BareMachine::kRamBytes, right).first - left;
  FAIL("seed " << s.seed << " memory differs at " << std::hex << at);
}

std::vector<u8> random_bytes(u64 seed, size_t size) {
  std::mt19937_64 random(seed);
  std::vector<u8> bytes(size);
  for (size_t n = 0; n < size; n += 8) {
    const u64 v = random();
    std::memcpy(&bytes[n], &v, 8);
  }
  return bytes;
}

/// The code of the handlers and the data that all programs begin with.
struct World {
  std::vector<u8> handler = assemble(kHandler), data = random_bytes(1, 0x100000);
};

void compare_seed(u64 seed, cpu::TranslatorOptions options, const World& world, Totals& total) {
  BareMachine a, b;
  if (seed % 6 == 0) options.cache_bytes = 20'000;
  b.core().use_translator(options);
  Start s;
  s.seed = seed;
  ProgramMix mix;
  mix.stacked = kStacked, mix.row_weight = row_weight, mix.field = row_field, mix.illegal = seed % 5 == 0;
  s.code = RandomProgram(seed, mix).program(kBundles);
  for (auto* m : {&a, &b}) {
    prepare(*m, s, world.handler, world.data);
    if (seed % 2) m->core().post_interrupt(DeliveryMode::Fixed, 0x50);  // stays pending: taken whenever PSR.i lets it
  }
  const u64 slice = seed % 6 == 0 ? 7 : seed % 6 == 1 ? 101 : 2000, slices = number_from_environment("IVM_LOCKSTEP_SLICES", 12);
  compare_runs(a, b, s, slice, slice * slices + 1000, total);
  const auto& c = *b.core().translator_counters();
  total.translated += c.instructions, total.blocks += c.blocks;
}

}  // namespace

TEST_CASE("random programs with system instructions and handlers give the same state under both engines", "[lockstep]") {
  NEEDS_ASSEMBLER();
  const World world;
  REQUIRE(world.handler.size() <= 0x100);
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 400);
  Totals total;
  for (u64 seed = first; seed < first + count; seed++) compare_seed(seed, translator_choice(1 + seed % 3), world, total);
  const auto n = [](u64 v) { return static_cast<unsigned long long>(v); };
  std::printf("seeds %llu..%llu: %llu instructions, %llu of them translated, %llu interruptions, %llu blocks\n", n(first), n(first + count - 1),
              n(total.executed), n(total.translated), n(total.interruptions), n(total.blocks));
  CHECK(total.blocks > 0);
}

TEST_CASE("random programs with system instructions give the same state without any one optimisation", "[lockstep]") {
  NEEDS_ASSEMBLER();
  const World world;
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 400) / 80;
  Totals total;
  without_each_optimisation(first, count, [&](u64 seed, const cpu::TranslatorOptions& options) { compare_seed(seed, options, world, total); });
}
