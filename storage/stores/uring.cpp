// io_uring through liburing: one thread that submits and completes, a queue in front of it.
#include "storage/stores/uring.h"

#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace ia64::storage {

namespace {

constexpr unsigned kEntries = 256;      // operations at once; more wait in the queue
constexpr unsigned kBatch = 16;         // operations submitted by one system call,
constexpr u64 kBatchBytes = 64 * 1024;  // and what they may move: the kernel copies inside the call, and completions wait for its end

constexpr u64 kWakeSlot = kEntries;     // user data of the poll for wakes

enum class Op : u8 { Read, Write, WriteFua, Sync };

struct Operation {
  Op op = Op::Read;
  int fd = -1;
  u64 offset = 0;
  const iovec* iov = nullptr;
  unsigned count = 0;
  Uring::Done done;

  u64 size_bytes() const {
    u64 n = 0;
    for (unsigned i = 0; i < count; i++) n += iov[i].iov_len;
    return n;
  }
};

void prepare(io_uring_sqe* sqe, const Operation& o) {
  switch (o.op) {
    case Op::Read: return io_uring_prep_readv(sqe, o.fd, o.iov, o.count, o.offset);
    case Op::Write: return io_uring_prep_writev(sqe, o.fd, o.iov, o.count, o.offset);
    case Op::WriteFua: return io_uring_prep_writev2(sqe, o.fd, o.iov, o.count, o.offset, RWF_DSYNC);
    case Op::Sync: return io_uring_prep_fsync(sqe, o.fd, IORING_FSYNC_DATASYNC);
  }
}

}  // namespace

class Uring::Impl {
 public:
  ~Impl();
  bool start();
  void submit(Operation operation);

 private:
  bool open();
  void run();
  bool next(Operation& out);
  void issue(Operation operation);
  void flush_batch();
  void reap();
  bool sleep();
  void listen();
  void wake() const;
  void woken();

  // the ring's thread only
  io_uring ring_{};
  std::vector<Operation> slots_;     // of operations in flight; user data is an index
  std::vector<unsigned> free_slots_;
  unsigned batch_ = 0;
  u64 batch_bytes_ = 0;
  bool listening_ = false;  // a poll of wake_fd_ is in flight

  int wake_fd_ = -1;
  std::thread thread_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable started_;
  enum class Start : u8 { Pending, Good, Refused } start_ = Start::Pending;
  std::deque<Operation> queue_;
  bool asleep_ = false;
  bool stopping_ = false;
};

// --- asking

void Uring::Impl::wake() const {
  const u64 one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_fd_, &one, sizeof one);
}

void Uring::Impl::submit(Operation operation) {
  bool was_asleep;
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(operation));
    was_asleep = std::exchange(asleep_, false);
  }
  if (was_asleep) wake();
}

// --- the ring's thread

/// The kernel does less for a ring that only one thread enters; older kernels do not know how.
bool Uring::Impl::open() {
  for (const unsigned flags : {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 0u})
    if (io_uring_queue_init(kEntries + 1, &ring_, flags) == 0) return true;
  return false;
}

bool Uring::Impl::start() {
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return false;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  std::unique_lock lock(mutex_);
  started_.wait(lock, [this] { return start_ != Start::Pending; });
  return start_ == Start::Good;
}

Uring::Impl::~Impl() {
  if (thread_.joinable()) {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake();
    thread_.join();
  }
  if (wake_fd_ >= 0) close(wake_fd_);
}

void Uring::Impl::run() {
  const bool good = open();
  {
    std::lock_guard lock(mutex_);
    start_ = good ? Start::Good : Start::Refused;
  }
  started_.notify_one();
  if (!good) return;
  slots_.resize(kEntries);
  for (unsigned i = kEntries; i-- > 0;) free_slots_.push_back(i);
  do {
    for (Operation operation; next(operation);) issue(std::move(operation));
    flush_batch();
    reap();
  } while (sleep());
  io_uring_queue_exit(&ring_);
}

/// Takes an operation from the queue, as long as there is room in the ring.
bool Uring::Impl::next(Operation& out) {
  if (free_slots_.empty()) return false;
  std::lock_guard lock(mutex_);
  if (queue_.empty()) return false;
  out = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void Uring::Impl::issue(Operation operation) {
  const unsigned slot = free_slots_.back();
  free_slots_.pop_back();
  io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);  // never null: the ring has an entry for each slot and is flushed in time
  prepare(sqe, operation);
  io_uring_sqe_set_data64(sqe, slot);
  batch_bytes_ += operation.size_bytes();
  slots_[slot] = std::move(operation);
  if (++batch_ < kBatch && batch_bytes_ < kBatchBytes) return;
  flush_batch();
  reap();
}

void Uring::Impl::flush_batch() {
  if (!std::exchange(batch_, 0)) return;
  batch_bytes_ = 0;
  while (io_uring_sq_ready(&ring_)) io_uring_submit_and_get_events(&ring_);  // an error here is a want of memory or a signal: both pass
}

void Uring::Impl::reap() {
  for (io_uring_cqe* cqe; io_uring_peek_cqe(&ring_, &cqe) == 0;) {
    const u64 slot = io_uring_cqe_get_data64(cqe);
    const int result = cqe->res;
    io_uring_cqe_seen(&ring_, cqe);
    if (slot == kWakeSlot) {
      woken();
      continue;
    }
    const Done done = std::move(slots_[slot].done);
    free_slots_.push_back(static_cast<unsigned>(slot));
    done(result);
  }
}

void Uring::Impl::listen() {
  if (std::exchange(listening_, true)) return;
  io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
  io_uring_prep_poll_add(sqe, wake_fd_, POLLIN);
  io_uring_sqe_set_data64(sqe, kWakeSlot);
}

void Uring::Impl::woken() {
  u64 wakes;
  [[maybe_unused]] const ssize_t n = ::read(wake_fd_, &wakes, sizeof wakes);
  listening_ = false;
}

/// Waits for a completion or for something in the queue. @returns false when this ring is to end and nothing is in flight
bool Uring::Impl::sleep() {
  const bool idle = free_slots_.size() == kEntries, full = free_slots_.empty();
  {
    std::lock_guard lock(mutex_);
    if (!queue_.empty() && !full) return true;
    if (stopping_ && idle && queue_.empty()) return false;
    asleep_ = !full;  // with every slot taken nothing new can be done before a completion
  }
  listen();
  io_uring_submit_and_wait(&ring_, 1);
  {
    std::lock_guard lock(mutex_);
    asleep_ = false;
  }
  reap();
  return true;
}

// --- face

Uring::Uring(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Uring::~Uring() = default;

std::unique_ptr<Uring> Uring::create() {
  auto impl = std::make_unique<Impl>();
  if (!impl->start()) return nullptr;
  return std::unique_ptr<Uring>(new Uring(std::move(impl)));
}

void Uring::read(int fd, u64 offset, const iovec* iov, unsigned count, Done done) {
  impl_->submit({Op::Read, fd, offset, iov, count, std::move(done)});
}

void Uring::write(int fd, u64 offset, const iovec* iov, unsigned count, bool fua, Done done) {
  impl_->submit({fua ? Op::WriteFua : Op::Write, fd, offset, iov, count, std::move(done)});
}

void Uring::sync(int fd, Done done) {
  impl_->submit({Op::Sync, fd, 0, nullptr, 0, std::move(done)});
}

}  // namespace ia64::storage
