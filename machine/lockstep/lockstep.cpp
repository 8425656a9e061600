// Slices, comparison and firmware calls of lockstep runs.
#include "machine/lockstep/lockstep.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "cpu/arch/register_differences.h"
#include "cpu/disasm/printer.h"
#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translate.h"

namespace ia64::machine {

namespace {

using cpu::Core;
using cpu::StopReason;

constexpr u64 kLongSlice = 50'000, kShortSlice = 300;  // instructions; one slice in eight is short, to meet odd places
constexpr u64 kEverything = u64{1} << 63;

const char* name_of(StopReason reason) {
  constexpr const char* kNames[] = {"budget", "requested", "halted", "gate", "interruption", "stop address", "interruption loop"};
  return kNames[static_cast<unsigned>(reason)];
}

void unique_pages(std::vector<GuestPhys>& pages) {
  for (GuestPhys& p : pages) p &= ~(AddressSpace::kPageSize - 1);
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
}

}  // namespace

/// Stops the shadow in front of a gate's break: firmware serves the processor alone.
class Lockstep::Gate final : public cpu::BreakGate {
 public:
  cpu::GateAction on_break(Core&, u64) override { return cpu::GateAction::Stop; }
};

Lockstep::Lockstep(AddressSpace& board_bus, std::vector<LockstepRam> ram, Clock& clock, u64 itc_hz)
    : board_bus_(board_bus), recorder_(board_bus), replayer_(recorder_.log) {
  for (const LockstepRam& r : ram) {
    const View view{r.base, r.memory->size_bytes(), r.memory->data(), r.memory->private_view()};
    views_.push_back(view);
    primary_bus_.add_ram(view.base, view.size, view.real, "RAM");
    shadow_bus_.add_ram(view.base, view.size, view.own, "RAM");
    for (u64 at = 0; at < view.size; at += AddressSpace::kPageSize) board_bus.mark_code(view.base + at);
  }
  for (const auto& region : board_bus.regions()) {
    if (region.kind != AddressSpace::RegionInfo::Kind::Rom) continue;
    for (AddressSpace* bus : {&primary_bus_, &shadow_bus_})
      bus->add_rom(region.base, region.size_bytes, board_bus.host_ptr(region.base, false), region.name);
  }
  primary_bus_.add_mmio(0, kEverything, &replayer_, "devices, played back");
  shadow_bus_.add_mmio(0, kEverything, &recorder_, "devices, recorded");
  primary_bus_.log_writes(&written_);
  shadow_bus_.log_writes(&shadow_written_);
  // Firmware writes through the board's bus, where every page stays marked: both processors must hear of it.
  board_bus.add_code_listener([this](GuestPhys page) {
    board_bus_.mark_code(page);
    for (AddressSpace* bus : {&primary_bus_, &shadow_bus_}) bus->code_written(page, AddressSpace::kPageSize);
  });
  shadow_ = std::make_unique<Core>(cpu::CoreWires{.bus = &shadow_bus_, .clock = &clock, .itc_hz = itc_hz});
  gate_ = std::make_unique<Gate>();
  shadow_->set_gate(gate_.get());
}

Lockstep::~Lockstep() = default;

void Lockstep::powered_on(GuestPhys gate_base, u64 gate_size) {
  shadow_->reset();
  for (Core* core : {primary_, shadow_.get()}) core->set_gate_range(gate_base, gate_size);
  take_over();
}

void Lockstep::post(DeliveryMode mode, u8 vector) {
  for (Core* core : {primary_, shadow_.get()}) core->post_interrupt(mode, vector);
}

u64 Lockstep::next_slice_length() {
  random_ = random_ * 6364136223846793005 + 1442695040888963407;
  const u64 r = random_ >> 33;
  return r % 8 ? kLongSlice - r / 8 % 64 : 1 + r / 8 % kShortSlice;
}

Lockstep::Way Lockstep::run_engine(Core& core, u64 max_slots) {
  core.fast_tlb().forget_all_writes();
  const u64 before = core.slots_retired();
  const StopReason reason = core.run(max_slots);
  return {reason, core.slots_retired() - before};
}

StopReason Lockstep::run(u64 max_slots) {
  for (u64 left = max_slots;;) {
    const u64 length = std::min(next_slice_length(), left), ip = primary_->regs().ip;
    recorder_.log.clear();
    replayer_.rewind();
    written_.clear(), shadow_written_.clear();
    start_.take(*primary_), shadow_start_.take(*shadow_);
    const Way expected = run_engine(*shadow_, length);
    save_originals();
    const Way actual = run_engine(*primary_, length);
    if (const std::string found = differences(expected, actual) + replayer_.difference(); !found.empty()) {
      difference_ = fmt::format("engines differ in slice {}, {} instructions from {:#x} on, {} instructions in\n", slices_, expected.executed,
                                ip, primary_->slots_retired() - actual.executed) + found;
      difference_ += "interpreter's code:\n" + listing(shadow_->regs().ip) + "translator's code:\n" + listing(primary_->regs().ip);
      difference_ += narrow(std::max(expected.executed, actual.executed));
      return StopReason::Requested;
    }
    discard_private_pages();
    slices_++;
    left -= expected.executed;
    if (expected.reason != StopReason::Budget || left == 0) return expected.reason;
  }
}

/// What the pages that the interpreter wrote hold in real memory, which the translator is about to change.
void Lockstep::save_originals() {
  unique_pages(shadow_written_);
  original_pages_ = shadow_written_;
  originals_.resize(original_pages_.size() * AddressSpace::kPageSize);
  for (size_t n = 0; n < original_pages_.size(); n++)
    std::memcpy(&originals_[n * AddressSpace::kPageSize], board_bus_.host_ptr(original_pages_[n], false), AddressSpace::kPageSize);
}

void Lockstep::take_over() {
  shadow_->regs() = primary_->regs();
  shadow_->tlb().registers_replaced();
  if (primary_->halted()) shadow_->halt();
}

// --- comparison

std::string Lockstep::differences(const Way& expected, const Way& actual) {
  std::string found = cpu::register_differences(shadow_->regs(), primary_->regs(), 40);
  if (expected.reason != actual.reason)
    found += fmt::format("  stopped: interpreter {}, translator {}\n", name_of(expected.reason), name_of(actual.reason));
  if (expected.executed != actual.executed)
    found += fmt::format("  instructions: interpreter {}, translator {}\n", expected.executed, actual.executed);
  return found + memory_difference();
}

std::string Lockstep::memory_difference() {
  unique_pages(written_), unique_pages(shadow_written_);
  std::string found;
  if (written_ != shadow_written_) {
    std::vector<GuestPhys> odd;
    std::set_symmetric_difference(written_.begin(), written_.end(), shadow_written_.begin(), shadow_written_.end(),
                                  std::back_inserter(odd));
    const bool by_translator = std::binary_search(written_.begin(), written_.end(), odd[0]);
    found += fmt::format("  memory: page {:#x} was written by the {} only\n", odd[0], by_translator ? "translator" : "interpreter");
  }
  for (const GuestPhys page : shadow_written_) {
    const u8 *own = shadow_bus_.host_ptr(page, false), *real = board_bus_.host_ptr(page, false);
    if (std::memcmp(own, real, AddressSpace::kPageSize) == 0) continue;
    const auto at = static_cast<u64>(std::mismatch(own, own + AddressSpace::kPageSize, real).first - own) & ~u64{7};
    u64 expected, actual;
    std::memcpy(&expected, own + at, 8), std::memcpy(&actual, real + at, 8);
    found += fmt::format("  memory at {:#x}: interpreter {:016x} translator {:016x}\n", page + at, expected, actual);
  }
  return found;
}

/// The shadow sees real memory again.
void Lockstep::discard_private_pages() {
  for (const GuestPhys page : shadow_written_)
    madvise(shadow_bus_.host_ptr(page, false), AddressSpace::kPageSize, MADV_DONTNEED);
}

/// The text of one bundle as the interpreter's processor sees it. @returns false when there is none
bool Lockstep::bundle_at(u64 ip, std::string (&lines)[3]) const {
  GuestPhys phys;
  const bool translated = shadow_->regs().psr & cpu::psr::kIt;
  if (!cpu::mmu::find_physical(*shadow_, ip, true, translated, true, phys)) return false;
  const u8* const bytes = board_bus_.host_ptr(phys, false);
  if (bytes) cpu::bundle_text(bytes, ip, lines);
  return bytes;
}

/// The bundles around `ip`.
std::string Lockstep::listing(u64 ip) const {
  std::string text;
  for (u64 at = ip - 64; at != ip + 32; at += 16) {
    std::string lines[3];
    if (!bundle_at(at, lines)) continue;
    for (const std::string& line : lines)
      if (!line.empty()) text += fmt::format("  {:x}  {}\n", at, line);
  }
  return text;
}

}  // namespace ia64::machine
