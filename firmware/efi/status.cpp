// Names of EFI status codes for traces.
#include "firmware/efi/status.h"

namespace ia64::firmware {

std::string_view status_name(EfiStatus s) {
  switch (s) {
    case efi::kSuccess: return "Success";
#define X(name, value) \
  case efi::k##name: return #name;
      EFI_ERROR_ROWS(X)
#undef X
    default: return efi_error(s) ? "error" : "warning";
  }
}

}  // namespace ia64::firmware
