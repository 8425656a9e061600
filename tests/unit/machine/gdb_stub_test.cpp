// What a debugger sees of a processor: registers by GDB's numbers, memory with the register stack in it, running and stopping.
#include <fmt/format.h>

#include <cstring>

#include "cpu/rse/rse.h"
#include "machine/debugger/backing_store.h"
#include "machine/debugger/debug_memory.h"
#include "machine/debugger/ia64_target.h"
#include "machine/debugger/monitor_text.h"
#include "tests/support/bare_machine.h"
#include "tests/support/gdb_rig.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::machine::debugger;
using cpu::Registers;
namespace psr = cpu::psr;

namespace {

constexpr u64 kCode = BareMachine::kCode, kData = BareMachine::kData, kStack = BareMachine::kStack;

struct Rig : BareMachine {
  Rig() : gdb(core()) {}
  std::string ask(std::string_view payload) { return gdb.ask(payload); }
  GdbRig gdb;
};

std::string hex64(u64 v) {
  return to_hex({reinterpret_cast<const u8*>(&v), 8});
}

u64 word(const std::string& hex) {
  const auto bytes = from_hex(hex);
  REQUIRE(bytes);
  REQUIRE(bytes->size() == 8);
  u64 v;
  std::memcpy(&v, bytes->data(), 8);
  return v;
}

u64 read_word(cpu::Core& core, u64 address) {
  u8 bytes[8] = {};
  REQUIRE(DebugMemory(core).read(address, bytes) == 8);
  return load_le<u64>(bytes);
}

/// GDB's own arithmetic, from the description of the backing store: 63 registers, then a collection.
u64 gdb_address_of(u64 bsp, u64 sof, unsigned r) {
  u64 at = bsp;
  const auto is_collection = [](u64 a) { return (a & 0x1f8) == 0x1f8; };
  for (u64 n = sof; n; n--) {
    at -= 8;
    if (is_collection(at)) at -= 8;
  }
  for (unsigned n = 32; n < r; n++) {
    at += 8;
    if (is_collection(at)) at += 8;
  }
  return at;
}

}  // namespace

TEST_CASE("gdb registers: numbers, sizes and order are those of its ia64 target", "[gdb]") {
  Rig m;
  Registers& r = m.regs();
  r.set_gr(12, 0x1122334455667788);
  r.br[3] = 33;
  r.ip = kCode, r.slot = 2;
  r.kr[5] = 55, r.lc = 99, r.ec = 7, r.pfs = 5, r.fpsr = 0x9804c0270033f;
  r.pr_phys[16] = 1;
  r.cfm = {.sof = 20, .sol = 8, .sor = 16, .rrb_gr = 3, .rrb_fr = 5, .rrb_pr = 7};
  r.fr_phys[32] = {0x8000000000000000, 0xffff, 0};
  CHECK(m.ask("pc") == "8877665544332211");
  CHECK(m.ask("p143") == hex64(33));   // 320 + 3
  CHECK(m.ask("p14b") == hex64(kCode));
  CHECK((word(m.ask("p14c")) >> 41 & 3) == 2);
  CHECK(word(m.ask("p14d")) == r.cfm.pack());
  CHECK(word(m.ask("p14a")) == (1 << 16 | 1));  // physical numbering
  CHECK(word(m.ask("p153")) == 55);    // 334 + 5
  CHECK(word(m.ask("p18f")) == 99);    // 334 + 65
  CHECK(word(m.ask("p190")) == 7);
  CHECK(word(m.ask("p176")) == 0x9804c0270033f);
  CHECK(m.ask("pa0") == hex64(u64{1} << 63) + hex64(0xffff));
  CHECK(m.ask("p20") == std::string(16, 'x'));  // gdb finds r32 in memory
  CHECK(m.ask("p1ce") == "E02");
  const std::string all = m.ask("g");
  CHECK(all.size() == 2 * 4720);
  CHECK(all.substr(2 * 12 * 8, 16) == "8877665544332211");
  CHECK(all.substr(2 * 1536, 32) == hex64(u64{1} << 63) + hex64(0xffff));  // f32: 1024 + 32 * 16
  CHECK(all.substr(2 * 3672, 16) == hex64(kCode));
  CHECK(all.substr(2 * 4216, 16) == hex64(99));
}

