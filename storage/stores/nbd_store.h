// A remote disk over the NBD protocol.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "storage/block_store.h"

namespace ia64::storage {

/// Connects to an NBD URI ("nbd://host/export", "nbd+unix:///export?socket=/path"). A few connections when the server allows
/// several, else one. @returns one line when the server refuses, or when this build has no libnbd
Result<std::unique_ptr<BlockStore>> open_nbd(const std::string& uri, bool read_only);

}  // namespace ia64::storage
