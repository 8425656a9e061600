// `ivm test`: many tests at once, and what is told of them.
#pragma once

#include <string>
#include <vector>

#include "machine/regression/execution.h"
#include "machine/regression/test_file.h"

namespace ia64::machine::regression {

struct TestRunOptions {
  std::vector<std::string> paths;  ///< files, and folders whose *.test files are meant
  unsigned jobs = 0;               ///< tests at once; 0: as many as the host has processors
  unsigned repeat = 1;
  std::string filter;              ///< expression that the path of a test must contain a match of; empty: all
  std::vector<std::string> tags;   ///< a test has one of them; empty: all
  std::string log_dir, junit;      ///< empty: none
  bool tap = false, list = false, check = false, keep = false;
  double patience = 1;
  LoadContext load;
  std::string again;               ///< the command that repeats a test; its file follows
};

enum class TestRunStatus : int { Passed = 0, Failed = 1, Bad = 2 };

/// One run of one file.
struct TestRun {
  const TestFile* file = nullptr;
  unsigned repetition = 0;  ///< 0: the only one; from 1 on
  TestResult result;
  /// Its file's path, and which repetition it is.
  std::string title() const;
};

/// Loads, runs and reports on standard output; what is wrong with files or options goes to standard error. Handles SIGINT, SIGTERM and SIGHUP
/// by ending every guest. @returns the exit status: a TestRunStatus, or 128 + N after signal N
int run_tests(const TestRunOptions& options);

}  // namespace ia64::machine::regression
