// SCSI disk: commands that move or drop data.
#include <algorithm>
#include <memory>

#include "storage/scsi/disk_target.h"

namespace ia64::storage::scsi {

namespace {

constexpr u8 kProtectBits = 0xe0;  // RDPROTECT, WRPROTECT, VRPROTECT
constexpr u8 kFua = 0x08;
constexpr u64 kPatternBytes = 64 * 1024;

Sense sense_of(BlockStatus status, bool write, u64 lba) {
  Sense s;
  switch (status) {
    case BlockStatus::NoSpace: return sense::kSpaceAllocationFailed;
    case BlockStatus::ReadOnly: return sense::kWriteProtected;
    case BlockStatus::OutOfRange: return sense::kLbaOutOfRange;
    case BlockStatus::NoMedium: return sense::kNoMedium;
    case BlockStatus::Unsupported: return sense::kInvalidFieldInCdb;
    default: s = write ? sense::kWriteError : sense::kReadError;
  }
  s.has_information = lba <= 0xffff'ffff;
  s.information = static_cast<u32>(lba);
  return s;
}

Result result_of(BlockStatus status, u64 lba, u64 transferred, bool write) {
  if (status == BlockStatus::Ok) return {.transferred = transferred};
  return {.status = Status::CheckCondition, .sense = sense_of(status, write, lba)};
}

/// Several block requests that end one command: the last one to finish reports the first failure.
struct Join {
  std::atomic<unsigned> left;
  std::atomic<BlockStatus> status{BlockStatus::Ok};
  std::function<void(BlockStatus)> done;

