// Names of application and control registers.
#pragma once

#include "base/int_types.h"

namespace ia64::cpu {

/// "ar.lc", or nullptr for a number without a name. @param n 0..127 @source SDM vol. 1, table "Application Registers"
const char* application_register_name(unsigned n);

/// "cr.ifa", or nullptr. @param n 0..127 @source SDM vol. 2, table "Control Registers"
const char* control_register_name(unsigned n);

}  // namespace ia64::cpu
