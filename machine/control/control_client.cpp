// A blocking client of the control socket.
#include "machine/control/control_client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "machine/control/protocol.h"

namespace ia64::machine::control {
namespace {

Error cannot(const std::string& endpoint, const char* why) { return {ErrorKind::Io, fmt::format("{}: {}", endpoint, why)}; }

Result<int> connect_unix(const std::string& endpoint, const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof at.sun_path) return cannot(endpoint, "not the path of a socket");
  path.copy(at.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0) return fd;
  const Error error = cannot(endpoint, errno == ECONNREFUSED ? "no guest listens there any more" : std::strerror(errno));
  if (fd >= 0) close(fd);
  return error;
}

Result<int> connect_tcp(const std::string& endpoint, const std::string& where) {
  const auto colon = where.rfind(':');
  if (colon == std::string::npos) return cannot(endpoint, "expected tcp:HOST:PORT");
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (const int bad = getaddrinfo(where.substr(0, colon).c_str(), where.substr(colon + 1).c_str(), &hints, &found))
    return cannot(endpoint, gai_strerror(bad));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, freeaddrinfo);
  for (const addrinfo* a = found; a; a = a->ai_next) {
    const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd >= 0 && ::connect(fd, a->ai_addr, a->ai_addrlen) == 0) return fd;
    if (fd >= 0) close(fd);
  }
  return cannot(endpoint, std::strerror(errno));
}

}  // namespace

Result<ControlClient> ControlClient::connect(const std::string& endpoint, unsigned patience_ms) {
  auto fd = endpoint.starts_with("tcp:")    ? connect_tcp(endpoint, endpoint.substr(4))
            : endpoint.starts_with("unix:") ? connect_unix(endpoint, endpoint.substr(5))
                                            : connect_unix(endpoint, endpoint);
  if (!fd) return fd.error();
  ControlClient client(*fd);
  if (patience_ms) {
    const timeval limit{patience_ms / 1000, patience_ms % 1000 * 1000};
    for (const int direction : {SO_RCVTIMEO, SO_SNDTIMEO}) setsockopt(*fd, SOL_SOCKET, direction, &limit, sizeof limit);
  }
  auto greeting = client.next_message();
  if (!greeting || !greeting->contains("ivm") || !(*greeting)["ivm"].is_object())
    return cannot(endpoint, "who listens there is not the control socket of ivm");
  const Json& about = (*greeting)["ivm"];
  if (about.value("protocol", 0u) != kProtocolVersion) return cannot(endpoint, "the guest speaks another version of the protocol");
  client.guest_ = about.value("guest", "");
  return client;
}

ControlClient::~ControlClient() {
  if (fd_ >= 0) close(fd_);
}

ControlClient::ControlClient(ControlClient&& other) noexcept
    : on_event(std::move(other.on_event)),
      fd_(std::exchange(other.fd_, -1)),
      guest_(std::move(other.guest_)),
      lines_(std::move(other.lines_)),
      last_id_(other.last_id_),
      replies_(std::move(other.replies_)) {}

bool ControlClient::fill(int flags) {
  char bytes[16384];
  ssize_t n;
  errno = 0;
  do n = recv(fd_, bytes, sizeof bytes, flags);
  while (n < 0 && errno == EINTR);
  if (n > 0) lines_.add({bytes, static_cast<size_t>(n)});
  return n > 0;
}

Result<Json> ControlClient::next_message() {
  for (;;) {
    while (auto line = lines_.next()) {
      Json message = Json::parse(*line, nullptr, false);
      if (message.is_object()) return message;
    }
    if (!fill()) return Error{ErrorKind::Io, "the guest has closed the connection"};
  }
}

Result<i64> ControlClient::post(Json request) {
  request["id"] = ++last_id_;
  const std::string text = to_text(request) + "\n";
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = send(fd_, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error{ErrorKind::Io, "the guest has closed the connection"};
    done += static_cast<size_t>(n);
  }
  return last_id_;
}

bool ControlClient::receive() {
  bool open = true;
  for (bool more = true; more;) {
    more = fill(MSG_DONTWAIT);
    open = more || errno == EAGAIN;
    while (auto line = lines_.next()) {
      Json message = Json::parse(*line, nullptr, false);
      if (!message.is_object()) continue;
      if (message.contains("event")) {
        if (on_event) on_event(message);
      } else if (message.contains("id") && message["id"].is_number_integer()) {
        const i64 id = message["id"].get<i64>();
        replies_[id] = std::move(message);
      }
    }
  }
  return open;
}

std::optional<Json> ControlClient::take_reply(i64 id) {
  auto reply = replies_.extract(id);
  if (reply.empty()) return std::nullopt;
  return std::move(reply.mapped());
}

Result<Json> ControlClient::request(const std::string& line) {
  if (auto posted = post({{"line", line}}); !posted) return posted.error();
  for (;;) {
    auto message = next_message();
    if (!message) return message;
    if (message->contains("event")) {
      if (on_event) on_event(*message);
    } else if (message->contains("id") && (*message)["id"] == last_id_) {
      return message;
    }
  }
}

bool ControlClient::read_events() {
  if (!fill()) return false;
  while (auto line = lines_.next()) {
    const Json message = Json::parse(*line, nullptr, false);
    if (message.is_object() && message.contains("event") && on_event) on_event(message);
  }
  return true;
}

}  // namespace ia64::machine::control
