// The deliberate differences between our disassembly and objdump's, each with both texts and the reason.
#include "differences.h"

#include "base/bits.h"

namespace ia64::sweep {
namespace {

using cpu::Format;
using cpu::Insn;

bool printed_as_data(const std::string& theirs) {
  return theirs.find(" data8 0x") != theirs.npos;
}

Format format_of(const Insn& i) {
  return cpu::op_info(i.op).format;
}

/// hint field (bits 29:28) of memory instructions: 2 never has a meaning, 1 has none for stores.
bool reserved_memory_hint(const Insn& i, u64 bits) {
  const u64 hint = field(bits, 28, 2);
  switch (format_of(i)) {
    case Format::M2:
    case Format::M3:
    case Format::M7:
    case Format::M8:
    case Format::M11:
    case Format::M12:
    case Format::M16:
    case Format::M17: return hint == 2;
    case Format::M5:
    case Format::M10: return hint == 1 || hint == 2;
    default: return false;
  }
}

/// "whether" hints without a name: B5 with bit 32 clear, values 1 and 3 of B7, 3 of I21.
bool reserved_whether_hint(const Insn& i, u64 bits) {
  switch (format_of(i)) {
    case Format::B5: return field(bits, 32, 1) == 0;
    case Format::B7: return field(bits, 3, 1) == 1;
    case Format::I21: return field(bits, 20, 2) == 3;
    default: return false;
  }
}

constexpr Difference kDifferences[] = {
    {"reserved memory hint",
     "ours `ld8.d2 r2=[r3],8`, objdump `data8 0x...`: a hint value without a name changes nothing, the "
     "access happens",
     [](const Insn& i, u64 bits, const std::string&, const std::string& theirs) {
       return printed_as_data(theirs) && reserved_memory_hint(i, bits);
     }},
    {"reserved whether hint",
     "ours `br.call.many b0=b6`, objdump `data8 0x...`: a hint value without a name changes nothing, the "
     "branch happens",
     [](const Insn& i, u64 bits, const std::string&, const std::string& theirs) {
       return printed_as_data(theirs) && reserved_whether_hint(i, bits);
     }},
    {"hint.m immediate",
     "ours `hint.m 1048577`, objdump `hint.m 262145`: objdump drops bits 11:10 from the immediate of every "
     "hint.m (see "
     "the next rule); here imm21 has its 21 bits",
     [](const Insn& i, u64 bits, const std::string& ours, const std::string& theirs) {
       return format_of(i) == Format::M48 && field(bits, 10, 2) == 0 && ours.find("hint.m") != ours.npos &&
              theirs.find("hint.m") != theirs.npos;
     }},
    {"hint.m of later processors",
     "ours `hint.m 48`, objdump `mov dahr0=0` or `data8 0x...`: bits 11:10 of hint.m select registers that "
     "the "
     "9500 series added; on this processor every hint.m is a hint",
     [](const Insn& i, u64 bits, const std::string& ours, const std::string& theirs) {
       return format_of(i) == Format::M48 && field(bits, 10, 2) != 0 && ours.find("hint.m") != ours.npos &&
              (printed_as_data(theirs) || theirs.find("mov dahr") != theirs.npos);
     }},
    {"mov from dahr of later processors",
     "ours `data8 0x...`, objdump `mov r1=dahr[r3]`: the register file came with the 9500 series; reserved "
     "here",
     [](const Insn& i, u64, const std::string&, const std::string& theirs) {
       return i.op == cpu::kReservedOp && theirs.find("=dahr[r") != theirs.npos;
     }},
    {"lfetch.count of later processors",
     "ours `lfetch.nt1 [r53]`, objdump `lfetch.count.nt1 [r53],37,-128`: counts in the ignored field of "
     "lfetch came with "
     "the 9500 series; this processor ignores the field",
     [](const Insn& i, u64, const std::string&, const std::string& theirs) {
       return format_of(i) == Format::M13 && theirs.find("lfetch.count") != theirs.npos;
     }},
};

}  // namespace

const Difference* explain(const Insn& insn, u64 slot_bits, const std::string& ours,
                          const std::string& theirs) {
  for (const Difference& d : kDifferences)
    if (d.applies(insn, slot_bits, ours, theirs)) return &d;
  return nullptr;
}

}  // namespace ia64::sweep
