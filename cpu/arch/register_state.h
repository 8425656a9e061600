// The register file as a snapshot keeps it.
#pragma once

#include "base/state_archive.h"
#include "cpu/arch/registers.h"

namespace ia64::cpu {

void visit_state(StateArchive& a, FpReg& f);
void visit_state(StateArchive& a, Cfm& cfm);
/// All registers. Loading refuses what no processor can hold: frames larger than the register file, register windows
/// outside the buffer, undefined bits of PSR.
void visit_state(StateArchive& a, Registers& r);

}  // namespace ia64::cpu
