// Finds out what the host's processor can do.
#include "cpu/jit/host_features.h"

#include <asmjit/x86.h>

namespace ia64::cpu {

HostFeatures HostFeatures::detect() {
  using Id = asmjit::CpuFeatures::X86::Id;
  const auto& features = asmjit::CpuInfo::host().features();
  const auto has = [&](Id id) { return features.has(id); };
  HostFeatures f;
  f.avx = has(Id::kAVX), f.avx2 = has(Id::kAVX2), f.fma = has(Id::kFMA);
  f.bmi = has(Id::kBMI), f.bmi2 = has(Id::kBMI2), f.lzcnt = has(Id::kLZCNT);
  f.popcnt = has(Id::kPOPCNT), f.movbe = has(Id::kMOVBE);
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
