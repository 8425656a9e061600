// Arguments of debugging commands.
#include "machine/control/debug_arguments.h"

#include <fmt/format.h>

#include "base/invariant.h"
#include "machine/config.h"
#include "machine/debugger/desk.h"
#include "machine/debugger/place.h"
#include "machine/machine.h"

namespace ia64::machine::control {

std::string hex(u64 value) { return fmt::format("{:#x}", value); }

debugger::Desk& desk_of(Call& call) {
  INVARIANT(call.context.desk);
  return *call.context.desk;
}

Result<u64> place_of(Call& call, const char* name, u64 otherwise) {
  const std::string text = call.arguments.text(name);
  if (text.empty()) return otherwise;
  return debugger::parse_place(call.context.machine->core(), desk_of(call).symbols(), text);
}

Result<u64> count_of(Call& call, const char* name, u64 otherwise, u64 most) {
  const std::string text = call.arguments.text(name);
  if (text.empty()) return otherwise;
  auto n = debugger::parse_number(text);
  if (!n) return n;
  if (*n == 0 || *n > most) return Error{ErrorKind::Invalid, fmt::format("argument '{}': at least 1, at most {}", name, most)};
  return n;
}

Result<void> check_one_engine(Call& call) {
  if (call.context.config->engine.engine != Engine::Lockstep) return {};
  return Error{ErrorKind::Unsupported, "not with --engine lockstep, which runs two engines"};
}

}  // namespace ia64::machine::control
