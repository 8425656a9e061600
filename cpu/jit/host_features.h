// Which extensions of x86-64 generated code may use.
#pragma once

#include <string>
#include <string_view>

namespace ia64::cpu {

/// Extensions beyond the x86-64 baseline (SSE2). Each can be taken away, to test the code for hosts without it.
struct HostFeatures {
#define HOST_FEATURE(name) bool name = false;
#include "cpu/jit/host_features.inc"
#undef HOST_FEATURE

  /// What the host has (and its operating system saves).
  static HostFeatures detect();
  /// Takes away one extension, or with "all" every one. @returns false when there is no such name
  bool remove(std::string_view name);
  /// The names of all extensions, separated by ", ".
  static std::string names();
};

}  // namespace ia64::cpu
