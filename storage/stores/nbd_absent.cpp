// What stands in for NBD in builds without libnbd.
#include <fmt/core.h>

#include "storage/stores/nbd_store.h"

namespace ia64::storage {

Result<std::unique_ptr<BlockStore>> open_nbd(const std::string& uri, bool) {
  return Error{ErrorKind::Unsupported, fmt::format("{}: this build has no NBD (libnbd was missing when it was made)", uri)};
}

}  // namespace ia64::storage
