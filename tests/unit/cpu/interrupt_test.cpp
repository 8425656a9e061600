// External interrupts and the interval timer, seen from a program and from outside.
// Expected behaviour: SDM vol. 2, 5.8.
#include <thread>

#include "cpu/sapic.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

namespace {

constexpr u64 kCode = BareMachine::kCode, kIva = BareMachine::kIva;

class CountingListener final : public InterruptListener {
 public:
  void on_interrupt_pended() override { count++; }
  unsigned count = 0;
};

struct Sapic {
  Registers regs;
  ManualClock clock;
  CountingListener listener;
  LocalSapic sapic{regs, &clock, 1'000'000'000, listener};
  Sapic() {
    regs.itv = bit(16);
    sapic.reset();
  }
};

/// A machine spinning in a loop of two bundles, with interrupts enabled.
struct Spinner : BareMachine {
  explicit Spinner(u64 psr_bits = psr::kIc | psr::kI) {
    load(
        "top:\n{ .mii\n adds r4 = 1, r4\n adds r5 = 1, r5\n adds r6 = 1, r6 ;;\n}\n"
        "{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk top ;;\n}\n");
    core().set_psr(regs().psr | psr_bits);
  }
};

}  // namespace

TEST_CASE("IVR gives the highest vector first, 15 when nothing is left", "[sapic]") {
  Sapic s;
  for (unsigned v : {0x31u, 0xf0u, 0x10u, 0xefu}) s.sapic.post(static_cast<u8>(v));
  CHECK(s.sapic.irr(0) == (bit(0x31) | bit(0x10)));
  CHECK(s.sapic.irr(3) == (bit(0xf0 - 192) | bit(0xef - 192)));
  for (unsigned v : {0xf0u, 0xefu, 0x31u, 0x10u}) {
    CHECK(s.sapic.read_ivr() == v);
    CHECK(s.sapic.read_ivr() == 0x0f);  // in service: nothing below may come
    s.sapic.write_eoi();
  }
  CHECK(s.sapic.read_ivr() == 0x0f);
  CHECK(s.listener.count == 4);
}

TEST_CASE("a higher vector of the same class preempts, a lower one waits", "[sapic]") {
  Sapic s;
  s.sapic.post(0x45);
  CHECK(s.sapic.read_ivr() == 0x45);
  s.sapic.post(0x44);
  CHECK_FALSE(s.sapic.deliverable());
  s.sapic.post(0x46);
  CHECK(s.sapic.read_ivr() == 0x46);
  s.sapic.write_eoi();
  CHECK_FALSE(s.sapic.deliverable());
  s.sapic.write_eoi();
  CHECK(s.sapic.read_ivr() == 0x44);
}

TEST_CASE("NMI is above ExtINT, ExtINT above all others; both block what is below until EOI", "[sapic]") {
  Sapic s;
  s.sapic.post(0xff);
  s.sapic.post(0);
  s.sapic.post(2);
  CHECK(s.sapic.deliverable());
  CHECK(s.sapic.read_ivr() == 2);
  CHECK_FALSE(s.sapic.deliverable());
  CHECK(s.sapic.read_ivr() == 0x0f);
  s.sapic.write_eoi();
  CHECK(s.sapic.read_ivr() == 0);
  CHECK(s.sapic.read_ivr() == 0x0f);
  s.sapic.write_eoi();
  CHECK(s.sapic.read_ivr() == 0xff);
}

TEST_CASE("reserved vectors vanish", "[sapic]") {
  Sapic s;
  for (unsigned v : {1u, 3u, 8u, 15u}) s.sapic.post(static_cast<u8>(v));
  CHECK(s.sapic.irr(0) == 0);
}

TEST_CASE("TPR.mic masks classes up to its own, TPR.mmi all but NMI", "[sapic]") {
  for (unsigned mic = 0; mic < 16; mic++)
    for (unsigned vector = 16; vector < 256; vector += 13) {
      Sapic s;
      s.sapic.post(static_cast<u8>(vector));
      s.regs.tpr = mic << 4;
      CHECK(s.sapic.deliverable() == (vector / 16 > mic));
      s.regs.tpr |= bit(16);
      CHECK_FALSE(s.sapic.deliverable());
      s.sapic.post(2);
      CHECK(s.sapic.deliverable());
    }
}

TEST_CASE("the timer fires once ITC has passed ITM", "[sapic]") {
  Sapic s;
  s.sapic.write_itv(0x40);
  s.sapic.write_itm(1000);
  s.clock.advance_to(1000);
  CHECK_FALSE(s.sapic.deliverable());
  s.clock.advance_to(1001);
  CHECK(s.sapic.itc() >= 1001);
  CHECK(s.sapic.read_ivr() == 0x40);
  s.sapic.write_eoi();
  s.clock.advance_to(100'000);
  CHECK_FALSE(s.sapic.deliverable());
}

TEST_CASE("an ITM in the past never fires", "[sapic]") {
  Sapic s;
  s.sapic.write_itv(0x40);
  s.clock.advance_to(5000);
  for (u64 itm : {0, 1, 4999, 5000}) {
    s.sapic.write_itm(itm);
    s.clock.advance_to(s.clock.now_ns());
    CHECK(s.clock.pending() == 0);
  }
  s.clock.advance_to(1'000'000);
  CHECK_FALSE(s.sapic.deliverable());
}

TEST_CASE("a masked timer match is lost, a pended one survives masking and re-arming", "[sapic]") {
  Sapic s;
  s.sapic.write_itv(0x40 | bit(16));
  s.sapic.write_itm(100);
  s.clock.advance_to(200);
  s.sapic.write_itv(0x40);
  CHECK_FALSE(s.sapic.deliverable());
  s.sapic.write_itm(300);
  s.clock.advance_to(400);
  s.sapic.write_itv(0x40 | bit(16));
  s.sapic.write_itm(1000);
  CHECK(s.sapic.read_ivr() == 0x40);
}

TEST_CASE("writing ITC moves the match", "[sapic]") {
  Sapic s;
  s.sapic.write_itv(0x40);
  s.sapic.write_itm(1'000'000);
  s.sapic.write_itc(999'000);
  CHECK(s.sapic.itc() == 999'000);
  s.clock.advance_to(1001);
  CHECK(s.sapic.deliverable());
}

TEST_CASE("an interrupt arrives between blocks and reports the next instruction", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  m.core().run(1000);
  m.core().post_interrupt(DeliveryMode::Fixed, 0x50);
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::ExternalInterrupt);
  CHECK(m.regs().ip == kIva + 0x3000);
  CHECK((i.isr & 0xffff) == 0);
  CHECK((i.iip == kCode || i.iip == kCode + 0x10));
  CHECK((m.regs().psr & psr::kI) == 0);
  CHECK(m.core().sapic().read_ivr() == 0x50);
}

TEST_CASE("with PSR.i off interrupts wait until ssm, and come before the next slot", "[interrupt]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{ .mmi\n nop.m 0\n ssm psr.i\n adds r4 = 1, r0 ;;\n}\n");
  m.core().set_psr(psr::kIc | psr::kBn);
  m.core().post_interrupt(DeliveryMode::Fixed, 0x50);
  const auto i = m.run_to_interruption();
  CHECK(i.iip == kCode);
  CHECK(field(m.regs().ipsr, 41, 2) == 2);
  CHECK(field(i.isr, 41, 2) == 2);
  CHECK(i.iipa == kCode);
  CHECK(m.regs().gr(4) == 0);
}

TEST_CASE("lowering TPR and EOI let waiting interrupts in", "[interrupt]") {
  NEEDS_ASSEMBLER();
  for (const char* text : {"{ .mii\n mov cr.tpr = r0\n nop.i 0\n nop.i 0 ;;\n}\n",
                           "{ .mii\n mov cr.eoi = r0\n nop.i 0\n nop.i 0 ;;\n}\n"}) {
    BareMachine m;
    m.load(text);
    const bool tpr = std::string_view(text).find("tpr") != std::string_view::npos;
    if (tpr) {
      m.regs().tpr = 0xf0;
    } else {
      m.core().sapic().post(0x60);
      m.core().sapic().read_ivr();
    }
    m.core().set_psr(psr::kIc | psr::kBn | psr::kI);
    m.core().post_interrupt(DeliveryMode::Fixed, 0x50);
    const auto i = m.run_to_interruption();
    CHECK(i.vector == Vector::ExternalInterrupt);
    CHECK(i.iip == kCode);
    CHECK(field(m.regs().ipsr, 41, 2) == 1);
  }
}

TEST_CASE("NMI ignores TPR but not PSR.i", "[interrupt]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{ .mii\n ssm psr.ic\n nop.i 0\n nop.i 0 ;;\n}\n{ .mii\n ssm psr.i\n nop.i 0\n nop.i 0 ;;\n}\n");
  m.regs().tpr = bit(16) | 0xf0;
  m.core().post_interrupt(DeliveryMode::Nmi, 0);
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::ExternalInterrupt);
  CHECK(i.iip == kCode + 0x10);
  CHECK(m.core().sapic().read_ivr() == 2);
}

