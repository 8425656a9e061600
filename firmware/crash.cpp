// Register dump of an unexpected interruption.
#include "firmware/crash.h"

#include <fmt/format.h>

namespace ia64::firmware {

const char* vector_name(unsigned n) {
  static constexpr const char* kLow[] = {"VHPT Translation",
                                         "Instruction TLB",
                                         "Data TLB",
                                         "Alternate Instruction TLB",
                                         "Alternate Data TLB",
                                         "Data Nested TLB",
                                         "Instruction Key Miss",
                                         "Data Key Miss",
                                         "Dirty-Bit",
                                         "Instruction Access-Bit",
                                         "Data Access-Bit",
                                         "Break Instruction",
                                         "External Interrupt",
                                         "Reserved",
                                         "Reserved",
                                         "Reserved",
                                         "Virtual External Interrupt",
                                         "Reserved",
                                         "Reserved",
                                         "Reserved"};
  static constexpr const char* kHigh[] = {"Page Not Present",
                                          "Key Permission",
                                          "Instruction Access Rights",
                                          "Data Access Rights",
                                          "General Exception",
                                          "Disabled FP-Register",
                                          "NaT Consumption",
                                          "Speculation",
                                          "Reserved",
                                          "Debug",
                                          "Unaligned Reference",
                                          "Unsupported Data Reference",
                                          "Floating-point Fault",
                                          "Floating-point Trap",
                                          "Lower-Privilege Transfer Trap",
                                          "Taken Branch Trap",
                                          "Single Step Trap"};
  if (n < 20) return kLow[n];
  return n - 20 < std::size(kHigh) ? kHigh[n - 20] : "Reserved";
}

std::string crash_text(GuestCpu& cpu, unsigned vector) {
  const auto& r = cpu.regs();
  std::string s = fmt::format("\n*** Unexpected {} interruption in firmware mode, CPU {}\n",
                              vector_name(vector), cpu.index());
  s += fmt::format("    iip {:016x} slot {}  ipsr {:016x}  isr {:016x}\n", r.iip, (r.ipsr >> 41) & 3, r.ipsr,
                   r.isr);
  s += fmt::format("    ifa {:016x}  iim {:016x}  ifs {:016x}  iipa {:016x}\n", r.ifa, r.iim, r.ifs, r.iipa);
  s += fmt::format("    pfs {:016x}  rsc {:016x}  bspstore {:016x}  pr {:016x}\n", r.pfs, r.rsc, r.bspstore,
                   r.pr_all());
  for (unsigned n = 0; n < 8; n += 4)
    s += fmt::format("    b{} {:016x}  b{} {:016x}  b{} {:016x}  b{} {:016x}\n", n, r.br[n], n + 1,
                     r.br[n + 1], n + 2, r.br[n + 2], n + 3, r.br[n + 3]);
  // The interrupted code's r16..r31 are those of the bank that is not selected now.
  const bool switched = !(r.psr & cpu::psr::kBn) && (r.ipsr & cpu::psr::kBn);
  const auto gr = [&](unsigned n) { return switched && n >= 16 ? r.gr_banked[n - 16] : r.gr_static[n]; };
  for (unsigned n = 0; n < 32; n += 4)
    s += fmt::format("    r{:<2} {:016x}  r{:<2} {:016x}  r{:<2} {:016x}  r{:<2} {:016x}\n", n, gr(n), n + 1,
                     gr(n + 1), n + 2, gr(n + 2), n + 3, gr(n + 3));
  s += "*** System halted\n";
  return s;
}

}  // namespace ia64::firmware
