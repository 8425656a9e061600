// The debugger's socket, and the machine behind it.
#include "machine/debugger/gdb_server.h"

#include <fmt/format.h>

#include "machine/control/protocol.h"
#include "machine/control/text_report.h"
#include "machine/debugger/desk.h"
#include "machine/debugger/gdb_packet.h"
#include "machine/debugger/monitor_text.h"
#include "machine/host/host_loop.h"

namespace ia64::machine::debugger {
namespace {

/// Commands that would let the machine run, or stand, behind the debugger's back.
bool is_debuggers_own(const control::CommandRow& row) {
  for (const char* name : {"pause", "continue", "step"})
    if (&row == control::find_command(name)) return true;
  return false;
}

/// A port alone is one of the loopback address.
std::string with_address(const std::string& endpoint) {
  const bool port_only = endpoint.starts_with("tcp:") && endpoint.find(':', 4) == std::string::npos;
  return port_only ? "tcp:127.0.0.1:" + endpoint.substr(4) : endpoint;
}

}  // namespace

Result<std::unique_ptr<GdbServer>> GdbServer::listen(HostLoop& loop, Machine& machine, control::CommandRunner& runner,
                                                     const std::string& endpoint) {
  std::unique_ptr<GdbServer> server(new GdbServer(loop, machine, runner));
  GdbServer* const s = server.get();
  LineServer::Handlers handlers;
  handlers.connected = [s](LineServer::ClientId id) { s->connect(id); };
  handlers.gone = [s](LineServer::ClientId id) {
    if (id == s->client_) s->stub_.gone();
  };
  handlers.line = [s](LineServer::ClientId id, const std::string& message) {
    id == s->client_ ? s->stub_.message(message) : s->socket_->ready(id);
  };
  handlers.too_long = [](LineServer::ClientId) {};
  handlers.framing = [] { return std::make_unique<PacketBuffer>(); };
  auto socket = LineServer::listen(loop, with_address(endpoint), "--gdb", {.clients = 1}, std::move(handlers));
  if (!socket) return socket.error();
  server->socket_ = std::move(*socket);
  return server;
}

GdbServer::~GdbServer() = default;

void GdbServer::connect(LineServer::ClientId id) {
  stub_.gone();
  client_ = id;
  stub_.connected({.send = [this, id](std::string bytes) { socket_->send(id, std::move(bytes)); }, .ready = [this, id] { socket_->ready(id); }});
}

void GdbServer::ask(std::function<std::string(cpu::Core&)> fn, std::function<void(std::string)> then) {
  const bool taken = machine_.call([this, fn = std::move(fn), then] {
    loop_.post([then, answer = fn(machine_.core())] { then(answer); });
  });
  if (!taken) then("E01");
}

void GdbServer::monitor(const std::string& line, std::function<void(std::string)> done) {
  if (line == "help") return done(help_text());
  if (line == "phys" || line.starts_with("phys "))
    return ask([args = line.substr(4)](cpu::Core& core) { return dump_physical(core, args); }, std::move(done));
  if (line == "regs") return ask([](cpu::Core& core) { return registers_text(core); }, std::move(done));
  const bool registers = line.starts_with("regs ");
  auto invocation = control::parse_command_line(registers ? "registers" + line.substr(4) : line);
  if (!invocation) return done(invocation.error().message + "\n");
  if (is_debuggers_own(*invocation->row)) return done("the debugger does that itself: interrupt, continue, stepi\n");
  const bool help = invocation->row == control::find_command("help");
  runner_.run(std::move(*invocation), nullptr, [done = std::move(done), help](const Result<control::Json>& result) {
    if (!result) return done(result.error().message + "\n");
    done(help ? control::help_text(*result) : control::report_text(*result));
  });
}

void GdbServer::set_points(std::vector<u64> stops, std::vector<cpu::WatchRange> watches) {
  machine_.call([desk = runner_.context().desk, stops = std::move(stops), watches = std::move(watches)]() mutable {
    desk->set_remote_points(std::move(stops), std::move(watches));
  });
}

void GdbServer::hold(bool on) {
  machine_.call([this, on] { machine_.keep_history(on); });
}

void GdbServer::intervene() {
  machine_.call([this] { machine_.history_ends(); });
}

void GdbServer::power_off() { runner_.context().end_session("powered off by the debugger"); }

}  // namespace ia64::machine::debugger
