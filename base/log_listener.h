// Hears what is always logged: errors and warnings.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/log.h"

namespace ia64::log {

/// Calls `listener` with every line of the channels Error and Warn, on the thread that wrote it and without locks, after it has
/// been written. One listener at a time; an empty function ends it, and after return the old one is not running.
void set_listener(std::function<void(Channel, std::string_view)> listener);

}  // namespace ia64::log
