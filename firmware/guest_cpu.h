// What the simulated firmware needs of a processor: registers, memory through the caller's addressing mode, control.
#pragma once

#include <string>

#include "base/address_space.h"
#include "cpu/arch/registers.h"

namespace ia64::firmware {

/// A processor as firmware code sees it; `machine` implements it over a real Core. CPU thread only.
class GuestCpu {
 public:
  virtual ~GuestCpu() = default;
  virtual unsigned index() const = 0;
  virtual cpu::Registers& regs() = 0;
  /// Physical address behind a data pointer of the caller (its PSR.dt, TLB and VHPT), or false when not mapped.
  /// In physical mode bit 63 is dropped.
  virtual bool translate(u64 va, bool write, GuestPhys& phys) = 0;
  /// Starts a register frame for a call into the guest, exactly as `alloc` making the whole current frame local followed by
  /// `br.call` and `alloc` of `sof` outputs would: AR.PFS receives the old frame marker with sol = sof (and EC, cpl), the
  /// new frame has sof registers and sor = 0, rotation is off and its registers are 0. Older frames stay on the RSE, so the callee's
  /// `br.ret` with that AR.PFS brings the old frame back.
  virtual void push_frame(unsigned sof) = 0;
  /// PAL_CACHE_FLUSH and loaders: drops every decoded or translated block of this CPU.
  virtual void flush_code() = 0;
  virtual void halt() = 0;                 ///< PAL_HALT_LIGHT
  virtual u64 itc() = 0;
  /// Reads translation register n as PAL_VM_TR_READ reports it. @returns false when the slot is out of range
  virtual bool read_tr(bool data, unsigned n, u64 out[4], u64& valid_bits) = 0;
};

}  // namespace ia64::firmware
