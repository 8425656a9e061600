// The control protocol: requests, command lines, arguments, clients that misbehave.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "machine/config.h"
#include "machine/control/control_server.h"
#include "machine/control/jobs.h"
#include "machine/control/protocol.h"
#include "machine/control/text_report.h"
#include "machine/host/console_hub.h"
#include "machine/host/console_watches.h"
#include "machine/host/host_loop.h"
#include "machine/host/line_buffer.h"
#include "machine/host/line_server.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;
using namespace ia64::machine::control;

namespace {

std::string error_of(std::string_view line) {
  const Request r = parse_request(line);
  REQUIRE_FALSE(r.invocation);
  return r.invocation.error().message;
}

Invocation command_line(std::string_view line) {
  auto i = parse_command_line(line);
  INFO(line);
  REQUIRE(i);
  return *i;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("control: every command has a name of its own, help, and arguments that can be told apart", "[machine]") {
  std::vector<std::string> seen;
  for (const CommandRow& row : command_table()) {
    for (const char* name : {row.name, row.alias}) {
      if (!name) continue;
      CHECK(std::find(seen.begin(), seen.end(), name) == seen.end());
      seen.push_back(name);
      CHECK(find_command(name) == &row);
    }
    CHECK(std::string(row.help).size() > 3);
    for (size_t i = 0; i < row.arguments.size(); i++)
      for (size_t k = 0; k < i; k++) CHECK(std::string(row.arguments[i].name) != row.arguments[k].name);
  }
}

TEST_CASE("control: a request names a command with arguments, or is a line", "[machine]") {
  const Request a = parse_request(R"({"id":"x","command":"eject","arguments":{"address":"0,2,1","force":true}})");
  REQUIRE(a.invocation);
  CHECK(a.id == "x");
  CHECK(a.invocation->row == find_command("eject"));
  CHECK(a.invocation->arguments.flag("force"));
  CHECK(*a.invocation->arguments.address("address")->slot == 2);
  const Request b = parse_request(R"({"line":"EJ 0,2,1"})");
  REQUIRE(b.invocation);
  CHECK(b.id.is_null());
  CHECK(b.invocation->row == find_command("eject"));
  CHECK_FALSE(b.invocation->arguments.flag("force"));
}

TEST_CASE("control: bad requests are answered with what is wrong, under their id", "[machine]") {
  CHECK(has(error_of("hello"), "not JSON"));
  CHECK(has(error_of(""), "not JSON"));
  CHECK(has(error_of("[1]"), "object"));
  CHECK(has(error_of("{}"), "\"command\""));
  CHECK(has(error_of(R"({"command":"help","line":"help"})"), "\"line\""));
  CHECK(has(error_of(R"({"command":7})"), "strings"));
  CHECK(has(error_of(R"({"command":"frobnicate"})"), "frobnicate"));
  CHECK(has(error_of(R"({"command":"help","argument":{}})"), "'argument'"));
  CHECK(has(error_of(R"({"command":"help","arguments":[]})"), "object"));
  CHECK(has(error_of(R"({"command":"detach"})"), "'address'"));
  CHECK(has(error_of(R"({"command":"detach","arguments":{"address":"0,2"}})"), "bus,slot,target"));
  CHECK(has(error_of(R"({"command":"detach","arguments":{"address":5}})"), "string"));
  CHECK(has(error_of(R"({"command":"detach","arguments":{"address":"0,2,1","x":1}})"), "'x'"));
  CHECK(has(error_of(R"({"command":"eject","arguments":{"force":"yes"}})"), "true or false"));
  CHECK(has(error_of(R"({"command":"resize","arguments":{"address":"0,2,1","size":-5}})"), "512"));
  CHECK(has(error_of(R"({"command":"resize","arguments":{"address":"0,2,1","size":1000}})"), "512"));
  CHECK(has(error_of(R"({"command":"resize","arguments":{"address":"0,2,1","size":"1Q"}})"), "'size'"));
  CHECK(parse_request(R"({"id":7,"command":"frobnicate"})").id == 7);
  CHECK(parse_request(R"({"id":[7],"command":"help"})").id.is_null());
  CHECK(has(error_of(R"({"id":[7],"command":"help"})"), "id"));
  CHECK(has(error_of(R"({"id":1.5,"command":"help"})"), "id"));
}

TEST_CASE("control: words of a line are places, names and flags; quotes and backslashes keep blanks", "[machine]") {
  CHECK(command_line("insert 'my disc.iso'").arguments.text("image") == "my disc.iso");
  CHECK(command_line("insert my\\ disc.iso").arguments.text("image") == "my disc.iso");
  CHECK(command_line("insert \"a \\\" b\"").arguments.text("image") == "a \" b");
  CHECK(command_line("insert 'back\\slash'").arguments.text("image") == "back\\slash");
  CHECK(command_line("insert address=0,2,1 x=y.iso").arguments.text("image") == "x=y.iso");
  CHECK(command_line("  eject   force  0,2,1 ").arguments.flag("force"));
  CHECK_FALSE(command_line("eject force=no").arguments.flag("force"));
  CHECK(command_line("resize 0,2,1 20G").arguments.size("size") == u64{20} << 30);
  CHECK(command_line("resize size=1M address=0,2,1").arguments.size("size") == u64{1} << 20);
  for (const char* bad : {"", "   ", "nosuch", "insert 'open", "insert \\", "pause now", "detach", "eject force=maybe", "eject 0,9,1"})
    CHECK_FALSE(parse_command_line(bad));
}

TEST_CASE("control: replies are one line of JSON, whatever a file name holds", "[machine]") {
  const std::string good = reply_line(5, Json{{"path", "a\nb\xff"}});
  CHECK(std::count(good.begin(), good.end(), '\n') == 1);
  CHECK(Json::parse(good)["id"] == 5);
  const Json bad = Json::parse(reply_line("a", Error{ErrorKind::Locked, "busy"}));
  CHECK(bad["error"]["kind"] == "busy");
  CHECK(bad["error"]["message"] == "busy");
  CHECK(Json::parse(event_line(EventKind::Media, {{"action", "eject"}}))["event"] == "media");
}

TEST_CASE("text report: labels in a column, units for bytes, lists as tables", "[machine]") {
  const Json storage = Json::parse(R"({"state":"Off","memory_bytes":1073741824,"odd_bytes":1536,"on":true,"nothing":null,
    "drives":[{"address":"0,2,1","size_bytes":1000,"choices":["a","b"]},{"address":"0,2,10","more":7}]})");
  CHECK(report_text(storage) ==
        "state   : Off\n"
        "memory  : 1 GiB\n"
        "odd     : 1.5 KiB\n"
        "on      : yes\n"
        "nothing : -\n"
        "[drives]\n"
        "address size   choices more\n"
        "======= ====== ======= ====\n"
        "0,2,1   1000 B a, b    -\n"
        "0,2,10  -      -       7\n");
  CHECK(report_text(Json::object()).empty());
  CHECK(report_text(Json::parse(R"({"adapters":[]})")) == "adapters: none\n");
  CHECK(report_text(Json::parse(R"({"a":[{"slot":2,"devices":[{"x":1}]}]})")) == "[a]\nslot : 2\n[devices]\nx\n=\n1\n");
  CHECK(report_text(Json::parse(R"({"gr":["0","1","2","3","4","5","6","7","8","9","10","11",null]})")).starts_with(
      "gr0 0                   gr1 1                   gr2 2                   gr3 3\n"));
  CHECK(event_text(Json::parse(R"({"event":"media","data":{"action":"eject"}})")) == "* media  action eject");
}

TEST_CASE("text report: help shows what may be left out", "[machine]") {
  const Json command = Json::parse(R"({"name":"eject","alias":"EJ","help":"take it out","arguments":[
    {"name":"address","type":"address","required":true,"help":"where"},{"name":"force","type":"flag","required":false,"help":"even if"}]})");
  CHECK(help_text(command) ==
        "eject address [force]: take it out\nalso called EJ\n  address    address  where\n  force      flag     even if\n");
  CHECK(help_text({{"commands", Json::array({command})}}).starts_with("eject address [force]            take it out\n"));
}

