// Line clients on Boost.Asio.
#include "machine/host/line_server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <map>

#include "machine/host/host_loop_impl.h"
#include "machine/host/line_buffer.h"

namespace ia64::machine {
namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using Socket = asio::generic::stream_protocol::socket;

namespace {

/// One connection. Kept alive by its pending operations.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Id = LineServer::ClientId;
  Connection(Socket socket, Id id, const LineServer::Limits& limits, const LineServer::Handlers& handlers)
      : socket_(std::move(socket)), id_(id), limits_(limits), handlers_(handlers), lines_(limits.line_bytes) {}

  void send(std::string bytes) {
    if (!open_) return;
    waiting_ += bytes;
    if (sending_.empty()) write();
  }
  void ready() {
    busy_ = false;
    advance_later();
  }
  /// Closes behind what is still to be sent.
  void finish() {
    closing_ = true;
    if (backlog_bytes() == 0) close();
  }
  /// Closes at once and says so, once.
  void close() {
    if (!open_) return;
    open_ = false;
    boost::system::error_code ignored;
    socket_.close(ignored);
    handlers_.gone(id_);
  }
  /// The owner goes away: no handler is called any more.
  void abandon() {
    open_ = false;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  bool is_open() const { return open_; }
  size_t backlog_bytes() const { return waiting_.size() + sending_.size(); }
  u64 last_line = 0;  ///< for the choice of whom to drop

  /// Hands over the next line, or reads on. Posted, so that clients take turns and handlers never nest.
  void advance_later() {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->advance(); });
  }

 private:
  void advance() {
    if (!open_ || busy_ || closing_ || backlog_bytes() > limits_.unread_bytes) return;
    if (auto line = lines_.next(at_end_)) {
      busy_ = true;
      return handlers_.line(id_, *line);
    }
    if (lines_.overflowed()) {
      handlers_.too_long(id_);
      return finish();
    }
    at_end_ ? finish() : read();
  }
  void read() {
    if (reading_) return;
    reading_ = true;
    socket_.async_read_some(asio::buffer(in_), [self = shared_from_this()](auto error, size_t n) {
      self->reading_ = false;
      if (!self->open_) return;
      if (error && error != asio::error::eof) return self->close();
      self->at_end_ = self->at_end_ || error;
      self->lines_.add({self->in_.data(), n});
      self->advance();
    });
  }
  void write() {
    sending_ = std::exchange(waiting_, {});
    asio::async_write(socket_, asio::buffer(sending_), [self = shared_from_this()](auto error, size_t) {
      self->sending_.clear();
      if (!self->open_) return;
      if (error) return self->close();
      if (!self->waiting_.empty()) self->write();
      if (self->closing_ && self->backlog_bytes() == 0) return self->close();
      self->advance();
    });
  }

  Socket socket_;
  const Id id_;
  const LineServer::Limits& limits_;
  const LineServer::Handlers& handlers_;
  LineBuffer lines_;
  std::array<char, 4096> in_;
  std::string waiting_, sending_;
  bool open_ = true, busy_ = false, reading_ = false, at_end_ = false, closing_ = false;
};

}  // namespace

struct LineServer::Impl {
  Impl(asio::io_context& context, Limits limits, Handlers handlers)
      : context(context), limits(limits), handlers(std::move(handlers)), unix_acceptor(context), tcp_acceptor(context) {}
  ~Impl() {
    for (auto& [id, c] : connections) c->abandon();
    if (!path.empty()) unlink(path.c_str());
  }

  template <class Acceptor>
  void accept(Acceptor& acceptor) {
    acceptor.async_accept([this, &acceptor](auto error, auto socket) {
      if (error && error != asio::error::connection_aborted) return;
      if (!error) add(Socket(std::move(socket)));
      accept(acceptor);
    });
  }
  void add(Socket socket) {
    std::erase_if(connections, [](const auto& c) { return !c.second->is_open(); });
    if (connections.size() >= limits.clients) drop_silent();
    const ClientId id = next_id++;
    const auto c = connections[id] = std::make_shared<Connection>(std::move(socket), id, limits, handlers);
    c->last_line = next_turn++;
    handlers.connected(id);
    c->advance_later();
  }
  void drop_silent() {
    const auto silent = std::min_element(connections.begin(), connections.end(),
                                         [](const auto& a, const auto& b) { return a.second->last_line < b.second->last_line; });
    silent->second->close();
    connections.erase(silent);
  }
  Connection* find(ClientId id) const {
    const auto it = connections.find(id);
    return it == connections.end() ? nullptr : it->second.get();
  }

