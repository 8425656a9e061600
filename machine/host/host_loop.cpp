// Host event loop on Boost.Asio.
#include "machine/host/host_loop.h"

#include "machine/host/host_loop_impl.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <deque>

namespace ia64::machine {
namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;

namespace {

/// Reads and writes Asio stream objects. Kept alive by its own pending operations.
template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(std::shared_ptr<Stream> reader, std::shared_ptr<Stream> writer, HostLoop::OnData on_data)
      : reader_(std::move(reader)), writer_(std::move(writer)), on_data_(std::move(on_data)) {}

  void start() { read(); }
  void close() {
    open_ = false;
    boost::system::error_code ignored;
    reader_->close(ignored);
    writer_->close(ignored);
  }
  bool is_open() const { return open_; }
  void send(std::span<const u8> bytes) {
    if (!open_) return;
    if (backlog_.size() + bytes.size() > HostStream::kMaxBacklogBytes) backlog_.clear();
    backlog_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!writing_) write();
  }

 private:
  // The end of input leaves the output open: a peer may listen without ever typing.
  void read() {
    reader_->async_read_some(asio::buffer(in_), [self = this->shared_from_this()](auto error, size_t n) {
      if (!self->open_) return;
      self->on_data_({self->in_.data(), error ? 0 : n});
      if (!error) self->read();
    });
  }
  void write() {
    writing_ = true;
    sending_ = std::exchange(backlog_, {});
    asio::async_write(*writer_, asio::buffer(sending_), [self = this->shared_from_this()](auto error, size_t) {
      self->writing_ = false;
      if (error) self->open_ = false;
      if (self->open_ && !self->backlog_.empty()) self->write();
    });
  }

  std::shared_ptr<Stream> reader_, writer_;
  HostLoop::OnData on_data_;
  std::array<u8, 4096> in_;
  std::string backlog_, sending_;
  bool writing_ = false, open_ = true;
};

class DescriptorStream final : public HostStream {
 public:
  using Descriptor = asio::posix::stream_descriptor;
  DescriptorStream(asio::io_context& context, int read_fd, int write_fd, HostLoop::OnData on_data)
      : session_(std::make_shared<Session<Descriptor>>(open(context, read_fd), open(context, write_fd), std::move(on_data))) {
    session_->start();
  }
  ~DescriptorStream() override { session_->close(); }
  void send(std::span<const u8> bytes) override { session_->send(bytes); }

 private:
  /// A copy of the descriptor; of the null device when there is none.
  static std::shared_ptr<Descriptor> open(asio::io_context& context, int fd) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) copy = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    auto stream = std::make_shared<Descriptor>(context);
    boost::system::error_code error;  // a regular file cannot be waited for
    stream->assign(copy, error);
    if (error) ::close(copy);
    return stream;
  }

  std::shared_ptr<Session<Descriptor>> session_;
};

/// Every client sees all output and may type, as at a console with several terminals.
class UnixListener final : public HostStream {
 public:
  UnixListener(asio::io_context& context, const std::string& path, HostLoop::OnData on_data)
      : acceptor_(context, Unix::endpoint(path)), path_(path), on_data_(std::move(on_data)) {
    chmod(path.c_str(), 0600);
    accept();
  }
  ~UnixListener() override {
    for (auto& s : sessions_) s->close();
    unlink(path_.c_str());
  }
  void send(std::span<const u8> bytes) override {
    for (auto& s : sessions_) s->send(bytes);
  }

 private:
  static constexpr size_t kMaxClients = 32;

  void accept() {
    acceptor_.async_accept([this](auto error, Unix::socket socket) {
      if (error && error != asio::error::connection_aborted) return;
      if (!error) add(std::make_shared<Unix::socket>(std::move(socket)));
      accept();
    });
  }
  void add(std::shared_ptr<Unix::socket> socket) {
    std::erase_if(sessions_, [](const auto& s) { return !s->is_open(); });
    if (sessions_.size() == kMaxClients) sessions_.front()->close(), sessions_.pop_front();
    sessions_.push_back(std::make_shared<Session<Unix::socket>>(socket, socket, on_data_));
    sessions_.back()->start();
  }

  Unix::acceptor acceptor_;
  std::string path_;
  HostLoop::OnData on_data_;
  std::deque<std::shared_ptr<Session<Unix::socket>>> sessions_;
};

}  // namespace

Result<void> claim_socket_path(const std::string& path, const std::string& what) {
  constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty() || path.size() > kLongestPath)
    return Error{ErrorKind::Invalid, fmt::format("{} '{}': the path of a socket has 1 to {} bytes", what, path, kLongestPath)};
  struct stat st;
  if (lstat(path.c_str(), &st) != 0) return {};
  if (!S_ISSOCK(st.st_mode)) return Error{ErrorKind::Invalid, fmt::format("{} {}: a file that is not a socket is there", what, path)};
  asio::io_context context;
  Unix::socket probe(context);
  boost::system::error_code error;
  probe.connect(Unix::endpoint(path), error);
  if (!error) return Error{ErrorKind::Locked, fmt::format("{} {}: another process listens there", what, path)};
  unlink(path.c_str());
  return {};
}

HostLoop::HostLoop() : impl_(std::make_unique<Impl>()) {}
HostLoop::~HostLoop() = default;

void HostLoop::run() { impl_->context.run(); }
void HostLoop::settle(u64 limit_ms, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  impl_->context.restart();
  while (!done() && std::chrono::steady_clock::now() < end) impl_->context.run_one_until(end);
}
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
  impl_->signals->add(SIGPIPE);
  impl_->signals->async_wait([fn = std::move(fn)](auto error, int number) {
    if (!error) fn(number);
  });
}

std::unique_ptr<HostStream> HostLoop::adopt(int read_fd, int write_fd, OnData on_data) {
  return std::make_unique<DescriptorStream>(impl_->context, read_fd, write_fd, std::move(on_data));
}

Result<std::unique_ptr<HostStream>> HostLoop::listen_unix(const std::string& path, OnData on_data) {
  if (auto ok = claim_socket_path(path, "console socket"); !ok) return ok.error();
  try {
    return std::unique_ptr<HostStream>(std::make_unique<UnixListener>(impl_->context, path, std::move(on_data)));
  } catch (const boost::system::system_error& e) {
    return Error{ErrorKind::Io, fmt::format("console socket {}: {}", path, e.code().message())};
  }
}

}  // namespace ia64::machine
