// One open gate call: its fiber and the registers it has to bring back. Private to the gate.
#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>

#include "firmware/call_gate.h"

namespace ia64::firmware {

/// The registers a call into the guest must leave as they were, apart from the stacked ones, which the RSE
/// keeps.
struct SavedRegisters {
  u64 gr[32];
  u8 nat[32];
  u64 br[8];
  u8 pr[64];
  u64 ip, psr, rsc, unat, fpsr, pfs, lc, ccv;
  cpu::Cfm cfm;
  u8 slot, ec;

  static SavedRegisters of(const cpu::Registers& r);
  void restore(cpu::Registers& r) const;
};

/// What Exit() restores: the state inside save_state, when every older register frame was in memory.
struct JumpState {
  bool valid = false;
  SavedRegisters regs;
  u64 bspstore, rnat;
  cpu::FpReg fr[32];  // the preserved low half: f2..f5, f16..f31 matter
};

/// Where a host stack lies; only sanitizers ask.
struct StackBounds {
  const void* bottom = nullptr;
  size_t size_bytes = 0;
};

class CallGate::Call final : public GateCall {
 public:
  enum class State : u8 { Running, CallingGuest, Waiting, Abandoning, Done };

  Call(CallGate& gate, GuestCpu& cpu, const Stub& stub);
  ~Call() override;

  GuestCpu& cpu() override { return cpu_; }
  u64 arg(unsigned n) override;
  void ret(u64 r8) override;
  void ret(u64 r8, u64 r9, u64 r10, u64 r11) override;
  bool read(u64 va, void* out, size_t size_bytes) override;
  bool write(u64 va, const void* in, size_t size_bytes) override;
  u64 call_guest(u64 descriptor, std::span<const u64> args) override;
  u64 call_image(u64 descriptor, u64 handle, u64 system_table, u64 token) override;
  void abandon_image(u64 token, u64 result) override;
  void leave() override { leaving_ = true; }
  void stop() override { stopping_ = true; }
  void wait_until(u64 deadline_ns) override;

  /// Runs the service until it suspends or ends.
  void resume();

  // --- for the gate
  // -----------------------------------------------------------------------------------------------
  State state = State::Running;
  JumpState jump;
  u64 image_token = 0;  // nonzero while inside call_image
  u64 image_result = 0;
  bool abandoned = false;
  u64 target_token = 0;  // while Abandoning
  u64 deadline_ns = 0;   // while Waiting
  bool leaving() const { return leaving_; }
  bool stopping() const { return stopping_; }
  bool suspended_once() const { return suspended_once_; }
  const Stub& stub() const { return stub_; }
  u64 core_alias(u64 offset) const { return core_base_ + offset; }
  void apply_results();
  void returned_from_guest();

 private:
  void suspend(State s);
  void enter_guest(u64 entry, u64 gp, std::span<const u64> args);
  bool touch(u64 va, bool write);
  bool page(u64 va, bool write, GuestPhys& phys);

  CallGate& gate_;
  GuestCpu& cpu_;
  const Stub& stub_;
  u64 core_base_ = 0;
  u64 args_[8];
  u64 results_[4] = {};
  unsigned result_count_ = 0;
  bool leaving_ = false, stopping_ = false, suspended_once_ = false;
  SavedRegisters saved_;
  u64 guest_result_ = 0;
  StackBounds service_stack_, outer_stack_;
  boost::context::fiber service_fiber_, outer_fiber_;
};

}  // namespace ia64::firmware
