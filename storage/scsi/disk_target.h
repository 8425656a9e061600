// A SCSI disk (SBC-3 direct-access device) over a block device.
#pragma once

#include <deque>
#include <memory>

#include "storage/block_device.h"
#include "storage/scsi/inquiry.h"
#include "storage/scsi/logical_unit.h"
#include "storage/scsi/mode_pages.h"

namespace ia64::storage::scsi {

/// Data move straight between the task's lists and the store. COMPARE AND WRITE commands run one after the other; a plain
/// write that overlaps one in time may land before or after it.
/// @source SPC-4, SBC-3
class DiskTarget final : public LogicalUnit {
 public:
  DiskTarget(std::unique_ptr<BlockDevice> device, DiskIdentity identity);

  std::string describe() const override { return device_->describe(); }
  BlockDevice& device() { return *device_; }
  const DiskIdentity& identity() const { return identity_; }
  /// Looks at the size of the store again; a change gives a unit attention. @returns whether it changed
  bool refresh_capacity();

 private:
  static const Row kRows[];
  static const std::span<const Row> kTable;

  // commands that describe and configure
  void inquiry(Task& task);
  void mode_sense(Task& task);
  void mode_select(Task& task);
  void read_capacity10(Task& task);
  void service_action_in(Task& task);
  void get_lba_status(Task& task);
  void start_stop(Task& task);
  // commands that move data
  void read(Task& task);
  void write(Task& task);
  void verify(Task& task);
  void synchronize_cache(Task& task);
  void write_same(Task& task);
  void unmap(Task& task);
  void compare_and_write(Task& task);
  void check_range(Task& task);

  using Completion = std::function<void(BlockStatus)>;
  void transfer(Task& task, BlockOp op, const BlockRange& range, bool fua);
  void compare(Task& task, const BlockRange& range, bool same_block);
  void next_compare_and_write();
  void run_compare_and_write(Task& task);
  void write_after_compare(std::shared_ptr<Task> task, std::shared_ptr<std::vector<u8>> data, BlockRange range);
  void end_compare_and_write(Task& task, const Result& result);
  bool refuse_range(Task& task, const BlockRange& range);
  bool refuse_write(Task& task);
  bool in_range(const BlockRange& range) const;
  bool too_long(u64 blocks) const;
  bool fua_needed(const Task& task) const;
  ModePages::Medium medium() const;
  Completion completion(Task& task, u64 lba, u64 transferred, bool write);

  Sense readiness() override { return stopped_ ? sense::kBecomingReady : sense::kNone; }
  bool descriptor_sense() const override { return modes_.descriptor_sense(); }
  void after_reset(ResetKind kind) override;
  void visit_unit_state(StateArchive& a) override { a(modes_, stopped_); }

  const std::unique_ptr<BlockDevice> device_;
  const DiskIdentity identity_;
  std::mutex compare_mutex_;  // guards the queue
  std::deque<Task> compare_queue_;
  bool comparing_ = false;
  // volatile state
  ModePages modes_;
  std::atomic<bool> stopped_{false};
};

}  // namespace ia64::storage::scsi
