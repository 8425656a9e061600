// Which file or device of the host lies behind a specification.
#pragma once

#include <string>
#include <string_view>

namespace ia64::storage {

/// A name for the file or device node at the end of a specification, the same by whatever path, link or device node it is reached; wrappers and
/// options are looked through. Empty where the end is none: sizes, folders, addresses of other machines, volumes inside a disk, what is
/// missing, and overlays, whose base is nobody's. Any thread. @source stat(2)
std::string host_entity(std::string_view spec);

}  // namespace ia64::storage