TEST_CASE("a handler that turns collection on before it reads IVR is not entered again by the same NMI", "[interrupt]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n");
  m.load(
      "{ .mii\n ssm psr.ic\n nop.i 0\n nop.i 0 ;;\n}\n"
      "{ .mii\n mov r8 = cr.ivr\n nop.i 0\n nop.i 0 ;;\n}\n"
      "{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n",
      BareMachine::kIva + 0x3000);
  m.core().set_psr(psr::kIc | psr::kBn | psr::kI);
  m.core().post_interrupt(DeliveryMode::Nmi, 0);
  CHECK(m.run_to(BareMachine::kIva + 0x3020) == StopReason::StopAddress);
  CHECK(m.core().interruptions_taken() == 1);
  CHECK(m.regs().gr(8) == 2);
}

TEST_CASE("a halted processor wakes for an unmasked interrupt whatever PSR.i says", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m(psr::kIc);
  m.regs().tpr = 0x80;
  m.core().halt();
  CHECK(m.core().run(0) == StopReason::Halted);
  CHECK(m.core().run(0) == StopReason::Halted);
  m.core().post_interrupt(DeliveryMode::Fixed, 0x50);  // masked by TPR
  CHECK(m.core().run(0) == StopReason::Halted);
  m.core().post_interrupt(DeliveryMode::Fixed, 0xa0);
  CHECK(m.core().wait_for_interrupt(std::chrono::seconds(0)));
  CHECK(m.core().run(100) == StopReason::Budget);
  CHECK(m.core().slots_retired() == 100);
  CHECK(m.core().interruptions_taken() == 0);
}

