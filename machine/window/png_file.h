// Pictures as PNG files.
#pragma once

#include <string>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine::window {

/// Pixels as 0x00RRGGBB words.
struct Picture {
  const u32* pixels;
  unsigned width, height;
  size_t pitch_bytes;
};

/// Writes `path` anew, as a whole or not at all. @returns Io naming the file and the reason
Result<void> write_png(const std::string& path, const Picture& picture);

}  // namespace ia64::machine::window
