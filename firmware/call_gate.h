// The gate itself: stubs in guest memory, dispatch of their breaks to services on fibers, and calls back into
// the guest.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/state_archive.h"
#include "firmware/firmware.h"
#include "firmware/layout.h"

namespace ia64::firmware {

/// Immediates of the breaks in stubs. Chosen away from those operating systems use themselves.
namespace gate_imm {
inline constexpr u64 kFirst = 0x1b'0000, kLast = 0x1b'ffff;
inline constexpr u64 kReturn = kFirst, kWait = kFirst + 1, kBoot = kFirst + 2, kSaveState = kFirst + 3,
                     kApWait = kFirst + 4, kApVector = kFirst + 5, kExternalInterrupt = kFirst + 6;
inline constexpr u64 kVectors = kFirst + 0x40;    ///< + vector number, 68 of them
inline constexpr u64 kServices = kFirst + 0x100;  ///< + index of the service
}  // namespace gate_imm

/// Offsets in the code that core_stubs.s assembles to.
namespace core_stub {
inline constexpr u64 kReturn = 0x000, kWait = 0x010, kBoot = 0x020, kTouchRead = 0x030, kTouchWrite = 0x040,
                     kApWait = 0x060, kApVector = 0x090, kStartImage = 0x0b0, kSaveState = 0x120,
                     kRestoreState = 0x150, kExternalInterrupt = 0x190, kSize = 0x1c0;
}

/// The vectors of the interruption vector table: number to offset. @source SDM vol. 2, table 5-7
inline constexpr unsigned kVectorCount = 68;
constexpr u64 vector_offset(unsigned n) {
  return n < 20 ? n * 0x400 : 0x5000 + (n - 20) * 0x100;
}

/// Implements the service table and runs services. One per power-on.
/// Thread rule: on_break() from any CPU thread (it locks); everything else while no CPU runs or from a
/// service.
class CallGate final : public ServiceTable {
 public:
  /// Writes the core stubs and the interruption vectors into guest memory.
  CallGate(AddressSpace& bus, const Layout& layout, unsigned cpu_count);
  ~CallGate() override;

  GuestPhys add(std::string name, StubKind kind, Service service) override;
  void add_quick(GuestPhys descriptor, QuickService quick) override;
  GuestPhys entry_of(GuestPhys descriptor) const override;
  /// Sets the service behind one of the fixed gates (kBoot, kApWait, kApVector, kExternalInterrupt, kVectors
  /// + n).
  void set_core_service(u64 imm, std::string name, Service service);
  /// Physical address of core stub `offset` in the runtime area.
  GuestPhys core_address(u64 offset) const {
    return layout_.runtime_code.base + Layout::kVectorBytes + offset;
  }
  /// Global pointer that every descriptor carries; code does not use it, but it must look sane.
  GuestPhys global_pointer() const { return layout_.runtime_data.base; }

  GateResult on_break(GuestCpu& cpu, u64 imm);
  /// Throws away every open call, innermost first: services' objects are about to go.
  void forget_calls();
  /// Rewrites entry and gp of every descriptor (SetVirtualAddressMap). PAL stays physical: the OS maps it
  /// itself.
  void convert_descriptors(const std::function<u64(GuestPhys)>& convert);
  /// An operating system takes over inside the service that runs now: calls below it will not be returned to.
  void hand_over();
  /// Whether a service is under way that began after hand_over().
  bool busy() const;
  /// The services by name. Loading adds those that the saved machine had and this one has not: boot services, which answer
  /// Unsupported now. Calls that are open are forgotten.
  void visit_state(StateArchive& a);
  /// Bytes of runtime_data that descriptors may take; tables go behind it.
  static constexpr u64 kDescriptorBytes = 128 << 10;

 private:
  class Call;
  struct Stub {
    std::string name;
    StubKind kind = StubKind::Stacked;
    Service service;
    GuestPhys entry = 0, descriptor = 0;
    QuickService quick{};
  };
  struct CpuStack {
    std::vector<std::unique_ptr<Call>> calls;
    size_t left_behind = 0;  // calls, from the bottom, that the operating system will not return to
  };

  void write_core(GuestPhys at);
  void write_vectors();
  GuestPhys core_entry(u64 imm) const;
  Stub* stub_of(u64 imm);
  size_t index_of(GuestPhys descriptor) const;
  bool plausible(GuestCpu& cpu, const Stub& stub) const;
  GateResult run(CpuStack& stack);
  static GateResult leave_stub(const Stub& stub, cpu::Registers& r, bool suspended_once);
  GateResult finish(CpuStack& stack);
  GateResult abandon(CpuStack& stack);
  GateResult on_return(CpuStack& stack);
  GateResult on_wait(CpuStack& stack);
  GateResult on_save_state(CpuStack& stack);

  AddressSpace& bus_;
  const Layout layout_;
  std::mutex mutex_;
  std::vector<Stub> stubs_;  // by index
  Stub core_[0x100];         // by imm - kFirst
  GuestPhys next_pal_stub_;
  GuestPhys next_stub_;
  std::vector<CpuStack> cpus_;
};

}  // namespace ia64::firmware
