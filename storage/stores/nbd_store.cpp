// NBD through libnbd: a worker thread for each connection.
#include "storage/stores/nbd_store.h"

#include <fmt/core.h>
#include <libnbd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "storage/request_pieces.h"
#include "storage/stores/file_io.h"
#include "storage/stores/request_workers.h"

namespace ia64::storage {

namespace {

constexpr unsigned kMaxConnections = 4;
constexpr u64 kChunk = u64{16} << 20;  // below the 32 MiB every server takes

struct Handle {
  nbd_handle* h = nullptr;
  Handle() : h(nbd_create()) {}
  ~Handle() {
    if (h) nbd_shutdown(h, 0), nbd_close(h);
  }
  Handle(const Handle&) = delete;
};

class NbdStore final : public BlockStore {
 public:
  NbdStore(std::string uri, bool read_only, std::vector<std::unique_ptr<Handle>> connections)
      : uri_(std::move(uri)),
        read_only_(read_only),
        connections_(std::move(connections)),
        size_bytes_(static_cast<u64>(nbd_get_size(connections_[0]->h))),
        workers_([this](BlockRequest& r) { return perform(r); }, static_cast<unsigned>(connections_.size())) {
    for (auto& c : connections_) free_.push_back(c->h);
  }
  ~NbdStore() override { workers_.stop(); }
  u64 size_bytes() const override { return size_bytes_; }
  bool read_only() const override { return read_only_; }
  std::string describe() const override { return "nbd:" + uri_; }
  void submit(BlockRequest request) override { workers_.submit(std::move(request)); }

 private:
  // There are as many connections as workers, so that one is always free.
  nbd_handle* take() {
    std::lock_guard lock(mutex_);
    nbd_handle* h = free_.back();
    free_.pop_back();
    return h;
  }
  void give_back(nbd_handle* h) {
    std::lock_guard lock(mutex_);
    free_.push_back(h);
  }
  BlockStatus perform(BlockRequest& r) {
    nbd_handle* h = take();
    const BlockStatus status = perform_on(h, r);
    give_back(h);
    return status;
  }
  static BlockStatus outcome(int rc) { return rc == 0 ? BlockStatus::Ok : status_of_errno(nbd_get_errno()); }

  BlockStatus perform_on(nbd_handle* h, BlockRequest& r) {
    switch (r.op) {
      case BlockOp::Read:
      case BlockOp::Write: return transfer(h, r);
      case BlockOp::Flush: return read_only_ || nbd_can_flush(h) != 1 ? BlockStatus::Ok : outcome(nbd_flush(h, 0));
      case BlockOp::Discard: return nbd_can_trim(h) == 1 ? outcome(nbd_trim(h, r.size_bytes, r.offset_bytes, 0)) : BlockStatus::Ok;
      case BlockOp::WriteZeroes: return zero(h, r);
    }
    return BlockStatus::Unsupported;
  }
  BlockStatus transfer(nbd_handle* h, const BlockRequest& r) {
    const bool write = r.op == BlockOp::Write;
    const u32 flags = write && r.fua && nbd_can_fua(h) == 1 ? LIBNBD_CMD_FLAG_FUA : 0;
    std::vector<u8> bounce;
    for (u64 at = 0; at < r.size_bytes;) {
      const u64 n = std::min(r.size_bytes - at, kChunk);
      const auto part = slice_iov(r.iov, at, n);
      void* data = part.size() == 1 ? part[0].iov_base : nullptr;
      if (!data) bounce.resize(n), data = bounce.data();
      if (write && part.size() != 1) copy_from_iov(part, bounce);
      const int rc = write ? nbd_pwrite(h, data, n, r.offset_bytes + at, flags) : nbd_pread(h, data, n, r.offset_bytes + at, 0);
      if (rc != 0) return outcome(rc);
      if (!write && part.size() != 1) copy_to_iov(part, std::span(bounce).first(n));
      at += n;
    }
    if (write && r.fua && !flags && nbd_can_flush(h) == 1) return outcome(nbd_flush(h, 0));
    return BlockStatus::Ok;
  }
  BlockStatus zero(nbd_handle* h, const BlockRequest& r) {
    if (nbd_can_zero(h) == 1) return outcome(nbd_zero(h, r.size_bytes, r.offset_bytes, 0));
    const std::vector<u8> zeroes(std::min(r.size_bytes, kChunk));
    for (u64 at = 0; at < r.size_bytes; at += zeroes.size()) {
      const u64 n = std::min<u64>(r.size_bytes - at, zeroes.size());
      if (nbd_pwrite(h, zeroes.data(), n, r.offset_bytes + at, 0) != 0) return outcome(-1);
    }
    return BlockStatus::Ok;
  }

  const std::string uri_;
  const bool read_only_;
  const std::vector<std::unique_ptr<Handle>> connections_;
  const u64 size_bytes_;
  std::mutex mutex_;  // guards free_
  std::vector<nbd_handle*> free_;
  RequestWorkers workers_;
};

}  // namespace

Result<std::unique_ptr<BlockStore>> open_nbd(const std::string& uri, bool read_only) {
  std::vector<std::unique_ptr<Handle>> connections;
  unsigned wanted = 1;
  do {
    auto c = std::make_unique<Handle>();
    if (!c->h || nbd_connect_uri(c->h, uri.c_str()) != 0) {
      if (!connections.empty()) break;  // fewer connections serve as well
      return Error{ErrorKind::Io, fmt::format("{}: {}", uri, c->h ? nbd_get_error() : "no memory")};
    }
    if (connections.empty() && nbd_can_multi_conn(c->h) == 1) wanted = kMaxConnections;
    connections.push_back(std::move(c));
  } while (connections.size() < wanted);
  nbd_handle* h = connections[0]->h;
  if (!read_only && nbd_is_read_only(h) == 1) return Error{ErrorKind::AccessDenied, fmt::format("{}: the server offers it read-only; use ro:nbd:", uri)};
  if (nbd_get_size(h) < 512) return Error{ErrorKind::Invalid, fmt::format("{}: the disk is empty", uri)};
  return std::unique_ptr<BlockStore>(std::make_unique<NbdStore>(uri, read_only, std::move(connections)));
}

}  // namespace ia64::storage
