// A file whose medium hangs for as long as a test wants: a FUSE mount of one file, served by a thread of the test.
#pragma once

#include <memory>
#include <string>

#include "base/int_types.h"

namespace ia64::testing {

/// While held, reads and writes of the medium get no answer. The file is zeroes at first, kept in memory, and gone with the object, which
/// answers everything that still waits with an error. Any thread.
class HeldFile {
 public:
  /// @returns nullptr where FUSE is missing or this user may not mount
  static std::unique_ptr<HeldFile> mount(u64 size_bytes);
  ~HeldFile();

  const std::string& path() const;
  void hold();
  void release();
  /// Waits until `count` reads or writes of the medium have gone unanswered.
  void wait_for_held(unsigned count);

 private:
  class Impl;
  explicit HeldFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ia64::testing
