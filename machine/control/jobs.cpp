// Book-keeping of long commands.
#include "machine/control/jobs.h"

#include <fmt/format.h>

#include <algorithm>

namespace ia64::machine::control {

Json Jobs::describe(const Job& job) {
  static constexpr const char* kStates[] = {"running", "done", "failed", "cancelled"};
  Json out = {{"job", job.id}, {"command", job.work.command}, {"state", kStates[static_cast<unsigned>(job.state)]}, {"done", job.done}};
  if (job.work.total) out["total"] = job.work.total;
  out["unit"] = job.work.unit;
  if (!job.result) out["message"] = job.result.error().message;
  return out;
}

Jobs::Job* Jobs::find(Id id) {
  const auto job = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& j) { return j.id == id; });
  return job == jobs_.end() ? nullptr : &*job;
}

Jobs::Id Jobs::start(Work work) {
  forget_old();
  jobs_.push_back({.id = ++last_, .work = std::move(work)});
  publish_(describe(jobs_.back()));
  return last_;
}

void Jobs::progress(Id id, u64 done) {
  constexpr u64 kSteps = 64;
  Job* const job = find(id);
  if (!job || job->state != State::Running) return;
  job->done = std::max(job->done, done);
  if (job->done - job->told < std::max<u64>(job->work.total / kSteps, 1)) return;
  job->told = job->done;
  publish_(describe(*job));
}

void Jobs::end(Id id, const Result<Json>& result) {
  Job* const job = find(id);
  if (!job || job->state != State::Running) return;
  job->state = result ? State::Done : job->cancelled ? State::Cancelled : State::Failed;
  job->result = result;
  if (result && job->work.total) job->done = job->work.total;
  publish_(describe(*job));
  const auto waiting = std::exchange(job->waiting, {});
  for (const auto& tell : waiting) tell(result);
}

bool Jobs::when_ended(Id id, std::function<void(const Result<Json>&)> done) {
  Job* const job = find(id);
  if (!job) return false;
  if (job->state == State::Running)
    job->waiting.push_back(std::move(done));
  else
    done(job->result);
  return true;
}

Result<void> Jobs::cancel(Id id) {
  Job* const job = find(id);
  if (!job) return Error{ErrorKind::NotFound, fmt::format("there is no job {}", id)};
  if (job->state != State::Running) return Error{ErrorKind::Unsupported, fmt::format("job {} has ended", id)};
  if (!job->work.cancel) return Error{ErrorKind::Unsupported, fmt::format("job {}, {}, cannot be stopped", id, job->work.command)};
  job->cancelled = true;
  return std::function(job->work.cancel)();
}

Json Jobs::list() const {
  Json out = Json::array();
  for (const Job& job : jobs_) out.push_back(describe(job));
  return out;
}

void Jobs::forget_old() {
  size_t ended = static_cast<size_t>(std::count_if(jobs_.begin(), jobs_.end(), [](const Job& j) { return j.state != State::Running; }));
  for (auto job = jobs_.begin(); ended > kEndedKept && job != jobs_.end();) {
    if (job->state == State::Running) {
      ++job;
    } else {
      job = jobs_.erase(job);
      ended--;
    }
  }
}

}  // namespace ia64::machine::control
