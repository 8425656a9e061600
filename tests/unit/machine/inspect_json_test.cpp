// Inspection trees as JSON.
#include "machine/inspect_json.h"

#include "tests/support/test.h"

using namespace ia64;

namespace {

struct Pair final : Inspectable {
  void inspect(InspectWriter& out) const override {
    out.value("total", 3);
    for (u64 n = 1; n <= 2; n++) {
      out.begin("disk");
      out.value("number", n);
      out.end();
    }
    out.text("state", "on");
  }
};

}  // namespace

TEST_CASE("an inspection becomes nested objects, equal names numbered", "[machine]") {
  std::string text = machine::inspect_json(Pair());
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  CHECK(text == R"({"total":3,"disk":{"number":1},"disk#2":{"number":2},"state":"on"})");
}
