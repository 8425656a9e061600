// A guest for tests of counted time: a program that ends at a gate, and a handler of interrupts that notes when they came.
#pragma once

#include "base/address_space.h"
#include "cpu/core.h"
#include "tests/support/assembler.h"
#include "tests/support/test.h"

namespace ia64::test::timed_guest {

constexpr u64 kRamBytes = 4 << 20, kCode = 0x10000, kIva = 0x20000, kGateCode = 0x40000, kData = 0x200000;
constexpr u64 kHz = 1'000'000'000;  // ITC counts nanoseconds

/// Stops the run at the first gate.
struct StopGate final : cpu::BreakGate {
  cpu::GateAction on_break(cpu::Core&, u64) override {
    calls++;
    return cpu::GateAction::Stop;
  }
  int calls = 0;
};

/// Adds the round (r14) and the time at which the interrupt came to r17 and r18, and counts it in r19.
constexpr const char* kCountInterrupts = R"(
{ .mmi
  mov r20 = cr.ivr ;;
  mov.m r21 = ar.itc
  add r17 = r17, r14 ;;
}
{ .mmi
  mov cr.eoi = r0 ;;
  srlz.d
  add r18 = r18, r21 ;;
}
{ .mib
  add r19 = 1, r19
  nop.i 0
  rfi ;;
}
)";

inline void put(AddressSpace& bus, u64 at, const char* text) {
  const auto bytes = assemble(text);
  REQUIRE_FALSE(bytes.empty());
  bus.write_bytes(at, bytes.data(), bytes.size());
}
/// Lets `core` begin `program`, which finds memory at r8, the gate at r9 and a count in LC, with interrupts on.
inline void load(AddressSpace& bus, cpu::Core& core, const char* program, u64 rounds) {
  put(bus, kCode, program);
  put(bus, kIva + 0x3000, kCountInterrupts);
  put(bus, kGateCode, "{ .mib\n break.m 0x100\n nop.i 0\n nop.b 0 ;;\n}\n");
  auto& r = core.regs();
  r.ip = kCode, r.slot = 0, r.bspstore = 0x100000, r.iva = kIva;
  r.psr |= cpu::psr::kIc | cpu::psr::kI;
  r.set_gr(8, kData), r.set_gr(9, kGateCode), r.lc = rounds;
  core.set_gate_range(kGateCode, 16);
}

}  // namespace ia64::test::timed_guest
