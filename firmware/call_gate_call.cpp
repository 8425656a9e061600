// One open gate call: fiber switching, argument access, memory through the caller's mode, calls into the
// guest.
#include "firmware/call_gate_call.h"

#include <algorithm>
#include <cstring>

#include "base/bits.h"
#include "firmware/efi/status.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace ia64::firmware {
namespace {

// Large enough for file system and boot manager code; unused pages are never touched.
constexpr size_t kFiberStackBytes = 256 << 10;

boost::context::pooled_fixedsize_stack& stack_pool() {
  thread_local boost::context::pooled_fixedsize_stack pool(kFiberStackBytes, 4);
  return pool;
}

// AddressSanitizer must know which stack runs: unwinding an unknown one looks like an overflow to it. A switch is
// announced by the side that leaves and confirmed, with what the announcement left, by the side that is entered.
#ifdef __SANITIZE_ADDRESS__
void announce_switch(void** left, const StackBounds& to) {
  __sanitizer_start_switch_fiber(left, to.bottom, to.size_bytes);
}
void confirm_switch(void* left, StackBounds* from) {
  __sanitizer_finish_switch_fiber(left, from ? &from->bottom : nullptr, from ? &from->size_bytes : nullptr);
}
#else
void announce_switch(void**, const StackBounds&) {}
void confirm_switch(void*, StackBounds*) {}
#endif

template <class T, size_t N>
void copy(T (&to)[N], const T (&from)[N]) {
  std::copy(std::begin(from), std::end(from), std::begin(to));
}

}  // namespace

SavedRegisters SavedRegisters::of(const cpu::Registers& r) {
  SavedRegisters s{};
  copy(s.gr, r.gr_static), copy(s.nat, r.gr_static_nat), copy(s.br, r.br), copy(s.pr, r.pr_phys);
  s.ip = r.ip, s.slot = r.slot, s.psr = r.psr, s.cfm = r.cfm;
  s.rsc = r.rsc, s.unat = r.unat, s.fpsr = r.fpsr, s.pfs = r.pfs, s.lc = r.lc, s.ccv = r.ccv, s.ec = r.ec;
  return s;
}

void SavedRegisters::restore(cpu::Registers& r) const {
  copy(r.gr_static, gr), copy(r.gr_static_nat, nat), copy(r.br, br), copy(r.pr_phys, pr);
  r.ip = ip, r.slot = slot, r.cfm = cfm;
  r.rsc = rsc, r.unat = unat, r.fpsr = fpsr, r.pfs = pfs, r.lc = lc, r.ccv = ccv, r.ec = ec;
  // The guest may have changed other PSR bits on purpose (interrupt enable, mfl/mfh); only the byte order is
  // ours.
  r.psr = (r.psr & ~cpu::psr::kBe) | (psr & cpu::psr::kBe);
}

CallGate::Call::Call(CallGate& gate, GuestCpu& cpu, const Stub& stub)
    : gate_(gate), cpu_(cpu), stub_(stub), saved_(SavedRegisters::of(cpu.regs())) {
  const auto& r = cpu.regs();
  for (unsigned n = 0; n < 8; n++) args_[n] = n < r.cfm.sof ? r.gr(32 + n) : 0;
  // Stub and core stubs lie in one block, so the caller's alias of the one gives that of the other.
  const GuestPhys core = stub.kind == StubKind::PalEntry ? gate.layout_.pal.base : gate.core_address(0);
  core_base_ = r.ip - (stub.entry - core);
  const boost::context::stack_context stack = stack_pool().allocate();
  service_stack_ = {static_cast<u8*>(stack.sp) - stack.size, stack.size};
  service_fiber_ = boost::context::fiber(
      std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack), stack_pool(),
      [this](boost::context::fiber&& outer) {
        struct Leave {  // also when the call is forgotten and its fiber unwound
          Call& call;
          ~Leave() { announce_switch(nullptr, call.outer_stack_); }
        } leave{*this};
        confirm_switch(nullptr, &outer_stack_);
        outer_fiber_ = std::move(outer);
        stub_.service(*this);
        state = State::Done;
        return std::move(outer_fiber_);
      });
}

CallGate::Call::~Call() {
  if (!service_fiber_) return;
  void* left = nullptr;
  announce_switch(&left, service_stack_);
  service_fiber_ = {};
  confirm_switch(left, nullptr);
}

void CallGate::Call::resume() {
  state = State::Running;
  void* left = nullptr;
  announce_switch(&left, service_stack_);
  service_fiber_ = std::move(service_fiber_).resume();
  confirm_switch(left, nullptr);
}

void CallGate::Call::suspend(State s) {
  state = s;
  suspended_once_ = true;
  struct Arrive {  // also when the fiber is resumed only to be unwound
    Call& call;
    void* left = nullptr;
    ~Arrive() { confirm_switch(left, &call.outer_stack_); }
  } arrive{*this};
  announce_switch(&arrive.left, outer_stack_);
  outer_fiber_ = std::move(outer_fiber_).resume();
}

u64 CallGate::Call::arg(unsigned n) {
  if (n < 8) return args_[n];
  u64 v = 0;
  return read_value(saved_.gr[12] + 16 + 8 * u64{n - 8}, v) ? v : 0;
}

