// The gate: stubs and vectors in guest memory, dispatch of breaks, the stack of open calls of each CPU.
#include "firmware/call_gate.h"

#include <algorithm>

#include "base/invariant.h"
#include "base/log.h"
#include "firmware/call_gate_call.h"
#include "firmware/efi/status.h"

namespace ia64::firmware {
namespace {

constexpr u64 kCoreStubs[] = {
#include "firmware/core_stubs.inc"
};
static_assert(sizeof kCoreStubs == core_stub::kSize);

constexpr u64 kFirstServiceStub = 0x400;  // behind the core stubs
constexpr u64 kStubBytes = 16;

struct Bundle {
  u64 low, high;
};

// { .mib break.m imm ; nop.i 0 ; br.ret.sptk.many b0 ;; }
constexpr Bundle service_bundle(u64 imm) {
  return {0x0000'0200'0000'0011 - (imm & 0x10'0000 ? 0 : 0x0000'0200'0000'0000) + ((imm & 0xf'ffff) << 11),
          0x0084'0008'8000'0200};
}
static_assert(service_bundle(0x1b0100).low == 0x0000020058080011);

// { .mmi break.m imm ; nop.m 0 ; nop.i 0 ;; }
constexpr Bundle vector_bundle(u64 imm) {
  return {0x0000'0200'0000'0009 + ((imm & 0xf'ffff) << 11), 0x0004'0000'0000'0200};
}
static_assert(vector_bundle(0x1b0001).low == kCoreStubs[2] && vector_bundle(0x1b0001).high == kCoreStubs[3]);

// The procedure index decides how PAL_PROC was entered. @source SDM vol. 2, 11.10.2
bool static_pal_call(u64 index) {
  return index < 256 || (index >= 512 && index < 768);
}

}  // namespace

CallGate::CallGate(AddressSpace& bus, const Layout& layout, unsigned cpu_count)
    : bus_(bus),
      layout_(layout),
      next_pal_stub_(layout.pal.base + kFirstServiceStub),
      next_stub_(core_address(kFirstServiceStub)),
      cpus_(cpu_count) {
  write_core(layout_.pal.base);
  write_core(core_address(0));
  write_vectors();
  stubs_.reserve(kDescriptorBytes / 16);
}

CallGate::~CallGate() {
  forget_calls();
}

// Innermost calls first: an outer service may own what an inner one uses.
void CallGate::forget_calls() {
  for (auto& cpu : cpus_)
    while (!cpu.calls.empty()) cpu.calls.pop_back();
}

void CallGate::write_core(GuestPhys at) {
  bus_.write_bytes(at, kCoreStubs, sizeof kCoreStubs);
}

void CallGate::write_vectors() {
  for (unsigned n = 0; n < kVectorCount; n++) {
    const Bundle b = vector_bundle(gate_imm::kVectors + n);
    bus_.write_bytes(layout_.vectors() + vector_offset(n), &b, sizeof b);
  }
  const u8* code = reinterpret_cast<const u8*>(kCoreStubs) + core_stub::kExternalInterrupt;
  bus_.write_bytes(layout_.vectors() + 0x3000, code, core_stub::kSize - core_stub::kExternalInterrupt);
}

void CallGate::hand_over() {
  for (CpuStack& cpu : cpus_) cpu.left_behind = cpu.calls.empty() ? 0 : cpu.calls.size() - 1;
}

bool CallGate::busy() const {
  return std::any_of(cpus_.begin(), cpus_.end(), [](const CpuStack& cpu) { return cpu.calls.size() > cpu.left_behind; });
}

void CallGate::visit_state(StateArchive& a) {
  u32 count = static_cast<u32>(stubs_.size());
  a(count);
  a.require(count >= stubs_.size() && count <= stubs_.capacity(), "the number of firmware services");
  if (a.loading()) forget_calls();
  for (u32 n = 0; n < count && a.ok(); n++) {
    std::string name = n < stubs_.size() ? stubs_[n].name : "";
    a(name);
    if (n < stubs_.size())
      a.require(name == stubs_[n].name, "a firmware service, '" + name + "' in place of '" + stubs_[n].name + "',");
    else if (a.ok())  // of a protocol that went with boot services: nobody may call it any more, and its number must stay taken
      add(name, StubKind::Stacked, [](GateCall& call) { call.ret(efi::kUnsupported); });
  }
}

