// The other end of the control socket, for `ivm monitor`.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "machine/control/command.h"
#include "machine/host/line_buffer.h"

namespace ia64::machine::control {

/// One connection; blocks. Not for threads.
class ControlClient {
 public:
  /// @param endpoint unix:PATH, tcp:HOST:PORT, or the path of a socket alone
  /// @returns one line that names the endpoint when nobody answers there, or somebody else than ivm
  static Result<ControlClient> connect(const std::string& endpoint);
  ~ControlClient();
  ControlClient(ControlClient&& other) noexcept;
  ControlClient& operator=(ControlClient&&) = delete;

  const std::string& guest() const { return guest_; }
  int fd() const { return fd_; }
  /// Called for each event, whenever something is read.
  std::function<void(const Json& event)> on_event;

  /// Runs a command line. @returns the whole reply, with "result" or "error"; Io when the connection is over
  Result<Json> request(const std::string& line);
  /// Reads what is there and hands on events. @returns false when the connection is over
  bool read_events();

 private:
  explicit ControlClient(int fd) : fd_(fd) {}
  Result<Json> next_message();
  bool fill();

  int fd_ = -1;
  std::string guest_;
  LineBuffer lines_{size_t{64} << 20};
  i64 last_id_ = 0;
};

}  // namespace ia64::machine::control