  void finish(BlockStatus s) {
    BlockStatus ok = BlockStatus::Ok;
    if (s != BlockStatus::Ok) status.compare_exchange_strong(ok, s);
    if (left.fetch_sub(1) == 1) done(status);
  }
};

}  // namespace

// The task's `done` moves into the request; nothing else of the task is needed later.
std::function<void(BlockStatus)> DiskTarget::completion(Task& task, u64 lba, u64 transferred, bool write) {
  return [done = std::move(task.done), lba, transferred, write](BlockStatus status) {
    done(result_of(status, lba, transferred, write));
  };
}

bool DiskTarget::in_range(const BlockRange& r) const {
  const u64 count = device_->block_count();
  return r.lba <= count && r.blocks <= count - r.lba;
}

void DiskTarget::transfer(Task& task, BlockOp op, const BlockRange& range, bool fua) {
  if (!in_range(range)) return refuse(task, sense::kLbaOutOfRange);
  const bool write = op == BlockOp::Write;
  auto& list = write ? task.data_out : task.data_in;
  const u64 bytes = range.blocks * device_->block_bytes();
  if (list_bytes(list) < bytes) return task.done({.overrun = true});
  trim_list(list, bytes);
  device_->submit({.op = op,
                   .offset_bytes = range.lba * device_->block_bytes(),
                   .size_bytes = bytes,
                   .iov = std::move(list),
                   .fua = fua,
                   .done = completion(task, range.lba, bytes, write)});
}

void DiskTarget::read(Task& task) {
  // FUA needs no care here: the host's cache and the medium never differ for a reader.
  if (task.cdb[0] != kRead6 && (task.cdb[1] & kProtectBits)) return refuse(task, sense::kInvalidFieldInCdb);
  transfer(task, BlockOp::Read, block_range(task.cdb), false);
}

void DiskTarget::write(Task& task) {
  const u8 op = task.cdb[0];
  if (op != kWrite6 && (task.cdb[1] & kProtectBits)) return refuse(task, sense::kInvalidFieldInCdb);
  const bool and_verify = op == kWriteAndVerify10 || op == kWriteAndVerify12 || op == kWriteAndVerify16;
  const bool fua = and_verify || (op != kWrite6 && (task.cdb[1] & kFua)) || !modes_.write_cache();
  if (device_->read_only()) return refuse(task, sense::kWriteProtected);
  transfer(task, BlockOp::Write, block_range(task.cdb), fua);
}

void DiskTarget::verify(Task& task) {
  // Without BYTCHK only the medium is checked, which a host file does by itself; comparing data is not
  // offered.
  if (task.cdb[1] & (kProtectBits | 0x06)) return refuse(task, sense::kInvalidFieldInCdb);
  in_range(block_range(task.cdb)) ? good(task) : refuse(task, sense::kLbaOutOfRange);
}

void DiskTarget::synchronize_cache(Task& task) {
  if (!in_range(block_range(task.cdb))) return refuse(task, sense::kLbaOutOfRange);
  device_->submit(
      {.op = BlockOp::Flush, .iov = {}, .done = completion(task, block_range(task.cdb).lba, 0, true)});
}

void DiskTarget::write_same(Task& task) {
  const auto range = block_range(task.cdb);
  const u64 block = device_->block_bytes();
  const bool no_data = task.cdb[0] == kWriteSame16 && (task.cdb[1] & 0x01);
  if ((task.cdb[1] & (kProtectBits | 0x10 | 0x06)) || range.blocks == 0 || range.blocks > kMaxWriteSameBlocks)
    return refuse(task, sense::kInvalidFieldInCdb);
  if (!in_range(range)) return refuse(task, sense::kLbaOutOfRange);
  if (device_->read_only()) return refuse(task, sense::kWriteProtected);

  const u64 bytes = range.blocks * block;
  auto pattern = std::make_shared<std::vector<u8>>(std::min(bytes, kPatternBytes));
  if (!no_data && copy_from_list(task.data_out, {pattern->data(), block}) != block)
    return task.done({.overrun = true});
  // Zeroing in the store cannot be made durable at once, so without a write cache zeroes are written like
  // data.
  const auto block_end = pattern->begin() + static_cast<std::ptrdiff_t>(block);
  const bool zero =
      modes_.write_cache() && std::all_of(pattern->begin(), block_end, [](u8 b) { return b == 0; });
  BlockRequest request{.op = zero ? BlockOp::WriteZeroes : BlockOp::Write,
                       .offset_bytes = range.lba * block,
                       .size_bytes = bytes,
                       .iov = {},
                       .fua = !modes_.write_cache(),
                       .done = {}};
  if (!zero) {
    for (u64 at = block; at < pattern->size(); at += block)
      std::copy_n(pattern->data(), block, pattern->data() + at);
    for (u64 at = 0; at < bytes; at += pattern->size())
      request.iov.push_back(
          {pattern->data(), static_cast<size_t>(std::min<u64>(bytes - at, pattern->size()))});
  }
  request.done = [pattern, done = completion(task, range.lba, no_data ? 0 : block, true)](BlockStatus s) {
    done(s);
  };
  device_->submit(std::move(request));
}

void DiskTarget::unmap(Task& task) {
  const size_t length = load_be<u16>(&task.cdb[7]);
  std::vector<u8> list(length);
  if (task.cdb[1] & 0x01) return refuse(task, sense::kInvalidFieldInCdb);  // anchored blocks
  if (length == 0) return good(task);
  if (length < 8 || copy_from_list(task.data_out, list) != length)
    return refuse(task, sense::kParameterListLength);
  if (device_->read_only()) return refuse(task, sense::kWriteProtected);
  const size_t count = std::min<size_t>(load_be<u16>(&list[2]), length - 8) / 16;
  if (count > kMaxUnmapDescriptors) return refuse(task, sense::kInvalidFieldInParameters);

  std::vector<BlockRange> ranges;
  u64 total = 0;
  for (size_t i = 0; i < count; i++) {
    const BlockRange r{load_be<u64>(&list[8 + 16 * i]), load_be<u32>(&list[16 + 16 * i])};
    if (!in_range(r)) return refuse(task, sense::kLbaOutOfRange);
    if ((total += r.blocks) > kMaxUnmapBlocks) return refuse(task, sense::kInvalidFieldInParameters);
    if (r.blocks) ranges.push_back(r);
  }
  if (ranges.empty()) return good(task, length);
  auto join = std::make_shared<Join>();
  join->left = static_cast<unsigned>(ranges.size());
  join->done = completion(task, ranges[0].lba, length, true);
  for (const auto& r : ranges)
    device_->submit({.op = BlockOp::Discard,
                     .offset_bytes = r.lba * device_->block_bytes(),
                     .size_bytes = r.blocks * device_->block_bytes(),
                     .iov = {},
                     .done = [join](BlockStatus s) { join->finish(s); }});
}

}  // namespace ia64::storage::scsi
