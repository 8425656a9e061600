// One run of one test: its guests, its variables, its private directory, and waiting.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "machine/regression/guest.h"
#include "machine/regression/test_file.h"

namespace ia64::machine::regression {

/// Tells every execution to stop. Signal handlers may use it.
class Cancellation {
 public:
  Cancellation();
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  void cancel(int signal_number);  ///< async-signal-safe
  /// The signal; 0: go on.
  int signal_number() const { return number_.load(std::memory_order_relaxed); }
  int fd() const { return fd_; }  ///< readable once cancelled

 private:
  std::atomic<int> number_{0};
  int fd_;
};

struct ExecutionSettings {
  std::string ivm;
  std::string folder;        ///< private to this run; exists
  double patience = 1;       ///< factor of all time limits
  const Cancellation* cancellation = nullptr;
};

struct TestResult {
  enum class Status : u8 { Passed, Failed, Skipped, Cancelled } status = Status::Passed;
  std::string reason;                    ///< one line: why it was skipped or failed
  std::vector<std::string> details;      ///< of a failure: the rest of the screen
  double seconds = 0;
  std::vector<std::string> files;  ///< transcripts, screens: what a log folder keeps
};

/// One thread.
class Execution {
 public:
  Execution(const TestFile& file, const ExecutionSettings& settings);
  ~Execution();

  TestResult run();

  // For steps.
  const TestFile& file() const { return file_; }
  Variables variables;
  Guest& guest(const Step& step) { return *guests_.at(step.guest); }
  /// A file in the private directory.
  std::string path(const std::string& name) const { return settings_.folder + "/" + name; }

  /// The same for a file that --log-dir keeps.
  std::string kept_file(const std::string& name) {
    kept_.push_back(path(name));
    return kept_.back();
  }

  /// Waits until `done`, which is asked whenever something has come from any guest. Fails when time is up, when the guest of the step ends
  /// before (unless it `may_end`), when another one dies, prints too much or prints what it must not.
  /// @param what  for the message: "nothing matches /x/"  @param within_ms  guest time; 0: none but the host's
  /// @param stands  a guest of counted time stands meanwhile: the answer comes without it
  Outcome wait(const Step& step, const std::string& what, u64 within_ms, bool may_end, const std::function<bool()>& done, bool stands = false);
  /// What the time limit of a step is. @param given of the step itself
  u64 limit_ms(std::optional<u64> given) const { return given.value_or(file_.guest_timeout_ms); }
  /// Runs a control command. @param reply  gets the whole reply, an error of the command included
  Outcome ask(const Step& step, Guest& guest, const Json& request, Json& reply);
  /// Runs a host program to its end. @param output  gets what it printed
  Outcome run_program(const Step& step, const std::vector<std::string>& arguments, int& status, std::string& output);
  /// Starts a guest and waits for its control connection. @param snapshot  not empty: it is restored from there
  Outcome start(const Step& step, const std::vector<std::string>& more, const std::string& snapshot = "");
  /// A snapshot of the step's guest was saved.
  void saved(const Step& step, const std::string& snapshot) { open_lines_[snapshot] = guest(step).open_line(); }

  /// The steps behind the one that runs are done so often, up to the one that ends a round. The variable `round` counts.
  void begin_rounds(u64 rounds);
  void end_round();

  /// From here on the guest must not print this, up to where steps look.
  void forbid(Guest& guest, ConsolePattern pattern, Place place);
  /// The same while `meanwhile` runs.
  Outcome forbid_until(const Step& step, ConsolePattern pattern, const std::function<Outcome()>& meanwhile);
  /// Checks what is forbidden up to `end` of the guest's text.
  Outcome check_forbidden(Guest& guest, size_t end, bool ended);

 private:
  struct Forbidden {
    Guest* guest;
    ConsolePattern pattern;
    Place place;
    size_t from, searched;
  };
  using Clock = std::chrono::steady_clock;

  std::string missing_need() const;
  Outcome prepare();
  Outcome make_image(const ImageSpec& spec);
  void poll(u64 at_most_ms, int extra_fd = -1);
  void update_all();
  Outcome look_after_others(const Step& step);
  u64 host_left_ms() const;
  u64 scaled(u64 ms) const { return static_cast<u64>(static_cast<double>(ms) * settings_.patience); }
  TestResult failed(const Step& step, const Failure& failure);
  void describe_guest(Guest& guest, std::vector<std::string>& out);
  std::vector<std::string> last_lines(const Guest& guest) const;

  const TestFile& file_;
  const ExecutionSettings settings_;
  Clock::time_point begin_ = Clock::now();
  std::map<std::string, std::unique_ptr<Guest>> guests_;
  std::list<Forbidden> forbidden_;
  std::map<std::string, std::string> open_lines_;  ///< of guests that were saved, by snapshot
  size_t next_step_ = 0, first_of_round_ = 0;
  u64 round_ = 0, rounds_ = 0;
  std::vector<std::string> kept_;
};

}  // namespace ia64::machine::regression
