// `--gdb`: a socket where a debugger takes hold of the machine.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "machine/control/control_server.h"
#include "machine/debugger/gdb_stub.h"
#include "machine/host/line_server.h"

namespace ia64::machine::debugger {

/// One debugger at a time: a new connection takes the place of the old one. Who only connects, or sends what is no packet, changes
/// nothing for the guest. Loop thread; the machine is stopped before this goes away.
class GdbServer final : private DebugTarget {
 public:
  /// @param endpoint unix:PATH or tcp:[127.0.0.1:]PORT
  static Result<std::unique_ptr<GdbServer>> listen(HostLoop& loop, Machine& machine, control::CommandRunner& runner,
                                                   const std::string& endpoint);
  ~GdbServer() override;

  /// The machine has ended.
  void ended() { stub_.ended(); }
  /// Whether the machine is in the debugger's hands: it is to hear of every stop then.
  bool holds() const { return stub_.holds(); }
  /// The machine has paused itself.
  void stopped(const DebugStop& stop) { stub_.stopped(stop); }
  bool flushed() const { return socket_->flushed(); }

 private:
  GdbServer(HostLoop& loop, Machine& machine, control::CommandRunner& runner)
      : loop_(loop), machine_(machine), runner_(runner), stub_(*this) {}
  void connect(LineServer::ClientId id);

  // DebugTarget
  void pause() override { machine_.pause(); }
  void resume() override { machine_.resume(); }
  void step() override { machine_.step(); }
  void ask(std::function<std::string(cpu::Core&)> fn, std::function<void(std::string)> then) override;
  void monitor(const std::string& line, std::function<void(std::string)> done) override;
  void set_points(std::vector<u64> stops, std::vector<cpu::WatchRange> watches) override;
  void power_off() override;
  bool reversible() override { return machine_.irreversible().empty(); }
  void go_back(bool to_point) override { machine_.go_back(to_point); }
  void hold(bool on) override;
  void intervene() override;

  HostLoop& loop_;
  Machine& machine_;
  control::CommandRunner& runner_;
  GdbStub stub_;
  LineServer::ClientId client_ = 0;
  std::unique_ptr<LineServer> socket_;
};

}  // namespace ia64::machine::debugger
