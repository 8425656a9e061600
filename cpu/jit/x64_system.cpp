// Emission of moves of PSR, and where control registers lie.
#include <cstddef>

#include "base/invariant.h"
#include "cpu/arch/psr.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {

constexpr i32 kPsr = static_cast<i32>(offsetof(Registers, psr));

void masking_changed(Core* core, u64, u64) noexcept { core->interrupt_masking_changed(); }

size_t place_of_control(unsigned n) {
  switch (n) {
    case cr::kDcr: return offsetof(Registers, dcr);
    case cr::kIva: return offsetof(Registers, iva);
    case cr::kPta: return offsetof(Registers, pta);
    case cr::kIpsr: return offsetof(Registers, ipsr);
    case cr::kIsr: return offsetof(Registers, isr);
    case cr::kIip: return offsetof(Registers, iip);
    case cr::kIfa: return offsetof(Registers, ifa);
    case cr::kItir: return offsetof(Registers, itir);
    case cr::kIipa: return offsetof(Registers, iipa);
    case cr::kIfs: return offsetof(Registers, ifs);
    case cr::kIim: return offsetof(Registers, iim);
    case cr::kIha: return offsetof(Registers, iha);
    case cr::kLid: return offsetof(Registers, lid);
    default: INVARIANT(n == cr::kTpr); return offsetof(Registers, tpr);
  }
}

}  // namespace

i32 X64Emitter::control_offset(unsigned n) { return static_cast<i32>(place_of_control(n)); }

void X64Emitter::emit_read_psr(const Op& op, Value v) {
  const Gp d = define(v);
  a_.mov(rax, op.imm);
  a_.mov(d, qword_ptr(rbx, kPsr));
  a_.and_(d, rax);
}

void X64Emitter::emit_clear_psr(const Op& op) {
  const Label done = a_.newLabel();
  skip_unless(op.guard, done);
  a_.and_(dword_ptr(rbx, kPsr), ~static_cast<u32>(op.imm));
  a_.bind(done);
}

/// An interrupt that PSR.i or ic held off wants attention, which the next block looks for at its entry.
void X64Emitter::emit_set_psr(const Op& op) {
  const Label done = a_.newLabel(), opened = a_.newLabel();
  const u32 bits = static_cast<u32>(op.imm), opening = bits & static_cast<u32>(psr::kI | psr::kIc);
  const Mem low = dword_ptr(rbx, kPsr);
  skip_unless(op.guard, done);
  if (opening) a_.mov(eax, low);
  a_.or_(low, bits);
  if (opening) {
    a_.not_(eax);
    a_.test(eax, opening);
    a_.jnz(opened);
    later([this, opened, done] {
      a_.bind(opened);
      a_.mov(rax, imm(reinterpret_cast<const void*>(&masking_changed)));
      a_.call(imm(stubs_.kept));
      a_.jmp(done);
    });
  }
  a_.bind(done);
}

}  // namespace ia64::cpu::jit
