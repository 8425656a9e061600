// Interruptions: vectors, ISR fields and the record of one that is about to be delivered.
// @source SDM vol. 2, ch. 5 and 8
#pragma once

#include "base/bits.h"

namespace ia64::cpu {

/// Interruption vectors with their offset from IVA. X(enumerator, offset, manual's name)
#define INTERRUPTION_VECTORS(X) \
  X(VhptTranslation, 0x0000, "VHPT Translation") \
  X(InstructionTlb, 0x0400, "Instruction TLB") \
  X(DataTlb, 0x0800, "Data TLB") \
  X(AlternateInstructionTlb, 0x0c00, "Alternate Instruction TLB") \
  X(AlternateDataTlb, 0x1000, "Alternate Data TLB") \
  X(DataNestedTlb, 0x1400, "Data Nested TLB") \
  X(InstructionKeyMiss, 0x1800, "Instruction Key Miss") \
  X(DataKeyMiss, 0x1c00, "Data Key Miss") \
  X(DirtyBit, 0x2000, "Dirty-Bit") \
  X(InstructionAccessBit, 0x2400, "Instruction Access-Bit") \
  X(DataAccessBit, 0x2800, "Data Access-Bit") \
  X(BreakInstruction, 0x2c00, "Break Instruction") \
  X(ExternalInterrupt, 0x3000, "External Interrupt") \
  X(PageNotPresent, 0x5000, "Page Not Present") \
  X(KeyPermission, 0x5100, "Key Permission") \
  X(InstructionAccessRights, 0x5200, "Instruction Access Rights") \
  X(DataAccessRights, 0x5300, "Data Access Rights") \
  X(GeneralException, 0x5400, "General Exception") \
  X(DisabledFp, 0x5500, "Disabled FP-Register") \
  X(NatConsumption, 0x5600, "NaT Consumption") \
  X(Speculation, 0x5700, "Speculation") \
  X(Debug, 0x5900, "Debug") \
  X(UnalignedReference, 0x5a00, "Unaligned Reference") \
  X(UnsupportedDataReference, 0x5b00, "Unsupported Data Reference") \
  X(FloatingPointFault, 0x5c00, "Floating-point Fault") \
  X(FloatingPointTrap, 0x5d00, "Floating-point Trap") \
  X(LowerPrivilegeTransfer, 0x5e00, "Lower-Privilege Transfer Trap") \
  X(TakenBranch, 0x5f00, "Taken Branch Trap") \
  X(SingleStep, 0x6000, "Single Step Trap") \
  X(Virtualization, 0x6100, "Virtualization")

enum class Vector : u16 {
#define X(e, offset, name) e = offset,
  INTERRUPTION_VECTORS(X)
#undef X
};

/// ISR fields. @source SDM vol. 2, 3.3.5.3 (figure "Interruption Status Register")
namespace isr {
inline constexpr u64 kX = bit(32), kW = bit(33), kR = bit(34), kNa = bit(35), kSp = bit(36), kRs = bit(37), kIr = bit(38),
                     kNi = bit(39), kSo = bit(40);
inline constexpr unsigned kEiPos = 41;
inline constexpr u64 kEd = bit(43);
/// ISR.code{3:0} of non-access instructions (with kNa).
enum NonAccess : u8 { kTpa = 0, kFc = 1, kProbe = 2, kTak = 3, kLfetch = 4, kProbeFault = 5 };
/// ISR.code of General Exception faults.
enum General : u8 {
  kIllegalOperation = 0x00, kPrivilegedOperation = 0x10, kPrivilegedRegister = 0x20, kReservedRegisterField = 0x30,
  kDisabledIsaTransition = 0x40, kUnimplementedDataAddress = 0x30, kIllegalDependency = 0x80,
};
/// ISR.code{7:4} of NaT Consumption faults (low four bits: non-access code).
enum Nat : u8 { kRegisterNat = 0x10, kNatPage = 0x20 };
}  // namespace isr

/// One interruption to deliver. Filled by the raise_* functions of Core; `isr` lacks ei/ni/ir, which delivery adds.
struct Fault {
  Vector vector = Vector::GeneralException;
  u64 isr = 0;
  bool has_ifa = false;   ///< IFA (and ITIR from the region register) are to be written
  u64 ifa = 0;
  u64 itir = 0;
  bool has_iim = false;
  u64 iim = 0;
  bool has_iha = false;
  u64 iha = 0;
  bool is_trap = false;   ///< the instruction has completed; IIP is the next one
  bool is_watch = false;  ///< no interruption: the access at `ifa` is watched (isr::kR, kW say how) and run() stops before it
};

/// The manual's name of a vector, for logs and dumps.
const char* vector_name(Vector v);

}  // namespace ia64::cpu