GuestPhys CallGate::add(std::string name, StubKind kind, Service service) {
  INVARIANT(stubs_.size() < stubs_.capacity());
  Stub s{std::move(name), kind, std::move(service), 0, 0};
  GuestPhys& next = kind == StubKind::PalEntry ? next_pal_stub_ : next_stub_;
  s.entry = next;
  next += kStubBytes;
  s.descriptor = layout_.runtime_data.base + 16 * stubs_.size();
  const Bundle code = service_bundle(gate_imm::kServices + stubs_.size());
  bus_.write_bytes(s.entry, &code, sizeof code);
  const u64 descriptor[] = {s.entry, global_pointer()};
  bus_.write_bytes(s.descriptor, descriptor, sizeof descriptor);
  stubs_.push_back(std::move(s));
  return stubs_.back().descriptor;
}

size_t CallGate::index_of(GuestPhys descriptor) const {
  const u64 index = (descriptor - layout_.runtime_data.base) / 16;
  INVARIANT(index < stubs_.size());
  return index;
}

GuestPhys CallGate::entry_of(GuestPhys descriptor) const { return stubs_[index_of(descriptor)].entry; }

void CallGate::add_quick(GuestPhys descriptor, QuickService quick) { stubs_[index_of(descriptor)].quick = std::move(quick); }

void CallGate::set_core_service(u64 imm, std::string name, Service service) {
  INVARIANT(imm >= gate_imm::kFirst && imm < gate_imm::kServices);
  core_[imm - gate_imm::kFirst] = {std::move(name), StubKind::Stacked, std::move(service), core_entry(imm),
                                   0};
}

GuestPhys CallGate::core_entry(u64 imm) const {
  switch (imm) {
    case gate_imm::kBoot: return core_address(core_stub::kBoot);
    case gate_imm::kApWait: return core_address(core_stub::kApWait);
    case gate_imm::kApVector: return core_address(core_stub::kApVector);
    case gate_imm::kExternalInterrupt: return layout_.vectors() + 0x3020;  // third bundle of the handler
    default: return layout_.vectors() + vector_offset(static_cast<unsigned>(imm - gate_imm::kVectors));
  }
}

void CallGate::convert_descriptors(const std::function<u64(GuestPhys)>& convert) {
  for (const Stub& s : stubs_) {
    if (s.kind == StubKind::PalEntry) continue;
    const u64 descriptor[] = {convert(s.entry), convert(global_pointer())};
    bus_.write_bytes(s.descriptor, descriptor, sizeof descriptor);
  }
}

CallGate::Stub* CallGate::stub_of(u64 imm) {
  if (imm < gate_imm::kServices) {
    Stub& s = core_[imm - gate_imm::kFirst];
    return s.service ? &s : nullptr;
  }
  const u64 index = imm - gate_imm::kServices;
  return index < stubs_.size() ? &stubs_[index] : nullptr;
}

// A stray break with one of our immediates in somebody else's code is the guest's own business.
bool CallGate::plausible(GuestCpu& cpu, const Stub& stub) const {
  return ((cpu.regs().ip ^ stub.entry) & (AddressSpace::kPageSize - 16)) == 0;
}

GateResult CallGate::on_break(GuestCpu& cpu, u64 imm) {
  std::lock_guard lock(mutex_);
  if (imm < gate_imm::kFirst || imm > gate_imm::kLast || cpu.regs().cpl() != 0 || cpu.index() >= cpus_.size())
    return {};
  CpuStack& stack = cpus_[cpu.index()];
  if (imm == gate_imm::kReturn) return on_return(stack);
  if (imm == gate_imm::kWait) return on_wait(stack);
  if (imm == gate_imm::kSaveState) return on_save_state(stack);
  Stub* stub = stub_of(imm);
  if (!stub || !plausible(cpu, *stub)) return {};
  if (stub->quick && stub->quick(cpu)) return leave_stub(*stub, cpu.regs(), false);
  stack.calls.push_back(std::make_unique<Call>(*this, cpu, *stub));
  return run(stack);
}

