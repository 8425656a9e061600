// SAL_PROC: argument transport and dispatch by index.
#include "firmware/sal/sal.h"

#include "base/log.h"

namespace ia64::firmware {

namespace {

struct Row {
  u32 index;
  const char* name;
  SalResult (*handler)(sal::Call&);
};

constexpr Row kRows[] = {
#define SAL_PROC(index, name, handler) {index, name, sal::handler},
#include "firmware/sal/procs.inc"
#undef SAL_PROC
};

const Row* find_row(u32 index) {
  for (const Row& r : kRows)
    if (r.index == index) return &r;
  return nullptr;
}

}  // namespace

SalResult Sal::call(GateCall& gate) {
  const u32 index = static_cast<u32>(gate.arg(0));  // callers may leave rubbish in the upper half
  const Row* row = find_row(index);
  if (!row) {
    LOG_ONCE(Unknown, index | 0x5341'4c00'0000'0000,
             "SAL procedure {:#x}({:#x}, {:#x}, {:#x}) (ip {:#x}): not implemented", index, gate.arg(1),
             gate.arg(2), gate.arg(3), gate.cpu().regs().br[0]);
    return {sal_status::kNotImplemented};
  }
  sal::Call c{*this, gate};
  for (unsigned n = 0; n < std::size(c.a); n++) c.a[n] = gate.arg(n + 1);
  const SalResult r = row->handler(c);
  LOG(Sal, "SAL_{}({:#x}, {:#x}, {:#x}, {:#x}) = {}, {:#x}, {:#x}", row->name, c.a[0], c.a[1], c.a[2], c.a[3],
      r.status, r.v0, r.v1);
  return r;
}

GuestPhys Sal::install(ServiceTable& gate) {
  return gate.add("SAL_PROC", StubKind::Stacked, [this](GateCall& c) {
    const SalResult r = call(c);
    c.ret(static_cast<u64>(r.status), r.v0, r.v1, r.v2);
  });
}

}  // namespace ia64::firmware