TEST_CASE("the timer wakes a halted processor", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  m.core().sapic().write_itv(0xef);
  m.core().sapic().write_itm(5000);
  m.core().halt();
  CHECK(m.core().run(0) == StopReason::Halted);
  CHECK(m.core().sapic().timer_due_ns() == 5001);
  m.clock().advance_to(5001);
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::ExternalInterrupt);
  CHECK(m.core().sapic().read_ivr() == 0xef);
}

TEST_CASE("a sleeping processor takes over its timer and fires it exactly once", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  auto& sapic = m.core().sapic();
  sapic.write_itv(0xef);
  sapic.write_itm(5000);
  const u64 due_ns = sapic.suspend_timer();
  CHECK(due_ns == 5001);
  m.clock().advance_to(5000);
  sapic.resume_timer(due_ns);  // not due: back on the clock
  CHECK_FALSE(sapic.deliverable());
  CHECK(sapic.suspend_timer() == 5001);
  m.clock().advance_to(6000);
  CHECK_FALSE(sapic.deliverable());
  sapic.resume_timer(5001);
  CHECK(sapic.deliverable());
  CHECK(sapic.read_ivr() == 0xef);
  sapic.write_eoi();
  CHECK(sapic.suspend_timer() == ~u64{0});
  sapic.resume_timer(~u64{0});
  CHECK_FALSE(sapic.deliverable());
}

TEST_CASE("a timer that the clock has fired is not fired again after a sleep", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  auto& sapic = m.core().sapic();
  sapic.write_itv(0xef);
  sapic.write_itm(5000);
  m.clock().advance_to(5001);
  CHECK(sapic.read_ivr() == 0xef);
  sapic.write_eoi();
  m.core().wait_for_interrupt(std::chrono::seconds(0));
  CHECK_FALSE(sapic.deliverable());
}

