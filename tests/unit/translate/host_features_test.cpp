// Extensions of the host by name.
#include "cpu/jit/host_features.h"
#include "tests/support/test.h"

using ia64::cpu::HostFeatures;

TEST_CASE("extensions of the host are taken away by name", "[jit]") {
  HostFeatures f;
  f.bmi2 = f.movbe = true;
  CHECK(f.remove("bmi2"));
  CHECK_FALSE(f.bmi2);
  CHECK(f.movbe);
  CHECK_FALSE(f.remove("nonsense"));
  CHECK(f.remove("all"));
  CHECK_FALSE(f.movbe);
  CHECK(HostFeatures::names().find("movbe") != std::string::npos);
}
