// A listening socket whose clients send lines: bounded queues, so that no client holds up the loop or another client.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine {

class HostLoop;

/// A client's lines are handed over one at a time, the next after ready(). While a line is being handled, or while a client
/// leaves its replies unread, nothing is read from it: what it sends waits in the host's socket buffers. Of too many clients
/// the one that has been silent longest goes. A client that ends its side gets its replies before its connection closes.
/// Everything runs on the loop's thread.
class LineServer {
 public:
  using ClientId = u64;
  struct Limits {
    size_t clients = 16;
    size_t line_bytes = 64 << 10;
    size_t unread_bytes = 64 << 10;  ///< replies a client may leave unread before it is read no more
  };
  struct Handlers {
    std::function<void(ClientId)> connected, gone;
    std::function<void(ClientId, const std::string& line)> line;
    std::function<void(ClientId)> too_long;  ///< a line was longer than allowed; the connection closes behind what is sent now
  };

  /// @param endpoint unix:PATH (mode 0600; a stale socket is replaced) or tcp:127.0.0.1:PORT
  /// @param option what errors call it @returns Invalid or Locked with one line for the user
  static Result<std::unique_ptr<LineServer>> listen(HostLoop& loop, const std::string& endpoint, const std::string& option, Limits limits,
                                                    Handlers handlers);
  ~LineServer();

  /// Queues bytes for a client; nothing happens when it is gone.
  void send(ClientId id, std::string bytes);
  /// The client's line has been handled.
  void ready(ClientId id);
  /// Takes nothing more from a client and closes behind what is to be sent.
  void finish(ClientId id);
  size_t backlog_bytes(ClientId id) const;
  bool flushed() const;

 private:
  struct Impl;
  explicit LineServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ia64::machine
