// What is on a disk: partition tables, EFI partitions, loaders. For people who bring images of real machines.
#pragma once

#include <string>

#include "base/result.h"

namespace ia64::machine {

/// Describes the disk a specification or an image file names, as lines of text. The disk is opened as a reader and never
/// changed.
Result<std::string> report_disk(const std::string& file_or_spec);

}  // namespace ia64::machine
