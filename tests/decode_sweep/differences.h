// The deliberate differences between our disassembly and objdump's.
#pragma once

#include <string>

#include "cpu/decode/decoder.h"

namespace ia64::sweep {

/// A difference we keep, with the reason.
struct Difference {
  const char* name;
  const char* reason;
  bool (*applies)(const cpu::Insn& insn, u64 slot_bits, const std::string& ours, const std::string& theirs);
};

/// The first rule that explains why `ours` is not `theirs`, or nullptr.
const Difference* explain(const cpu::Insn& insn, u64 slot_bits, const std::string& ours,
                          const std::string& theirs);

}  // namespace ia64::sweep