TEST_CASE("gdb registers: writes, and those that are refused", "[gdb]") {
  Rig m;
  CHECK(m.ask("Pc=" + hex64(42)) == "OK");
  CHECK(m.regs().gr(12) == 42);
  CHECK(m.ask("P0=" + hex64(42)) == "E02");
  CHECK(m.ask("P14b=" + hex64(kCode + 0x47)) == "OK");
  CHECK(m.regs().ip == kCode + 0x40);
  CHECK(m.ask("P14c=" + hex64(psr::kBn | u64{1} << 41)) == "OK");
  CHECK(m.regs().slot == 1);
  CHECK(m.ask("P14c=" + hex64(u64{3} << 41)) == "E02");
  CHECK(m.ask("P14d=" + hex64(5)) == "E02");   // the frame is the processor's
  CHECK(m.ask("P15f=" + hex64(5)) == "E02");   // so is BSP
  CHECK(m.ask("P160=" + hex64(0)) == "E02");   // and BSPSTORE
  CHECK(m.ask("P14a=ffffffffffffffff") == "OK");
  CHECK(m.regs().pr(63));
  CHECK(m.ask("P82=" + hex64(u64{3} << 62) + hex64(0x10000)) == "OK");
  CHECK(m.regs().fr_phys[2] == cpu::FpReg{u64{3} << 62, 0x10000, 0});
  CHECK(m.ask("P80=" + hex64(1) + hex64(1)) == "E02");  // f0
  CHECK(m.ask("Pc=42") == "E02");
  CHECK(m.ask("Pc") == "E01");
  m.regs().set_gr_nat(14, 5, true);
  std::string all = m.ask("g");
  all.replace(2 * 13 * 8, 16, hex64(77));
  CHECK(m.ask("G" + all) == "OK");
  CHECK(m.regs().gr(13) == 77);
  CHECK(m.regs().gr(12) == 42);
  CHECK(m.regs().nat(14));
  CHECK(m.ask("G00") == "E01");
}

