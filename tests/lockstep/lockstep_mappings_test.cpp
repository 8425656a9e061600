// Random loops over several pages whose translations come and go: purges, other frames at the same addresses, two address spaces, code written
// by the guest and by DMA. On two processors, one interpreting and one translating: the same state after every run.
#include <cstring>
#include <random>

#include <fmt/format.h>

#include "cpu/arch/register_differences.h"
#include "cpu/mmu/tlb.h"
#include "tests/support/bare_machine.h"
#include "tests/support/each_optimisation.h"
#include "tests/support/environment.h"
#include "tests/support/translator_choice.h"

using namespace ia64;
using namespace ia64::test;
using cpu::StopReason;
namespace psr = cpu::psr;

namespace {

constexpr u64 kPage = 0x1000, kPages = 16;
/// The program and its data, at the same addresses in both address spaces.
constexpr u64 kProgram = 0x40000, kBuffer = 0x80000, kBufferEnd = 0x100000;
/// All of RAM again, for the guest's own paging code, never purged.
constexpr u64 kIdentity = u64{7} << 61;
/// One translation a page for each address space, indexed by bits 12 to 19 of the address.
constexpr u64 kTable = 0x60000, kTableBytes = 0x800;
constexpr u64 kRid = 0x10, kRr = kRid << 8 | 12 << 2;
/// Each page has two frames in each address space; they differ in one bit of their address.
constexpr u64 kOtherFrame = u64{1} << 16;
constexpr u64 code_frame(u64 space, u64 variant, u64 page) { return 0x80000 | space << 17 | variant << 16 | page << 12; }
constexpr u64 data_frame(u64 space, u64 variant, u64 page) { return 0xc0000 | space << 17 | variant << 16 | page << 12; }
constexpr u64 kPresent = 1, kAccessed = 1 << 5, kDirty = 1 << 6, kAll = kPresent | kAccessed | kDirty, kReadWriteExecute = 3 << 9;
constexpr u64 kDefers = u64{1} << 52;  // ITLB.ed: speculative loads defer what they may

std::string bundle(const std::string& i) { return "{ .mii\n  " + i + "\n  nop.i 0\n  nop.i 0 ;;\n}\n"; }
std::string shift(const std::string& i) { return "{ .mii\n  nop.m 0\n  " + i + "\n  nop.i 0 ;;\n}\n"; }
std::string branch(const std::string& i) { return "{ .mib\n  nop.m 0\n  nop.i 0\n  " + i + " ;;\n}\n"; }

/// Text of a program of sections on several pages, which begins anew whenever it ends. Programs of one seed differ in their constants only, so
/// that one can go on where another one was. Left alone: r4..r7 numbers, r8..r11 bases, r13 rounds, r20..r25 what the rare operations use.
class Program {
 public:
  Program(u64 seed, u64 variant) : random_(seed), constants_(seed * 4 + variant) {}
  std::string text() {
    add(branch("br.few s0"));
    sections_ = 3 + static_cast<unsigned>(below(4));
    for (unsigned n = 0; n < sections_; n++) {
      if (n == 0 || below(3)) go_to_new_place();  // else right behind the one before
      add(section(n));
    }
    for (unsigned n = 0; n < kFunctions; n++) go_to_new_place(), add(function(n));
    return text_;
  }

 private:
  static constexpr unsigned kFunctions = 2;

  u64 below(u64 n) { return random_() % n; }
  std::string any() { return fmt::format("r{}", 14 + below(6)); }
  std::string base() { return fmt::format("r{}", 8 + below(4)); }
  std::string maybe() { return below(5) ? "" : below(2) ? "(p8) " : "(p9) "; }
  std::string step() { return below(2) ? "" : fmt::format(", {}", 8 * (1 + below(8))); }

  void add(const std::string& piece) {
    text_ += piece;
    for (size_t at = piece.find("{ ."); at != piece.npos; at = piece.find("{ .", at + 1)) position_ += 16;
  }
  /// The next piece lies on the next page, often just in front of its end, so that code runs across it.
  void go_to_new_place() {
    const u64 offset = below(2) ? kPage - 16 * (1 + below(12)) : 16 * below(128);
    position_ = (position_ / kPage + 1) * kPage + offset;
    text_ += fmt::format(".org {:#x}\n", position_);
  }

