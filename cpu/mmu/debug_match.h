// Breakpoint registers against addresses.
#pragma once

#include "base/int_types.h"

namespace ia64::cpu {

struct Registers;

namespace mmu {

/// Whether an enabled DBR pair matches any of `size` bytes at `va`, for the access kind and privilege level
/// given. PSR.db and dd are the caller's business. @source SDM vol. 2, 7.1.1
bool data_breakpoint(const Registers& r, u64 va, unsigned size, bool read, bool write, unsigned pl) noexcept;

/// Whether any enabled DBR pair could match somewhere in the 4 KiB page of `va`.
bool page_has_data_breakpoint(const Registers& r, u64 va) noexcept;

/// Whether an enabled IBR pair matches the bundle at `ip`.
bool instruction_breakpoint(const Registers& r, u64 ip, unsigned pl) noexcept;

}  // namespace mmu
}  // namespace ia64::cpu
