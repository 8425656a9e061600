// The ivm command.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include "tools/cli/command.h"

namespace ia64::cli {

int usage_error(const char* text) {
  std::fprintf(stderr, "ivm: %s\n", text);
  return 2;
}

namespace {

constexpr int kInternalError = 5;

bool is_command(const CLI::App& app, const std::string& name) {
  const auto commands = app.get_subcommands({});
  return std::any_of(commands.begin(), commands.end(), [&](const CLI::App* c) { return c->get_name() == name; });
}

int run(int argc, char** argv) {
  CLI::App app("ivm - HP Integrity (IA-64) full-system emulator", "ivm");
  app.require_subcommand(1);
  app.set_version_flag("--version", "ivm " IVM_VERSION);
  Run chosen;
#define COMMAND(name, help, add) \
  { \
    auto* sub = app.add_subcommand(name, help); \
    sub->callback([&chosen, action = add(*sub)] { chosen = action; }); \
  }
#include "tools/cli/commands.inc"
#undef COMMAND
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    if (argc > 1 && argv[1][0] != '-' && !is_command(app, argv[1]))
      return usage_error(fmt::format("no command '{}'; ivm --help lists them", argv[1]).c_str());
    return usage_error(e.what());
  }
  return chosen();
}

}  // namespace
}  // namespace ia64::cli

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes fails the write, as a full file system does
  try {
    return ia64::cli::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ivm: internal error: %s\n", e.what());
    return ia64::cli::kInternalError;
  }
}
