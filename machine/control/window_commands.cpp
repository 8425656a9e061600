// Commands about the console window.
#include "machine/control/command.h"

namespace ia64::machine::control {
namespace {

Result<Json> screenshot(Call& call) { return call.context.window->screenshot(call.arguments.text("file")); }

Result<Json> view(Call& call) { return call.context.window->show(call.arguments.text("name")); }

}  // namespace

std::vector<CommandRow> window_commands() {
  using enum ArgumentType;
  return {
      {"screenshot", nullptr, {{"file", Text, true, "a PNG file, replaced when it is there"}}, Where::Window, screenshot,
       "write what the console window shows as a picture"},
      {"view", nullptr, {{"name", Text, true, "terminal, menu, media, debugger or help"}}, Where::Window, view,
       "open a view of the console window"},
  };
}

}  // namespace ia64::machine::control