TEST_CASE("line buffer: lines across reads, a last line without newline, a line that is too long", "[machine]") {
  LineBuffer b(8);
  b.add("ab");
  CHECK_FALSE(b.next());
  b.add("c\n\nde");
  CHECK(*b.next() == "abc");
  CHECK(*b.next() == "");
  CHECK_FALSE(b.next());
  CHECK(*b.next(true) == "de");
  CHECK_FALSE(b.next(true));
  b.add("12345678");
  CHECK_FALSE(b.next());
  CHECK_FALSE(b.overflowed());
  b.add("9");
  CHECK_FALSE(b.next());
  CHECK(b.overflowed());
}

namespace {

int connect_to(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  return fd;
}

/// A server that answers every line with itself, on a loop of its own, and clients of it.
struct Echo {
  std::string path = "/tmp/ivm-line-server-" + std::to_string(getpid());
  HostLoop loop;
  std::unique_ptr<LineServer> server;
  std::thread thread;
  std::atomic<int> clients{0}, too_long{0};

  explicit Echo(size_t max_clients = 4) {
    LineServer::Handlers h;
    h.connected = [this](LineServer::ClientId) { clients++; };
    h.gone = [this](LineServer::ClientId) { clients--; };
    h.line = [this](LineServer::ClientId id, const std::string& line) {
      server->send(id, line + "\n");
      server->ready(id);
    };
    h.too_long = [this](LineServer::ClientId id) { too_long++, server->send(id, "too long\n"); };
    auto s = LineServer::listen(loop, "unix:" + path, "--test", {.clients = max_clients, .line_bytes = 1000, .unread_bytes = 10'000}, h);
    REQUIRE(s);
    server = std::move(*s);
    thread = std::thread([this] { loop.run(); });
  }
  ~Echo() {
    loop.stop();
    thread.join();
    server.reset();
  }
  int connect() const { return connect_to(path); }
};

std::string read_line(int fd) {
  std::string line;
  for (char c; read(fd, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

void put(int fd, const std::string& text) { REQUIRE(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())); }

}  // namespace

TEST_CASE("line server: pipelined lines are answered in order, the last without a newline too", "[machine]") {
  Echo echo;
  const int fd = echo.connect();
  put(fd, "a\nb\nc");
  shutdown(fd, SHUT_WR);
  CHECK(read_line(fd) == "a");
  CHECK(read_line(fd) == "b");
  CHECK(read_line(fd) == "c");
  CHECK(read_line(fd).empty());  // closed
  close(fd);
}

TEST_CASE("line server: only the owner may connect, and a second server is refused", "[machine]") {
  Echo echo;
  struct stat st;
  REQUIRE(stat(echo.path.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  HostLoop loop;
  auto second = LineServer::listen(loop, "unix:" + echo.path, "--test", {}, {});
  REQUIRE_FALSE(second);
  CHECK(has(second.error().message, "another process listens there"));
}

TEST_CASE("line server: a stale socket is replaced, another file stays", "[machine]") {
  const std::string path = "/tmp/ivm-stale-" + std::to_string(getpid());
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  close(fd);  // nobody listens, the file stays
  HostLoop loop;
  CHECK(LineServer::listen(loop, "unix:" + path, "--test", {}, {}));
  CHECK(access(path.c_str(), F_OK) != 0);  // it went with its server
  const int file = open(path.c_str(), O_CREAT | O_WRONLY, 0600);
  close(file);
  auto refused = LineServer::listen(loop, "unix:" + path, "--test", {}, {});
  REQUIRE_FALSE(refused);
  CHECK(has(refused.error().message, "not a socket"));
  CHECK(unlink(path.c_str()) == 0);
}

TEST_CASE("line server: endpoints other than a path and the loopback address are refused", "[machine]") {
  HostLoop loop;
  for (const char* bad : {"", "unix:", "udp:1", "tcp:0.0.0.0:4000", "tcp:4000", "tcp:127.0.0.1:0", "tcp:127.0.0.1:70000", "tcp:127.0.0.1:x", "x"})
    CHECK_FALSE(LineServer::listen(loop, bad, "--test", {}, {}));
}

TEST_CASE("line server: a megabyte without a newline ends that connection only", "[machine]") {
  Echo echo;
  const int good = echo.connect(), bad = echo.connect();
  const std::string flood(1 << 20, 'x');
  std::thread sender([&] {
    for (size_t done = 0; done < flood.size();) {
      const ssize_t n = ::send(bad, flood.data() + done, flood.size() - done, MSG_NOSIGNAL);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
  });
  put(good, "still here\n");
  CHECK(read_line(good) == "still here");
  CHECK(read_line(bad) == "too long");
  sender.join();
  CHECK(echo.too_long == 1);
  close(good), close(bad);
}

TEST_CASE("line server: a client that never reads is read no more, others go on", "[machine]") {
  Echo echo;
  const int good = echo.connect(), bad = echo.connect();
  const int nonblocking = fcntl(bad, F_SETFL, O_NONBLOCK);
  REQUIRE(nonblocking == 0);
  const std::string line = std::string(900, 'y') + "\n";
  size_t taken = 0;
  for (int quiet = 0; quiet < 50 && taken < (64u << 20);) {  // until the socket takes nothing for a while
    const ssize_t n = ::send(bad, line.data(), line.size(), MSG_NOSIGNAL);
    if (n > 0) {
      taken += static_cast<size_t>(n);
      quiet = 0;
      continue;
    }
    quiet++;
    put(good, "ping\n");  // a full turn of the loop
    CHECK(read_line(good) == "ping");
  }
  CHECK(taken < (64u << 20));  // socket buffers, not ours
  close(good), close(bad);
}

TEST_CASE("line server: of too many clients the silent one goes", "[machine]") {
  Echo echo(2);
  const int first = echo.connect();
  put(first, "1\n");
  CHECK(read_line(first) == "1");
  const int silent = echo.connect();
  put(first, "2\n");
  CHECK(read_line(first) == "2");
  const int third = echo.connect();
  put(third, "3\n");
  CHECK(read_line(third) == "3");
  CHECK(read_line(silent).empty());
  put(first, "4\n");
  CHECK(read_line(first) == "4");
  for (const int fd : {first, silent, third}) close(fd);
}

namespace {

/// A control server without a machine: enough for commands of the host loop.
struct Control {
  std::string path = "/tmp/ivm-control-" + std::to_string(getpid());
  HostLoop loop;
  MachineConfig config;
  ConsoleHub console{loop};
  ConsoleWatches watches;
  Jobs jobs{[this](const Json& data) { server->publish(EventKind::Job, data); }};
  CommandRunner runner{loop, {.machine = nullptr, .config = &config, .end_session = {}, .publish = {}, .console = &console, .watches = &watches, .jobs = &jobs}};
  std::unique_ptr<ControlServer> server;
  std::thread thread;

  Control() {
    auto s = ControlServer::listen(loop, runner, "unix:" + path);
    REQUIRE(s);
    server = std::move(*s);
    thread = std::thread([this] { loop.run(); });
  }
  ~Control() {
    loop.stop();
    thread.join();
  }
};

}  // namespace

TEST_CASE("control server: events for a client that does not read are dropped and counted; it goes on afterwards", "[machine]") {
  Control control;
  const int fd = connect_to(control.path);
  CHECK(Json::parse(read_line(fd))["ivm"]["protocol"] == 1);
  put(fd, "{\"id\":1,\"line\":\"events media\"}\n");
  CHECK(Json::parse(read_line(fd))["result"]["events"] == Json::array({"media"}));
  constexpr u64 kEvents = 20'000;
  const Json data = {{"text", std::string(200, 'e')}};
  std::atomic<bool> published{false};
  control.loop.post([&] {
    for (u64 n = 0; n < kEvents; n++) control.server->publish(EventKind::Media, data);
    control.server->publish(EventKind::State, data);  // nobody asked for it
    published = true;
  });
  while (!published) std::this_thread::yield();
  u64 seen = 0, lost = 0;
  put(fd, "{\"id\":2,\"line\":\"help help\"}\n");
  for (;;) {
    const Json message = Json::parse(read_line(fd));
    if (message.contains("id")) break;
    CHECK(message["event"] == "media");
    seen++;
  }
  CHECK(seen < 4000);  // 256 KiB of them, and what the socket holds
  control.loop.post([&] { control.server->publish(EventKind::Media, data); });
  const Json first = Json::parse(read_line(fd));
  CHECK(first["event"] == "lost");
  lost = first["data"]["count"];
  CHECK(seen + lost == kEvents);
  CHECK(Json::parse(read_line(fd))["event"] == "media");
  close(fd);
}

TEST_CASE("control server: a stranger's first line closes its connection, a later slip does not", "[machine]") {
  Control control;
  const int stranger = connect_to(control.path);
  read_line(stranger);
  put(stranger, "POST / HTTP/1.1\r\n\r\n{\"line\":\"help\"}\n");
  CHECK(has(read_line(stranger), "not JSON"));
  CHECK(read_line(stranger).empty());
  const int client = connect_to(control.path);
  read_line(client);
  put(client, "{\"id\":1,\"line\":\"help help\"}\nslip\n{\"id\":2,\"line\":\"help help\"}\n");
  CHECK(Json::parse(read_line(client))["id"] == 1);
  CHECK(has(read_line(client), "not JSON"));
  CHECK(Json::parse(read_line(client))["id"] == 2);
  close(stranger), close(client);
}

TEST_CASE("control server: typing is a job with progress; who waits is answered when the guest has taken all", "[machine]") {
  Control control;
  size_t room = 1000;
  std::string typed;
  control.console.set_receiver([&](std::span<const u8> b) {
    const size_t n = std::min(room, b.size());
    typed.append(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(n));
    room -= n;
    return n;
  });
  const int fd = connect_to(control.path), other = connect_to(control.path);
  read_line(fd), read_line(other);
  put(fd, "{\"id\":1,\"line\":\"events job\"}\n");
  read_line(fd);
  put(other, "{\"id\":2,\"command\":\"type\",\"arguments\":{\"text\":\"" + std::string(1600, 'x') + "\\r\",\"wait\":true}}\n");
  Json event;
  do event = Json::parse(read_line(fd))["data"];
  while (event["done"] != 1000);
  CHECK(event == Json{{"job", 1}, {"command", "type"}, {"state", "running"}, {"done", 1000}, {"total", 1601}, {"unit", "bytes"}});
  put(fd, "{\"id\":3,\"line\":\"type more\"}\n");
  Json reply = Json::parse(read_line(fd));
  while (!reply.contains("id")) reply = Json::parse(read_line(fd));
  CHECK(reply["result"]["job"] == 2);
  put(fd, "{\"id\":4,\"line\":\"events none\"}\n{\"id\":5,\"line\":\"cancel 2\"}\n{\"id\":6,\"line\":\"wait 2\"}\n{\"id\":7,\"line\":\"wait 9\"}\n");
  for (reply = {}; !reply.contains("id") || reply["id"] != 6;) reply = Json::parse(read_line(fd));
  CHECK(reply["error"]["message"] == "cancelled with 4 bytes not typed");
  CHECK(Json::parse(read_line(fd))["error"]["kind"] == "not-found");
  control.loop.post([&] { room = 5000; });
  control.console.receiver_ready();
  CHECK(Json::parse(read_line(other)) == Json{{"id", 2}, {"result", {{"typed_bytes", 1601}}}});
  put(fd, R"({"id":8,"command":"type","arguments":{"hex":"00ff41","wait":true}})" "\n" R"({"id":9,"line":"type a\\\\r escapes wait"})" "\n");
  read_line(fd), read_line(fd);
  CHECK(typed == std::string(1600, 'x') + std::string("\r\0\xff", 3) + "Aa\r");
  for (const char* bad : {"type", "type hex=123", "type hex=0g", "type a hex=00", "type \\\\q escapes", "watch", "watch line=a prompt=b", "watch line=(",
                          "watch prompt=a$", "unwatch 1", "unwatch x", "cancel x", "cancel 77"}) {
    put(fd, to_text({{"line", bad}}) + "\n");
    INFO(bad);
    CHECK(Json::parse(read_line(fd)).contains("error"));
  }
  close(fd), close(other);
}

TEST_CASE("control server: a match is told to the connection that watches, and its watches go with it", "[machine]") {
  Control control;
  control.watches.on_match = [&](const auto& watch, const auto& match, u64 offset) {
    control.server->publish_match(watch.owner, {{"watch", watch.id}, {"offset", offset}, {"groups", match.groups}});
  };
  const auto print = [&](const std::string& text) {
    control.loop.post([&control, text] { control.watches.feed({reinterpret_cast<const u8*>(text.data()), text.size()}); });
  };
  const int fd = connect_to(control.path), other = connect_to(control.path);
  read_line(fd), read_line(other);
  put(other, to_text({{"line", "watch text=up"}}) + "\n");
  CHECK(Json::parse(read_line(other))["result"]["watch"] == 1);
  put(fd, to_text({{"command", "watch"}, {"arguments", {{"line", "^up (\\d+)"}}}}) + "\n");
  CHECK(Json::parse(read_line(fd))["result"]["watch"] == 2);
  print("up 12");
  CHECK(Json::parse(read_line(other))["data"]["groups"] == Json::array({"up"}));
  close(other);
  print("34 s\r\n");
  CHECK(Json::parse(read_line(fd)) == Json{{"event", "match"}, {"data", {{"watch", 2}, {"offset", 0}, {"groups", {"up 1234", "1234"}}}}});
  put(fd, "{\"line\":\"unwatch 2\"}\n");
  CHECK(Json::parse(read_line(fd)).contains("result"));
  print("up 1 up\n");
  put(fd, "{\"id\":1,\"line\":\"unwatch 1\"}\n");
  const Json reply = Json::parse(read_line(fd));
  CHECK(reply["id"] == 1);
  CHECK(reply["error"]["kind"] == "not-found");
  close(fd);
}

TEST_CASE("control: lines of text are shown as they are", "[machine]") {
  Json lines = Json::array();
  for (int n = 0; n < 20; n++) lines.push_back("  step " + std::to_string(n));
  const std::string text = report_text({{"note", "all"}, {"lines", lines}});
  CHECK(text.starts_with("note : all\n  step 0\n  step 1\n"));
  CHECK(text.ends_with("\n  step 19\n"));
}
