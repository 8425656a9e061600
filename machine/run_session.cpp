// Front end of one machine run.
#include "machine/run_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/log_listener.h"
#include "cpu/sapic.h"
#include "machine/board.h"
#include "machine/control/control_server.h"
#include "machine/control/debug_arguments.h"
#include "machine/control/jobs.h"
#include "machine/control/text_report.h"
#include "machine/debugger/desk.h"
#include "machine/debugger/gdb_server.h"
#include "machine/host/console_hub.h"
#include "machine/host/console_keys.h"
#include "machine/host/console_watches.h"
#include "machine/host/host_loop.h"
#include "machine/host/terminal.h"
#include "machine/icount/counted_console.h"
#include "machine/icount/held_run.h"
#include "machine/inspect_json.h"
#include "machine/machine.h"
#include "machine/storage_bays.h"
#include "machine/window/console_window.h"
#include "machine/window/paste_feeder.h"

namespace ia64::machine {
namespace {

constexpr u64 kLastRepliesMs = 500;  // how long the end of a run waits for a client that does not read
constexpr int kSignalStatus = 128;  // exit status of a run that a signal ended, less its number, as shells count

void say(const std::string& text) { std::fprintf(stderr, "ivm: %s\n", text.c_str()); }

/// The parts of one run, on the loop thread except where noted.
class Session {
 public:
  explicit Session(const RunOptions& options) : options_(options), hub_(loop_) {}
  ~Session() { log::set_listener({}); }

  Result<ExitStatus> run() {
    for (auto step : {&Session::open_log, &Session::make_script, &Session::make_machine, &Session::make_desk, &Session::open_control, &Session::open_gdb,
                      &Session::open_console})
      if (auto ok = (this->*step)(); !ok) return ok.error();
    connect_signals_and_timeout();
    if (options_.paused) machine_->pause();
    began_ = std::chrono::steady_clock::now();
    if (script_ && counted()) feed_script({});
    machine_->start([this](MachineEnd end) { loop_.post([this, end] { machine_ended(end); }); });
    if (script_ && !counted()) feed_script({});
    serve();
    machine_->stop();
    hub_.drain();
    loop_.settle(kLastRepliesMs, [this] { return (!control_ || control_->flushed()) && (!gdb_ || gdb_->flushed()); });
    if (options_.print_speed) report_speed("");
    if (options_.print_state_hash) say("state hash " + machine_->state_hash());
    terminal_.reset();
    if (auto ok = write_inspection(); !ok) say(ok.error().message);
    report_storage();
    if (!message_.empty()) say(message_);
    return status_;
  }

 private:
  /// The host loop until the end of the run; with a window, which wants this thread, on another one.
  void serve() {
    if (!window_) return loop_.run();
    std::thread loop([this] {
      loop_.run();
      window_->close();
    });
    window_->run();
    loop.join();
  }

  Result<void> open_log() {
    if (options_.log_path.empty()) return {};
    return hub_.log_to(options_.log_path);
  }

  Result<void> make_script() {
    if (counted()) {
      counted_console_.emplace(hub_, [this](std::function<void()> fn) { machine_->at_boundary(std::move(fn)); });
      counted_console_->set_record([this](std::function<void()> again) { machine_->repeat_by(std::move(again)); });
    }
    if (options_.steps.empty()) return {};
    auto script = ConsoleScript::create(options_.steps);
    if (!script) return script.error();
    script_ = std::move(*script);
    script_->send = [this](std::string text) { counted() ? counted_console_->type(text) : void(hub_.type(as_bytes(text))); };
    if (options_.print_speed) script_->matched = [this](const std::string& pattern) { report_speed(" until '" + pattern + "'"); };
    script_->done = [this] { counted() ? machine_->finish() : end(ExitStatus::Done, ""); };
    const auto feed = [this](std::span<const u8> b) { feed_script(b); };
    counted() ? counted_console_->set_listener(feed) : hub_.add_listener(feed);
    return {};
  }

  /// Where time is counted, a script acts when the guest has printed something, not when the host gets to see it.
  bool counted() const { return options_.machine.deterministic(); }

  /// Loop thread; the processor's thread where time is counted. No bytes: begin.
  void feed_script(std::span<const u8> bytes) {
    std::lock_guard lock(script_mutex_);
    bytes.empty() ? script_->start() : script_->feed(bytes);
  }

  std::string script_waits_for() {
    std::lock_guard lock(script_mutex_);
    return script_ ? script_->waiting_for() : "";
  }

  Result<void> make_machine() {
    if (options_.held && !counted()) return Error{ErrorKind::Invalid, "--held: only with --icount"};
    auto machine = Machine::create(options_.machine, counted() ? static_cast<CharChannel&>(*counted_console_) : hub_);
    if (!machine) return machine.error();
    machine_ = std::move(*machine);
    if (options_.held) make_held();
    if (!options_.restore.empty())
      if (auto ok = machine_->load_snapshot(options_.snapshot_dir, options_.restore); !ok) return ok;
    storage_at_start_ = storage_lines();
    return {};
  }