  std::string operation() {
    const u64 size = u64{1} << below(4);
    switch (below(12)) {
      case 0:
      case 1: return bundle(fmt::format("{}ld{} {} = [{}]{}", maybe(), size, any(), base(), step()));
      case 2: return bundle(fmt::format("{}st{} [{}] = {}{}", maybe(), size, base(), any(), step()));
      case 3: {
        const std::string to = any();
        return bundle(fmt::format("ld8.s {} = [{}]", to, base())) + shift(fmt::format("tnat.nz p10, p0 = {}", to)) + bundle(fmt::format("(p10) mov {} = r13", to));
      }
      case 4: return shift(fmt::format("{}shr.u {} = {}, {}", maybe(), any(), any(), 1 + below(63)));
      case 5:
      case 6: return bundle(fmt::format("{}adds {} = {}, {}", maybe(), any(), constants_() % 8000, any()));
      case 7: return bundle(fmt::format("cmp.ltu p8, p9 = {}, {}", any(), any()));
      case 8: return below(2) ? branch(fmt::format("br.call.sptk.few b6 = function{}", below(kFunctions))) : "";
      default: return bundle(fmt::format("{}{} {} = {}, {}", maybe(), below(2) ? "add" : "xor", any(), any(), any()));
    }
  }
  std::string operations(u64 most) {
    std::string t;
    for (u64 n = 1 + below(most); n > 0; n--) t += operation();
    return t;
  }

  /// Something done once in a power of two of rounds, with r13 for a clock: in p11.
  std::string rarely(const std::string& what) {
    return shift(fmt::format("extr.u r14 = r13, {}, {}", below(3), 3 + below(4))) + bundle("cmp.eq p11, p0 = r14, r0") + what;
  }
  static std::string purge(const std::string& va) { return bundle("(p11) ptc.l " + va + ", r21") + bundle("srlz.i") + bundle("srlz.d"); }
  /// What they work on is read once, since it may be another thing after any instruction.
  std::string rare_operation() {
    switch (below(5)) {
      case 0: return rarely(purge("r20"));
      case 1:
        return rarely(bundle("mov r16 = r22") + bundle("(p11) ld8 r14 = [r16]") + bundle("(p11) xor r14 = r14, r23") + bundle("(p11) st8 [r16] = r14") + purge("r20"));
      case 2: return rarely(bundle("mov r14 = rr[r0]") + bundle("(p11) xor r14 = r14, r24") + bundle("mov rr[r0] = r14") + bundle("srlz.i") + bundle("srlz.d"));
      case 3:
        return rarely(bundle("mov r16 = r25") + bundle("adds r17 = 8, r16") + bundle("ld8 r14 = [r16]") + bundle("ld8 r15 = [r17]") + bundle("xor r16 = r16, r23") +
                      bundle("xor r17 = r17, r23") + bundle("(p11) st8 [r16] = r14") + bundle("(p11) st8 [r17] = r15") + bundle("fc.i r16") + bundle("sync.i") +
                      bundle("srlz.i"));
      default: return "";
    }
  }

