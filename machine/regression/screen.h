// What a terminal would show.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace ia64::machine::regression {

/// The text of a terminal of 80 x 25 after these bytes from power-on: 25 lines without blanks at their ends.
/// @returns Unsupported where ivm was built without libvterm
Result<std::string> screen_text(std::string_view bytes);

}  // namespace ia64::machine::regression
