// How a file lies on the host's medium.
#pragma once

#include <optional>
#include <string>

#include "base/int_types.h"

namespace ia64::storage {

/// In how many contiguous pieces of the medium the file's space lies, space reserved and not yet written included; holes whose place is left
/// free do not divide. Data that the host has
/// not placed yet may be missing: it is placed when it is written back. @returns nothing where the file system does not say
/// @source Linux Documentation/filesystems/fiemap.rst
std::optional<u64> host_pieces(const std::string& path);

}  // namespace ia64::storage