  std::string section(unsigned n) {
    const bool last = n + 1 == sections_;
    std::string t = fmt::format("s{}:\n", n);
    if (n == 0) t += bundle("adds r13 = 1, r13") + rare_operation();
    for (unsigned b = 8; b <= 11; b++)
      if (n == 0 || below(2)) t += shift(fmt::format("dep r{0} = r{0}, r7, 3, 13", b));  // the base stays in the buffer
    if (below(2)) t += inner_loop(n);
    t += operations(6);
    if (below(4) == 0) t += rare_operation();
    if (below(3) == 0) t += branch(fmt::format("(p{}) br.cond.sptk.few s{}", 8 + below(2), n == 0 ? 1 : n + 1 < sections_ && below(2) ? n + 1 : 0));
    if (last) return t + branch("br.cloop.sptk.few s0") + shift("mov.i ar.lc = r6") + branch("br.few s0");
    return t + branch(fmt::format("br.few s{}", n + 1));
  }
  std::string inner_loop(unsigned n) {
    return bundle(fmt::format("adds r29 = {}, r0", 2 + below(20))) + fmt::format("loop{}:\n", n) + operations(4) + bundle("adds r29 = -1, r29") +
           bundle("cmp.ne p6, p0 = r0, r29") + branch(fmt::format("(p6) br.cond.sptk.few loop{}", n));
  }
  std::string function(unsigned n) {
    std::string t = fmt::format("function{}:\n", n);
    const bool frame = below(2);
    if (frame) t += "{ .mib\n  alloc r33 = ar.pfs, 0, 4, 2, 0\n  nop.i 0\n  nop.b 0 ;;\n}\n";
    for (u64 k = 1 + below(4); k > 0; k--) t += bundle(fmt::format("{}{} {} = {}, {}", maybe(), below(2) ? "add" : "xor", any(), any(), any()));
    t += bundle(fmt::format("adds {} = {}, {}", any(), constants_() % 8000, any()));
    if (frame) t += shift("mov.i ar.pfs = r33");
    return t + branch("br.ret.sptk.few b6");
  }

  std::mt19937_64 random_, constants_;
  unsigned sections_ = 0;
  u64 position_ = 0;
  std::string text_;
};

/// Finds the translation of CR.IFA in the table of its address space: its place in r16, the address in r17. r24 of the bank of handlers is the table.
const char* const kFind = R"(
{ .mmi
  mov r17 = cr.ifa
  mov r18 = rr[r0]
  nop.i 0 ;;
}
{ .mii
  nop.m 0
  extr.u r16 = r17, 12, 8
  extr.u r18 = r18, 8, 1 ;;
}
{ .mii
  shladd r16 = r16, 3, r24
  shl r18 = r18, 11
  nop.i 0 ;;
}
{ .mmi
  add r16 = r16, r18 ;;
  ld8 r18 = [r16]
  nop.i 0 ;;
}
)";
std::string miss(const char* insert) { return kFind + fmt::format("{{ .mmi\n  {} ;;\n  nop.m 0\n  nop.i 0 ;;\n}}\n", insert) + branch("rfi"); }
/// Not present, not accessed or not dirty: all of it from now on. r25 is the size for the purge.
std::string repair() {
  return kFind + bundle("or r18 = r18, r26") + bundle("st8 [r16] = r18") + bundle("ptc.l r17, r25") + bundle("srlz.i") + branch("rfi");
}
/// An interruption that cannot come.
const char* const kSurprise = "here:\n{ .mib\n  nop.m 0\n  nop.i 0\n  br.few here ;;\n}\n";

void put(BareMachine& m, u64 at, const std::vector<u8>& code) { m.bus().write_bytes(at, code.data(), code.size()); }

const std::vector<u8>& surprise() {
  static const std::vector<u8> code = assemble(kSurprise);
  return code;
}

void put_handlers(BareMachine& m) {
  static const std::vector<u8> repairs = assemble(repair());
  static const std::vector<u8> instruction = assemble(miss("itc.i r18")), data = assemble(miss("itc.d r18"));
  REQUIRE((repairs.size() <= 0x100 && data.size() <= 0x100 && !data.empty() && !instruction.empty() && !repairs.empty() && !surprise().empty()));
  for (u64 vector = 0; vector < 0x8000; vector += 0x100) put(m, BareMachine::kIva + vector, surprise());
  put(m, BareMachine::kIva + 0x0c00, instruction), put(m, BareMachine::kIva + 0x1000, data);
  for (const u64 vector : {0x2000, 0x2400, 0x2800, 0x5000}) put(m, BareMachine::kIva + vector, repairs);
}

u64 entry_of(u64 frame, u64 seed, u64 bits) { return frame | bits | kReadWriteExecute | (seed % 3 == 0 ? kDefers : 0); }
u64 table_place(u64 space, u64 va) { return kTable + space * kTableBytes + (va >> 12 & 0xff) * 8; }