  void make_held() {
    held_.emplace(*machine_, loop_);
    counted_console_->set_notice([this] { held_->noticed(); });
    counted_console_->take_up_to(ConsoleHub::kMaxInputBytes);
  }

  Result<void> make_desk() {
    desk_.emplace(*machine_);
    for (const std::string& file : options_.symbols)
      if (auto ok = desk_->add_symbols(file); !ok) return ok;
    desk_->on_image = [this](const debugger::Desk::Image& image, bool loaded) {
      control::Json data = {{"action", loaded ? "loaded" : "unloaded"}};
      data.update(control::describe_image(image));
      if (loaded) data["gdb"] = image.gdb_line();
      publish(control::EventKind::Image, std::move(data));
      if (held_) held_->noticed();
    };
    machine_->set_debug_observer([this](const DebugStop& stop) {
      loop_.post([this, stop, cause = desk_->stopped(stop)] { stopped(stop, cause); });
    });
    return {};
  }

  /// The machine has paused itself. @param cause a point of the desk, or empty
  void stopped(const DebugStop& stop, const std::string& cause) {
    if (held_) held_->stopped_at_point();
    const bool held = gdb_ && gdb_->holds();
    if (held) gdb_->stopped(stop);
    if (!cause.empty() || (stop.why == DebugStop::Why::Step && !held))
      publish(control::EventKind::State, {{"state", "Paused"}, {"cause", cause.empty() ? "step" : cause}});
    else if (!held)
      machine_->resume();  // at a point of a debugger that has just gone
  }

  Result<void> open_control() {
    runner_.emplace(loop_, control::CommandContext{
                               .machine = machine_.get(),
                               .config = &options_.machine,
                               .snapshot_directory = options_.snapshot_dir,
                               .end_session = [this](const std::string& reason) { end_with_script(ExitStatus::Done, reason); },
                               .publish = [this](control::EventKind kind, control::Json data) { publish(kind, std::move(data)); },
                               .console = &hub_,
                               .watches = &watches_,
                               .jobs = &jobs_,
                               .desk = &*desk_,
                               .held = held_ ? &*held_ : nullptr,
                               .counted_console = held_ ? &*counted_console_ : nullptr});
    if (options_.control.empty()) return {};
    hub_.add_listener([this](std::span<const u8> b) { watches_.feed(b); });
    watches_.on_match = [this](const auto& watch, const auto& match, u64 offset) {
      control_->publish_match(watch.owner, {{"watch", watch.id}, {"offset", offset}, {"groups", match.groups}});
    };
    auto server = control::ControlServer::listen(loop_, *runner_, options_.control);
    if (!server) return server.error();
    control_ = std::move(*server);
    watch_machine();
    return {};
  }

  Result<void> open_gdb() {
    if (options_.gdb.empty()) return {};
    if (options_.held) return Error{ErrorKind::Invalid, "--gdb: not with --held, where the command go lets the guest run"};
    if (options_.machine.engine.engine == Engine::Lockstep)
      return Error{ErrorKind::Invalid, "--gdb: not with --engine lockstep, which runs two engines"};
    auto server = debugger::GdbServer::listen(loop_, *machine_, *runner_, options_.gdb);
    if (!server) return server.error();
    gdb_ = std::move(*server);
    if (options_.gdb_wait) machine_->pause();
    return {};
  }

  /// What happens on other threads becomes events.
  void watch_machine() {
    using control::EventKind;
    machine_->set_observer([this](MachineEvent event) {
      publish(EventKind::State, {{"state", event == MachineEvent::Reset ? "On (EFI)" : "On (OS)"},
                                 {"cause", event == MachineEvent::Reset ? "reset" : "an operating system took over"}});
      if (held_) held_->noticed();
    });
    machine_->board().storage().on_tray = [this](const ResourceStatement& s, bool open) {
      publish(EventKind::Media, {{"action", open ? "tray-opened" : "tray-closed"}, {"statement", format_statement(s)}});
      if (held_) held_->noticed();
    };
    log::set_listener([this](Channel channel, std::string_view text) {
      publish(EventKind::Error, {{"level", channel == Channel::Error ? "error" : "warning"}, {"message", std::string(text)}});
    });
  }

  /// Any thread.
  void publish(control::EventKind kind, control::Json data) {
    loop_.post([this, kind, data = std::move(data)] {
      if (control_) control_->publish(kind, data);
    });
  }

