// Without libvterm there is no screen.
#include "machine/regression/screen.h"

namespace ia64::machine::regression {

Result<std::string> screen_text(std::string_view) {
  return Error{ErrorKind::Unsupported, "this ivm was built without libvterm, which screens need"};
}

}  // namespace ia64::machine::regression
