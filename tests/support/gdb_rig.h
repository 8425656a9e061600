// A GDB stub in front of one bare processor: runs happen at once, on the caller's thread.
#pragma once

#include <string>
#include <vector>

#include "machine/debugger/gdb_packet.h"
#include "machine/debugger/gdb_stub.h"

namespace ia64::test {

/// The machine of a stub under test. `steps` bounds every run.
class GdbRig final : public machine::debugger::DebugTarget {
 public:
  explicit GdbRig(cpu::Core& core) : stub(*this), core_(core) { connect(); }

  void connect() {
    stub.connected({.send = [this](std::string bytes) { sent += bytes; }, .ready = [this] { handled++; }});
  }
  /// Feeds raw bytes as a connection would. @returns what the stub sent
  std::string feed(std::string_view bytes) {
    sent.clear();
    buffer_.add(bytes);
    while (auto message = buffer_.next(false)) asked++, stub.message(*message);
    return sent;
  }
  /// Sends a packet. @returns the payload of the reply, which must be a single good packet (and an acknowledgement, if wanted)
  std::string ask(std::string_view payload) {
    std::string reply = feed(machine::debugger::frame(payload));
    if (reply.starts_with("+")) reply.erase(0, 1);
    machine::debugger::PacketBuffer in;
    in.add(reply);
    const auto message = in.next(false);
    return message && machine::debugger::frame(std::string_view(*message).substr(1)) == reply ? message->substr(1) : "no reply";
  }

  // DebugTarget
  void pause() override { running = false; }
  void resume() override { run(false); }
  void step() override { run(true); }
  void ask(std::function<std::string(cpu::Core&)> fn, std::function<void(std::string)> then) override { then(fn(core_)); }
  void monitor(const std::string& line, std::function<void(std::string)> done) override { done("did " + line + "\n"); }
  void set_points(std::vector<u64> stops, std::vector<cpu::WatchRange> watches) override {
    core_.set_stop_addresses(std::move(stops));
    core_.set_watches(std::move(watches));
  }
  void power_off() override { powered_off = true; }
  bool reversible() override { return can_go_back; }
  /// What was asked is kept; the answer is the test's affair.
  void go_back(bool to_point) override { went_back += to_point ? "c" : "s"; }
  void hold(bool on) override { held = on; }
  void intervene() override { interventions++; }

  machine::debugger::GdbStub stub;
  std::string sent;
  bool running = true, powered_off = false, can_go_back = false, held = false;
  std::string went_back;
  unsigned interventions = 0;
  unsigned asked = 0, handled = 0;  ///< messages
  u64 most_instructions = 100000;

 private:
  void run(bool step) {
    using machine::DebugStop;
    running = true;
    const cpu::StopReason reason = step ? core_.step() : core_.run(most_instructions);
    DebugStop stop{.why = DebugStop::Why::Step};
    if (reason == cpu::StopReason::StopAddress) stop = {DebugStop::Why::StopAddress, core_.regs().ip | core_.regs().slot};
    if (reason == cpu::StopReason::Watch) {
      const cpu::Fault hit = core_.watch_hit();
      stop = {DebugStop::Why::Watch, hit.ifa, (hit.isr & cpu::isr::kR) != 0, (hit.isr & cpu::isr::kW) != 0};
      core_.suspend_watches(true);
      core_.step();
      core_.suspend_watches(false);
    } else if (!step && reason != cpu::StopReason::StopAddress) {
      return;  // goes on and on
    }
    running = false;
    stub.stopped(stop);
  }

  cpu::Core& core_;
  machine::debugger::PacketBuffer buffer_;
};

}  // namespace ia64::test