void put_tables(BareMachine& m, u64 seed) {
  std::mt19937_64 random(seed);
  const auto bits = [&] { return random() % 3 ? kAll : random() % 2 ? kPresent : u64{0}; };
  for (u64 space = 0; space < 2; space++)
    for (u64 page = 0; page < kPages; page++) {
      m.write64(table_place(space, kProgram + page * kPage), entry_of(code_frame(space, random() % 2, page), seed, bits()));
      for (u64 at = kBuffer; at < kBufferEnd; at += kPages * kPage)  // bases run out of the first for a while
        m.write64(table_place(space, at + page * kPage), entry_of(data_frame(space, random() % 2, page), seed, bits()));
      for (u64 variant = 0; variant < 2; variant++)
        for (u64 n = 0; n < kPage; n += 8) m.write64(data_frame(space, variant, page) + n, random());
    }
}

/// Whether an interruption came that no handler expects.
bool is_surprised(BareMachine& m) {
  return m.regs().ip >= kIdentity && std::memcmp(m.bus().ram_span(m.regs().ip - kIdentity, 16), surprise().data(), 16) == 0;
}

using Programs = std::array<std::array<std::vector<u8>, 2>, 2>;  // by address space and variant

void put_page(BareMachine& m, const std::vector<u8>& code, u64 page, u64 frame) {
  if (page * kPage < code.size()) m.bus().write_bytes(frame, code.data() + page * kPage, std::min(kPage, code.size() - page * kPage));
}

void prepare(BareMachine& m, u64 seed, const Programs& programs) {
  std::mt19937_64 random(seed ^ 0x5eed);
  put_handlers(m), put_tables(m, seed);
  for (u64 space = 0; space < 2; space++)
    for (u64 variant = 0; variant < 2; variant++)
      for (u64 page = 0; page < kPages; page++) put_page(m, programs[space][variant], page, code_frame(space, variant, page));
  cpu::Tlb& tlb = m.core().tlb();
  const u64 pte = kAll | kReadWriteExecute;
  tlb.write_rr(7, 22 << 2), tlb.write_rr(0, kRr);
  tlb.insert_instruction_register(0, kIdentity, pte, 22 << 2), tlb.insert_data_register(0, kIdentity, pte, 22 << 2);
  auto& r = m.regs();
  r.cfm = cpu::Cfm{.sof = 12, .sol = 8};
  r.iva = kIdentity + BareMachine::kIva;
  for (unsigned n = 1; n < 44; n++) r.set_gr(n, random());
  for (unsigned n = 8; n <= 11; n++) r.set_gr(n, kBuffer + random() % (kPages * kPage / 8) * 8);
  r.set_gr(6, random() % 50), r.set_gr(7, kBuffer), r.set_gr(13, random() % 64);
  r.gr_banked[24 - 16] = kIdentity + kTable, r.gr_banked[25 - 16] = 12 << 2, r.gr_banked[26 - 16] = kAll;
  r.bspstore = kIdentity + BareMachine::kStack;
  r.lc = random() % 100;
  r.psr |= psr::kIc | psr::kIt | psr::kDt | psr::kRt | psr::kBn;
  tlb.registers_replaced();
}

/// What the rare operations do from now on: which page they purge or remap, which bundle they copy.
void choose_rare(BareMachine& m, u64 seed) {
  std::mt19937_64 random(seed);
  const u64 page = random() % kPages, space = random() % 2, va = (random() % 3 ? kProgram : kBuffer) + page * kPage;
  const u64 from = kIdentity + code_frame(space, random() % 2, page) + random() % 256 * 16;
  auto& r = m.regs();
  const auto set = [&](unsigned n, u64 value) { r.psr & psr::kBn ? r.set_gr(n, value) : void(r.gr_banked[n - 16] = value); };  // a handler may be running
  set(20, va), set(21, 12 << 2), set(22, kIdentity + table_place(space, va)), set(23, kOtherFrame), set(24, 1 << 8), set(25, from);
}

