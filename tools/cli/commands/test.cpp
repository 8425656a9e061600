// ivm test: scripted regression tests of guests.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <climits>
#include <memory>

#include "machine/regression/test_run.h"
#include "machine/regression/verbs.h"
#include "tools/cli/command.h"

namespace ia64::cli {
namespace {

namespace regression = machine::regression;

struct TestArguments {
  regression::TestRunOptions options;
  std::vector<std::string> definitions;
  bool verbs = false;
};

/// Names of the long options of `ivm run`, and whether they take a value.
regression::RunOptions run_options() {
  CLI::App app;
  (void)add_run(app);
  regression::RunOptions out;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) out[name] = option->get_items_expected_max() > 0;
  return out;
}

std::string own_path() {
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  return n > 0 ? std::string(path, static_cast<size_t>(n)) : "ivm";
}

int show_verbs() {
  for (const regression::Verb& verb : regression::verbs()) fmt::print("{:<12} {}\n{:<14} {}\n", verb.name, verb.syntax, "", verb.help);
  return 0;
}

int run(TestArguments& a) {
  if (a.verbs) return show_verbs();
  if (a.options.paths.empty()) return usage_error("name the files of the tests, or folders of them; ivm test --help");
  a.options.again = "ivm test";
  for (const std::string& definition : a.definitions) {
    const size_t equals = definition.find('=');
    const std::string name = definition.substr(0, equals);
    if (equals == std::string::npos || !regression::is_variable_name(name)) return usage_error(fmt::format("-D {}: expected NAME=VALUE", definition).c_str());
    a.options.load.variables[name] = definition.substr(equals + 1);
    a.options.again += fmt::format(" -D {}", definition);
  }
  a.options.load.run_options = run_options();
  a.options.load.ivm = own_path();
  return regression::run_tests(a.options);
}

}  // namespace

Run add_test(CLI::App& command) {
  auto a = std::make_shared<TestArguments>();
  auto& o = a->options;
  command.add_option("files", o.paths, "tests, or folders whose *.test files are meant")->type_name("FILE");
  command.add_option("-j,--jobs", o.jobs, "tests at once; without it, as many as the host has processors")->check(CLI::Range(1u, 1024u));
  command.add_option("-D,--define", a->definitions, "a variable, NAME=VALUE; repeatable")->take_all()->expected(1)->allow_extra_args(false);
  command.add_option("--filter", o.filter, "only tests whose path matches this regular expression");
  command.add_option("--tag", o.tags, "only tests with this tag; repeatable: with one of them")->take_all()->expected(1)->allow_extra_args(false);
  command.add_option("--repeat", o.repeat, "run each test N times")->check(CLI::Range(1u, 100'000u));
  command.add_option("--patience", o.patience, "multiply all time limits, for a slow host")->check(CLI::Range(0.01, 1000.0));
  command.add_flag("--tap", o.tap, "report in the Test Anything Protocol");
  command.add_option("--junit", o.junit, "write the results as JUnit XML to this file as well");
  command.add_option("--log-dir", o.log_dir, "keep transcripts, and the reports of failures, below this folder");
  command.add_flag("--keep", o.keep, "leave the private files of the tests, with the images they made");
  command.add_flag("--list", o.list, "list the tests and run none");
  command.add_flag("--check", o.check, "read the files and run none");
  command.add_flag("--verbs", a->verbs, "describe the verbs of steps");
  command.footer("Exit status: 0 all passed or were skipped, 1 failures, 2 a file or an option is wrong, 128 + N stopped by signal N.");
  return [a] { return run(*a); };
}

}  // namespace ia64::cli
