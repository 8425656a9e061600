// A SCSI disk (SBC-3 direct-access device) over a block device.
#pragma once

#include <atomic>
#include <memory>

#include "storage/block_device.h"
#include "storage/scsi/inquiry.h"
#include "storage/scsi/mode_pages.h"
#include "storage/scsi/target.h"

namespace ia64::storage::scsi {

/// One logical unit, number 0, one initiator. Data move straight between the task's lists and the store. Its
/// state is a few atomics, so no lock is held anywhere. All tasks are treated as SIMPLE.
/// @source SPC-4, SBC-3
class DiskTarget final : public ScsiTarget {
 public:
  DiskTarget(std::unique_ptr<BlockDevice> device, DiskIdentity identity);

  void submit(Task task) override;
  void reset(ResetKind kind) override;
  std::string describe() const override { return device_->describe(); }
  BlockDevice& device() { return *device_; }

 private:
  using Handler = void (DiskTarget::*)(Task&);
  struct Row {
    u8 opcode;
    u8 flags;
    Handler handler;
  };
  static const Row kRows[];
  static const Row* find(u8 opcode);

  // answers
  void good(Task& task, u64 transferred = 0);
  void refuse(Task& task, const Sense& sense);
  void answer(Task& task, std::span<const u8> data, u64 allocation_bytes);

  // commands
  void do_nothing(Task& task) { good(task); }
  void inquiry(Task& task);
  void request_sense(Task& task);
  void report_luns(Task& task);
  void mode_sense(Task& task);
  void mode_select(Task& task);
  void read_capacity10(Task& task);
  void service_action_in(Task& task);
  void start_stop(Task& task);
  void read(Task& task);
  void write(Task& task);
  void verify(Task& task);
  void synchronize_cache(Task& task);
  void write_same(Task& task);
  void unmap(Task& task);

  void absent_unit(Task& task);
  void transfer(Task& task, BlockOp op, const BlockRange& range, bool fua);
  bool in_range(const BlockRange& range) const;
  ModePages::Medium medium() const;
  std::function<void(BlockStatus)> completion(Task& task, u64 lba, u64 transferred, bool write);

  const std::unique_ptr<BlockDevice> device_;
  const DiskIdentity identity_;
  // volatile state
  ModePages modes_;
  std::atomic<u16> attention_;  // pending unit attention as ASC << 8 | ASCQ, or 0
  std::atomic<bool> stopped_{false};
};

}  // namespace ia64::storage::scsi
