// Where in a slice the engines part: the slice again, shorter and shorter.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cpu/arch/register_differences.h"
#include "cpu/arch/register_values.h"
#include "cpu/jit/options.h"
#include "machine/lockstep/lockstep.h"

namespace ia64::machine {

using cpu::Core;
using cpu::StopReason;

namespace {

constexpr u64 kMostListed = 200, kInFront = 3;  // instructions: of a piece, and in front of it

std::vector<u64> values_of(const cpu::Registers& r) {
  std::vector<u64> out;
  cpu::each_register(r, [&](const char*, int, u64 value) { out.push_back(value); });
  return out;
}

}  // namespace

/// Registers, translations and memory as they were when the slice began. Pages that the translator alone wrote stay as they are: both
/// engines see them alike from now on.
void Lockstep::back_to_start() {
  discard_private_pages();
  for (size_t n = 0; n < original_pages_.size(); n++) {
    std::memcpy(board_bus_.host_ptr(original_pages_[n], true), &originals_[n * AddressSpace::kPageSize], AddressSpace::kPageSize);
    for (AddressSpace* bus : {&primary_bus_, &shadow_bus_}) bus->code_written(original_pages_[n], AddressSpace::kPageSize);
  }
  start_.restore(*primary_), shadow_start_.restore(*shadow_);
  written_.clear(), shadow_written_.clear();
}

/// Instructions that ran as host code so far.
u64 Lockstep::native_slots() const {
  const cpu::TranslatorCounters* const counters = primary_->translator_counters();
  return counters ? counters->instructions : 0;
}

/// The first `slots` instructions of the slice once more. @returns what differs behind them
std::string Lockstep::repeat(u64 slots) {
  back_to_start();
  DeviceReplayer shadow_devices(recorder_.log);
  recorder_.instead = &shadow_devices;
  replayer_.rewind();
  const Way expected = slots ? run_engine(*shadow_, slots) : Way{}, actual = slots ? run_engine(*primary_, slots) : Way{};
  recorder_.instead = nullptr;
  std::string found = differences(expected, actual) + replayer_.difference_so_far();
  if (shadow_devices.made() != replayer_.made())
    found += fmt::format("  device accesses: interpreter {}, translator {}\n", shadow_devices.made(), replayer_.made());
  return found;
}

/// Looks for the shortest beginning of the slice that shows a difference. A piece of host code that it runs, and that the beginning
/// one instruction shorter interprets because it does not fit, is at fault.
std::string Lockstep::narrow(u64 executed) {
  if (!repeat(0).empty()) return "the engines differ where the slice begins\n";
  if (repeat(executed).empty()) return "the difference does not show when the slice is repeated\n";
  u64 same = 0, different = executed;
  while (different - same > 1) {
    const u64 middle = same + (different - same) / 2;
    (repeat(middle).empty() ? same : different) = middle;
  }
  const u64 begin = native_slots();
  repeat(same);
  const u64 native_same = native_slots() - begin;
  const std::string found = repeat(different);
  const u64 native_different = native_slots() - begin - native_same;
  const u64 piece = native_different > native_same ? native_different - native_same : 0;
  std::string text = fmt::format("the first {} instructions of the slice, run alone, leave no difference, {} do; ", same, different);
  text += piece ? fmt::format("of these the last {} or so ran as one piece of host code.\n", piece) : "the last was not run as host code.\n";
  return text + "behind them:\n" + found + describe(different - std::min(different, piece + kInFront), different);
}

/// The instructions [from, to) of the slice as the interpreter executes them, with the registers each changes among those that
/// differ in the end.
std::string Lockstep::describe(u64 from, u64 to) {
  const std::vector<u64> wrong = values_of(primary_->regs()), right = values_of(shadow_->regs());
  back_to_start();
  DeviceReplayer devices(recorder_.log);
  recorder_.instead = &devices;
  if (to - from > kMostListed) from = to - kMostListed;
  if (from) shadow_->run(from);
  std::string text = "the last of them, and which of the differing registers each changes:\n";
  for (u64 n = from; n < to; n++) {
    const auto before = values_of(shadow_->regs());
    const u64 ip = shadow_->regs().ip;
    const unsigned slot = shadow_->regs().slot;
    std::string lines[3];
    bundle_at(ip & ~u64{15}, lines);
    if (shadow_->run(1) != StopReason::Budget) n = to;
    const auto after = values_of(shadow_->regs());
    std::string changed;
    size_t at = 0;
    cpu::each_register(shadow_->regs(), [&](const char* name, int number, u64) {
      if (wrong[at] != right[at] && before[at] != after[at]) changed += number < 0 ? fmt::format(" {}", name) : fmt::format(" {}{}", name, number);
      at++;
    });
    text += fmt::format("  {:x}.{}  {}{}{}\n", ip, slot, lines[slot], changed.empty() ? "" : "   <--", changed);
  }
  recorder_.instead = nullptr;
  return text;
}

}  // namespace ia64::machine