void CallGate::Call::ret(u64 r8) {
  results_[0] = r8;
  result_count_ = 1;
}

void CallGate::Call::ret(u64 r8, u64 r9, u64 r10, u64 r11) {
  results_[0] = r8, results_[1] = r9, results_[2] = r10, results_[3] = r11;
  result_count_ = 4;
}

void CallGate::Call::apply_results() {
  for (unsigned i = 0; i < result_count_; i++) cpu_.regs().set_gr(8 + i, results_[i]);
}

// A miss in virtual mode is the OS's to fill: let guest code touch the page so that its own handlers run.
bool CallGate::Call::touch(u64 va, bool write) {
  if (!(cpu_.regs().psr & cpu::psr::kDt)) return false;
  auto& r = cpu_.regs();
  saved_ = SavedRegisters::of(r);
  // No new register frame: making room for one could miss in turn.
  r.set_gr(14, va);
  r.ip = core_alias(write ? core_stub::kTouchWrite : core_stub::kTouchRead);
  r.slot = 0;
  suspend(State::CallingGuest);
  return true;
}

bool CallGate::Call::page(u64 va, bool write, GuestPhys& phys) {
  return cpu_.translate(va, write, phys) || (touch(va, write) && cpu_.translate(va, write, phys));
}

bool CallGate::Call::read(u64 va, void* out, size_t size_bytes) {
  auto* to = static_cast<u8*>(out);
  while (size_bytes) {
    const size_t n =
        std::min<u64>(size_bytes, AddressSpace::kPageSize - (va & (AddressSpace::kPageSize - 1)));
    GuestPhys phys = 0;
    if (!page(va, false, phys) || gate_.bus_.read_bytes(phys, to, n) != AccessResult::Ok) return false;
    va += n, to += n, size_bytes -= n;
  }
  return true;
}

bool CallGate::Call::write(u64 va, const void* in, size_t size_bytes) {
  const auto* from = static_cast<const u8*>(in);
  while (size_bytes) {
    const size_t n =
        std::min<u64>(size_bytes, AddressSpace::kPageSize - (va & (AddressSpace::kPageSize - 1)));
    GuestPhys phys = 0;
    if (!page(va, true, phys) || gate_.bus_.write_bytes(phys, from, n) != AccessResult::Ok) return false;
    va += n, from += n, size_bytes -= n;
  }
  return true;
}

void CallGate::Call::enter_guest(u64 entry, u64 gp, std::span<const u64> args) {
  auto& r = cpu_.regs();
  saved_ = SavedRegisters::of(r);
  const unsigned in_registers = static_cast<unsigned>(std::min<size_t>(args.size(), 8));
  const u64 on_stack = args.size() - in_registers;
  // 16 bytes of scratch area for the callee, then the arguments that found no register.
  const u64 sp = align_down(r.gr(12) - 16 - 8 * on_stack, 16);
  for (u64 i = 0; i < on_stack; i++) (void)write_value(sp + 16 + 8 * i, args[in_registers + i]);
  cpu_.push_frame(in_registers);
  for (unsigned i = 0; i < in_registers; i++) r.set_gr(32 + i, args[i]);
  r.set_gr(1, gp);
  r.set_gr(12, sp);
  r.br[0] = core_alias(core_stub::kReturn);
  r.psr &= ~cpu::psr::kBe;
  r.ip = entry & ~u64{15};
  r.slot = 0;
  suspend(State::CallingGuest);
}

void CallGate::Call::returned_from_guest() {
  guest_result_ = cpu_.regs().gr(8);
  saved_.restore(cpu_.regs());
}

u64 CallGate::Call::call_guest(u64 descriptor, std::span<const u64> args) {
  u64 entry_gp[2];
  if (!read(descriptor, entry_gp, sizeof entry_gp)) return efi::kInvalidParameter;
  enter_guest(entry_gp[0], entry_gp[1], args);
  return guest_result_;
}

u64 CallGate::Call::call_image(u64 descriptor, u64 handle, u64 system_table, u64 token) {
  const u64 args[] = {descriptor, handle, system_table};
  const u64 outer_token = image_token;
  image_token = token;
  abandoned = false;
  jump.valid = false;
  enter_guest(core_alias(core_stub::kStartImage), cpu_.regs().gr(1), args);
  image_token = outer_token;
  return abandoned ? image_result : guest_result_;
}

void CallGate::Call::abandon_image(u64 token, u64 result) {
  const auto& calls = gate_.cpus_[cpu_.index()].calls;
  const auto target = std::find_if(calls.begin(), calls.end(),
                                   [&](const auto& c) { return c->image_token == token && c->jump.valid; });
  if (target == calls.end() || target->get() == this) return;
  (*target)->image_result = result;
  (*target)->abandoned = true;
  target_token = token;
  suspend(State::Abandoning);
}

void CallGate::Call::wait_until(u64 deadline) {
  deadline_ns = deadline;
  saved_ = SavedRegisters::of(cpu_.regs());
  suspend(State::Waiting);
}

}  // namespace ia64::firmware
