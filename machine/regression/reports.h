// How results are told: lines for people, TAP, JUnit XML.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "machine/regression/test_run.h"

namespace ia64::machine::regression {

/// Told of each run as it ends, in any order. One thread at a time.
class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void finished(size_t index, const TestRun& run) = 0;
  virtual void end(const std::vector<TestRun>& runs) = 0;
};

/// A line for each test as it ends, the whole story of failures, and a summary.
std::unique_ptr<Reporter> people_reporter(std::FILE* out, std::string again);
/// The Test Anything Protocol, version 13, in the order of the tests.
std::unique_ptr<Reporter> tap_reporter(std::FILE* out, std::string again, const std::vector<TestRun>& runs);

/// The lines of a failure: reason, details, how to repeat it.
std::vector<std::string> failure_lines(const TestRun& run, const std::string& again);
/// The format that continuous integration servers read.
std::string junit_xml(const std::vector<TestRun>& runs);

}  // namespace ia64::machine::regression
