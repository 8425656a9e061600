// The GDB remote protocol's conversation: what a debugger asks and is told. Knows neither sockets nor threads.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/watchpoints.h"
#include "machine/machine.h"

namespace ia64::machine::debugger {

/// The machine in the hands of a debugger. Called on the loop's thread; callbacks come on it too, at once or later.
class DebugTarget {
 public:
  virtual ~DebugTarget() = default;
  virtual void pause() = 0;
  virtual void resume() = 0;
  virtual void step() = 0;
  /// Runs `fn` where the processor may be touched, in the order of calls and before a resume() or step() that follows.
  virtual void ask(std::function<std::string(cpu::Core&)> fn, std::function<void(std::string)> then) = 0;
  /// Does what `monitor LINE` asks for. `done` gets text for the user.
  virtual void monitor(const std::string& line, std::function<void(std::string)> done) = 0;
  /// The places where the machine is to stop for the debugger, in the order of ask().
  virtual void set_points(std::vector<u64> stops, std::vector<cpu::WatchRange> watches) = 0;
  virtual void power_off() = 0;
  /// Whether go_back() can ever do something.
  virtual bool reversible() = 0;
  /// As step() and resume(), backwards.
  virtual void go_back(bool to_point) = 0;
  /// A debugger has taken hold of the machine, or has let go. In the order of ask().
  virtual void hold(bool on) = 0;
  /// The debugger is about to change registers or memory. In the order of ask().
  virtual void intervene() = 0;
};

/// One debugger at a time. A message is handled when `ready` has been called; only then may the next one come.
class GdbStub {
 public:
  struct Client {
    std::function<void(std::string bytes)> send;
    std::function<void()> ready;
  };
  explicit GdbStub(DebugTarget& target) : target_(target) {}

  void connected(Client client);
  /// The connection is gone. As a detach: a guest that the debugger held goes on.
  void gone();
  /// @param message as PacketBuffer gives it
  void message(const std::string& message);
  /// The machine has paused itself.
  void stopped(const DebugStop& stop);
  /// The machine has ended: a debugger that waits hears of it.
  void ended();
  /// Whether the machine is in the debugger's hands, running or not.
  bool holds() const { return holds_; }

 private:
  struct Row;
  static const Row kRows[];

  // Ways to end the handling of a message.
  void reply(std::string_view payload);
  void silent() { client_.ready(); }
  std::function<void(std::string)> later();

  void packet(std::string_view payload);
  void interrupt();
  void resume(bool step);
  void take_hold();
  void go_back(bool to_point);
  void report(std::string_view stop);
  void apply_points();
  void release();
  void resume_at(std::string_view args, bool with_signal, bool step);
  bool change_point(std::string_view args, bool insert);
  void send(std::string_view payload);

  // Packets, by what follows their name.
  void why_stopped(std::string_view);
  void resume_actions(std::string_view args);
  void continue_(std::string_view args) { resume_at(args, false, false); }
  void continue_signal(std::string_view args) { resume_at(args, true, false); }
  void step(std::string_view args) { resume_at(args, false, true); }
  void step_signal(std::string_view args) { resume_at(args, true, true); }
  void back_one(std::string_view) { go_back(false); }
  void back_to_point(std::string_view) { go_back(true); }
  void insert_point(std::string_view args);
  void remove_point(std::string_view args);
  void detach(std::string_view);
  void kill(std::string_view);
  void kill_silently(std::string_view);
  void supported(std::string_view);
  void no_acks(std::string_view);
  void features(std::string_view args);
  void threads(std::string_view args);
  void first_threads(std::string_view) { reply("m1"); }
  void more_threads(std::string_view) { reply("l"); }
  void current_thread(std::string_view args) { reply(args.empty() ? "QC1" : ""); }
  void thread_name(std::string_view);
  void is_attached(std::string_view) { reply("1"); }
  void symbols(std::string_view) { reply("OK"); }
  void command(std::string_view args);
  void resume_kinds(std::string_view) { reply("vCont;c;C;s;S"); }
  void choose_thread(std::string_view args);
  void thread_alive(std::string_view args);

  DebugTarget& target_;
  Client client_;
  bool connected_ = false;
  u64 connections_ = 0;     ///< tells late answers whom they were for
  bool acks_ = true;
  bool names_breaks_ = false;  ///< gdb understands swbreak and hwbreak
  bool holds_ = false;      ///< the debugger has looked at the machine and may have stopped it
  bool running_ = false;    ///< it waits for a stop
  std::string last_;        ///< the last packet, for a repetition
  std::string stop_ = "T05thread:1;";
  std::set<u64> software_, hardware_;
  struct Watch {
    char kind;              ///< as in Z packets: 2 write, 3 read, 4 both
    u64 address, size_bytes;
    auto operator<=>(const Watch&) const = default;
  };
  std::set<Watch> watches_;
};

}  // namespace ia64::machine::debugger
