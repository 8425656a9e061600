// Small host files a machine reads or keeps: kernels, initrds, NVRAM images.
#pragma once

#include <string>
#include <vector>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine {

/// Reads a whole file. Errors name `what` and the path.
Result<std::vector<u8>> read_file(const std::string& path, const std::string& what);

/// As read_file(), and gunzips what is gzipped.
Result<std::vector<u8>> read_maybe_gzipped(const std::string& path, const std::string& what);

/// Replaces a file so that after return either the old or the new content survives a crash: write, fsync, rename.
Result<void> replace_file(const std::string& path, const std::vector<u8>& content, const std::string& what);

/// Reads an IA-64 ELF kernel, gunzipping it when it is compressed.
/// @returns Invalid when it is not an ELF executable for IA-64, naming the machine it is for
Result<std::vector<u8>> read_kernel(const std::string& path);

}  // namespace ia64::machine
