// Register rotation: what the modulo-scheduled loop branches do to the rename bases.
#pragma once

#include "cpu/arch/registers.h"

namespace ia64::cpu {

/// Rotates general, floating-point and predicate registers by one: the value in register n is found in n+1 afterwards.
/// General registers rotate only when the frame has a rotating region.
/// @source SDM vol. 3, br (rotate_regs); SDM vol. 1, 4.5.1
inline void rotate_down(Registers& r) {
  Cfm& cfm = r.cfm;
  if (cfm.sor) cfm.rrb_gr = static_cast<u8>(cfm.rrb_gr == 0 ? cfm.sor - 1 : cfm.rrb_gr - 1);
  cfm.rrb_fr = static_cast<u8>(cfm.rrb_fr == 0 ? 95 : cfm.rrb_fr - 1);
  cfm.rrb_pr = static_cast<u8>(cfm.rrb_pr == 0 ? 47 : cfm.rrb_pr - 1);
}

}  // namespace ia64::cpu
