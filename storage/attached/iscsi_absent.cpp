// What stands in for iSCSI in builds without libiscsi.
#include <fmt/core.h>

#include "storage/attached/pass_through.h"

namespace ia64::storage {

Result<std::unique_ptr<PassThrough>> open_iscsi(const std::string& url) {
  return Error{ErrorKind::Unsupported, fmt::format("{}: this build has no iSCSI (libiscsi was missing when it was made)", url)};
}

}  // namespace ia64::storage
