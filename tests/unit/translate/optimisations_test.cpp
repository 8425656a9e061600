// Switches of the translator by name.
#include "cpu/jit/optimisations.h"
#include "tests/support/test.h"

using ia64::cpu::Optimisations;

TEST_CASE("optimisations are on until they are switched off by name", "[jit]") {
  Optimisations on;
  CHECK(on.links);
  CHECK(on.switch_off("links,dead_writes") == "");
  CHECK_FALSE(on.links);
  CHECK_FALSE(on.dead_writes);
  CHECK(on.fold_constants);
}

TEST_CASE("the first unknown optimisation is reported", "[jit]") {
  Optimisations on;
  CHECK(on.switch_off("links,nonsense,loops") == "nonsense");
  CHECK(on.switch_off("") == "");
}

TEST_CASE("all names every optimisation", "[jit]") {
  Optimisations on, one_by_one;
  CHECK(on.switch_off("all") == "");
  CHECK(one_by_one.switch_off(Optimisations::names()) == "");
  CHECK_FALSE(on.native_integer);
  CHECK_FALSE(one_by_one.native_integer);
  CHECK_FALSE(one_by_one.links);
}
