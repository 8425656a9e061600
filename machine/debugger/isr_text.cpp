// ISR and PSR in words.
#include <fmt/format.h>

#include <span>

#include "machine/debugger/fault_text.h"

namespace ia64::machine::debugger {
namespace {

using cpu::Vector;
namespace isr = cpu::isr;
namespace psr = cpu::psr;

struct Bit {
  unsigned position;
  const char* name;
};

std::string names_of(u64 value, std::span<const Bit> bits) {
  std::string out;
  for (const Bit& b : bits)
    if (value >> b.position & 1) out += (out.empty() ? "" : ", ") + std::string(b.name);
  return out;
}

/// @source SDM vol. 2, table 8-1 (non-access instructions)
const char* non_access_name(u64 code) {
  static constexpr const char* kNames[] = {"tpa", "fc", "probe", "tak", "lfetch", "probe.fault"};
  return code < std::size(kNames) ? kNames[code] : "reserved";
}

/// Bits 7:4. @source SDM vol. 2, 8.3 (General Exception vector)
std::string general_exception(u64 value) {
  const bool access = value & (isr::kR | isr::kW | isr::kNa);
  switch (field(value, 4, 4)) {
    case 0: return "illegal operation";
    case 1: return "privileged operation";
    case 2: return "privileged register";
    case 3: return access ? "unimplemented data address" : "reserved register or field";
    case 4: return "disabled instruction set transition";
    case 8: return "illegal dependency";
    default: return "unknown";
  }
}

/// @source SDM vol. 2, table 8-3 (ISR.code of traps), 8.3 (Floating-point Trap)
std::string trap_code(u64 value) {
  static constexpr Bit kBits[] = {{0, "floating-point trap"}, {1, "lower privilege"},  {2, "taken branch"}, {3, "single step"},
                                  {4, "unimplemented instruction address"},            {7, "low overflow"}, {8, "low underflow"},
                                  {9, "low inexact"},         {10, "low rounded away"}, {11, "overflow"},   {12, "underflow"},
                                  {13, "inexact"},            {14, "rounded away"}};
  return names_of(field(value, 0, 16), kBits);
}

std::string floating_fault_code(u64 value) {
  static constexpr Bit kBits[] = {{0, "invalid"},     {1, "denormal"},     {2, "zero divide"},     {3, "software assistance"},
                                  {4, "low invalid"}, {5, "low denormal"}, {6, "low zero divide"}, {7, "low software assistance"}};
  return names_of(field(value, 0, 8), kBits);
}

std::string nat_code(u64 value) {
  const u64 kind = field(value, 4, 4);
  return kind == 1 ? "register NaT" : kind == 2 ? "NaT page" : "unknown";
}

std::string disabled_fp_code(u64 value) {
  static constexpr Bit kBits[] = {{0, "f2 to f31"}, {1, "f32 to f127"}};
  return names_of(field(value, 0, 2), kBits);
}

std::string code_text(Vector vector, u64 value) {
  switch (vector) {
    case Vector::GeneralException: return general_exception(value);
    case Vector::NatConsumption: return nat_code(value);
    case Vector::DisabledFp: return disabled_fp_code(value);
    case Vector::FloatingPointFault: return floating_fault_code(value);
    case Vector::FloatingPointTrap:
    case Vector::LowerPrivilegeTransfer:
    case Vector::TakenBranch:
    case Vector::SingleStep: return trap_code(value);
    default: return {};
  }
}

}  // namespace

std::string isr_text(Vector vector, u64 value) {
  static constexpr Bit kFlags[] = {{32, "x"}, {33, "w"}, {34, "r"}, {35, "na"}, {36, "sp"}, {37, "rs"}, {38, "ir"}, {39, "ni"}, {40, "so"}, {43, "ed"}};
  std::string meaning = code_text(vector, value);
  if (value & isr::kNa) meaning += (meaning.empty() ? "" : ", ") + std::string(non_access_name(field(value, 0, 4)));
  std::string out = fmt::format("code {:#x}", field(value, 0, 16));
  if (!meaning.empty()) out += " (" + meaning + ")";
  if (const u64 vector_bits = field(value, 16, 8)) out += fmt::format(", vector {:#x}", vector_bits);
  if (const std::string flags = names_of(value, kFlags); !flags.empty()) out += ", " + flags;
  return out + fmt::format(", ei {}", field(value, isr::kEiPos, 2));
}

std::string mode_text(u64 value) {
  static constexpr Bit kTranslations[] = {{36, "code"}, {17, "data"}, {27, "register stack"}};
  const std::string on = names_of(value, kTranslations);
  const auto word = [&](u64 bit) { return value & bit ? "on" : "off"; };
  return fmt::format("cpl {}, translation of {}, interrupts {}, collection {}, bank {}", field(value, psr::kCplPos, 2),
                     on.empty() ? "nothing" : on, word(psr::kI), word(psr::kIc), value & psr::kBn ? 1 : 0) +
         (value & psr::kBe ? ", big-endian data" : "");
}

}  // namespace ia64::machine::debugger
