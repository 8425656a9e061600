// 53C1030: SCSI I/O requests.
#include <algorithm>

#include "base/log.h"
#include "devices/mpt/mpt.h"
#include "devices/mpt/mpt_request.h"

namespace ia64::devices::mpt {

using storage::scsi::Result;
using storage::scsi::Status;
using storage::scsi::Task;

namespace {

constexpr u32 kInitiatorContextReplyDisable = 1u << 4;  // IOC page 1, Flags
constexpr unsigned kIocPage1Flags = 4;

u32 direction_of(std::span<const u8> frame) {
  return load_le<u32>(&frame[kScsiAtControl]) >> kControlDirectionShift & 3;
}

}  // namespace

IocStatus Mpt::check_scsi_io(Frame frame) const {
  const u8 target = frame[kScsiAtTarget], length = frame[kScsiAtCdbLength];
  if (!state_.port_enabled) return IocStatus::InvalidState;
  if (frame[kScsiAtBus] != 0) return IocStatus::ScsiInvalidBus;
  if (target >= kTargets) return IocStatus::ScsiInvalidTargetId;
  if (length == 0 || length > kScsiMaxCdb || direction_of(frame) == 3 ||
      (frame[kAtMsgFlags] & kScsiSenseInIoc))
    return IocStatus::InvalidField;
  return targets_[target] ? IocStatus::Success : IocStatus::ScsiDeviceNotThere;
}

/// Finds the memory of a request's data. A transfer in no direction has none.
IocStatus Mpt::map_data(Frame frame, Request& request, Task& task) const {
  const u32 direction = direction_of(frame);
  request.to_host = direction == kDirectionRead;
  request.data_bytes = direction == kDirectionNone ? 0 : load_le<u32>(&frame[kScsiAtDataLength]);
  const unsigned chain_at = frame[kAtChainOffset] * 4u;
  if (!walk_sgl(dma(), frame, kScsiAtSgl, chain_at, request.data_bytes, request.segments))
    return IocStatus::InvalidSgl;
  auto& list = request.to_host ? task.data_in : task.data_out;
  list.reserve(request.segments.size());
  for (const Segment& s : request.segments) {
    // Neighbours become one: the store has less to walk.
    if (!list.empty() && static_cast<u8*>(list.back().iov_base) + list.back().iov_len == s.host)
      list.back().iov_len += s.size_bytes;
    else
      list.push_back({s.host, s.size_bytes});
  }
  return IocStatus::Success;
}

void Mpt::start_scsi_io(Frame frame, Submission& out) {
  if (spare_.empty()) spare_.emplace_back();
  Request& request = spare_.front();
  IocStatus refusal = check_scsi_io(frame);
  if (refusal == IocStatus::Success) refusal = map_data(frame, request, out.task);
  if (refusal != IocStatus::Success) {
    Reply reply(frame, kScsiReplyBytes);
    std::copy_n(&frame[4], 3, &reply.bytes[4]);
    reply.bytes[kScsiReplyAtState] = kStateNoScsiStatus | kStateTerminated;
    reply.status(refusal);
    return post_reply(reply);
  }
  std::copy_n(frame.begin(), request.frame.size(), request.frame.begin());
  request.context = load_le<u32>(&frame[kAtContext]);
  request.target = frame[kScsiAtTarget];
  request.lun = decode_lun(&frame[kScsiAtLun]);
  request.sequence = next_sequence_++;
  request.ended_by_manager = false;
  const bool wide = frame[kAtMsgFlags] & kScsiSenseWidth64;
  request.sense_phys = (wide ? u64{state_.sense_high} << 32 : 0) | load_le<u32>(&frame[kScsiAtSenseAddress]);
  in_flight_.splice(in_flight_.end(), spare_, spare_.begin());

  std::copy_n(&frame[kScsiAtCdb], frame[kScsiAtCdbLength], out.task.cdb.begin());
  out.task.lun = request.lun;
  out.target = targets_[request.target].get();
  out.task.done = [this, it = std::prev(in_flight_.end())](const Result& result) { complete(it, result); };
}

// --- completions

void Mpt::complete(RequestList::iterator request, const Result& result) {
  completing_.fetch_add(1, std::memory_order_relaxed);
  {
    std::lock_guard lock(mutex_);
    // Data that arrived by DMA may lie on translated pages, whatever becomes of the reply.
    if (request->to_host)
      for (const Segment& s : request->segments) dma().written(s.phys, s.size_bytes);
    if (operational() && !silenced_) reply_to(*request, result);
    retire(request);
    update_interrupt();
  }
  serve();
  completing_.fetch_sub(1, std::memory_order_release);
  completing_.notify_all();
}

void Mpt::reply_to(const Request& request, const Result& result) {
  Reply reply(request.frame, kScsiReplyBytes);
  std::copy_n(&request.frame[4], 3, &reply.bytes[4]);
  const u32 moved = static_cast<u32>(std::min<u64>(result.transferred, request.data_bytes));
  store_le<u32>(&reply.bytes[kScsiReplyAtTransferred], moved);
  if (request.ended_by_manager) {
    reply.bytes[kScsiReplyAtState] = kStateNoScsiStatus | kStateTerminated;
    reply.status(IocStatus::ScsiTaskTerminated);
  } else if (result.overrun) {
    // Nothing was transferred, so the driver must not take its buffer for filled.
    reply.bytes[kScsiReplyAtState] = kStateNoScsiStatus | kStateTerminated;
    reply.status(IocStatus::ScsiDataOverrun);
  } else {
    reply.bytes[kScsiReplyAtStatus] = static_cast<u8>(result.status);
    if (result.status == Status::CheckCondition) report_sense(request, result, reply);
    if (result.status == Status::Good && moved < request.data_bytes)
      reply.status(IocStatus::ScsiDataUnderrun);
    reply.context_only = result.status == Status::Good && moved == request.data_bytes &&
                         request.context <= kContextReplyMask &&
                         !(pages_.value(PageType::Ioc, 1, kIocPage1Flags) & kInitiatorContextReplyDisable);
  }
  post_reply(reply);
}

void Mpt::report_sense(const Request& request, const Result& result, Reply& reply) const {
  const auto sense = result.sense_bytes();
  const u32 size = std::min<u32>(static_cast<u32>(sense.size()), request.frame[kScsiAtSenseLength]);
  u8* const host = size ? dma().ram_span(request.sense_phys, size) : nullptr;
  reply.bytes[kScsiReplyAtState] = host ? kStateAutosenseValid : kStateAutosenseFailed;
  if (!host) return;
  std::copy_n(sense.data(), size, host);
  dma().written(request.sense_phys, size);
  store_le<u32>(&reply.bytes[kScsiReplyAtSenseBytes], size);
}

void Mpt::retire(RequestList::iterator request) {
  spare_.splice(spare_.begin(), in_flight_, request);
  if (!management_.empty()) finish_management();
  if (in_flight_.empty() && pending_reset_ != Reset::None) finish_reset();
  idle_changed_.notify_all();  // reset() or detach() may wait
}

}  // namespace ia64::devices::mpt
