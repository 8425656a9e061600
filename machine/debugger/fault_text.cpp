// What happened, where, and why, in a sentence.
#include "machine/debugger/fault_text.h"

#include <fmt/format.h>

#include <optional>

#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translate.h"
#include "machine/debugger/code_listing.h"

namespace ia64::machine::debugger {
namespace {

using cpu::InterruptionRecord;
using cpu::Vector;
namespace isr = cpu::isr;

/// What IFA is, where a vector has an address, and what is wrong with it.
enum class Address : u8 { None, Code, Data, Either };

struct Row {
  Vector vector;
  FaultClass kind;
  Address address;
  const char* why;  ///< ends the sentence; nullptr where the reason has more words than that
};

/// @source SDM vol. 2, 8.3
constexpr Row kRows[] = {
    {Vector::VhptTranslation, FaultClass::Miss, Address::Either, nullptr},
    {Vector::InstructionTlb, FaultClass::Miss, Address::Code, nullptr},
    {Vector::DataTlb, FaultClass::Miss, Address::Data, nullptr},
    {Vector::AlternateInstructionTlb, FaultClass::Miss, Address::Code, nullptr},
    {Vector::AlternateDataTlb, FaultClass::Miss, Address::Data, nullptr},
    {Vector::DataNestedTlb, FaultClass::Miss, Address::Data, nullptr},
    {Vector::InstructionKeyMiss, FaultClass::Fault, Address::Code, "no protection key register holds the key of the page"},
    {Vector::DataKeyMiss, FaultClass::Fault, Address::Data, "no protection key register holds the key of the page"},
    {Vector::DirtyBit, FaultClass::Miss, Address::Data, "the page's dirty bit is 0"},
    {Vector::InstructionAccessBit, FaultClass::Miss, Address::Code, "the page's accessed bit is 0"},
    {Vector::DataAccessBit, FaultClass::Miss, Address::Data, "the page's accessed bit is 0"},
    {Vector::BreakInstruction, FaultClass::Break, Address::None, nullptr},
    {Vector::ExternalInterrupt, FaultClass::External, Address::None, nullptr},
    {Vector::PageNotPresent, FaultClass::Fault, Address::Either, "the translation says that the page is not present"},
    {Vector::KeyPermission, FaultClass::Fault, Address::Either, "the protection key of the page forbids it"},
    {Vector::InstructionAccessRights, FaultClass::Fault, Address::Code, "the page's rights forbid it"},
    {Vector::DataAccessRights, FaultClass::Fault, Address::Data, "the page's rights forbid it"},
    {Vector::GeneralException, FaultClass::Fault, Address::None, nullptr},
    {Vector::DisabledFp, FaultClass::Fault, Address::None, "it uses floating-point registers that PSR disables"},
    {Vector::NatConsumption, FaultClass::Fault, Address::None, nullptr},
    {Vector::Speculation, FaultClass::Fault, Address::None, "the check failed and the handler is to go to the recovery code"},
    {Vector::Debug, FaultClass::Fault, Address::Either, "a debug register of the guest matches"},
    {Vector::UnalignedReference, FaultClass::Fault, Address::Data, "the address is not aligned"},
    {Vector::UnsupportedDataReference, FaultClass::Fault, Address::Data, "the memory attribute of the page does not support it"},
    {Vector::FloatingPointFault, FaultClass::Fault, Address::None, "the operands need software"},
    {Vector::FloatingPointTrap, FaultClass::Fault, Address::None, "the result needs software"},
    {Vector::LowerPrivilegeTransfer, FaultClass::Fault, Address::None, "the branch went to a lower privilege level"},
    {Vector::TakenBranch, FaultClass::Fault, Address::None, "the branch was taken"},
    {Vector::SingleStep, FaultClass::Fault, Address::None, "the instruction was executed"},
    {Vector::Virtualization, FaultClass::Fault, Address::None, "PSR.vm is 1"},
};

const Row& row_of(Vector vector) {
  for (const Row& row : kRows)
    if (row.vector == vector) return row;
  return kRows[0];
}

bool is_code(const Row& row, const InterruptionRecord& record) {
  return row.address == Address::Code || (row.address != Address::Data && (record.isr & isr::kX));
}

/// ISR of these says how memory was accessed, so IFA is an address of data.
bool has_address(const Row& row, const InterruptionRecord& record) {
  const bool access = record.isr & (isr::kX | isr::kR | isr::kW | isr::kNa);
  if (row.vector == Vector::NatConsumption) return access && field(record.isr, 4, 4) == 2;
  if (row.vector == Vector::GeneralException) return access && field(record.isr, 4, 4) == 3;
  return row.address != Address::None;
}

std::string title(const InterruptionRecord& record) {
  std::string name = cpu::vector_name(record.vector);
  for (const char* kind : {"Fault", "fault", "Trap", "trap", "Interrupt"})
    if (name.ends_with(kind)) return name;
  return name + " fault";
}

/// Slot and bundle of the instruction that is spoken of: the one at fault, or the one a trap followed.
u64 subject(const InterruptionRecord& record) {
  if (record.vector == Vector::ExternalInterrupt) return record.ip;
  if (record.is_trap && (record.psr & cpu::psr::kIc)) return record.iipa | field(record.isr, isr::kEiPos, 2);
  return record.ip;
}

std::string verb(const Row& row, const InterruptionRecord& record) {
  const u64 i = record.isr;
  if (is_code(row, record)) return "the fetch of";
  if (i & isr::kRs) return i & isr::kW ? "the register stack's spill to" : "the register stack's fill from";
  const std::string how = i & isr::kSp ? "its speculative " : "its ";
  if (i & isr::kNa) return how + "look at";
  if ((i & isr::kR) && (i & isr::kW)) return how + "read and write of";
  return how + (i & isr::kW ? "write of" : "read of");
}

/// Why the TLB had nothing: what the walker could do, by the region's registers.
std::string why_no_translation(const cpu::Core& core, const InterruptionRecord& record) {
  const cpu::Registers& r = core.regs();
  const u64 rr = r.rr[record.ifa >> 61];
  const bool walker = (r.pta & 1) && (rr & 1);
  std::string out = fmt::format("the TLB has no translation for region {} rid {:#x}", record.ifa >> 61, field(rr, 8, 24));
  if (record.vector == Vector::VhptTranslation) return out + fmt::format(", nor for its VHPT entry at {:#x}", record.iha);
  if (record.vector == Vector::DataNestedTlb) return out + " and interruption collection was off";
  return out + (walker ? ", nor did the VHPT walker find one" : ", and the VHPT walker is off there");
}

std::string why(const cpu::Core& core, const Row& row, const InterruptionRecord& record) {
  if (row.why) return row.why;
  switch (record.vector) {
    case Vector::BreakInstruction: return fmt::format("break {:#x}", record.iim);
    case Vector::ExternalInterrupt: return "an interrupt was pending";
    default: return why_no_translation(core, record);
  }
}

/// " (now at physical 0x...)", when the address has a translation.
std::string where_now(cpu::Core& core, const Row& row, const InterruptionRecord& record) {
  GuestPhys phys = 0;
  const bool code = is_code(row, record);
  const bool translated = record.psr & (code ? cpu::psr::kIt : cpu::psr::kDt);
  if (!translated) return " (physical)";
  if (cpu::mmu::find_physical(core, record.ifa, code, true, true, phys)) return fmt::format(" (physical {:#x})", phys);
  return row.kind == FaultClass::Miss ? "" : " (not translated now)";
}

/// Reasons of General Exception and NaT Consumption by their code alone.
std::string reason(const InterruptionRecord& record) {
  const std::string text = isr_text(record.vector, record.isr);
  const size_t open = text.find('('), close = text.find(')');
  return open == text.npos || close == text.npos ? text : text.substr(open + 1, close - open - 1);
}

}  // namespace

FaultClass class_of(Vector vector) { return row_of(vector).kind; }

std::string fault_text(cpu::Core& core, const SymbolTable& symbols, const InterruptionRecord& record) {
  const Row& row = row_of(record.vector);
  const u64 at = subject(record);
  std::string out = fmt::format("{} {} {} slot {}", title(record), record.is_trap ? "behind" : "at", place_text(symbols, at & ~u64{15}), at & 3);
  if (record.has_bundle)
    out += fmt::format(", '{}'", instruction_line(reinterpret_cast<const u8*>(record.bundle), at & ~u64{15}, at & 3, symbols));
  out += ": ";
  if (has_address(row, record)) out += fmt::format("{} {}{}: ", verb(row, record), place_text(symbols, record.ifa), where_now(core, row, record));
  const bool by_code = record.vector == Vector::GeneralException || record.vector == Vector::NatConsumption;
  out += by_code ? reason(record) : why(core, row, record);
  return out + fmt::format("; {}; ISR {:#x}: {}", mode_text(record.psr), record.isr, isr_text(record.vector, record.isr));
}

}  // namespace ia64::machine::debugger
