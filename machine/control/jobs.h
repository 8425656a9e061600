// Commands that take long: each is a job with a number, progress and an end.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/control/command.h"

namespace ia64::machine::control {

/// The jobs of one run. A handler that begins something long starts a job and answers {"job": ID}; a request with the flag `wait`
/// is answered when the job has ended, with what it brought. Whoever asked for `job` events hears of its progress. docs/control.md
/// describes it for clients. Loop thread; other threads post.
class Jobs {
 public:
  using Id = u64;
  /// What a job counts, and how it is called off.
  struct Work {
    std::string command;                        ///< name of the command
    u64 total = 0;                              ///< 0: unknown
    std::string unit = "bytes";
    std::function<Result<void>()> cancel = {};  ///< stops it; end() is called before this returns or later. None: it cannot be stopped
  };
  using Post = std::function<void(std::function<void()>)>;
  /// @param publish  takes the data of `job` events  @param post  runs a function on the loop thread, for jobs of other threads
  explicit Jobs(std::function<void(Json data)> publish, Post post = {}) : publish_(std::move(publish)), post_(std::move(post)) {}
  /// Any thread.
  void post(std::function<void()> fn) const { post_(std::move(fn)); }

  Id start(Work work);
  /// @param done  of `total`; never less than before. Told to clients in steps of a sixty-fourth at most, so that nobody is flooded
  void progress(Id id, u64 done);
  /// The end. @param result  what the command brought, or why it failed; an error of kind Unsupported after a cancel
  void end(Id id, const Result<Json>& result);
  /// Calls `done` when the job ends; at once when it has. @returns false when there is no such job
  bool when_ended(Id id, std::function<void(const Result<Json>&)> done);
  /// @returns NotFound, or Unsupported for a job that has ended or cannot be stopped
  Result<void> cancel(Id id);
  /// All that run and the last ones that ended.
  Json list() const;

 private:
  static constexpr size_t kEndedKept = 16;
  enum class State : u8 { Running, Done, Failed, Cancelled };
  struct Job {
    Id id;
    Work work;
    u64 done = 0, told = 0;
    State state = State::Running;
    bool cancelled = false;
    Result<Json> result = Json();
    std::vector<std::function<void(const Result<Json>&)>> waiting = {};
  };
  static Json describe(const Job& job);
  Job* find(Id id);
  void forget_old();

  const std::function<void(Json)> publish_;
  const Post post_;
  std::deque<Job> jobs_;
  Id last_ = 0;
};

}  // namespace ia64::machine::control
