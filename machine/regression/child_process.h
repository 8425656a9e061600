// Programs that a test starts: never left behind.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace ia64::machine::regression {

/// A program in a process group of its own. It is killed when this object goes away, and by the kernel when the thread that started it ends,
/// however that comes about.
class ChildProcess {
 public:
  /// @param arguments  the program (a path, or a name in PATH) and what it gets
  /// @param output, errors  files that are written anew; the same path for both is one file
  /// @returns one line naming the program and the reason
  static Result<ChildProcess> start(const std::vector<std::string>& arguments, const std::string& output, const std::string& errors);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  /// Readable when the program has ended.
  int end_fd() const { return end_fd_; }
  /// Exit status once it has ended, 128 + N after signal N. Does not wait.
  std::optional<int> status();
  /// Kills the group and waits for the program.
  void kill();

 private:
  ChildProcess(int pid, int end_fd) : pid_(pid), end_fd_(end_fd) {}
  int pid_ = -1, end_fd_ = -1;
  std::optional<int> status_;
};

/// The path of a program by the rules of PATH; empty when there is none that may be run.
std::string find_program(const std::string& name);

}  // namespace ia64::machine::regression
