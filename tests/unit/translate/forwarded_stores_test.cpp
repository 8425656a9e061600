// Loads of what a block has stored just before. Expected values by hand.
#include "cpu/translate/ir.h"
#include "cpu/translate/memory_form.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu::ir;
using cpu::Insn;
using cpu::Vector;

namespace {

constexpr u64 kData = BareMachine::kData;

/// How often `body` became a load from registers. The bodies address memory through r3, which is operation 0; the values are r4
/// and r5, operations 1 and 2.
unsigned reloads(std::vector<Op> body) {
  static const Insn insn;
  cpu::ir::Unit u;
  const auto get = [](u8 r) { return Op{.code = Opcode::get, .imm = Location{File::General, r}.pack()}; };
  u.ops = {get(3), get(4), get(5)};
  for (Op op : body) {
    op.insn = op.code == Opcode::add || op.code == Opcode::constant ? nullptr : &insn;
    u.ops.push_back(op);
  }
  u.exits.push_back({0x1000, 0, &insn, {}});
  u.terminal = Leave{0};
  optimise(u);
  CHECK(verify(u).empty());
  unsigned count = 0;
  for (const Op& op : u.ops) count += op.code >= Opcode::reload8 && op.code <= Opcode::reload64;
  return count;
}
Op store(Opcode code, Value address, Value value, bool swap = false) {
  return {.code = code, .a = address, .b = value, .imm = MemoryForm{.target = {}, .kind = LoadKind::Plain, .swap = swap}.pack()};
}
Op load(Opcode code, Value address, LoadKind kind = LoadKind::Plain, bool swap = false) {
  return {.code = code, .a = address, .imm = MemoryForm{.target = {File::General, 10}, .kind = kind, .swap = swap}.pack()};
}
Op constant(u64 k) { return {.code = Opcode::constant, .imm = k}; }
Op sum(Value a, Value b) { return {.code = Opcode::add, .a = a, .b = b}; }

struct Device final : MmioRegion {
  AccessResult read(u64, unsigned, u64& value) override { return value = 0x77, AccessResult::Ok; }
  AccessResult write(u64, unsigned, u64) override { return AccessResult::Ok; }
};

/// Runs `body` in a loop of 50 rounds: r8 = `at`, r9 = r8 + 1; r10 takes the result of each, r3 their sum.
struct Loop : BareMachine {
  Loop(const char* body, bool big_endian, u64 at = kData) {
    core().use_translator(translator_choice());
    regs().psr |= cpu::psr::kIc | (big_endian ? cpu::psr::kBe : 0);
    // Values with something above the bytes that are stored.
    regs().set_gr(20, 0xaa11), regs().set_gr(21, 0xbb22), regs().set_gr(22, 0xcc33), regs().set_gr(23, 0xdd44), regs().set_gr(24, 0xee99);
    regs().set_gr(25, 0x1122334455667788);
    regs().set_gr(8, at), regs().set_gr(9, at + 1), regs().set_gr(3, 0), regs().set_gr(11, 50);
    load(std::string("top:\n") + body + R"( ;;
        add r3 = r3, r10
        adds r11 = -1, r11 ;;
        cmp.ne p6, p7 = 0, r11
        (p6) br.cond.sptk.few top ;;
        break.m 0x100 ;;
)");
  }
  u64 result() {
    const auto record = run_to_interruption(100000);
    CHECK(record.vector == Vector::BreakInstruction);
    CHECK(regs().gr(3) == 50 * regs().gr(10));
    return regs().gr(10);
  }
};

constexpr const char* kFourBytes = R"(
        mov r14 = r8
        adds r15 = 2, r8 ;;
        st1 [r14] = r20, 1 ;;
        st1 [r14] = r21
        st1 [r15] = r22, 1 ;;
        st1 [r15] = r23 ;;
        ld4 r10 = [r8] )";

}  // namespace

TEST_CASE("a word stored in bytes is loaded from registers", "[translate]") {
  const std::vector<Op> bytes = {constant(1), sum(0, 3), store(Opcode::store8, 0, 1), store(Opcode::store8, 4, 2)};
  const auto with = [&](Op op) {
    auto ops = bytes;
    ops.push_back(op);
    return ops;
  };
  CHECK(reloads(with(load(Opcode::load16, 0))) == 1);
  CHECK(reloads(with(load(Opcode::load16, 0, LoadKind::Plain, true))) == 1);
  CHECK(reloads(with(load(Opcode::load8, 4))) == 1);
  CHECK(reloads(with(load(Opcode::load32, 0))) == 0);                      // two of its bytes are not known
  CHECK(reloads(with(load(Opcode::load16, 4))) == 0);
  CHECK(reloads(with(load(Opcode::load16, 1))) == 0);                      // another base
  CHECK(reloads(with(load(Opcode::load16, 0, LoadKind::Acquire))) == 0);
  CHECK(reloads(with(load(Opcode::load16, 0, LoadKind::Advanced))) == 0);
}

