// Parallel operations on general registers by way of two vector registers.
#include "cpu/jit/x64_emitter.h"
#include "cpu/translate/parallel.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::Parallel;
using ir::ParallelImm;

namespace {

/// The host's instruction for each Parallel. Unpacking to the high half takes the same ones as to the low half.
constexpr Inst::Id kTwo[] = {
    Inst::kIdPaddb,   Inst::kIdPaddw,   Inst::kIdPaddd,   Inst::kIdPaddsb,  Inst::kIdPaddsw,  Inst::kIdPaddusb, Inst::kIdPaddusw,
    Inst::kIdPsubb,   Inst::kIdPsubw,   Inst::kIdPsubd,   Inst::kIdPsubsb,  Inst::kIdPsubsw,  Inst::kIdPsubusb, Inst::kIdPsubusw,
    Inst::kIdPavgb,   Inst::kIdPavgw,
    Inst::kIdPcmpeqb, Inst::kIdPcmpeqw, Inst::kIdPcmpeqd, Inst::kIdPcmpgtb, Inst::kIdPcmpgtw, Inst::kIdPcmpgtd,
    Inst::kIdPminub,  Inst::kIdPmaxub,  Inst::kIdPminsw,  Inst::kIdPmaxsw,
    Inst::kIdPsadbw,
    Inst::kIdPmullw,  Inst::kIdPmulhw,  Inst::kIdPmulhuw,
    Inst::kIdPmaddwd,
    Inst::kIdPsllw,   Inst::kIdPslld,   Inst::kIdPsraw,   Inst::kIdPsrad,   Inst::kIdPsrlw,   Inst::kIdPsrld,
    Inst::kIdPacksswb, Inst::kIdPackuswb, Inst::kIdPackssdw,
    Inst::kIdPunpcklbw, Inst::kIdPunpcklwd, Inst::kIdPunpckldq, Inst::kIdPunpcklbw, Inst::kIdPunpcklwd, Inst::kIdPunpckldq,
};
static_assert(std::size(kTwo) == static_cast<size_t>(Parallel::UnpackHigh4) + 1);

constexpr Inst::Id kShifts[] = {Inst::kIdPsllw, Inst::kIdPslld, Inst::kIdPsraw, Inst::kIdPsrad, Inst::kIdPsrlw, Inst::kIdPsrld};

}  // namespace

void X64Emitter::emit_parallel(const Op& op, Value v) {
  const auto what = static_cast<Parallel>(op.imm);
  const Gp x = use(op.a, rax), y = use(op.b, rcx);
  a_.movq(xmm0, x);
  a_.movq(xmm1, y);
  release(op.a);
  release(op.b);
  const Gp d = define(v);
  const Inst::Id id = kTwo[op.imm];
  if (what >= Parallel::PackSigned2 && what <= Parallel::PackSigned4) {
    a_.punpcklqdq(xmm0, xmm1);
    a_.emit(id, xmm0, xmm0);
  } else {
    a_.emit(id, xmm0, xmm1);
  }
  if (what >= Parallel::UnpackHigh1) a_.psrldq(xmm0, 8);
  a_.movq(d, xmm0);
}

/// Counts the elements in front of the first zero one, by a mask with a bit for each byte.
void X64Emitter::emit_zero_index(const Gp& d, const Gp& x, bool words, bool from_left) {
  a_.movq(xmm0, x);
  a_.pxor(xmm1, xmm1);
  words ? a_.pcmpeqw(xmm0, xmm1) : a_.pcmpeqb(xmm0, xmm1);
  a_.pmovmskb(eax, xmm0);  // the upper eight bytes are zero: bit 8 ends the search from the right
  if (!from_left) {
    a_.bsf(d.r32(), eax);
    if (words) a_.shr(d.r32(), 1);
    return;
  }
  a_.movzx(eax, al);
  a_.lea(eax, dword_ptr(rax, rax, 0, 1));  // bit 0 ends the search from the left
  a_.bsr(ecx, eax);
  a_.mov(d.r32(), 8);
  a_.sub(d.r32(), ecx);
  if (words) a_.shr(d.r32(), 1);
}

void X64Emitter::emit_parallel_imm(const Op& op, Value v) {
  const auto what = static_cast<ParallelImm>(op.imm & 0xff);
  const u32 count = static_cast<u32>(op.imm >> 8);
  const Gp x = use(op.a, rax);
  release(op.a);
  const Gp d = define(v);
  if (what >= ParallelImm::ZeroFromRight1) {
    const bool words = what == ParallelImm::ZeroFromRight2 || what == ParallelImm::ZeroFromLeft2;
    return emit_zero_index(d, x, words, what >= ParallelImm::ZeroFromLeft1);
  }
  a_.movq(xmm0, x);
  if (what == ParallelImm::Shuffle2) {
    a_.pshuflw(xmm0, xmm0, count);
  } else {
    a_.emit(kShifts[static_cast<unsigned>(what)], xmm0, imm(count));
  }
  a_.movq(d, xmm0);
}

}  // namespace ia64::cpu::jit
