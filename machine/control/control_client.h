// The other end of the control socket, for `ivm monitor`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "machine/control/command.h"
#include "machine/host/line_buffer.h"

namespace ia64::machine::control {

/// One connection; blocks. Not for threads.
class ControlClient {
 public:
  /// @param endpoint unix:PATH, tcp:HOST:PORT, or the path of a socket alone
  /// @param patience_ms  host time for one read or write to get on; 0: any
  /// @returns one line that names the endpoint when nobody answers there, or somebody else than ivm
  static Result<ControlClient> connect(const std::string& endpoint, unsigned patience_ms = 0);
  ~ControlClient();
  ControlClient(ControlClient&& other) noexcept;
  ControlClient& operator=(ControlClient&&) = delete;

  const std::string& guest() const { return guest_; }
  int fd() const { return fd_; }
  /// Called for each event, whenever something is read.
  std::function<void(const Json& event)> on_event;

  /// Runs a command line. @returns the whole reply, with "result" or "error"; Io when the connection is over
  Result<Json> request(const std::string& line);
  /// Sends a request, an object with "command" or "line", and does not wait. @returns its id
  Result<i64> post(Json request);
  /// Takes what is there without waiting: hands on events, keeps replies for take_reply(). @returns false when the connection is over
  bool receive();
  std::optional<Json> take_reply(i64 id);
  /// Reads what is there and hands on events. @returns false when the connection is over
  bool read_events();

 private:
  explicit ControlClient(int fd) : fd_(fd) {}
  Result<Json> next_message();
  bool fill(int flags = 0);

  int fd_ = -1;
  std::string guest_;
  LineBuffer lines_{size_t{64} << 20};
  i64 last_id_ = 0;
  std::map<i64, Json> replies_;  // to post()
};

}  // namespace ia64::machine::control
