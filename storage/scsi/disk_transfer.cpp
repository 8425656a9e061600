// SCSI disk: commands that move or drop data.
#include <algorithm>
#include <memory>
#include <optional>

#include "storage/request_pieces.h"
#include "storage/scsi/block_result.h"
#include "storage/scsi/disk_target.h"

namespace ia64::storage::scsi {

namespace {

constexpr u8 kProtectBits = 0xe0;  // RDPROTECT, WRPROTECT, VRPROTECT
constexpr u8 kFua = 0x08;
constexpr u8 kAnchor = 0x10;
constexpr u64 kPatternBytes = 64 * 1024;
constexpr u64 kMaxVerifyBytes = u64{4} << 20;  // what one VERIFY may compare; more would let a guest fill the host's memory

/// Offset of the first byte of `found` that differs from `wanted`, which repeats when it is shorter.
std::optional<u64> first_difference(std::span<const u8> found, std::span<const u8> wanted) {
  for (u64 at = 0; at < found.size(); at += wanted.size())
    for (u64 i = 0; i < wanted.size(); i++)
      if (found[at + i] != wanted[i]) return at + i;
  return std::nullopt;
}

Result miscompare(u64 offset) {
  Sense s = sense::kMiscompare;
  s.has_information = true;
  s.information = static_cast<u32>(offset);
  return {.status = Status::CheckCondition, .sense = s};
}

}  // namespace

// The task moves into the request.
DiskTarget::Completion DiskTarget::completion(Task& task, u64 lba, u64 transferred, bool write) {
  return [this, task = std::move(task), lba, transferred, write](BlockStatus status) mutable {
    finish(task, result_of(status, lba, transferred, write));
  };
}

bool DiskTarget::in_range(const BlockRange& r) const {
  const u64 count = device_->block_count();
  return r.lba <= count && r.blocks <= count - r.lba;
}

bool DiskTarget::too_long(u64 blocks) const {
  return identity_.max_transfer_bytes && blocks * device_->block_bytes() > identity_.max_transfer_bytes;
}

bool DiskTarget::refuse_range(Task& task, const BlockRange& range) {
  if (!in_range(range)) return refuse(task, sense::kLbaOutOfRange), true;
  if (too_long(range.blocks)) return refuse(task, sense::kInvalidFieldInCdb), true;
  return false;
}

bool DiskTarget::refuse_write(Task& task) {
  if (device_->read_only()) return refuse(task, sense::kWriteProtected), true;
  if (modes_.software_write_protect()) return refuse(task, sense::kSoftwareWriteProtected), true;
  return false;
}

void DiskTarget::transfer(Task& task, BlockOp op, const BlockRange& range, bool fua) {
  if (refuse_range(task, range)) return;
  const bool write = op == BlockOp::Write;
  auto list = std::move(write ? task.data_out : task.data_in);
  const u64 bytes = range.blocks * device_->block_bytes();
  if (list_bytes(list) < bytes) return finish(task, {.overrun = true});
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

bool DiskTarget::fua_needed(const Task& task) const {
  return (task.cdb[1] & kFua) || !modes_.write_cache();
}

void DiskTarget::write(Task& task) {
  const u8 op = task.cdb[0];
  if (op != kWrite6 && (task.cdb[1] & kProtectBits)) return refuse(task, sense::kInvalidFieldInCdb);
  // What a write has put into the file is what a verification would read back.
  const bool and_verify = op == kWriteAndVerify10 || op == kWriteAndVerify12 || op == kWriteAndVerify16;
  if (and_verify && (task.cdb[1] & 0x04)) return refuse(task, sense::kInvalidFieldInCdb);  // BYTCHK 2 and 3
  const bool fua = and_verify || (op == kWrite6 ? !modes_.write_cache() : fua_needed(task));
  if (refuse_write(task)) return;
  transfer(task, BlockOp::Write, block_range(task.cdb), fua);
}

void DiskTarget::verify(Task& task) {
  const unsigned byte_check = task.cdb[1] >> 1 & 3;
  const auto range = block_range(task.cdb);
  if ((task.cdb[1] & kProtectBits) || byte_check == 2) return refuse(task, sense::kInvalidFieldInCdb);
  if (byte_check && range.blocks) return compare(task, range, byte_check == 3);
  in_range(range) ? good(task) : refuse(task, sense::kLbaOutOfRange);  // a host file checks its medium by itself
}

// VERIFY with data: all of them, or one block that every block must equal.
void DiskTarget::compare(Task& task, const BlockRange& range, bool same_block) {
  if (!in_range(range)) return refuse(task, sense::kLbaOutOfRange);
  const u64 block = device_->block_bytes(), bytes = range.blocks * block;
  if (bytes > kMaxVerifyBytes) return refuse(task, sense::kInvalidFieldInCdb);
  auto wanted = std::make_shared<std::vector<u8>>(same_block ? block : bytes);
  if (copy_from_list(task.data_out, *wanted) != wanted->size()) return finish(task, {.overrun = true});
  auto found = std::make_shared<std::vector<u8>>(bytes);
  auto done = [this, task = std::move(task), wanted, found, range](BlockStatus status) mutable {
    if (status != BlockStatus::Ok) return finish(task, result_of(status, range.lba, 0, false));
    const auto at = first_difference(*found, *wanted);
    finish(task, at ? miscompare(*at) : Result{.transferred = wanted->size()});
  };
  device_->submit({.op = BlockOp::Read,
                   .offset_bytes = range.lba * block,
                   .size_bytes = bytes,
                   .iov = {{found->data(), found->size()}},
                   .done = std::move(done)});
}

void DiskTarget::check_range(Task& task) {
  const bool seek = task.cdb[0] == kSeek10;
  const BlockRange range = seek ? BlockRange{load_be<u32>(&task.cdb[2]), 1} : block_range(task.cdb);
  in_range(range) ? good(task) : refuse(task, sense::kLbaOutOfRange);
}

// --- COMPARE AND WRITE
// ------------------------------------------------------------------------------------------------

void DiskTarget::compare_and_write(Task& task) {
  {
    std::lock_guard lock(compare_mutex_);
    compare_queue_.push_back(std::move(task));
    if (comparing_) return;
    comparing_ = true;
  }
  next_compare_and_write();
}

void DiskTarget::next_compare_and_write() {
  Task task;
  {
    std::lock_guard lock(compare_mutex_);
    if (compare_queue_.empty()) {
      comparing_ = false;
      return;
    }
    task = std::move(compare_queue_.front());
    compare_queue_.pop_front();
  }
  run_compare_and_write(task);
}

void DiskTarget::end_compare_and_write(Task& task, const Result& result) {
  finish(task, result);
  next_compare_and_write();
}

void DiskTarget::run_compare_and_write(Task& task) {
  const auto fail = [&](const Sense& s) { end_compare_and_write(task, {.status = Status::CheckCondition, .sense = s}); };
  const BlockRange range{load_be<u64>(&task.cdb[2]), task.cdb[13]};
  const u64 block = device_->block_bytes(), bytes = range.blocks * block;
  if ((task.cdb[1] & kProtectBits) || range.blocks > kMaxCompareAndWriteBlocks) return fail(sense::kInvalidFieldInCdb);
  if (!in_range(range)) return fail(sense::kLbaOutOfRange);
  if (device_->read_only()) return fail(sense::kWriteProtected);
  if (modes_.software_write_protect()) return fail(sense::kSoftwareWriteProtected);
  if (!bytes) return end_compare_and_write(task, {});
  auto data = std::make_shared<std::vector<u8>>(2 * bytes);
  if (copy_from_list(task.data_out, *data) != data->size()) return end_compare_and_write(task, {.overrun = true});
  auto found = std::make_shared<std::vector<u8>>(bytes);
  auto shared = std::make_shared<Task>(std::move(task));
  auto done = [this, shared, data, found, range](BlockStatus status) {
    if (status != BlockStatus::Ok) return end_compare_and_write(*shared, result_of(status, range.lba, 0, false));
    if (const auto at = first_difference(*found, std::span(*data).first(found->size())))
      return end_compare_and_write(*shared, miscompare(*at));
    write_after_compare(shared, data, range);
  };
  device_->submit({.op = BlockOp::Read,
                   .offset_bytes = range.lba * block,
                   .size_bytes = bytes,
                   .iov = {{found->data(), bytes}},
                   .done = std::move(done)});
}

void DiskTarget::write_after_compare(std::shared_ptr<Task> task, std::shared_ptr<std::vector<u8>> data, BlockRange range) {
  const u64 bytes = data->size() / 2;
  BlockRequest request{.op = BlockOp::Write,
                       .offset_bytes = range.lba * device_->block_bytes(),
                       .size_bytes = bytes,
                       .iov = {{data->data() + bytes, bytes}},
                       .fua = fua_needed(*task),
                       .done = {}};
  request.done = [this, task, data, range](BlockStatus status) {
    end_compare_and_write(*task, result_of(status, range.lba, data->size(), true));
  };
  device_->submit(std::move(request));
}

// --- cache, zeroes, holes
// ---------------------------------------------------------------------------------------------

void DiskTarget::synchronize_cache(Task& task) {
  if (!in_range(block_range(task.cdb))) return refuse(task, sense::kLbaOutOfRange);
  device_->submit(
      {.op = BlockOp::Flush, .iov = {}, .done = completion(task, block_range(task.cdb).lba, 0, true)});
}

void DiskTarget::write_same(Task& task) {
  const auto range = block_range(task.cdb);
  const u64 block = device_->block_bytes();
  const bool no_data = task.cdb[0] == kWriteSame16 && (task.cdb[1] & 0x01);
  if ((task.cdb[1] & (kProtectBits | kAnchor | 0x06)) || range.blocks == 0 || range.blocks > kMaxWriteSameBlocks)
    return refuse(task, sense::kInvalidFieldInCdb);
  if (!in_range(range)) return refuse(task, sense::kLbaOutOfRange);
  if (refuse_write(task)) return;

  const u64 bytes = range.blocks * block;
  auto pattern = std::make_shared<std::vector<u8>>(std::min(bytes, kPatternBytes));
  if (!no_data && copy_from_list(task.data_out, {pattern->data(), block}) != block)
    return finish(task, {.overrun = true});
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
  if (refuse_write(task)) return;
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
  auto join = std::make_shared<RequestJoin>();
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
