// 53C1030: requests from the queue and the doorbell, replies, events.
#include <algorithm>

#include "base/log.h"
#include "devices/mpt/mpt.h"
#include "devices/mpt/mpt_request.h"

namespace ia64::devices::mpt {

Mpt::Reply::Reply(Frame request, unsigned size) : size_bytes(size) {
  std::copy_n(request.begin(), kHeaderBytes, bytes.begin());
  bytes[kAtMsgLength] = static_cast<u8>(size / 4);
  bytes[kAtMsgFlags] = 0;
}

void Mpt::Reply::status(IocStatus s) {
  store_le<u16>(&bytes[kAtIocStatus], static_cast<u16>(s));
}

size_t Mpt::outstanding() const {
  return in_flight_.size() + management_.size() + waiting_.size();
}

// --- requests

/// Takes requests until none is left or no more may be outstanding. One thread at a time: another one's
/// requests are taken by the thread that is here already. Sends the message interrupt that has become due.
void Mpt::serve() {
  for (bool first = true;; first = false) {
    Submission submission;
    bool more, message;
    {
      std::lock_guard lock(mutex_);
      more = !(first && serving_);
      if (more) serving_ = more = next_request(submission);
      message = std::exchange(message_due_, false);
    }
    if (message) raise_msi();
    if (!more) return;
    if (submission.target) submission.target->submit(std::move(submission.task));
  }
}

/// What a register access set off that reads or writes guest memory; then the request queue.
void Mpt::serve_accesses() {
  if (deferred_.deferred()) {
    std::lock_guard lock(mutex_);
    memory_work();
    update_interrupt();
  }
  serve();
}

void Mpt::memory_work() {
  if (state_.doorbell.whole()) handshake_request();
  flush_replies();
}

bool Mpt::next_request(Submission& out) {
  if (!operational() || silenced_ || (state_.diagnostic & kDiagDisableArm)) return false;
  if (state_.requests.empty() || outstanding() >= kCredits) return false;
  const GuestPhys phys = u64{state_.mfa_high} << 32 | (state_.requests.pop() & kRequestAddressMask);
  std::array<u8, kFrameBytes> frame;  // a copy: the driver may change the original under us
  if (const u8* const host = dma().ram_span(phys, kFrameBytes)) {
    std::copy_n(host, kFrameBytes, frame.begin());
    dispatch(frame, out);
  } else {
    fault(kFaultRequestBus);
  }
  update_interrupt();
  return true;
}

void Mpt::dispatch(Frame frame, Submission& out) {
  const u8 function = frame[kAtFunction];
  LOG(Mpt, "mpt: message {:#x} context {:#x}", function, load_le<u32>(&frame[kAtContext]));
  if (function == static_cast<u8>(Function::ScsiIo)) return start_scsi_io(frame, out);
  if (function == static_cast<u8>(Function::ScsiTaskManagement)) return manage(frame);
  const Row& row = *find(function);
  Reply reply(frame, row.reply_bytes);
  answer(frame, row, reply);
  post_reply(reply);
}

/// A request came through the doorbell; its reply goes back the same way, except that of task management.
void Mpt::handshake_request() {
  if (state_.diagnostic & kDiagDisableArm) return;
  std::array<u8, Doorbell::kRequestBytes> frame;  // a copy: the reply may overwrite the doorbell's buffers
  std::copy_n(state_.doorbell.request().begin(), frame.size(), frame.begin());
  const u8 function = frame[kAtFunction];
  LOG(Mpt, "mpt: message {:#x} by handshake", function);
  if (function == static_cast<u8>(Function::ScsiTaskManagement) && operational()) {
    state_.doorbell.finish();
    return manage(frame);
  }
  const bool elsewhere = function == static_cast<u8>(Function::ScsiIo) ||
                         function == static_cast<u8>(Function::ScsiTaskManagement);
  const Row& row = elsewhere ? *find(0xff) : *find(function);
  Reply reply(frame, row.reply_bytes);
  answer(frame, row, reply);
  if (function == static_cast<u8>(Function::ScsiTaskManagement)) reply.status(IocStatus::InvalidState);
  state_.doorbell.reply(reply.span());
}

void Mpt::answer(Frame frame, const Row& row, Reply& reply) {
  if (row.needs_operational && !operational()) return reply.status(IocStatus::InvalidState);
  (this->*row.handler)(frame, reply);
}

// --- replies

void Mpt::post_reply(const Reply& reply) {
  waiting_.push_back(reply);
  flush_replies();
}

void Mpt::flush_replies() {
  while (!waiting_.empty() && !state_.posted_replies.full()) {
    const Reply& reply = waiting_.front();
    if (reply.context_only) {
      state_.posted_replies.push(load_le<u32>(&reply.bytes[kAtContext]));
    } else {
      if (state_.free_replies.empty()) return;
      const u32 address = state_.free_replies.pop();
      if (!write_reply(reply, address)) return fault(kFaultReplyBus);
      state_.posted_replies.push(kAddressReply | address >> 1);
    }
    waiting_.pop_front();
  }
}

bool Mpt::write_reply(const Reply& reply, u32 address) {
  const GuestPhys phys = u64{state_.mfa_high} << 32 | (address & ~1u);
  const u64 size = std::min<u64>(reply.size_bytes, state_.reply_frame_bytes);
  u8* const host = dma().ram_span(phys, size);
  if (!host) return false;
  std::copy_n(reply.bytes.begin(), size, host);
  dma().written(phys, size);
  return true;
}

/// An event is one more reply to the request that asked for events.
void Mpt::post_event(u32 event, u32 data) {
  constexpr size_t kMostWaiting = kCredits + 32;
  if (!operational() || !state_.events_on || waiting_.size() >= kMostWaiting) return;
  Reply reply;
  reply.size_bytes = kEventReplyBytes;
  store_le<u16>(&reply.bytes[0], 1);  // doublewords of data
  reply.bytes[kAtMsgLength] = kEventReplyBytes / 4;
  reply.bytes[kAtFunction] = static_cast<u8>(Function::EventNotification);
  reply.bytes[kAtMsgFlags] = kContinuationReply;
  store_le<u32>(&reply.bytes[kAtContext], state_.event_context);
  store_le<u32>(&reply.bytes[kEventAtEvent], event);
  store_le<u32>(&reply.bytes[kEventAtData], data);
  post_reply(reply);
  update_interrupt();
}

}  // namespace ia64::devices::mpt
