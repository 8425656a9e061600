// The gate: stubs, fibers, calls into the guest, waiting, Exit unwinding, virtual mode.
#include <cstdio>
#include <fstream>

#include "fake_machine.h"
#include "firmware/efi/status.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::firmware;
using namespace ia64::firmware::test;

namespace {

struct GateFixture {
  FakeMachine m;
  Layout layout = Layout::of(m.board);
  CallGate gate{m.bus, layout, 2};
  GateFixture() {
    m.cpu.gate = [this](GuestCpu& c, u64 imm) { return gate.on_break(c, imm); };
  }
};

constexpr u64 kGuestCode = 0x10'0000;

}  // namespace

TEST_CASE_METHOD(GateFixture,
                 "a service sees its arguments, also those on the memory stack, and its result arrives") {
  std::vector<u64> seen;
  const u64 d = gate.add("sum", StubKind::Stacked, [&](GateCall& c) {
    for (unsigned n = 0; n < 11; n++) seen.push_back(c.arg(n));
    c.ret(42);
  });
  CHECK(m.cpu.call(d, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) == 42);
  CHECK(seen == std::vector<u64>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(m.peek<u64>(d) == gate.entry_of(d));
}

TEST_CASE_METHOD(GateFixture,
                 "guest calls nest through services to any depth and keep frames and preserved registers") {
  u64 service = 0;
  u64 descriptors[2];
  const u64 guest = m.cpu.define(kGuestCode, [&](FakeCpu& c, const std::vector<u64>& a) {
    c.r.gr_static[4] = 99;  // a broken guest function clobbers a preserved register
    return a[0] == 0 ? 100 : c.call(service, {a[0] - 1}) + 1;
  });
  service = gate.add("recurse", StubKind::Stacked, [&](GateCall& c) {
    const u64 args[] = {c.arg(0)};
    const u64 v = c.call_guest(guest, args);
    c.ret(v + 10 * c.arg(0));
  });
  (void)descriptors;
  m.cpu.r.gr_static[4] = 7;
  CHECK(m.cpu.call(service, {40}) == 100 + 40 + 10 * (40 * 41 / 2));
  CHECK(m.cpu.r.gr_static[4] == 7);
}

TEST_CASE_METHOD(
    GateFixture,
    "a service called by a big-endian caller calls guests little-endian and returns big-endian") {
  bool inside = true;
  const u64 guest = m.cpu.define(kGuestCode, [&](FakeCpu& c, const std::vector<u64>&) {
    inside = c.r.psr & cpu::psr::kBe;
    return u64{5};
  });
  const u64 d = gate.add("be", StubKind::Stacked, [&](GateCall& c) { c.ret(c.call_guest(guest, {})); });
  m.cpu.r.psr |= cpu::psr::kBe;
  CHECK(m.cpu.call(d, {}) == 5);
  CHECK(!inside);
  CHECK((m.cpu.r.psr & cpu::psr::kBe) != 0);
}

TEST_CASE_METHOD(GateFixture, "a waiting service names its deadline and continues after it") {
  u64 before = 0, after = 0;
  const u64 d = gate.add("wait", StubKind::Stacked, [&](GateCall& c) {
    before = m.clock.now;
    c.wait_until(before + 5000);
    after = m.clock.now;
    c.ret(c.arg(0));
  });
  CHECK(m.cpu.call(d, {77}) == 77);
  CHECK(after == before + 5000);
}

TEST_CASE_METHOD(GateFixture, "Exit throws away everything above the image and returns its status there") {
  u64 exit = 0, run_guest = 0;
  bool inner_destroyed = false, came_back = false;
  struct Witness {
    bool& flag;
    ~Witness() { flag = true; }
  };
  const u64 deep = m.cpu.define(kGuestCode + 0x100, [&](FakeCpu& c, const std::vector<u64>&) {
    c.call(exit, {});
    came_back = true;
    return u64{0};
  });
  run_guest = gate.add("callback", StubKind::Stacked, [&](GateCall& c) {
    Witness w{inner_destroyed};
    c.ret(c.call_guest(deep, {}));
  });
  const u64 image = m.cpu.define(kGuestCode, [&](FakeCpu& c, const std::vector<u64>& a) {
    CHECK(a == std::vector<u64>{0x11, 0x22});
    c.call(run_guest, {});
    came_back = true;
    return u64{0};
  });
  exit = gate.add("exit", StubKind::Stacked, [&](GateCall& c) { c.abandon_image(0x11, 1234); });
  const u64 start = gate.add("start", StubKind::Stacked,
                             [&](GateCall& c) { c.ret(c.call_image(image, 0x11, 0x22, 0x11)); });
  CHECK(m.cpu.call(start, {}) == 1234);
  CHECK(inner_destroyed);
  CHECK(!came_back);
  SECTION("and an image that just returns gives its own status") {
    const u64 plain =
        m.cpu.define(kGuestCode + 0x200, [](FakeCpu&, const std::vector<u64>&) { return u64{55}; });
    const u64 start2 =
        gate.add("start2", StubKind::Stacked, [&](GateCall& c) { c.ret(c.call_image(plain, 1, 2, 1)); });
    CHECK(m.cpu.call(start2, {}) == 55);
  }
}

TEST_CASE_METHOD(GateFixture,
                 "open calls are dropped with their objects destroyed when firmware starts anew") {
  bool destroyed = false;
  struct Witness {
    bool& flag;
    ~Witness() { flag = true; }
  };
  const u64 d = gate.add("hang", StubKind::Stacked, [&](GateCall& c) {
    Witness w{destroyed};
    for (;;) c.wait_until(0);
  });
  const u64 entry = m.peek<u64>(d);
  m.cpu.r.ip = entry;
  CHECK(gate.on_break(m.cpu, gate_imm::kServices).action == GateAction::Resume);
  CHECK(!destroyed);
  gate.forget_calls();
  CHECK(destroyed);
}

TEST_CASE_METHOD(GateFixture, "static PAL calls return by a branch, stacked ones by the stub's br.ret") {
  const u64 d = gate.add("pal", StubKind::PalEntry, [](GateCall& c) { c.ret(1, 2, 3, 4); });
  const u64 entry = gate.entry_of(d);
  CHECK(entry >= layout.pal.base);
  CHECK(entry < layout.pal.base + layout.pal.size_bytes);
  m.cpu.r.ip = entry, m.cpu.r.slot = 0;
  m.cpu.r.br[0] = 0x5550;
  m.cpu.r.gr_static[28] = 20;
  const auto imm = gate_imm::kServices;
  CHECK(gate.on_break(m.cpu, imm).action == GateAction::Resume);
  CHECK(m.cpu.r.ip == 0x5550);
  CHECK(m.cpu.r.gr_static[11] == 4);
  m.cpu.r.ip = entry;
  m.cpu.r.gr_static[28] = 257;
  CHECK(gate.on_break(m.cpu, imm).action == GateAction::Continue);
}

TEST_CASE_METHOD(GateFixture, "a quick service does its calls without the service, returns as it does, and leaves others to it") {
  unsigned slow = 0;
  const u64 d = gate.add("pal", StubKind::PalEntry, [&](GateCall& c) { slow++, c.ret(1, 2, 3, 4); });
  gate.add_quick(d, [](GuestCpu& cpu) {
    if (cpu.regs().gr(28) == 21) return false;
    cpu.regs().set_gr(8, 77);
    return true;
  });
  const auto call = [&](u64 index) {
    m.cpu.r.ip = gate.entry_of(d), m.cpu.r.slot = 0;
    m.cpu.r.br[0] = 0x5550;
    m.cpu.r.gr_static[28] = index;
    return gate.on_break(m.cpu, gate_imm::kServices).action;
  };
  CHECK(call(20) == GateAction::Resume);
  CHECK(m.cpu.r.ip == 0x5550);
  CHECK(m.cpu.r.gr_static[8] == 77);
  CHECK(slow == 0);
  CHECK(call(257) == GateAction::Continue);  // stacked: the stub's br.ret returns
  CHECK(m.cpu.r.ip == gate.entry_of(d));
  CHECK(slow == 0);
  CHECK(call(21) == GateAction::Resume);
  CHECK(m.cpu.r.gr_static[8] == 1);
  CHECK(slow == 1);
  m.cpu.r.ip = gate.entry_of(d) + 0x100;
  CHECK(gate.on_break(m.cpu, gate_imm::kServices).action == GateAction::NotMine);
  CHECK(!gate.busy());
}

TEST_CASE_METHOD(GateFixture,
                 "breaks that are not ours, or not where a stub lies, or unprivileged, are left alone") {
  const u64 d = gate.add("x", StubKind::Stacked, [](GateCall& c) { c.ret(0); });
  m.cpu.r.ip = gate.entry_of(d);
  CHECK(gate.on_break(m.cpu, 0x100000).action == GateAction::NotMine);
  CHECK(gate.on_break(m.cpu, gate_imm::kServices + 1).action == GateAction::NotMine);
  CHECK(gate.on_break(m.cpu, gate_imm::kReturn).action == GateAction::NotMine);
  CHECK(gate.on_break(m.cpu, gate_imm::kWait).action == GateAction::NotMine);
  CHECK(gate.on_break(m.cpu, gate_imm::kSaveState).action == GateAction::NotMine);
  m.cpu.r.ip += 0x100;
  CHECK(gate.on_break(m.cpu, gate_imm::kServices).action == GateAction::NotMine);
  m.cpu.r.ip -= 0x100;
  m.cpu.r.psr |= cpu::psr::kCpl;
  CHECK(gate.on_break(m.cpu, gate_imm::kServices).action == GateAction::NotMine);
}

TEST_CASE_METHOD(
    GateFixture,
    "in virtual mode buffers are reached through the caller's mapping, missing pages through its handlers") {
  u64 guest_entry_seen = 0;
  const u64 guest = m.cpu.define(kVirtualOffset + kGuestCode, [&](FakeCpu& c, const std::vector<u64>& a) {
    guest_entry_seen = c.r.ip;
    return a[0] * 2;
  });
  const u64 d = gate.add("copy", StubKind::Stacked, [&](GateCall& c) {
    u64 v = 0;
    const bool ok = c.read_value(c.arg(0), v) && c.write_value(c.arg(1), v + 1);
    const u64 args[] = {v};
    c.ret(ok ? c.call_guest(guest, args) : ~u64{0});
  });
  gate.convert_descriptors([](GuestPhys p) { return p + kVirtualOffset; });
  CHECK(m.peek<u64>(d) == gate.entry_of(d) + kVirtualOffset);
  CHECK(m.peek<u64>(d + 8) == gate.global_pointer() + kVirtualOffset);
  m.cpu.r.psr |= cpu::psr::kDt | cpu::psr::kIt | cpu::psr::kRt;
  m.cpu.r.gr_static[12] += kVirtualOffset;
  // The value straddles a page; the second page and the output page miss.
  m.poke<u64>(0x30'0ffc, 21);
  m.cpu.unmapped_pages = {kVirtualOffset + 0x30'1000, kVirtualOffset + 0x30'2000};
  CHECK(m.cpu.call(d + kVirtualOffset, {kVirtualOffset + 0x30'0ffc, kVirtualOffset + 0x30'2000}) == 42);
  CHECK(m.cpu.touches == 2);
  CHECK(m.peek<u64>(0x30'2000) == 22);
  CHECK(guest_entry_seen == kVirtualOffset + kGuestCode);
}

TEST_CASE("the core stubs are what the assembler makes of core_stubs.s") {
  static constexpr u64 kCode[] = {
#include "firmware/core_stubs.inc"
  };
  if (std::system("ia64-linux-gnu-as --version > /dev/null 2>&1")) SKIP_TEST("no IA-64 assembler");
  char name[] = "ivm-core-stubs-XXXXXX";
  const int fd = mkstemp(name);
  REQUIRE(fd >= 0);
  close(fd);
  const std::string object = name, binary = object + ".bin";
  const std::string make = "ia64-linux-gnu-as -o " + object +
                           " " IVM_SOURCE_DIR "/firmware/core_stubs.s && " +
                           "ia64-linux-gnu-objcopy -O binary -j .text " + object + " " + binary;
  REQUIRE(std::system(make.c_str()) == 0);
  std::ifstream in(binary, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  std::remove(object.c_str()), std::remove(binary.c_str());
  CHECK(bytes == std::string(reinterpret_cast<const char*>(kCode), sizeof kCode));
}