GateResult CallGate::on_return(CpuStack& stack) {
  if (stack.calls.empty() || stack.calls.back()->state != Call::State::CallingGuest) return {};
  stack.calls.back()->returned_from_guest();
  return run(stack);
}

GateResult CallGate::on_wait(CpuStack& stack) {
  if (stack.calls.empty() || stack.calls.back()->state != Call::State::Waiting) return {};
  stack.calls.back()->returned_from_guest();
  return run(stack);
}

GateResult CallGate::on_save_state(CpuStack& stack) {
  if (stack.calls.empty()) return {};
  Call& call = *stack.calls.back();
  if (call.state != Call::State::CallingGuest || call.image_token == 0) return {};
  const auto& r = call.cpu().regs();
  call.jump.regs = SavedRegisters::of(r);
  call.jump.bspstore = r.bspstore;
  call.jump.rnat = r.rnat;
  std::copy(r.fr_phys, r.fr_phys + 32, call.jump.fr);
  call.jump.valid = true;
  return {GateAction::Continue, {}};
}

GateResult CallGate::run(CpuStack& stack) {
  Call& call = *stack.calls.back();
  call.resume();
  switch (call.state) {
    case Call::State::Done: return finish(stack);
    case Call::State::CallingGuest: return {GateAction::Resume, {}};
    case Call::State::Abandoning: return abandon(stack);
    case Call::State::Waiting:
      call.cpu().regs().ip = call.core_alias(core_stub::kWait);
      call.cpu().regs().slot = 0;
      return {GateAction::Resume, call.deadline_ns};
    case Call::State::Running: break;
  }
  INVARIANT(false);
}

GateResult CallGate::finish(CpuStack& stack) {
  const auto done = std::move(stack.calls.back());
  stack.calls.pop_back();
  auto& r = done->cpu().regs();
  if (done->stopping()) return {GateAction::Stop, {}};
  if (done->leaving()) {
    while (!stack.calls.empty()) stack.calls.pop_back();
    return {GateAction::Resume, {}};
  }
  done->apply_results();
  return leave_stub(done->stub(), r, done->suspended_once());
}

/// On to the caller, results in place.
GateResult CallGate::leave_stub(const Stub& stub, cpu::Registers& r, bool suspended_once) {
  if (stub.kind == StubKind::PalEntry && static_pal_call(r.gr(28))) {
    // No frame was pushed for a static call, so it must not go through br.ret.
    r.ip = r.br[0] & ~u64{15};
    r.slot = 0;
    return {GateAction::Resume, {}};
  }
  if (!suspended_once) return {GateAction::Continue, {}};
  r.slot = 1;
  return {GateAction::Resume, {}};
}

GateResult CallGate::abandon(CpuStack& stack) {
  const u64 token = stack.calls.back()->target_token;
  while (stack.calls.back()->image_token != token || !stack.calls.back()->jump.valid) stack.calls.pop_back();
  Call& target = *stack.calls.back();
  auto& r = target.cpu().regs();
  const JumpState& jump = target.jump;
  jump.regs.restore(r);
  std::copy(jump.fr + 2, jump.fr + 6, r.fr_phys + 2);
  std::copy(jump.fr + 16, jump.fr + 32, r.fr_phys + 16);
  r.psr |= cpu::psr::kMfl;
  // restore_state drops the register frames above the image and returns from save_state a second time.
  r.cfm = {};
  r.set_gr(14, jump.bspstore);
  r.set_gr(15, jump.rnat);
  r.set_gr(16, jump.regs.rsc);
  r.ip = target.core_alias(core_stub::kRestoreState);
  r.slot = 0;
  return {GateAction::Resume, {}};
}

}  // namespace ia64::firmware
