// PAL processor procedures: identification, clocks, features, registers, monitors, topology. @source SDM vol.
// 2, 11.10.3
#include <numeric>

#include "firmware/pal/pal.h"

namespace ia64::firmware::pal {

namespace {

/// What a feature set offers and lets software change; the current status is in Pal::Processor::features.
struct FeatureSet {
  u64 number, available, controllable;
};
constexpr FeatureSet kFeatureSets[] = {
    {0, 0x1180'c600'0000'0000, 0x1180'c000'0000'0000},
    {16, 0xef, 0xef},
    {17, 0x7, 0x7},
};
constexpr u64 kMaximumSet = 17;

const FeatureSet* find_set(u64 number) {
  for (const auto& s : kFeatureSets)
    if (s.number == number) return &s;
  return nullptr;
}

PalResult missing_set(u64 number) {
  return number > kMaximumSet ? PalResult{pal_status::kBeyondMaximumSet} : kInvalid;
}

u64 ratio(u64 numerator, u64 denominator) {
  const u64 g = std::gcd(numerator, denominator);
  return (numerator / g) << 32 | denominator / g;
}

u64 lid_address(Call& call) {
  return field(call.cpu().regs().lid, 16, 16);
}

}  // namespace

PalResult version(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  // Fields from bit 0: PAL_B revision and model, reserved, vendor, PAL_A revision and model (BCD).
  constexpr u64 kCurrent = 0x0937'ff00'0965, kMinimum = 0x0900'ff00'0900;
  return {0, kMinimum, kCurrent};
}

PalResult brand_info(Call& call) {
  char text[128] = "Intel(R) Itanium(R) 2 Processor 1.6GHz with 12M L3 Cache";
  if (call.a1 || call.a3) return kInvalid;
  return call.gate.write(call.a2, text, sizeof text) ? PalResult{} : kInvalid;
}

PalResult freq_base(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, call.pal.board().base_hz};
}

PalResult freq_ratios(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  const u64 base = call.pal.board().base_hz, itc = call.pal.board().itc_hz;
  constexpr u64 kCoreClocksPerItc = 4;  // Montecito counts ITC well below the core clock
  return {0, ratio(itc * kCoreClocksPerItc, base), ratio(1, 1), ratio(itc, base)};
}

PalResult proc_get_features(Call& call) {
  const FeatureSet* set = find_set(call.a2);
  if (call.a1 || call.a3) return kInvalid;
  if (!set) return missing_set(call.a2);
  return {0, set->available, call.processor().features[set - kFeatureSets], set->controllable};
}

PalResult proc_set_features(Call& call) {
  const FeatureSet* set = find_set(call.a2);
  if (call.a3) return kInvalid;
  if (!set) return missing_set(call.a2);
  u64& status = call.processor().features[set - kFeatureSets];
  status = (status & ~set->controllable) | (call.a1 & set->controllable);
  return {};
}

PalResult rse_info(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, cpu::kStackedRegisters, 0};  // lazy mode only
}

PalResult debug_info(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, 4, 4};
}

PalResult register_info(Call& call) {
  if (call.a1 > 3 || call.a2 || call.a3) return kInvalid;
  constexpr PalResult kAnswers[] = {
      {0, 0x0000'3111'7f2f'00ff, 0x7},  // application registers implemented
      {0, 0, 0},                        // ... with side effects when read
      {0, 0x0ffb'0107, 0x3'07ff},       // control registers implemented
      {0, 0, 0x2},                      // ... with side effects when read: IVR
  };
  return kAnswers[call.a1];
}

PalResult perf_mon_info(Call& call) {
  if (call.a2 || call.a3 || call.a1 % 8) return kInvalid;
  // Four 256-bit masks: PMCs, PMDs, and the counters able to count cycles and retired bundles.
  const u64 masks[4][4] = {{0xffff}, {0x3'ffff}, {0xf0}, {0xf0}};
  if (!call.gate.write(call.a1, masks, sizeof masks)) return kInvalid;
  constexpr u64 kPairs = 4, kWidth = 47, kCyclesEvent = 0x12, kRetiredEvent = 0x08;
  return {0, kPairs | kWidth << 8 | kCyclesEvent << 16 | kRetiredEvent << 24};
}

PalResult fixed_addr(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, lid_address(call)};
}

PalResult logical_to_physical(Call& call) {
  // One logical processor per package: its number is 0, or -1 for the caller itself.
  if ((call.a1 != 0 && call.a1 != ~u64{0}) || call.a2 || call.a3) return kInvalid;
  constexpr u64 kLogicalProcessors = 1, kThreadsPerCore = 1, kCoresPerPackage = 1;
  const u64 package = field(call.cpu().regs().lid, 24, 8);
  return {0, kLogicalProcessors | kThreadsPerCore << 16 | kCoresPerPackage << 32 | package << 48, 0,
          lid_address(call)};
}

PalResult mem_for_test(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, 0, 1};  // the self-test needs no memory
}

PalResult test_proc(Call&) {
  return {0, 0};
}  // healthy

}  // namespace ia64::firmware::pal
