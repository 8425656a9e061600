// Steps in order, waiting, and the forbidden.
#include "machine/regression/execution.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "machine/regression/images.h"

namespace ia64::machine::regression {
namespace {

constexpr u64 kClockPeriodMs = 250;  // how often a waiting step looks at the guest's clock
constexpr u64 kConnectPeriodMs = 20;

std::string seconds(u64 ms) { return fmt::format("{:g} s", static_cast<double>(ms) / 1000); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Cancellation::Cancellation() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
Cancellation::~Cancellation() { close(fd_); }
void Cancellation::cancel(int signal_number) {
  number_.store(signal_number, std::memory_order_relaxed);
  const u64 one = 1;
  (void)!write(fd_, &one, sizeof one);
}

Execution::Execution(const TestFile& file, const ExecutionSettings& settings) : variables(file.variables), file_(file), settings_(settings) {
  const std::string& path = file.source.path();
  const size_t slash = path.rfind('/');
  variables["dir"] = slash == std::string::npos ? "." : path.substr(0, slash);
  variables["tmp"] = settings.folder;
  variables["ivm"] = settings.ivm;
}

Execution::~Execution() = default;

u64 Execution::host_left_ms() const {
  const u64 used = static_cast<u64>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_).count());
  const u64 all = scaled(file_.host_timeout_ms);
  return used < all ? all - used : 0;
}

std::string Execution::missing_need() const {
  for (const Template& need : file_.needs) {
    const std::string name = need.expand(variables);
    if (name.find('/') == std::string::npos) {
      if (find_program(name).empty()) return fmt::format("no program '{}'", name);
    } else if (access(name.c_str(), R_OK) != 0) {
      return fmt::format("no file {}", name);
    }
  }
  return {};
}

TestResult Execution::run() {
  TestResult result;
  if (const std::string missing = missing_need(); !missing.empty()) {
    result.status = TestResult::Status::Skipped;
    result.reason = missing;
    return result;
  }
  const Step header{{1, 1}, "(the images of the header)", {}, {}};
  if (const auto failure = prepare()) {
    result = failed(header, *failure);
  } else {
    while (next_step_ < file_.steps.size()) {
      const Step& step = file_.steps[next_step_++];
      const auto outcome = step.action(*this, step);
      if (!outcome) continue;
      result = failed(step, *outcome);
      break;
    }
  }
  for (auto& [name, guest] : guests_) {
    guest->kill();
    result.files.insert(result.files.end(), guest->transcripts().begin(), guest->transcripts().end());
  }
  result.files.insert(result.files.end(), kept_.begin(), kept_.end());
  result.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  return result;
}

Outcome Execution::prepare() {
  for (const ImageSpec& spec : file_.images)
    if (auto failure = make_image(spec)) return failure;
  for (const GuestSpec& spec : file_.guests) {
    Guest::Setup setup{spec.name, settings_.ivm, settings_.folder, {}, file_.max_output_bytes};
    for (const Template& a : spec.arguments) setup.arguments.push_back(a.expand(variables));
    guests_[spec.name] = std::make_unique<Guest>(std::move(setup));
  }
  return {};
}

Outcome Execution::make_image(const ImageSpec& spec) {
  const bool overlay = spec.kind == ImageSpec::Kind::Overlay;
  const std::string at = path(spec.name + (overlay ? ".overlay" : ".img"));
  variables[spec.name] = (overlay ? "overlay:" : "file:") + at;
  variables[spec.name + ".path"] = at;
  Result<void> made;
  switch (spec.kind) {
    case ImageSpec::Kind::Copy: made = copy_image(spec.source.expand(variables), at); break;
    case ImageSpec::Kind::Overlay: made = make_overlay(spec.source.expand(variables), at); break;
    case ImageSpec::Kind::Empty: made = make_empty(at, spec.size_bytes); break;
    case ImageSpec::Kind::Made: {
      variables["path"] = at;
      std::vector<std::string> command;
      for (const Template& word : spec.command) command.push_back(word.expand(variables));
      int status = 0;
      std::string output;
      if (auto failure = run_program({spec.place, "", {}, {}}, command, status, output)) return failure;
      if (status != 0) made = Error{ErrorKind::Io, fmt::format("{} ended with status {}: {}", command[0], status, output)};
    }
  }
  if (!made) return Failure{fmt::format("image '{}': {}", spec.name, made.error().message), {}};
  return {};
}

void Execution::update_all() {
  for (auto& [name, guest] : guests_)
    if (guest->running()) guest->update();
}

void Execution::poll(u64 at_most_ms, int extra_fd) {
  std::vector<pollfd> fds = {{settings_.cancellation->fd(), POLLIN, 0}};
  if (extra_fd >= 0) fds.push_back({extra_fd, POLLIN, 0});
  for (auto& [name, guest] : guests_) {
    for (const int fd : guest->fds()) fds.push_back({fd, POLLIN, 0});
    if (guest->running() && !guest->connected()) at_most_ms = std::min(at_most_ms, kConnectPeriodMs);
  }
  (void)::poll(fds.data(), fds.size(), static_cast<int>(std::min<u64>(at_most_ms, 60'000)));
}

/// A guest that nobody waits for may power off, but not die.
Outcome Execution::look_after_others(const Step& step) {
  for (auto& [name, guest] : guests_) {
    if (guest->started() && guest->printed_too_much())
      return Failure{fmt::format("guest '{}' printed more than max_output, {} bytes", name, file_.max_output_bytes), {}};
    if (name == step.guest || guest->running() || guest->status().value_or(0) == 0) continue;
    return Failure{fmt::format("guest '{}' ended with status {}: {}", name, *guest->status(), first_line(guest->complaints())), {}};
  }
  return {};
}

Outcome Execution::wait(const Step& step, const std::string& what, u64 within_ms, bool may_end, const std::function<bool()>& done, bool stands) {
  Guest* const g = step.guest.empty() ? nullptr : &guest(step);
  std::optional<u64> guest_began;
  auto looked = Clock::now() - std::chrono::milliseconds(kClockPeriodMs);
  for (;;) {
    update_all();
    if (!(g && g->on_its_way()) && done()) return {};
    if (settings_.cancellation->signal_number()) return Failure{"stopped by a signal", {}};
    if (g && !may_end && !g->running())
      return g->started() ? Failure{fmt::format("guest '{}' ended with status {} and {}: {}", g->name(), g->status().value_or(0), what, first_line(g->complaints())), {}}
                          : Failure{fmt::format("guest '{}' is not running: `start` starts it", g->name()), {}};
    if (auto failure = look_after_others(step)) return failure;
    const u64 left = host_left_ms();
    if (left == 0) return Failure{fmt::format("{} within the test's host_timeout of {}", what, seconds(scaled(file_.host_timeout_ms))), {}};
    const bool look = g && (g->held() ? !g->on_its_way() : Clock::now() - looked >= std::chrono::milliseconds(kClockPeriodMs));
    if (look && within_ms && g->connected()) {
      looked = Clock::now();
      const u64 now = g->clock_ms();
      if (!guest_began && (now || g->held())) guest_began = now;
      if (guest_began && now - *guest_began >= scaled(within_ms)) return Failure{fmt::format("{} within {} of the guest's time", what, seconds(scaled(within_ms))), {}};
    }
    if (g && g->connected() && !stands) g->let_run();
    poll(std::min(left, g && within_ms ? kClockPeriodMs : left));
  }
}

Outcome Execution::start(const Step& step, const std::vector<std::string>& more, const std::string& snapshot) {
  Guest& g = guest(step);
  if (g.running()) return Failure{fmt::format("guest '{}' is running already", g.name()), {}};
  for (auto f = forbidden_.begin(); f != forbidden_.end(); ++f)
    if (f->guest == &g) f->from = f->searched = 0;
  if (auto ok = g.start(more, snapshot.empty() ? "" : open_lines_[snapshot]); !ok) return Failure{ok.error().message, {}};
  variables[g.name() + ".log"] = g.transcripts().back();
  variables[g.name() + ".control"] = g.control_path();
  return wait(step, "its control socket does not answer", 0, false, [&] { return g.connected(); }, true);
}

Outcome Execution::ask(const Step& step, Guest& g, const Json& request, Json& reply) {
  const auto id = g.post(request);
  if (!id) return Failure{g.started() ? fmt::format("guest '{}' has ended", g.name()) : fmt::format("guest '{}' is not running: `start` starts it", g.name()), {}};
  return wait(step, "a control command was not answered", 0, false, [&] {
    auto got = g.take_reply(*id);
    if (got) reply = std::move(*got);
    return got.has_value();
  }, true);
}

Outcome Execution::run_program(const Step& step, const std::vector<std::string>& arguments, int& status, std::string& output) {
  const std::string at = path("program.out");
  auto process = ChildProcess::start(arguments, at, at);
  if (!process) return Failure{process.error().message, {}};
  for (;;) {
    update_all();
    if (const auto ended = process->status()) {
      status = *ended;
      std::ifstream in(at, std::ios::binary);
      output.assign(std::istreambuf_iterator<char>(in), {});
      return {};
    }
    if (settings_.cancellation->signal_number()) return Failure{"stopped by a signal", {}};
    if (auto failure = look_after_others(step)) return failure;
    const u64 left = host_left_ms();
    if (left == 0) return Failure{fmt::format("{} did not end within the test's host_timeout", arguments[0]), {}};
    poll(left, process->end_fd());
  }
}

void Execution::begin_rounds(u64 rounds) {
  first_of_round_ = next_step_;
  rounds_ = rounds;
  round_ = 1;
  variables["round"] = "1";
}

void Execution::end_round() {
  if (round_ == rounds_) return;
  next_step_ = first_of_round_;
  variables["round"] = std::to_string(++round_);
}

void Execution::forbid(Guest& g, ConsolePattern pattern, Place place) { forbidden_.push_back({&g, std::move(pattern), place, g.position, g.position}); }

Outcome Execution::forbid_until(const Step& step, ConsolePattern pattern, const std::function<Outcome()>& meanwhile) {
  forbid(guest(step), std::move(pattern), step.place);
  const auto last = std::prev(forbidden_.end());
  auto outcome = meanwhile();
  forbidden_.erase(last);
  return outcome;
}

Outcome Execution::check_forbidden(Guest& g, size_t end, bool ended) {
  for (Forbidden& f : forbidden_) {
    if (f.guest != &g) continue;
    const auto match = f.pattern.find(std::string_view(g.text()).substr(0, end), f.from, f.searched, ended);
    if (!match) continue;
    return Failure{fmt::format("guest '{}' printed what line {} forbids: {}", g.name(), f.place.line, f.pattern.written()), {"it printed: " + match->groups[0]}};
  }
  return {};
}

}  // namespace ia64::machine::regression
