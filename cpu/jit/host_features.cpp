// Finds out what the host's processor can do.
#include "cpu/jit/host_features.h"

#include <asmjit/x86.h>

namespace ia64::cpu {

HostFeatures HostFeatures::detect() {
  const auto& x86 = asmjit::CpuInfo::host().features().x86();
  HostFeatures f;
  f.avx = x86.hasAVX(), f.avx2 = x86.hasAVX2(), f.fma = x86.hasFMA();
  f.bmi = x86.hasBMI(), f.bmi2 = x86.hasBMI2(), f.lzcnt = x86.hasLZCNT();
  f.popcnt = x86.hasPOPCNT(), f.movbe = x86.hasMOVBE();
  f.ssse3 = x86.hasSSSE3(), f.sse4_1 = x86.hasSSE4_1();
  return f;
}

bool HostFeatures::remove(std::string_view name) {
  if (name == "all") {
    *this = {};
    return true;
  }
#define HOST_FEATURE(feature) \
  if (name == #feature) { \
    feature = false; \
    return true; \
  }
#include "cpu/jit/host_features.inc"
#undef HOST_FEATURE
  return false;
}

std::string HostFeatures::names() {
  std::string text;
#define HOST_FEATURE(feature) text += (text.empty() ? "" : ", ") + std::string(#feature);
#include "cpu/jit/host_features.inc"
#undef HOST_FEATURE
  return text;
}

}  // namespace ia64::cpu
