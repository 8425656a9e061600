// An io_uring of one store, and the thread that submits to it and runs the completions.
#pragma once

#include <functional>
#include <memory>

#include "base/int_types.h"

struct iovec;

namespace ia64::storage {

/// Any thread may ask; it only leaves the operation in a queue and, where the ring's thread sleeps, wakes it. That thread makes
/// the system calls, so what the kernel does inside them (copying to and from its cache) costs no virtual processor time.
/// Completions run on it too, and may ask for more. Absent in builds without liburing.
class Uring {
 public:
  using Done = std::function<void(int result)>;  ///< bytes moved, or a negative error number

  /// @returns nullptr where the kernel or its policy refuses
  static std::unique_ptr<Uring> create();
  ~Uring();  ///< waits for what is in flight

  /// @param iov must stay valid until done, at most 1024 entries
  void read(int fd, u64 offset, const iovec* iov, unsigned count, Done done);
  void write(int fd, u64 offset, const iovec* iov, unsigned count, bool fua, Done done);
  void sync(int fd, Done done);

 private:
  class Impl;
  explicit Uring(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ia64::storage