  Result<void> open_console() {
    if (options_.console == "none") return {};
    if (options_.console == "window") return open_window();
    connect_keys();
    const auto on_data = [this](std::span<const u8> b) { keys_.feed(b); };
    if (options_.console == "stdio") {
      terminal_.emplace();
      stream_ = loop_.adopt(STDIN_FILENO, STDOUT_FILENO, on_data);
    } else if (options_.console.starts_with("unix:")) {
      auto stream = loop_.listen_unix(options_.console.substr(5), on_data);
      if (!stream) return stream.error();
      stream_ = std::move(*stream);
    } else {
      return Error{ErrorKind::Invalid,
                   fmt::format("--console {}: unknown kind; use stdio, window, none or unix:PATH", options_.console)};
    }
    hub_.add_listener([this](std::span<const u8> b) { stream_->send(b); });
    return {};
  }

  /// What the window asks for on its thread is done on the loop's.
  Result<void> open_window() {
    window::WindowWires wires;
    wires.name = options_.machine.name;
    wires.type = [this](std::string text) { loop_.post([this, text] { hub_.type(as_bytes(text)); }); };
    wires.paste = [this](std::string text, std::string before, std::string behind) {
      loop_.post([this, text = std::move(text), before, behind] { paste_.start(text, before, behind), show_paste(); });
    };
    wires.stop_paste = [this] { loop_.post([this] { paste_.stop(), show_paste(); }); };
    wires.release_paste = [this] { loop_.post([this] { paste_.release(), show_paste(); }); };
    wires.send_break = [this] { loop_.post([this] { hub_.send_break(); }); };
    wires.run = [this](std::string line, std::function<void(Result<control::Json>)> done) {
      loop_.post([this, line = std::move(line), done = std::move(done)] {
        auto invocation = control::parse_command_line(line);
        if (!invocation) return done(invocation.error());
        runner_->run(std::move(*invocation), nullptr, [done](const Result<control::Json>& answer) { done(answer); });
      });
    };
    auto window = window::ConsoleWindow::open(std::move(wires));
    if (!window) return window.error();
    window_ = std::move(*window);
    runner_->context().window = window_.get();
    paste_.type = [this](std::span<const u8> b) {
      hub_.type(b, [this](size_t left) {
        if (left == 0) paste_.drained(), show_paste();
      });
    };
    hub_.add_listener([this](std::span<const u8> b) {
      paste_.watch_output(b);
      window_->feed(b);
    });
    return {};
  }

  /// Tells the window how far the paste is, when that changed.
  void show_paste() {
    const window::PasteState state{paste_.active(), paste_.held(), paste_.percent()};
    if (state == shown_paste_) return;
    shown_paste_ = state;
    window_->paste_state(state);
  }

  void connect_keys() {
    keys_.to_guest = [this](std::span<const u8> b) { hub_.type(b); };
    keys_.quit = [this] { end_with_script(ExitStatus::Done, "stopped from the console"); };
    keys_.reset = [this] { machine_->reset(); };
    keys_.press_power_button = [this] { machine_->press_power_button(); };
    keys_.send_break = [this] { hub_.send_break(); };
    keys_.prompt = fmt::format("[{}] vMP> ", options_.machine.name);
    keys_.run = [this](const std::string& line) { run_command(line); };
    keys_.show = [this](const std::string& text) { stream_->send(as_bytes(text)); };
  }

  /// A command typed at the console; its answer goes there too.
  void run_command(const std::string& line) {
    auto invocation = control::parse_command_line(line);
    if (!invocation) return show_lines(invocation.error().message + "\n");
    const bool help = invocation->row == control::find_command("help");
    runner_->run(std::move(*invocation), nullptr, [this, help](const Result<control::Json>& result) {
      show_lines(!result ? result.error().message + "\n" : help ? control::help_text(*result) : control::report_text(*result));
    });
  }

  void show_lines(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
    keys_.show(out);
  }

  void connect_signals_and_timeout() {
    loop_.on_signal([this](int number) {
      end(static_cast<ExitStatus>(kSignalStatus + number), fmt::format("stopped by signal {} ({})", number, strsignal(number)));
    });
    if (options_.timeout_s == 0) return;
    loop_.after(u64{options_.timeout_s} * 1000, [this] {
      std::string waiting = script_waits_for();
      if (!waiting.empty()) waiting = fmt::format(" while waiting for '{}'", waiting);
      end(ExitStatus::Timeout, fmt::format("time is up after {} s{}", options_.timeout_s, waiting));
    });
  }

  Result<void> write_inspection() {
    if (options_.inspect_path.empty()) return {};
    const std::string text = inspect_json(*machine_) + "\n";
    const bool standard = options_.inspect_path == "-";
    std::FILE* const f = standard ? stdout : std::fopen(options_.inspect_path.c_str(), "w");
    const bool written = f && std::fwrite(text.data(), 1, text.size(), f) == text.size();
    const bool closed = !f || standard || std::fclose(f) == 0;
    if (written && closed) return {};
    return Error{ErrorKind::Io, fmt::format("--inspect-at-exit {}: cannot write it", options_.inspect_path)};
  }