TEST_CASE("a timer far ahead is put off until the processor has run for a while", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  auto& sapic = m.core().sapic();
  sapic.put_off_timers(true);
  sapic.write_itv(0xef);
  sapic.write_itm(900'000);  // not far enough
  CHECK(m.clock().pending() == 1);
  sapic.write_itm(5'000'000);
  CHECK(m.clock().pending() == 0);
  CHECK(sapic.timer_due_ns() == 5'000'001);
  CHECK(sapic.suspend_timer() == 5'000'001);  // a halted processor
  m.clock().advance_to(3'000'000);
  sapic.resume_timer(5'000'001);
  CHECK(m.clock().pending() == 0);
  sapic.suspend_timer();
  m.clock().advance_to(4'500'000);
  sapic.resume_timer(5'000'001);
  CHECK(m.clock().pending() == 1);
  m.clock().advance_to(5'000'001);
  CHECK(sapic.read_ivr() == 0xef);
  sapic.write_eoi();
  sapic.write_itm(10'000'000);
  CHECK(m.clock().pending() == 0);
  CHECK(m.core().run(100) == StopReason::Budget);  // whoever does not halt
  CHECK(m.clock().pending() == 1);
}

TEST_CASE("an interrupt ends a sleep whose timer may be late", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  auto& sapic = m.core().sapic();
  sapic.write_itv(0xef);
  sapic.write_itm(5000);
  CHECK_FALSE(m.core().wait_for_interrupt(std::chrono::hours(1)));  // five microseconds of the host
  sapic.allow_late(3'600'000'000'000);
  std::thread other([&] { m.core().post_interrupt(DeliveryMode::Fixed, 0x50); });
  CHECK(m.core().wait_for_interrupt(std::chrono::hours(2)));
  other.join();
  CHECK(sapic.read_ivr() == 0x50);
  sapic.write_eoi();
  CHECK(sapic.read_ivr() == cpu::LocalSapic::kSpurious);
  m.clock().advance_to(5001);  // by the clock the timer is on time
  CHECK(sapic.read_ivr() == 0xef);
}

TEST_CASE("a sleeper wakes at the end of its time and for every call", "[interrupt]") {
  cpu::Sleeper sleeper;
  CHECK_FALSE(sleeper.sleep(std::chrono::nanoseconds(0)));
  CHECK_FALSE(sleeper.sleep(std::chrono::microseconds(10)));
  sleeper.wake();
  CHECK(sleeper.sleep(std::chrono::hours(1)));
  CHECK(sleeper.sleep(std::chrono::hours(1)));  // until it is forgotten
  sleeper.forget();
  CHECK_FALSE(sleeper.sleep(std::chrono::nanoseconds(0)));
  std::thread other([&] { sleeper.wake(); });
  CHECK(sleeper.sleep(std::chrono::hours(1)));
  other.join();
}

TEST_CASE("request_stop ends run once", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  m.core().request_stop();
  CHECK(m.core().run(100) == StopReason::Requested);
  CHECK(m.core().slots_retired() == 0);
  CHECK(m.core().run(100) == StopReason::Budget);
}

TEST_CASE("ITC reads follow PSR.si and virtual time", "[interrupt]") {
  NEEDS_ASSEMBLER();
  for (const bool secure : {false, true}) {
    BareMachine m;
    m.load("{ .mii\n mov r4 = ar.itc\n nop.i 0\n nop.i 0 ;;\n}\n");
    m.clock().advance_to(123456);
    m.core().set_psr(psr::kIc | psr::kBn | u64{3} << 32 | (secure ? psr::kSi : 0));
    if (secure) {
      const auto i = m.run_to_interruption();
      CHECK(i.isr == 0x20);
    } else {
      m.run_to(kCode + 0x10);
      CHECK(m.regs().gr(4) == 123456);
    }
  }
}

namespace {

struct RecordingEvents final : PlatformEvents {
  void on_init(Core& core) override { inits++, core.regs().ip = 0x30000, core.regs().slot = 0; }
  void on_pmi(Core&, u8 vector) override { pmis.push_back(vector); }
  unsigned inits = 0;
  std::vector<u8> pmis;
};

}  // namespace

TEST_CASE("INIT and PMI reach platform firmware at an instruction boundary", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  RecordingEvents events;
  m.core().set_platform_events(&events);
  m.core().post_interrupt(DeliveryMode::Pmi, 3);
  m.core().run(10);
  CHECK(events.pmis == std::vector<u8>{3});
  m.core().halt();
  CHECK(m.core().run(10) == StopReason::Halted);
  m.core().post_interrupt(DeliveryMode::Init, 0);
  m.core().set_stop_addresses({0x30000});
  CHECK(m.core().run(10) == StopReason::StopAddress);
  CHECK(events.inits == 1);
}

TEST_CASE("PMI waits while PSR.ic is off", "[interrupt]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{ .mii\n nop.m 0\n nop.i 0\n nop.i 0 ;;\n}\n{ .mii\n ssm psr.ic\n nop.i 0\n nop.i 0 ;;\n}\n");
  RecordingEvents events;
  m.core().set_platform_events(&events);
  m.core().set_psr(psr::kBn);
  m.core().post_interrupt(DeliveryMode::Pmi, 3);
  m.core().run(3);
  CHECK(events.pmis.empty());
  m.core().run(3);
  CHECK(events.pmis == std::vector<u8>{3});
}

TEST_CASE("interrupts posted by another thread are not lost", "[interrupt]") {
  NEEDS_ASSEMBLER();
  Spinner m;
  m.load(R"(
{ .mmi
  mov r16 = cr.ivr ;;
  mov cr.eoi = r0
  adds r17 = 1, r17 ;;
}
{ .mib
  srlz.d
  nop.i 0
  rfi ;;
}
)",
         kIva + 0x3000);
  std::thread poster([&] {
    for (unsigned v = 16; v < 256; v++) m.core().post_interrupt(DeliveryMode::Fixed, static_cast<u8>(v));
    m.core().request_stop();
  });
  m.core().run(0);
  poster.join();
  m.core().run(10000);
  CHECK(m.regs().gr_banked[1] == 240);
  for (unsigned n = 0; n < 4; n++) CHECK(m.core().sapic().irr(n) == 0);
}