  Result<void> open_unix(const std::string& at, const std::string& option);
  Result<void> open_tcp(const std::string& at, const std::string& option);

  asio::io_context& context;
  const Limits limits;
  const Handlers handlers;
  Unix::acceptor unix_acceptor;
  Tcp::acceptor tcp_acceptor;
  std::string path;  // of the socket, to be removed
  std::map<ClientId, std::shared_ptr<Connection>> connections;
  ClientId next_id = 1;
  u64 next_turn = 1;
};

Result<void> LineServer::Impl::open_unix(const std::string& at, const std::string& option) {
  if (auto ok = claim_socket_path(at, option); !ok) return ok;
  const mode_t old = umask(0177);  // 0600 from the first moment on
  boost::system::error_code error;
  unix_acceptor.open(Unix(), error);
  if (!error) unix_acceptor.bind(Unix::endpoint(at), error);
  umask(old);
  if (!error) path = at, unix_acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Error{ErrorKind::Io, fmt::format("{} unix:{}: {}", option, at, error.message())};
  accept(unix_acceptor);
  return {};
}

Result<void> LineServer::Impl::open_tcp(const std::string& at, const std::string& option) {
  const auto colon = at.rfind(':');
  const std::string host = colon == std::string::npos ? "" : at.substr(0, colon), port_text = at.substr(colon + 1);
  u16 port = 0;
  const auto [end, bad] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (host != "127.0.0.1" || bad != std::errc{} || end != port_text.data() + port_text.size() || port == 0)
    return Error{ErrorKind::Invalid, fmt::format("{} tcp:{}: expected tcp:127.0.0.1:PORT; other addresses are not listened on", option, at)};
  const Tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  boost::system::error_code error;
  tcp_acceptor.open(endpoint.protocol(), error);
  if (!error) tcp_acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) tcp_acceptor.bind(endpoint, error);
  if (!error) tcp_acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Error{ErrorKind::Io, fmt::format("{} tcp:{}: {}", option, at, error.message())};
  accept(tcp_acceptor);
  return {};
}

LineServer::LineServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineServer::~LineServer() = default;

Result<std::unique_ptr<LineServer>> LineServer::listen(HostLoop& loop, const std::string& endpoint, const std::string& option, Limits limits,
                                                       Handlers handlers) {
  auto impl = std::make_unique<Impl>(loop.impl().context, limits, std::move(handlers));
  const std::string at = endpoint.substr(std::min(endpoint.size(), endpoint.find(':') + 1));
  Result<void> opened = Error{ErrorKind::Invalid, fmt::format("{} {}: expected unix:PATH or tcp:127.0.0.1:PORT", option, endpoint)};
  if (endpoint.starts_with("unix:")) opened = impl->open_unix(at, option);
  if (endpoint.starts_with("tcp:")) opened = impl->open_tcp(at, option);
  if (!opened) return opened.error();
  return std::unique_ptr<LineServer>(new LineServer(std::move(impl)));
}

void LineServer::send(ClientId id, std::string bytes) {
  if (Connection* c = impl_->find(id)) c->send(std::move(bytes));
}

void LineServer::ready(ClientId id) {
  Connection* const c = impl_->find(id);
  if (!c) return;
  c->last_line = impl_->next_turn++;
  c->ready();
}

void LineServer::finish(ClientId id) {
  if (Connection* c = impl_->find(id)) c->finish();
}

size_t LineServer::backlog_bytes(ClientId id) const {
  const Connection* const c = impl_->find(id);
  return c ? c->backlog_bytes() : 0;
}

bool LineServer::flushed() const {
  return std::all_of(impl_->connections.begin(), impl_->connections.end(),
                     [](const auto& c) { return !c.second->is_open() || c.second->backlog_bytes() == 0; });
}

}  // namespace ia64::machine
