// io_uring through liburing: one submission lock, one completion thread.
#include "storage/stores/uring.h"

#include <liburing.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace ia64::storage {

namespace {
constexpr unsigned kEntries = 256;
}

class Uring::Impl {
 public:
  ~Impl();
  bool start();
  template <class Prepare>
  void submit(Done done, Prepare prepare);

 private:
  void complete();

  io_uring ring_{};
  bool ready_ = false;
  std::thread thread_;
  std::mutex mutex_;  // guards the submission side and what follows
  std::condition_variable room_;
  unsigned in_flight_ = 0;
};

bool Uring::Impl::start() {
  if (io_uring_queue_init(kEntries, &ring_, 0) != 0) return false;
  ready_ = true;
  thread_ = std::thread([this] { complete(); });
  return true;
}

Uring::Impl::~Impl() {
  if (!ready_) return;
  submit(nullptr, [](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); });  // ends the thread once all else has completed
  thread_.join();
  io_uring_queue_exit(&ring_);
}

template <class Prepare>
void Uring::Impl::submit(Done done, Prepare prepare) {
  auto* node = done ? new Done(std::move(done)) : nullptr;
  std::unique_lock lock(mutex_);
  // A completion that submits again runs on the completion thread: it never waits, for its own slot is free by then.
  if (std::this_thread::get_id() != thread_.get_id()) room_.wait(lock, [this] { return in_flight_ < kEntries - 1; });
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (!sqe) {
    io_uring_submit(&ring_);
    sqe = io_uring_get_sqe(&ring_);
  }
  prepare(sqe);
  io_uring_sqe_set_data(sqe, node);
  in_flight_++;
  while (io_uring_submit(&ring_) == -EINTR) {
  }
}

void Uring::Impl::complete() {
  for (bool stopping = false;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping && in_flight_ == 0) return;
    }
    io_uring_cqe* cqe = nullptr;
    if (io_uring_wait_cqe(&ring_, &cqe) != 0) continue;
    auto* node = static_cast<Done*>(io_uring_cqe_get_data(cqe));
    const int result = cqe->res;
    io_uring_cqe_seen(&ring_, cqe);
    {
      std::lock_guard lock(mutex_);
      in_flight_--;
    }
    room_.notify_one();
    if (!node) {
      stopping = true;
      continue;
    }
    (*node)(result);
    delete node;
  }
}

Uring::Uring(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Uring::~Uring() = default;

std::unique_ptr<Uring> Uring::create() {
  auto impl = std::make_unique<Impl>();
  if (!impl->start()) return nullptr;
  return std::unique_ptr<Uring>(new Uring(std::move(impl)));
}

void Uring::read(int fd, u64 offset, const iovec* iov, unsigned count, Done done) {
  impl_->submit(std::move(done), [&](io_uring_sqe* sqe) { io_uring_prep_readv(sqe, fd, iov, count, offset); });
}

void Uring::write(int fd, u64 offset, const iovec* iov, unsigned count, bool fua, Done done) {
  impl_->submit(std::move(done),
                [&](io_uring_sqe* sqe) { io_uring_prep_writev2(sqe, fd, iov, count, offset, fua ? RWF_DSYNC : 0); });
}

void Uring::sync(int fd, Done done) {
  impl_->submit(std::move(done), [&](io_uring_sqe* sqe) { io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC); });
}

}  // namespace ia64::storage
