// A real processor as firmware sees it.
#pragma once

#include "cpu/core.h"
#include "firmware/guest_cpu.h"

namespace ia64::machine {

/// firmware::GuestCpu over a Core. CPU thread only.
class GuestCpuAdapter final : public firmware::GuestCpu {
 public:
  GuestCpuAdapter(cpu::Core& core, unsigned index) : core_(core), index_(index) {}
  unsigned index() const override { return index_; }
  cpu::Registers& regs() override { return core_.regs(); }
  bool translate(u64 va, bool write, GuestPhys& phys) override;
  void push_frame(unsigned sof) override;
  void flush_code() override { core_.drop_all_code(); }
  void halt() override { core_.halt(); }
  u64 itc() override { return core_.itc(); }
  bool read_tr(bool data, unsigned n, u64 out[4], u64& valid_bits) override;

 private:
  cpu::Core& core_;
  unsigned index_;
};

}  // namespace ia64::machine