  /// A run is what its command line says; what was changed while it ran is gone unless the administrator hears how to keep it.
  void report_storage() {
    const auto now = storage_lines();
    if (now == storage_at_start_) return;
    std::string arguments;
    for (const std::string& s : now) arguments += fmt::format(" -a {}", shell_word(s));
    say(now.empty() ? "all storage was detached while the guest ran: a run without -a starts it so" : "storage was changed while the guest ran; to start it so:" + arguments);
  }

  std::set<std::string> storage_lines() {
    std::set<std::string> out;
    for (const auto& s : machine_->board().storage().next_statements()) out.insert(format_statement(s));
    return out;
  }

  static std::string shell_word(const std::string& text) {
    constexpr const char* kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:,=+%@-";
    if (text.find_first_not_of(kPlain) == std::string::npos) return text;
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
  }

  void machine_ended(MachineEnd why) {
    hub_.drain();
    if (why != MachineEnd::PowerOff && why != MachineEnd::Finished) return end(ExitStatus::GuestStopped, fmt::format("guest stopped: {}", describe(why)));
    end_with_script(ExitStatus::Done, "");
  }

  /// A script that still waits makes failure of what would be success.
  void end_with_script(ExitStatus status, std::string message) {
    const std::string waiting = ended_ ? "" : script_waits_for();
    if (waiting.empty()) return end(status, std::move(message));
    end(ExitStatus::GuestStopped, fmt::format("{} while the script waits for '{}'",
                                              message.empty() ? "guest powered off" : message, waiting));
  }

  void end(ExitStatus status, std::string message) {
    if (ended_) return;
    ended_ = true;
    status_ = status;
    message_ = std::move(message);
    if (control_) control_->publish(control::EventKind::State, {{"state", "Off"}, {"cause", message_}});
    if (gdb_) gdb_->ended();
    loop_.stop();
  }

  /// Totals since power-on: instructions, host time, and host processor time of all threads.
  void report_speed(const std::string& until) {
    const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    const double n = static_cast<double>(machine_->slots_retired());
    timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    const double cpu = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
    const u64 translating_ns = machine_->translating_ns();
    const std::string share =
        translating_ns ? fmt::format(" ({:.3f} s translating)", static_cast<double>(translating_ns) / 1e9) : "";
    say(fmt::format("{:.0f} instructions in {:.3f} s: {:.1f} million/s, {:.3f} s of host processor{}{}", n, s, n / s / 1e6, cpu,
                    share, until));
  }

  static std::span<const u8> as_bytes(const std::string& s) { return {reinterpret_cast<const u8*>(s.data()), s.size()}; }

  const RunOptions& options_;
  HostLoop loop_;
  ConsoleHub hub_;
  ConsoleKeys keys_;
  ConsoleWatches watches_;
  control::Jobs jobs_{[this](control::Json data) { publish(control::EventKind::Job, std::move(data)); },
                      [this](std::function<void()> fn) { loop_.post(std::move(fn)); }};
  std::optional<CountedConsole> counted_console_;  ///< between machine and hub where time is counted
  std::unique_ptr<ConsoleScript> script_;
  std::mutex script_mutex_;
  std::optional<RawTerminal> terminal_;
  std::unique_ptr<HostStream> stream_;
  window::PasteFeeder paste_;
  window::PasteState shown_paste_;
  std::optional<control::CommandRunner> runner_;
  std::unique_ptr<control::ControlServer> control_;
  std::unique_ptr<debugger::GdbServer> gdb_;
  std::optional<debugger::Desk> desk_;
  std::unique_ptr<window::ConsoleWindow> window_;
  std::optional<HeldRun> held_;           ///< only with --held
  std::unique_ptr<Machine> machine_;  // stopped before what its threads may call goes away
  std::chrono::steady_clock::time_point began_;
  ExitStatus status_ = ExitStatus::Done;
  std::string message_;
  bool ended_ = false;
  std::set<std::string> storage_at_start_;
};

}  // namespace

const char* describe(MachineEnd end) {
  switch (end) {
    case MachineEnd::PowerOff: return "powered off";
    case MachineEnd::ResetLoop: return "it resets again and again";
    case MachineEnd::FirmwareStop: return "firmware gave up; see the console";
    case MachineEnd::Finished: return "finished";
    case MachineEnd::EnginesDiffer: return "the engines differ";
    case MachineEnd::CpuStop: return "a processor cannot go on";
  }
  return "unknown";
}

Result<ExitStatus> run_session(const RunOptions& options) { return Session(options).run(); }

}  // namespace ia64::machine
