// Requests to commands, replies and events to clients.
#include "machine/control/control_server.h"

#include <fmt/format.h>

#include "machine/config.h"
#include "machine/control/jobs.h"
#include "machine/host/console_watches.h"
#include "machine/host/host_loop.h"
#include "machine/machine.h"

namespace ia64::machine::control {
namespace {

constexpr size_t kMaxEventBacklogBytes = 256 << 10;

/// A handler's own mistakes must not end the guest.
Result<Json> handle(const CommandRow& row, Call& call) {
  try {
    return row.handler(call);
  } catch (const std::exception& e) {
    return Error{ErrorKind::Internal, fmt::format("{}: {}", row.name, e.what())};
  }
}

}  // namespace

/// A job's number is the answer, or what the job brings if the request waits for it.
void CommandRunner::answer(const CommandRow& row, const Arguments& arguments, const Result<Json>& result,
                           const std::function<void(const Result<Json>&)>& done) {
  const bool waits = arguments.flag(kWaitArgument.name) || row.handler == find_command("wait")->handler;
  if (!result || !waits || !result->is_object() || !result->contains("job")) return done(result);
  const u64 id = (*result)["job"].get<u64>();
  if (!context_.jobs->when_ended(id, done)) done(Error{ErrorKind::NotFound, fmt::format("there is no job {}", id)});
}

void CommandRunner::run(Invocation invocation, CallClient* client, std::function<void(const Result<Json>&)> done) {
  const CommandRow& row = *invocation.row;
  if (row.where == Where::Loop) {
    Call call{context_, invocation.arguments, client, done};
    const auto result = handle(row, call);
    if (call.answer_later) answer(row, invocation.arguments, result, done);
    return;
  }
  const bool on_window = row.where == Where::Window;
  if (on_window && !context_.window) return done(Error{ErrorKind::Unsupported, "there is no console window: start the guest with --console window"});
  auto work = [this, &row, arguments = std::move(invocation.arguments), done] {
    Call call{context_, arguments, nullptr, {}};
    loop_.post([this, &row, arguments, done, result = handle(row, call)] { answer(row, arguments, result, done); });
  };
  const bool taken = on_window ? context_.window->call(std::move(work)) : context_.machine->call(std::move(work));
  if (!taken) done(Error{ErrorKind::Unsupported, on_window ? "the window is gone" : "the machine has stopped"});
}

Result<std::unique_ptr<ControlServer>> ControlServer::listen(HostLoop& loop, CommandRunner& runner, const std::string& endpoint) {
  std::unique_ptr<ControlServer> server(new ControlServer(runner));
  ControlServer* const s = server.get();
  LineServer::Handlers handlers;
  handlers.connected = [s](LineServer::ClientId id) {
    s->clients_[id].call.id = id;
    s->lines_->send(id, greeting_line(s->runner_.context().config->name));
  };
  handlers.gone = [s](LineServer::ClientId id) {
    s->clients_.erase(id);
    if (ConsoleWatches* watches = s->runner_.context().watches) watches->remove_all(id);
  };
  handlers.line = [s](LineServer::ClientId id, const std::string& line) { s->on_line(id, line); };
  handlers.too_long = [s](LineServer::ClientId id) {
    s->lines_->send(id, reply_line({}, Error{ErrorKind::Invalid, fmt::format("a request has at most {} bytes", kMaxLineBytes)}));
  };
  auto lines = LineServer::listen(loop, endpoint, "--control", {.line_bytes = kMaxLineBytes}, std::move(handlers));
  if (!lines) return lines.error();
  server->lines_ = std::move(*lines);
  return server;
}

ControlServer::~ControlServer() = default;

void ControlServer::on_line(LineServer::ClientId id, const std::string& line) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) return lines_->ready(id);
  Request request = parse_request(line);
  Client& client = clients_[id];
  if (!request.is_json && !client.spoke) {  // a browser that was sent here, or another stranger: nothing it sends is for us
    lines_->send(id, reply_line({}, request.invocation.error()));
    return lines_->finish(id);
  }
  client.spoke = true;
  if (!request.invocation) return answer(id, request.id, request.invocation.error());
  runner_.run(std::move(*request.invocation), &client.call,
              [this, id, request_id = request.id](const Result<Json>& result) { answer(id, request_id, result); });
}

void ControlServer::answer(LineServer::ClientId id, const Json& request_id, const Result<Json>& result) {
  lines_->send(id, reply_line(request_id, result));
  lines_->ready(id);
}

void ControlServer::publish(EventKind kind, const Json& data) {
  const std::string line = event_line(kind, data);
  for (auto& [id, client] : clients_)
    if (client.call.events >> static_cast<unsigned>(kind) & 1) send_event(id, client, line);
}

void ControlServer::publish_match(u64 owner, const Json& data) {
  const auto client = clients_.find(owner);
  if (client != clients_.end()) send_event(owner, client->second, to_text({{"event", "match"}, {"data", data}}) + "\n");
}

void ControlServer::send_event(LineServer::ClientId id, Client& client, const std::string& line) {
  if (lines_->backlog_bytes(id) > kMaxEventBacklogBytes) {
    client.lost++;
    return;
  }
  if (client.lost) lines_->send(id, to_text({{"event", "lost"}, {"data", {{"count", std::exchange(client.lost, 0)}}}}) + "\n");
  lines_->send(id, line);
}

}  // namespace ia64::machine::control