TEST_CASE("gdb memory: reads and writes RAM, stops at its end", "[gdb]") {
  Rig m;
  m.write64(kData, 0x0807060504030201);
  CHECK(m.ask("m200000,8") == "0102030405060708");
  CHECK(m.ask("m200002,3") == "030405");
  CHECK(m.ask("m200000,0") == "");
  CHECK(m.ask("M200001,2:aabb") == "OK");
  CHECK(m.read64(kData) == 0x08070605'04bbaa01);
  CHECK(m.ask("X200000,1:}\x03") == "OK");  // escaped 0x23
  CHECK((m.read64(kData) & 0xff) == 0x23);
  CHECK(m.ask("m3ffffe,8") == m.ask("m3ffffe,2"));
  CHECK(m.ask("m400000,8") == "E0e");
  CHECK(m.ask("M400000,1:00") == "E0e");
  CHECK(m.ask("M200000,2:00") == "E01");
  CHECK(m.ask("mfffffffffffffffc,8") == "E0e");
  CHECK(m.ask("m200000") == "E01");
  CHECK(m.ask("m200000,ffffffffffffffff").size() == kMaxPayloadBytes);
}

TEST_CASE("gdb memory: stacked registers lie where gdb looks for them, NaT collections with them", "[gdb]") {
  // BSPSTORE at places where no, one and two collections fall into the dirty partition or the frame.
  for (u64 start : {kStack, kStack + 8 * 30, kStack + 8 * 60, kStack + 8 * 62, kStack + 8 * 63}) {
    Rig m;
    Registers& r = m.regs();
    r.bspstore = start;
    r.rnat = 0xf0f0;
    r.cfm = {.sof = 50, .sol = 40};
    for (unsigned n = 32; n < 82; n++) r.set_gr_nat(n, 1000 + n, n % 3 == 0);
    m.core().rse().preserve(40);  // as br.call: 40 dirty registers, then a frame of 10 outputs and 36 more
    r.cfm = {.sof = 46, .sol = 46};
    for (unsigned n = 42; n < 78; n++) r.set_gr_nat(n, 2000 + n, n % 5 == 0);
    const u64 bsp = word(m.ask("p15f")), rnat = word(m.ask("p161"));
    const auto memory_before = m.read64(gdb_address_of(bsp, 46, 32));
    CHECK(memory_before == 0);
    for (unsigned n = 32; n < 78; n++) {
      const u64 at = gdb_address_of(bsp, 46, n), collection = at | 0x1f8;
      CHECK(read_word(m.core(), at) == r.gr(n));
      const u64 nats = collection >= bsp ? rnat : read_word(m.core(), collection);
      CHECK((nats >> (at >> 3 & 63) & 1) == r.nat(n));
    }
    // The processor's own idea: it stores everything, and finds the same in memory.
    std::vector<u64> seen;
    for (u64 a = start & ~u64{7}; a < bsp; a += 8) seen.push_back(read_word(m.core(), a));
    m.core().rse().preserve(46);
    r.cfm = {};
    REQUIRE(m.core().rse().flush() == cpu::Next::Continue);
    for (size_t n = 0; n < seen.size(); n++) CHECK(m.read64(start + 8 * n) == seen[n]);
    CHECK(r.bspstore == bsp);
    CHECK((r.rnat & low_mask(static_cast<unsigned>(bsp >> 3 & 63))) == rnat);
  }
}

TEST_CASE("gdb memory: writing a stacked register's place changes the register", "[gdb]") {
  Rig m;
  Registers& r = m.regs();
  r.bspstore = kStack + 8 * 60;
  r.cfm = {.sof = 8, .sol = 8};
  for (unsigned n = 32; n < 40; n++) r.set_gr(n, n);
  const u64 bsp = word(m.ask("p15f"));
  CHECK(m.ask(fmt::format("M{:x},8:{}", gdb_address_of(bsp, 8, 36), hex64(4711))) == "OK");
  CHECK(r.gr(36) == 4711);
  CHECK(r.gr(35) == 35);
  CHECK(r.gr(37) == 37);
  const u64 collection = kStack + 8 * 63;  // covers r32..r34
  CHECK(m.ask(fmt::format("M{:x},8:{}", collection, hex64(u64{1} << 61 | 1))) == "OK");
  CHECK_FALSE(r.nat(32));
  CHECK(r.nat(33));
  CHECK_FALSE(r.nat(34));
  CHECK((r.rnat & 1) == 1);
}

TEST_CASE("gdb memory: a big-endian register stack reads as it will be stored", "[gdb]") {
  Rig m;
  m.regs().rsc = bit(4);
  m.regs().cfm = {.sof = 1, .sol = 1};
  m.regs().set_gr(32, 0x0102030405060708);
  CHECK(m.ask(fmt::format("m{:x},8", kStack)) == "0102030405060708");
}

TEST_CASE("gdb memory: by translation, and identity in regions 6 and 7 where there is none", "[gdb]") {
  Rig m;
  m.write64(kData, 0x1234);
  m.core().set_psr(psr::kBn | psr::kDt | psr::kIt | psr::kRt);
  CHECK(m.ask("me000000000200000,8") == hex64(0x1234));
  CHECK(m.ask("mc000000000200000,8") == hex64(0x1234));
  CHECK(m.ask("ma000000000200000,8") == "E0e");
  CHECK(m.ask("m200000,8") == "E0e");
  m.core().set_psr(psr::kBn);
  CHECK(m.ask("m200000,8") == hex64(0x1234));
  CHECK(m.ask("m8000000000200000,8") == hex64(0x1234));  // uncacheable alias
  CHECK(m.ask("me000000000200000,8") == hex64(0x1234));  // cannot be physical
  CHECK(m.core().interruptions_taken() == 0);
}

TEST_CASE("gdb: the beginning of a session", "[gdb]") {
  Rig m;
  CHECK(m.gdb.feed("+$qSupported:multiprocess+;swbreak+;hwbreak+#00") == "-");
  const std::string features = m.ask("qSupported:swbreak+;hwbreak+;vContSupported+");
  CHECK(features.find("PacketSize=4000") != std::string::npos);
  CHECK(features.find("qXfer:features:read+") != std::string::npos);
  CHECK(m.gdb.feed(frame("QStartNoAckMode")) == "+" + frame("OK"));
  CHECK(m.gdb.feed(frame("vMustReplyEmpty")) == frame(""));
  const std::string xml = m.ask("qXfer:features:read:target.xml:0,fff");
  CHECK(xml[0] == 'l');
  CHECK(xml.find("<architecture>ia64-elf64</architecture>") != std::string::npos);
  CHECK(m.ask("qXfer:features:read:target.xml:0,10") == "m" + xml.substr(1, 16));
  CHECK(m.ask("qXfer:features:read:target.xml:10,fff") == "l" + xml.substr(17));
  CHECK(m.ask("qXfer:features:read:other.xml:0,10") == "");
  CHECK(m.ask("qfThreadInfo") == "m1");
  CHECK(m.ask("qsThreadInfo") == "l");
  CHECK(m.ask("Hg1") == "OK");
  CHECK(m.ask("Hg2") == "E01");
  CHECK(m.ask("T1") == "OK");
  CHECK(m.ask("T9") == "E01");
  CHECK(m.ask("qAttached") == "1");
  CHECK(m.ask("qC") == "QC1");
  CHECK(m.ask("qCRC:0,1") == "");
  CHECK(m.gdb.running);  // nobody has asked why it stopped
  CHECK(m.ask("?") == "T05thread:1;");
  CHECK_FALSE(m.gdb.running);
}

TEST_CASE("gdb: repeats the last packet when asked to", "[gdb]") {
  Rig m;
  CHECK(m.gdb.feed(frame("qC")) == "+$QC1#c5");
  CHECK(m.gdb.feed("-") == "$QC1#c5");
}

TEST_CASE("gdb: break, continue, step, watch, interrupt, detach", "[gdb]") {
  NEEDS_ASSEMBLER();
  Rig m;
  m.load("top:\n{ .mii\n adds r4 = 1, r4\n adds r5 = 1, r5\n nop.i 0 ;;\n}\n{ .mib\n st8 [r10] = r4\n nop.i 0\n br.cond.sptk top ;;\n}\n");
  m.regs().set_gr(10, kData);
  m.ask("qSupported:swbreak+;hwbreak+");
  m.ask("?");
  CHECK(m.ask("Z0,10001,e") == "OK");
  CHECK(m.ask("Z1,10012,e") == "OK");
  CHECK(m.ask("vCont;c") == "T05thread:1;swbreak:;");
  CHECK(m.regs().slot == 1);
  CHECK(m.ask("c") == "T05thread:1;hwbreak:;");
  CHECK((m.regs().ip | m.regs().slot) == kCode + 0x12);
  CHECK(m.ask("vCont;s:1;c") == "T05thread:1;");
  CHECK(m.regs().ip == kCode);
  CHECK(m.ask("z0,10001,e") == "OK");
  CHECK(m.ask("z1,10012,e") == "OK");
  CHECK(m.ask("Z2,200000,8") == "OK");
  CHECK(m.ask("c") == "T05thread:1;watch:200000;");
  CHECK(m.regs().slot == 1);
  CHECK(m.read64(kData) == m.regs().gr(4));
  CHECK(m.ask("z2,200000,8") == "OK");
  CHECK(m.ask("Z3,200004,2") == "OK");
  CHECK(m.ask("c") == "no reply");
  CHECK(m.gdb.running);
  CHECK(m.ask("Z4,200004,2") == "OK");
  CHECK(m.gdb.feed("\x03") == frame("T02thread:1;"));
  CHECK_FALSE(m.gdb.running);
  CHECK(m.gdb.feed("\x03").empty());
  CHECK(m.ask("c") == "T05thread:1;awatch:200004;");
  CHECK(m.ask("c10010") == "T05thread:1;awatch:200004;");
  CHECK(m.ask("D") == "OK");
  CHECK(m.gdb.running);
  CHECK(m.core().watchpoints().ranges().empty());
  CHECK(m.gdb.handled == m.gdb.asked);
}

TEST_CASE("gdb: a debugger that vanishes lets the guest go on, whatever it had set", "[gdb]") {
  NEEDS_ASSEMBLER();
  Rig m;
  m.load("{ .mib\n adds r4 = 1, r4\n nop.i 0\n br.cond.sptk . ;;\n}\n");
  m.ask("?");
  m.ask("Z0,10000,e");
  CHECK(m.ask("s") == "T05thread:1;");
  m.gdb.stub.gone();
  CHECK(m.gdb.running);
  CHECK(m.regs().gr(4) > 1);
  m.gdb.connect();
  CHECK(m.ask("?") == "T05thread:1;");
  m.gdb.stub.ended();  // it stands, so nothing is waited for
  CHECK(m.ask("c") == "no reply");
  m.gdb.sent.clear();
  m.gdb.stub.ended();
  CHECK(m.gdb.sent == frame("W00"));
}

TEST_CASE("gdb: backwards, where the machine can", "[gdb]") {
  NEEDS_ASSEMBLER();
  Rig m;
  CHECK(m.ask("qSupported").find("Reverse") == std::string::npos);
  CHECK(m.ask("bs").empty());
  m.gdb.can_go_back = true;
  CHECK(m.ask("qSupported").find(";ReverseStep+;ReverseContinue+") != std::string::npos);
  m.ask("qSupported:swbreak+;hwbreak+");
  CHECK_FALSE(m.gdb.held);
  m.ask("?");
  CHECK(m.gdb.held);
  CHECK(m.ask("Z0,10001,e") == "OK");
  CHECK(m.ask("Z2,200000,8") == "OK");
  using machine::DebugStop;
  const auto back = [&](const char* packet, const DebugStop& stop) {
    CHECK(m.ask(packet) == "no reply");
    m.gdb.sent.clear();
    m.gdb.stub.stopped(stop);
    return m.gdb.sent;
  };
  CHECK(back("bs", {.why = DebugStop::Why::Step}) == frame("T05thread:1;"));
  CHECK(back("bc", {.why = DebugStop::Why::StopAddress, .address = 0x10001}) == frame("T05thread:1;swbreak:;"));
  CHECK(back("bc", {.why = DebugStop::Why::Watch, .address = 0x200000, .write = true}) == frame("T05thread:1;watch:200000;"));
  CHECK(back("bc", {.why = DebugStop::Why::HistoryBegin}) == frame("T05thread:1;replaylog:begin;"));
  CHECK(m.gdb.went_back == "sccc");
  // An interrupt on the way back is answered like any other.
  CHECK(m.ask("bc") == "no reply");
  CHECK(m.gdb.feed("\x03") == frame("T02thread:1;"));
  // What reads does not end the history, what writes does.
  m.ask("g");
  m.ask("m200000,8");
  CHECK(m.gdb.interventions == 0);
  m.ask("M200000,1:00");
  CHECK(m.gdb.interventions == 1);
  m.ask("P1=0000000000000000");
  CHECK(m.gdb.interventions == 2);
  m.ask("D");
  CHECK_FALSE(m.gdb.held);
}

TEST_CASE("gdb: breakpoints that make no sense are refused", "[gdb]") {
  Rig m;
  CHECK(m.ask("Z0,1000f,e") == "E01");
  CHECK(m.ask("Z2,200000,0") == "E01");
  CHECK(m.ask("Z2,ffffffffffffffff,8") == "E01");
  CHECK(m.ask("Z2,200000,1000000") == "E01");
  CHECK(m.ask("Z5,0,0") == "");
  CHECK(m.ask("Z0") == "E01");
  CHECK(m.ask("Z") == "");
  for (unsigned n = 0; n < 4096; n++) CHECK(m.ask(fmt::format("Z0,{:x},e", 0x10000 + 16 * n)) == "OK");
  CHECK(m.ask("Z0,0,e") == "E1c");
}

TEST_CASE("gdb: monitor and kill", "[gdb]") {
  Rig m;
  m.gdb.feed(frame("QStartNoAckMode"));
  CHECK(m.gdb.feed(frame("qRcmd," + to_hex("status"))) == frame("O" + to_hex("did status\n")) + frame("OK"));
  CHECK(m.ask("qRcmd,0") == "E01");
  CHECK_FALSE(m.gdb.powered_off);
  CHECK(m.ask("vKill;1") == "OK");
  CHECK(m.gdb.powered_off);
}

TEST_CASE("gdb monitor: physical memory and registers as text", "[gdb]") {
  Rig m;
  m.write64(kData, 0x6867666564636261);
  CHECK(dump_physical(m.core(), " 0x200000 8") == "0x0000000000200000: 61 62 63 64 65 66 67 68                          abcdefgh\n");
  CHECK(dump_physical(m.core(), " 0x3ffff8 16").find("0x0000000000400000: no memory") != std::string::npos);
  for (const char* bad : {"", " ", " x", " 1 2 3", " 1 0", " 0x", " 1 1000000", " 1x"})
    CHECK(dump_physical(m.core(), bad).starts_with("usage"));
  m.regs().cfm = {.sof = 18, .sol = 18, .sor = 16, .rrb_gr = 3};
  m.regs().stack_gr[m.regs().bof + 5] = 0xbeef;  // r34: two above r32, rotated by three
  m.regs().stack_nat[m.regs().bof + 5] = 1;
  const std::string registers = registers_text(m.core());
  CHECK(registers.find("r34  000000000000beef*") != std::string::npos);
  CHECK(registers.find("r49  0000000000000000 \n") != std::string::npos);
  CHECK(registers.find("r50") == std::string::npos);
  CHECK(registers.find("(sof 18 sol 18 sor 16 rrb 3 0 0)") != std::string::npos);
  CHECK(help_text().find("phys") != std::string::npos);
  CHECK(help_text().find("eject") != std::string::npos);
}
