// The only header that includes Catch2: TEST_CASE, CHECK, REQUIRE and friends, and SKIP_TEST(reason).
#pragma once

#include <catch2/catch.hpp>

#include <cstdio>

/// Ends the current test case as skipped, saying why on standard output.
#define SKIP_TEST(reason) \
  do { \
    std::printf("skipped: %s: %s\n", Catch::getResultCapture().getCurrentTestName().c_str(), reason); \
    return; \
  } while (0)
