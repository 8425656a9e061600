// Commands that stop the guest at places: breakpoints, watchpoints, single steps.
#include <fmt/format.h>

#include "machine/control/command.h"
#include "machine/control/debug_arguments.h"
#include "machine/debugger/code_listing.h"
#include "machine/debugger/desk.h"
#include "machine/debugger/place.h"
#include "machine/machine.h"

namespace ia64::machine::control {
namespace {

using debugger::Point;

constexpr size_t kMostPoints = 1000;
constexpr u64 kMostWatchedBytes = 64 << 10, kMostSteps = 100'000;

Json describe(Call& call, const Point& p) {
  Json row = {{"number", p.number}, {"kind", !p.watch ? "break" : p.read ? (p.write ? "access" : "read") : "write"}, {"address", hex(p.address)}};
  row["length"] = p.watch ? Json(p.size_bytes) : Json();
  row["symbol"] = desk_of(call).symbols().name_of(p.address);
  return row;
}

Result<Json> add(Call& call, const Point& point) {
  if (auto ok = check_one_engine(call); !ok) return ok.error();
  if (desk_of(call).points().size() >= kMostPoints) return Error{ErrorKind::Locked, fmt::format("there are {} points already", kMostPoints)};
  Point added = point;
  added.number = desk_of(call).add_point(point);
  return describe(call, added);
}

Result<Json> list(Call& call) {
  Json rows = Json::array();
  for (const Point& p : desk_of(call).points()) rows.push_back(describe(call, p));
  return Json{{"points", std::move(rows)}};
}

Result<Json> break_(Call& call) {
  if (call.arguments.text("address").empty()) return list(call);
  auto where = place_of(call, "address");
  if (!where) return where.error();
  if ((*where & 15) > 2) return Error{ErrorKind::Invalid, fmt::format("{:#x}: instructions are at the slots 0 to 2 of a bundle, a multiple of 16", *where)};
  return add(call, {.address = *where});
}

Result<Json> break_image(Call& call) {
  if (auto ok = check_one_engine(call); !ok) return ok.error();
  const std::string name = call.arguments.text("name");
  desk_of(call).stop_at_image(name);
  return Json{{"waits for", name.empty() ? "any EFI image" : name}};
}

Result<Json> watchpoint(Call& call) {
  auto where = place_of(call, "address");
  auto length = count_of(call, "length", 8, kMostWatchedBytes);
  if (!where) return where.error();
  if (!length) return length.error();
  const std::string kind = call.arguments.text("kind");
  if (!kind.empty() && kind != "write" && kind != "read" && kind != "access")
    return Error{ErrorKind::Invalid, "argument 'kind': write, read or access"};
  if (*where + (*length - 1) < *where) return Error{ErrorKind::Invalid, "the range goes beyond the last address"};
  return add(call, {.watch = true, .address = *where, .size_bytes = *length, .read = kind == "read" || kind == "access", .write = kind != "read"});
}

Result<Json> delete_(Call& call) {
  const std::string which = call.arguments.text("number");
  if (which == "all") {
    desk_of(call).remove_points();
    return list(call);
  }
  auto number = debugger::parse_number(which);
  if (!number) return Error{ErrorKind::Invalid, "argument 'number': a point's number, or all"};
  if (!desk_of(call).remove_point(static_cast<unsigned>(std::min<u64>(*number, ~0u))))
    return Error{ErrorKind::NotFound, fmt::format("there is no point {}", *number)};
  return list(call);
}

const char* reason_text(cpu::StopReason reason) {
  switch (reason) {
    case cpu::StopReason::Interruption: return "interrupted";
    case cpu::StopReason::Halted: return "the processor waits for an interrupt";
    case cpu::StopReason::Gate: return "firmware waits";
    default: return "";
  }
}

/// Right here, where no time passes for the guest; interrupts wait.
Result<Json> step(Call& call) {
  Machine& machine = *call.context.machine;
  if (auto ok = check_one_engine(call); !ok) return ok.error();
  if (!machine.paused()) return Error{ErrorKind::Locked, "the guest runs; pause it first"};
  auto count = count_of(call, "count", 1, kMostSteps);
  if (!count) return count.error();
  u64 done = 0;
  cpu::StopReason reason = cpu::StopReason::Budget;
  while (done < *count && (reason == cpu::StopReason::Budget || reason == cpu::StopReason::Interruption)) reason = machine.step_here(), done++;
  const cpu::Registers& r = machine.core().regs();
  Json out = {{"steps", done}, {"address", hex(r.ip | r.slot)}};
  const debugger::SymbolTable& symbols = desk_of(call).symbols();
  if (const std::string name = symbols.name_of(r.ip); !name.empty()) out["symbol"] = name;
  for (const auto& line : debugger::list_code(machine.core(), symbols, r.ip, 3))
    if (line.next) out["next"] = line.text;
  if (*reason_text(reason)) out["note"] = reason_text(reason);
  return out;
}

}  // namespace

std::vector<CommandRow> point_commands() {
  using enum ArgumentType;
  static constexpr const char* kPlace = "a number, symbol or register, with +number or -number";
  return {
      {"break", nullptr, {{"address", Text, false, "where to pause; without it, the list of points"}}, Where::Machine, break_, "pause the guest before an instruction"},
      {"break-image", nullptr, {{"name", Text, false, "as BOOTIA64.EFI; without it, any"}}, Where::Machine, break_image,
       "pause the guest before the first instruction of the next EFI image"},
      {"watchpoint", nullptr,
       {{"address", Text, true, kPlace}, {"length", Text, false, "bytes; 8 without it"}, {"kind", Text, false, "write, read or access; write without it"}},
       Where::Machine, watchpoint, "pause the guest behind an access to memory"},
      {"delete", nullptr, {{"number", Text, true, "of a breakpoint or watchpoint; all"}}, Where::Machine, delete_, "remove a breakpoint or watchpoint"},
      {"step", nullptr, {{"count", Text, false, "instructions; 1 without it"}}, Where::Machine, step, "execute instructions of a paused guest"},
  };
}

}  // namespace ia64::machine::control
