// The control socket: clients, their requests in order, and the events they asked for.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "machine/control/command.h"
#include "machine/control/protocol.h"
#include "machine/host/line_server.h"

namespace ia64::machine {
class HostLoop;
}

namespace ia64::machine::control {

/// Runs commands where they belong, and waits for their jobs. Loop thread. The machine is stopped before this goes away.
class CommandRunner {
 public:
  CommandRunner(HostLoop& loop, CommandContext context) : loop_(loop), context_(std::move(context)) {}
  CommandContext& context() { return context_; }
  /// Calls `done` on the loop thread, at once or later. @param client as in Call; touched before this returns only
  void run(Invocation invocation, CallClient* client, std::function<void(const Result<Json>&)> done);

 private:
  void answer(const CommandRow& row, const Arguments& arguments, const Result<Json>& result, const std::function<void(const Result<Json>&)>& done);

  HostLoop& loop_;
  CommandContext context_;
};

/// One per machine that has a `--control`. Requests of one client run one after the other, those of different clients side by
/// side. Loop thread.
class ControlServer {
 public:
  /// @param endpoint unix:PATH or tcp:127.0.0.1:PORT
  static Result<std::unique_ptr<ControlServer>> listen(HostLoop& loop, CommandRunner& runner, const std::string& endpoint);
  ~ControlServer();

  /// Sends an event to every client that asked for its kind. What a client does not read in time is dropped and counted.
  void publish(EventKind kind, const Json& data);
  /// Sends one client a `match` event; `owner` is its CallClient::id.
  void publish_match(u64 owner, const Json& data);
  /// Whether every reply and event has reached the host's socket buffers.
  bool flushed() const { return lines_->flushed(); }

 private:
  struct Client {
    CallClient call;
    bool spoke = false;  ///< has sent a request
    u64 lost = 0;    ///< events dropped since the last one that was sent
  };
  explicit ControlServer(CommandRunner& runner) : runner_(runner) {}
  void on_line(LineServer::ClientId id, const std::string& line);
  void answer(LineServer::ClientId id, const Json& request_id, const Result<Json>& result);
  void send_event(LineServer::ClientId id, Client& client, const std::string& line);

  CommandRunner& runner_;
  std::map<LineServer::ClientId, Client> clients_;
  std::unique_ptr<LineServer> lines_;
};

}  // namespace ia64::machine::control
