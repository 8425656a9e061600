// What --dump-block shows of a block.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "tests/support/bare_machine.h"
#include "tests/support/translator_choice.h"

using namespace ia64;
using namespace ia64::test;

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a dumped block shows guest code, both intermediate forms and host code", "[jit]") {
  NEEDS_ASSEMBLER();
  const auto path = std::filesystem::temp_directory_path() / ("ivm-dump-test-" + std::to_string(getpid()));
  {
    BareMachine m;
    auto options = translator_choice();
    options.dump_ips = {BareMachine::kCode + 16}, options.dump_path = path;
    m.core().use_translator(options);
    m.load(R"(
{ .mii
  adds r14 = 1, r15
  nop.i 0
  nop.i 0 ;;
}
{ .mib
  sub r3 = r14, r15
  nop.i 0
  br.few 0x40 ;;
}
)");
    m.core().run(6);
  }
  const std::string text = text_of(path);
  std::filesystem::remove(path);
  for (const char* part : {"adds r14=1,r15", "sub r3=r14,r15", "-- before passes", "-- after passes", "-- host code"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}
