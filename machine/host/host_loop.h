// The host event loop: posted work, timers, file descriptors, listening Unix sockets. The only user of Boost.Asio here.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine {

/// A connected byte stream owned by the loop (terminal or socket). Methods run on the loop's thread.
class HostStream {
 public:
  virtual ~HostStream() = default;
  /// Queues bytes; when the peer reads too slowly and `kMaxBacklogBytes` are waiting, the oldest are dropped.
  virtual void send(std::span<const u8> bytes) = 0;
  static constexpr size_t kMaxBacklogBytes = 4 << 20;
};

/// One thread runs it; everything else reaches it through post().
class HostLoop {
 public:
  HostLoop();
  ~HostLoop();
  HostLoop(const HostLoop&) = delete;

  /// Runs until stop(). Call from one thread only.
  void run();
  /// After run(): goes on with what is under way until `done` or, at the latest, for `limit_ms` of host time.
  void settle(u64 limit_ms, const std::function<bool()>& done);
  void stop();                                      ///< any thread
  void post(std::function<void()> fn);              ///< any thread
  /// Calls `fn` once after `delay_ms` of host time, on the loop.
  void after(u64 delay_ms, std::function<void()> fn);
  /// Calls `fn` once for SIGINT, SIGTERM, SIGHUP or SIGPIPE (standard output lost its reader).
  void on_signal(std::function<void(int)> fn);

  /// Called with bytes read; an empty span means the peer is gone or the file ended.
  using OnData = std::function<void(std::span<const u8>)>;
  /// Takes over `read_fd` and `write_fd` (they stay open when the stream goes away).
  std::unique_ptr<HostStream> adopt(int read_fd, int write_fd, OnData on_data);
  /// Listens on a Unix socket of mode 0600, replacing a stale one. Clients may come and go; input of all is taken.
  /// @returns an object that sends to everyone who is connected
  Result<std::unique_ptr<HostStream>> listen_unix(const std::string& path, OnData on_data);

  struct Impl;
  Impl& impl() { return *impl_; }  ///< for the other files of this folder

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace ia64::machine
