// The private directory of one `ivm test`, and what earlier ones that were killed have left.
#pragma once

#include <string>

#include "base/result.h"

namespace ia64::machine::regression {

/// A directory of mode 0700 below TMPDIR; removed at the end with all that is in it.
class WorkFolder {
 public:
  /// Removes the directories of runs that are no more, then makes one. @param keep  it stays at the end
  static Result<WorkFolder> create(bool keep);
  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();

  const std::string& path() const { return path_; }

 private:
  WorkFolder(std::string path, int lock, bool keep) : path_(std::move(path)), lock_(lock), keep_(keep) {}
  std::string path_;
  int lock_ = -1;  // an open file of the directory, locked as long as the run lives
  bool keep_ = false;
};

}  // namespace ia64::machine::regression