TEST_CASE("a store that may be elsewhere, overlap, or be in the other byte order ends it", "[translate]") {
  CHECK(reloads({store(Opcode::store32, 0, 1), load(Opcode::load32, 0)}) == 1);
  CHECK(reloads({store(Opcode::store32, 0, 1), store(Opcode::store8, 2, 1), load(Opcode::load32, 0)}) == 0);
  CHECK(reloads({store(Opcode::store32, 0, 1, true), load(Opcode::load32, 0)}) == 0);
  CHECK(reloads({store(Opcode::store64, 0, 1), load(Opcode::load32, 0)}) == 0);
  const Op far = constant(4096);
  CHECK(reloads({far, sum(0, 3), store(Opcode::store32, 0, 1), store(Opcode::store32, 4, 2), load(Opcode::load32, 0)}) == 0);
  Op guarded = store(Opcode::store32, 0, 2);
  guarded.guard = 1;
  CHECK(reloads({store(Opcode::store32, 0, 1), guarded, load(Opcode::load32, 0)}) == 0);
}

TEST_CASE("four bytes stored and loaded as a word, in both byte orders", "[jit]") {
  NEEDS_ASSEMBLER();
  CHECK(Loop(kFourBytes, false).result() == 0x44332211);
  CHECK(Loop(kFourBytes, true).result() == 0x11223344);
}

TEST_CASE("a store through another register between storing and loading counts", "[jit]") {
  NEEDS_ASSEMBLER();
  const std::string text = std::string(kFourBytes).replace(std::string(kFourBytes).find("ld4"), 3, "st1 [r9] = r24 ;;\n ld4");
  CHECK(Loop(text.c_str(), false).result() == 0x44339911);
}

TEST_CASE("parts of wide stores, and wide loads over them", "[jit]") {
  NEEDS_ASSEMBLER();
  CHECK(Loop("adds r14 = 4, r8 ;;\n st8 [r8] = r25 ;;\n ld4 r10 = [r14]", false).result() == 0x11223344);
  CHECK(Loop("adds r14 = 4, r8 ;;\n st8 [r8] = r25 ;;\n ld4 r10 = [r14]", true).result() == 0x55667788);
  CHECK(Loop("adds r14 = 4, r8 ;;\n st4 [r8] = r25\n st4 [r14] = r20 ;;\n ld8 r10 = [r8]", false).result() == 0x0000aa1155667788);
  CHECK(Loop("adds r14 = 4, r8 ;;\n st4 [r8] = r25\n st4 [r14] = r20 ;;\n ld8 r10 = [r8]", true).result() == 0x556677880000aa11);
  CHECK(Loop("adds r14 = 2, r8 ;;\n st8 [r8] = r25 ;;\n st2 [r14] = r20 ;;\n ld8 r10 = [r8]", false).result() == 0x11223344aa117788);
  CHECK(Loop("st4 [r8] = r25 ;;\n ld4 r10 = [r8]", false).result() == 0x55667788);
}

TEST_CASE("a device is read although it was written just before", "[jit]") {
  NEEDS_ASSEMBLER();
  Device device;
  Loop m("st4 [r8] = r25 ;;\n ld4 r10 = [r8]", false, BareMachine::kRamBytes);
  m.bus().add_mmio(BareMachine::kRamBytes, 4096, &device, "device");
  CHECK(m.result() == 0x77);
}

TEST_CASE("a misaligned load of bytes that were stored just before faults", "[jit]") {
  NEEDS_ASSEMBLER();
  Loop m(kFourBytes, false, kData + 1);
  m.regs().psr |= cpu::psr::kAc;
  const auto record = m.run_to_interruption(100000);
  CHECK(record.vector == Vector::UnalignedReference);
  CHECK(record.ifa == kData + 1);
  CHECK(m.regs().gr(11) == 50);
  CHECK(m.read64(kData) == 0x0000004433221100);
}
