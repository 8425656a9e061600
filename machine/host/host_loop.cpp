// Host event loop on Boost.Asio.
#include "machine/host/host_loop.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <deque>

namespace ia64::machine {
namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;

struct HostLoop::Impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_running{context.get_executor()};
  std::unique_ptr<asio::signal_set> signals;
};

namespace {

/// Reads and writes one Asio stream object. Kept alive by its own pending operations.
template <class Reader, class Writer>
class Session : public std::enable_shared_from_this<Session<Reader, Writer>> {
 public:
  Session(Reader& reader, Writer& writer, HostLoop::OnData on_data)
      : reader_(reader), writer_(writer), on_data_(std::move(on_data)) {}

  void start() { read(); }
  void close() { open_ = false; }
  void send(std::span<const u8> bytes) {
    if (!open_) return;
    if (backlog_.size() + bytes.size() > HostStream::kMaxBacklogBytes) backlog_.clear();
    backlog_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!writing_) write();
  }

 private:
  void read() {
    reader_.async_read_some(asio::buffer(in_), [self = this->shared_from_this()](auto error, size_t n) {
      if (!self->open_) return;
      self->on_data_({self->in_.data(), error ? 0 : n});
      if (!error) self->read();
    });
  }
  void write() {
    writing_ = true;
    sending_ = std::exchange(backlog_, {});
    asio::async_write(writer_, asio::buffer(sending_), [self = this->shared_from_this()](auto error, size_t) {
      self->writing_ = false;
      if (error) self->open_ = false;
      if (self->open_ && !self->backlog_.empty()) self->write();
    });
  }

  Reader& reader_;
  Writer& writer_;
  HostLoop::OnData on_data_;
  std::array<u8, 4096> in_;
  std::string backlog_, sending_;
  bool writing_ = false, open_ = true;
};

class DescriptorStream final : public HostStream {
 public:
  DescriptorStream(asio::io_context& context, int read_fd, int write_fd, HostLoop::OnData on_data)
      : in_(std::make_shared<asio::posix::stream_descriptor>(context, dup(read_fd))),
        out_(std::make_shared<asio::posix::stream_descriptor>(context, dup(write_fd))),
        session_(std::make_shared<Session<asio::posix::stream_descriptor, asio::posix::stream_descriptor>>(
            *in_, *out_, std::move(on_data))) {
    session_->start();
  }
  ~DescriptorStream() override {
    session_->close();
    boost::system::error_code ignored;
    in_->cancel(ignored);
    out_->cancel(ignored);
  }
  void send(std::span<const u8> bytes) override { session_->send(bytes); }

 private:
  std::shared_ptr<asio::posix::stream_descriptor> in_, out_;
  std::shared_ptr<Session<asio::posix::stream_descriptor, asio::posix::stream_descriptor>> session_;
};

class UnixListener final : public HostStream {
 public:
  UnixListener(asio::io_context& context, const std::string& path, HostLoop::OnData on_data)
      : acceptor_(context, Unix::endpoint(path)), path_(path), on_data_(std::move(on_data)) {
    chmod(path.c_str(), 0600);
    accept();
  }
  ~UnixListener() override {
    if (session_) session_->close();
    unlink(path_.c_str());
  }
  void send(std::span<const u8> bytes) override {
    if (session_) session_->send(bytes);
  }

 private:
  void accept() {
    acceptor_.async_accept([this](auto error, Unix::socket socket) {
      if (error) return;
      if (session_) session_->close();
      peers_.push_back(std::make_unique<Unix::socket>(std::move(socket)));
      if (peers_.size() > 2) peers_.pop_front();
      session_ = std::make_shared<Session<Unix::socket, Unix::socket>>(*peers_.back(), *peers_.back(), on_data_);
      session_->start();
      accept();
    });
  }

  Unix::acceptor acceptor_;
  std::string path_;
  HostLoop::OnData on_data_;
  std::deque<std::unique_ptr<Unix::socket>> peers_;
  std::shared_ptr<Session<Unix::socket, Unix::socket>> session_;
};

/// Removes a socket nobody listens on any more; anything else at that path is left alone.
Result<void> remove_stale_socket(const std::string& path) {
  struct stat st;
  if (lstat(path.c_str(), &st) != 0) return {};
  if (!S_ISSOCK(st.st_mode))
    return Error{ErrorKind::Invalid, fmt::format("console socket {}: a file that is not a socket is there", path)};
  asio::io_context context;
  Unix::socket probe(context);
  boost::system::error_code error;
  probe.connect(Unix::endpoint(path), error);
  if (!error) return Error{ErrorKind::Locked, fmt::format("console socket {}: another process listens there", path)};
  unlink(path.c_str());
  return {};
}

}  // namespace

HostLoop::HostLoop() : impl_(std::make_unique<Impl>()) {}
HostLoop::~HostLoop() = default;

void HostLoop::run() { impl_->context.run(); }
void HostLoop::stop() { impl_->context.stop(); }
void HostLoop::post(std::function<void()> fn) { asio::post(impl_->context, std::move(fn)); }

void HostLoop::after(u64 delay_ms, std::function<void()> fn) {
  auto timer = std::make_shared<asio::steady_timer>(impl_->context, std::chrono::milliseconds(delay_ms));
  timer->async_wait([timer, fn = std::move(fn)](auto error) {
    if (!error) fn();
  });
}

void HostLoop::on_signal(std::function<void(int)> fn) {
  impl_->signals = std::make_unique<asio::signal_set>(impl_->context, SIGINT, SIGTERM, SIGHUP);
  impl_->signals->async_wait([fn = std::move(fn)](auto error, int number) {
    if (!error) fn(number);
  });
}

std::unique_ptr<HostStream> HostLoop::adopt(int read_fd, int write_fd, OnData on_data) {
  return std::make_unique<DescriptorStream>(impl_->context, read_fd, write_fd, std::move(on_data));
}

Result<std::unique_ptr<HostStream>> HostLoop::listen_unix(const std::string& path, OnData on_data) {
  if (path.empty() || path.size() > 107)
    return Error{ErrorKind::Invalid, fmt::format("console socket '{}': the path must have 1 to 107 bytes", path)};
  if (auto ok = remove_stale_socket(path); !ok) return ok.error();
  try {
    return std::unique_ptr<HostStream>(std::make_unique<UnixListener>(impl_->context, path, std::move(on_data)));
  } catch (const boost::system::system_error& e) {
    return Error{ErrorKind::Io, fmt::format("console socket {}: {}", path, e.code().message())};
  }
}

}  // namespace ia64::machine
