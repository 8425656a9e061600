// SIGFPE: from the host instruction that raised an exception to the way out of its guest instruction.
#include "cpu/jit/float_traps.h"

#include <signal.h>
#include <ucontext.h>

#include <algorithm>

namespace ia64::cpu::jit {

namespace {

/// The flags of MXCSR without Inexact, which has its meaning for the guest.
constexpr u32 kRaised = 0x1f;

thread_local const FloatTraps* entered = nullptr;

bool from_vector_unit(int code) { return code >= FPE_FLTDIV && code <= FPE_FLTINV; }

/// @source System V ABI of x86-64 for the context; Intel SDM volume 1, 11.5.2: the instruction has not written its result.
void handle(int, siginfo_t* info, void* context) {
  auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
  greg_t& rip = machine.gregs[REG_RIP];
  const void* const pc = reinterpret_cast<const void*>(rip);
  if (const void* const way_out = entered ? entered->way_out(pc) : nullptr) {
    machine.fpregs->mxcsr &= ~kRaised;
    rip = reinterpret_cast<greg_t>(way_out);
  } else if (from_vector_unit(info->si_code)) {  // a helper below generated code: it gets the answer that it would get elsewhere
    machine.fpregs->mxcsr = kQuietMxcsr;
  } else {  // comes again, and ends the process
    signal(SIGFPE, SIG_DFL);
  }
}

/// Each engine does it: others may have taken the signal since the last one was made.
void install() {
  struct sigaction action {};
  action.sa_sigaction = &handle;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGFPE, &action, nullptr);
}

}  // namespace

FloatTraps::FloatTraps(bool handles) {
  if (handles) install();
}

const void* FloatTraps::way_out(const void* pc) const {
  const auto at = std::lower_bound(sites_.begin(), sites_.end(), pc, [](const Site& s, const void* p) { return s.pc < p; });
  return at != sites_.end() && at->pc == pc ? at->way_out : nullptr;
}

void FloatTraps::enter() { entered = this; }

}  // namespace ia64::cpu::jit
