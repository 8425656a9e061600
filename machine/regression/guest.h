// A guest of a test: one `ivm run`, its control connection, and everything it has printed.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/control/control_client.h"
#include "machine/host/console_pattern.h"
#include "machine/host/console_text.h"
#include "machine/regression/child_process.h"

namespace ia64::machine::regression {

using control::Json;

/// One thread. What the guest prints comes through its transcript file: complete from power-on, whoever is slow.
class Guest {
 public:
  struct Setup {
    std::string name, ivm, folder;
    std::vector<std::string> arguments;  ///< of `ivm run`
    u64 max_output_bytes = 0;
  };
  explicit Guest(Setup setup);
  ~Guest();
  Guest(const Guest&) = delete;

  const std::string& name() const { return setup_.name; }
  /// Starts the process; connected() follows. @param more  further arguments  @param seen  what text() begins with: a restored guest
  /// does not print its prompt again
  Result<void> start(const std::vector<std::string>& more, const std::string& seen = "");
  /// The line that was being printed where the last match ended.
  std::string open_line() const;
  bool started() const { return process_.has_value(); }
  bool running() const { return process_ && !status_; }
  bool connected() const { return control_.has_value(); }
  /// Of the last run, once it has ended.
  std::optional<int> status() const { return status_; }
  void kill();

  /// Takes what has come: output, events, replies, the end of the process. Does not wait.
  void update();
  /// Descriptors that become readable when there is something for update().
  std::vector<int> fds() const;

  /// What this run of the guest has printed, as text.
  const std::string& text() const { return text_; }
  /// The end of the last match: where the next search begins.
  size_t position = 0;
  /// Nothing will be added to text().
  bool output_ended() const { return started() && status_.has_value(); }
  bool printed_too_much() const { return text_.size() > setup_.max_output_bytes; }
  /// The transcript's bytes up to what became text()[position].
  std::string bytes_up_to_position() const;

  /// Sends a request. @returns its id, or nullopt when the connection is over
  std::optional<i64> post(const Json& request);
  std::optional<Json> take_reply(i64 id);
  std::deque<Json> events;  ///< that have come, oldest first
  /// Whether time is counted, and the guest therefore runs only while a step waits for it (docs/icount.md).
  bool held() const { return held_; }
  /// Lets a held guest run, if it stands, until it has done something worth seeing.
  void let_run();
  /// A held guest has not come to stand yet: what it has done so far depends on the host.
  bool on_its_way() const { return go_request_ != 0 && running(); }
  /// What a held guest that stands has not taken of what was typed.
  u64 untyped_bytes() const { return untyped_bytes_; }
  void typed(u64 bytes) { untyped_bytes_ += bytes; }
  /// The clock of the guest as last heard of, in ms since power-on. Asks for the next value.
  u64 clock_ms();

  std::string control_path() const { return file("control"); }
  /// What the process said on standard error.
  std::string complaints() const;
  /// Files of this guest worth keeping: the transcripts, the oldest first.
  const std::vector<std::string>& transcripts() const { return transcripts_; }

 private:
  bool has_option(std::string_view name) const;
  void read_transcript();
  void take_stand();
  void connect();
  std::string file(const char* suffix) const;

  const Setup setup_;
  unsigned runs_ = 0;
  std::string seen_;  ///< of start()
  std::optional<ChildProcess> process_;
  std::optional<int> status_;
  std::optional<control::ControlClient> control_;
  std::vector<std::string> transcripts_;
  int transcript_ = -1, notify_ = -1;
  ConsoleText reader_;
  std::string text_;
  u64 clock_ms_ = 0;
  i64 clock_request_ = 0;
  bool held_ = false;
  i64 go_request_ = 0;
  u64 untyped_bytes_ = 0;
};

}  // namespace ia64::machine::regression
