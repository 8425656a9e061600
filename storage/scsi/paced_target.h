// A target whose commands take a virtual time that depends on nothing but the command.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "storage/scsi/target.h"

namespace ia64::storage::scsi {

/// Holds each command until its time has come, then has the target below do it and waits for its end on the host: what a
/// command reads, writes and answers, and when, is the same in every run. Commands end one after the other, in the order of
/// their times. For clocks that call on the processor's thread (nothing else may run the guest meanwhile). Any thread.
class PacedTarget final : public ScsiTarget {
 public:
  /// A disk without moving parts on a link of 200 MB/s: commands of a few KiB take a tenth of a millisecond.
  static constexpr u64 kCommandNs = 100'000, kNsPerByte = 5;
  /// Virtual time from submission to completion of a command with buffers of `bytes`.
  static constexpr u64 duration_ns(u64 bytes) { return kCommandNs + bytes * kNsPerByte; }

  PacedTarget(std::unique_ptr<ScsiTarget> below, Clock& clock) : below_(std::move(below)), clock_(clock) {}
  ~PacedTarget() override;

  void submit(Task task) override;
  void reset(ResetKind kind) override { below_->reset(kind); }
  std::string describe() const override { return below_->describe(); }
  /// Does at once everything that waits, and what is submitted meanwhile. @returns whether there was something
  bool settle();

 private:
  struct Waiting {
    Clock::TimerId timer = 0;
    Task task;
  };
  using Key = std::pair<u64, u64>;  ///< due time, order of submission
  void end(Key key);
  void perform(Task task);

  const std::unique_ptr<ScsiTarget> below_;
  Clock& clock_;
  std::mutex mutex_;  // guards what follows
  u64 submitted_ = 0;
  std::map<Key, Waiting> waiting_;
};

}  // namespace ia64::storage::scsi
