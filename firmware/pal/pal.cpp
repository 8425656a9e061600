// PAL_PROC: argument transport and dispatch by index.
#include "firmware/pal/pal.h"

#include <algorithm>
#include <array>

#include "base/log.h"

namespace ia64::firmware {

namespace {

struct Row {
  u64 index;
  const char* name;
  PalResult (*handler)(pal::Call&);
};

constexpr Row kRows[] = {
#define PAL_PROC(index, name, handler) {index, name, pal::handler},
#include "firmware/pal/procs.inc"
#undef PAL_PROC
};

const Row* find_row(u64 index) {
  const auto* row = std::lower_bound(std::begin(kRows), std::end(kRows), index,
                                     [](const Row& r, u64 i) { return r.index < i; });
  return row != std::end(kRows) && row->index == index ? row : nullptr;
}

/// Stacked calls pass the arguments after the index in in1..in3; static ones in r29..r31.
bool is_stacked(u64 index) {
  return (index >= 256 && index < 512) || (index >= 768 && index < 1024);
}

pal::Call fetch_arguments(Pal& pal, GateCall& gate, u64 index) {
  if (is_stacked(index)) return {pal, gate, gate.arg(1), gate.arg(2), gate.arg(3)};
  const auto& regs = gate.cpu().regs();
  return {pal, gate, regs.gr(29), regs.gr(30), regs.gr(31)};
}

}  // namespace

Pal::Pal(const BoardDescription& board, AddressSpace& bus, const cpu::CpuModel& model)
    : board_(board), bus_(bus), model_(model), processors_(board.cpus.size()) {
  for (auto& p : processors_) {
    p.features[0] = 0x0000'0600'0000'0000;
    p.features[1] = 0xc8;
    p.bus_features = 0x4000'0000;
  }
}

Pal::Processor& Pal::processor(unsigned index) {
  if (index >= processors_.size()) processors_.resize(index + 1);
  return processors_[index];
}

PalResult Pal::call(GateCall& gate) {
  const u64 index = gate.cpu().regs().gr(28);
  const Row* row = find_row(index);
  if (!row) {
    LOG_ONCE(Unknown, index ^ 0x5041'4c00'0000'0000, "PAL procedure {} (ip {:#x}): not implemented", index,
             gate.cpu().regs().br[0]);
    return {pal_status::kNotImplemented};
  }
  pal::Call c = fetch_arguments(*this, gate, index);
  const PalResult r = row->handler(c);
  LOG(Sal, "PAL_{}({:#x}, {:#x}, {:#x}) = {}, {:#x}, {:#x}, {:#x}", row->name, c.a1, c.a2, c.a3, r.status, r.v0, r.v1, r.v2);
  return r;
}

bool Pal::call_quickly(GuestCpu& cpu) {
  constexpr u64 kHaltLight = 29;
  cpu::Registers& regs = cpu.regs();
  if (regs.gr(28) != kHaltLight) return false;
  const PalResult r = pal::halt_light(cpu, regs.gr(29), regs.gr(30), regs.gr(31));
  const u64 results[] = {static_cast<u64>(r.status), r.v0, r.v1, r.v2};
  for (unsigned n = 0; n < 4; n++) regs.set_gr(8 + n, results[n]);
  return true;
}

GuestPhys Pal::install(ServiceTable& gate) {
  const GuestPhys descriptor = gate.add("PAL_PROC", StubKind::PalEntry, [this](GateCall& c) {
    const PalResult r = call(c);
    c.ret(static_cast<u64>(r.status), r.v0, r.v1, r.v2);
  });
  gate.add_quick(descriptor, &Pal::call_quickly);
  entry_ = gate.entry_of(descriptor);
  return descriptor;
}

namespace pal {

PalResult not_implemented(Call&) {
  return {pal_status::kNotImplemented};
}

}  // namespace pal

}  // namespace ia64::firmware