/// What comes from outside the processor, or from another one.
void interfere(BareMachine& m, u64 seed, const Programs& programs) {
  std::mt19937_64 random(seed);
  const u64 page = random() % kPages, space = random() % 2, va = (random() % 2 ? kProgram : kBuffer) + page * kPage;
  const auto purge = [&](u64 at) { m.core().tlb().purge_caches({.va = at, .rid = static_cast<u32>(kRid + space), .ps = 12}); };
  const u64 place = table_place(space, va);
  switch (random() % 8) {
    case 0: purge(va); break;
    case 1: m.core().tlb().purge_all_caches(); break;
    case 2: m.write64(place, m.read64(place) ^ kOtherFrame), purge(va); break;
    case 3: m.write64(place, m.read64(place) & ~(random() % 2 ? kPresent : kAccessed | kDirty)), purge(va); break;
    case 4: put_page(m, programs[space][random() % 2], page, code_frame(space, random() % 2, page)); break;
    case 5: m.core().tlb().write_rr(0, kRr | space << 8); break;
    default: break;
  }
}

struct Total {
  u64 instructions = 0, translated = 0, wide = 0, looks = 0, interruptions = 0;
};

void compare(u64 seed, const cpu::TranslatorOptions& options, Total& total) {
  Programs programs;
  for (u64 space = 0; space < 2; space++)
    for (u64 variant = 0; variant < 2; variant++) {
      programs[space][variant] = assemble(Program(seed, space * 2 + variant).text());
      REQUIRE((!programs[space][variant].empty() && programs[space][variant].size() <= kPages * kPage));
    }
  BareMachine a, b;
  b.core().use_translator(options);
  for (auto* m : {&a, &b}) prepare(*m, seed, programs), m->regs().ip = kProgram;
  std::mt19937_64 random(seed ^ 0x51ce);
  for (unsigned slice = 0; slice < 60; slice++) {
    for (auto* m : {&a, &b}) {
      if (slice % 4 == 0) choose_rare(*m, seed * 64 + slice);
      interfere(*m, seed * 64 + slice, programs);
    }
    const u64 length = random() % 4 ? 1 + random() % 4000 : 15000;
    const StopReason first = a.core().run(length), second = b.core().run(length);
    std::string difference = cpu::register_differences(a.regs(), b.regs());
    if (a.core().slots_retired() != b.core().slots_retired()) difference += "  instructions differ\n";
    if (first != second) difference += "  stop reasons differ\n";
    if (std::memcmp(a.bus().ram_span(0, BareMachine::kRamBytes), b.bus().ram_span(0, BareMachine::kRamBytes), BareMachine::kRamBytes)) difference += "  memory differs\n";
    if (!difference.empty()) FAIL("seed " << seed << " slice " << slice << ", now at " << std::hex << a.regs().ip << "\n" << difference << Program(seed, 0).text());
    INFO("seed " << seed << " slice " << slice << ", vector " << std::hex << (a.regs().ip & 0x7fff));
    REQUIRE_FALSE(is_surprised(a));
  }
  const auto& c = *b.core().translator_counters();
  total.instructions += b.core().slots_retired(), total.translated += c.instructions, total.interruptions += b.core().interruptions_taken();
  total.wide += c.wide_regions, total.looks += c.looks_at_parts;
}

}  // namespace

TEST_CASE("random programs whose pages come and go give the same state under both engines", "[lockstep]") {
  NEEDS_ASSEMBLER();
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = number_from_environment("IVM_LOCKSTEP_PROGRAMS", 60);
  Total total;
  for (u64 seed = first; seed < first + count; seed++) compare(seed, translator_choice(2), total);
  const auto n = [](u64 v) { return static_cast<unsigned long long>(v); };
  std::printf("seeds %llu..%llu: %llu instructions, %llu of them translated, %llu interruptions; %llu regions of several pages, looked at %llu times\n",
              n(first), n(first + count - 1), n(total.instructions), n(total.translated), n(total.interruptions), n(total.wide), n(total.looks));
  CHECK((count < 20 || (total.wide > 0 && total.looks > 0)));
}

TEST_CASE("random programs whose pages come and go give the same state without any one optimisation", "[lockstep]") {
  NEEDS_ASSEMBLER();
  const u64 first = number_from_environment("IVM_LOCKSTEP_SEED", 1), count = (number_from_environment("IVM_LOCKSTEP_PROGRAMS", 60) + 59) / 60;
  Total total;
  without_each_optimisation(first, count, [&](u64 seed, const cpu::TranslatorOptions& options) { compare(seed, options, total); });
}
