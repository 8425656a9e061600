// Console keys, scripts and typing with flow control.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine/host/console_hub.h"
#include "machine/host/console_keys.h"
#include "machine/host/console_script.h"
#include "machine/host/host_loop.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;
using Step = ConsoleScript::Step;

namespace {

std::span<const u8> bytes(std::string_view s) { return {reinterpret_cast<const u8*>(s.data()), s.size()}; }

struct ScriptRun {
  std::unique_ptr<ConsoleScript> script;
  std::vector<std::string> sent;
  bool done = false;
  explicit ScriptRun(std::vector<Step> steps) {
    auto r = ConsoleScript::create(std::move(steps));
    REQUIRE(r);
    script = std::move(*r);
    script->send = [this](std::string s) { sent.push_back(std::move(s)); };
    script->done = [this] { done = true; };
    script->start();
  }
};

}  // namespace

TEST_CASE("console script: steps happen in order, a match may span writes", "[machine]") {
  ScriptRun run({{Step::Kind::Expect, "login: $"}, {Step::Kind::Send, "root\\r"}, {Step::Kind::Expect, "# $"}});
  run.script->feed(bytes("boot\r\nlog"));
  CHECK(run.sent.empty());
  run.script->feed(bytes("in: "));
  CHECK(run.sent == std::vector<std::string>{"root\r"});
  CHECK_FALSE(run.done);
  CHECK(run.script->waiting_for() == "# $");
  run.script->feed(bytes("root\r\n# "));
  CHECK(run.done);
}

TEST_CASE("console script: each match is reported before the step that follows it", "[machine]") {
  ScriptRun run({{Step::Kind::Expect, "lo+gin"}, {Step::Kind::Send, "root"}, {Step::Kind::Expect, "# $"}});
  std::vector<std::string> seen;
  run.script->matched = [&](const std::string& pattern) {
    CHECK(run.sent.size() == seen.size());
    seen.push_back(pattern);
  };
  run.script->feed(bytes("looogin # "));
  CHECK(seen == std::vector<std::string>{"lo+gin", "# $"});
}

TEST_CASE("console script: output matched by one step is not matched again", "[machine]") {
  ScriptRun run({{Step::Kind::Expect, "ready"}, {Step::Kind::Expect, "ready"}});
  run.script->feed(bytes("ready\n"));
  CHECK_FALSE(run.done);
  run.script->feed(bytes("ready\n"));
  CHECK(run.done);
}

TEST_CASE("console script: bad steps are named", "[machine]") {
  auto bad = ConsoleScript::create({{Step::Kind::Expect, "("}});
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message.find("'('") != std::string::npos);
  CHECK_FALSE(decode_escapes("\\q"));
  CHECK_FALSE(decode_escapes("\\x4"));
  CHECK(*decode_escapes("a\\x41\\e\\\\") == "aA\033\\");
}

TEST_CASE("console keys: the escape works across reads and passes itself on", "[machine]") {
  ConsoleKeys keys;
  std::string guest, shown;
  int quits = 0, resets = 0, breaks = 0, presses = 0;
  keys.to_guest = [&](std::span<const u8> b) { guest.append(b.begin(), b.end()); };
  keys.quit = [&] { quits++; };
  keys.reset = [&] { resets++; };
  keys.press_power_button = [&] { presses++; };
  keys.send_break = [&] { breaks++; };
  keys.show = [&](const std::string& s) { shown += s; };
  keys.feed(bytes("ab\x1d"));
  keys.feed(bytes("bcd\x1d\x1d"));
  keys.feed(bytes("\x1dr\x1dp\x1d?\x1dq\x1dz"));
  CHECK(guest == "abcd\x1d");
  CHECK(breaks == 1);
  CHECK(resets == 1);
  CHECK(presses == 1);
  CHECK(quits == 1);
  CHECK(shown.find("quit") != std::string::npos);
  CHECK(shown.find("no such console key") != std::string::npos);
}

TEST_CASE("console keys: a command line has its own prompt and editing, and the guest gets none of it", "[machine]") {
  ConsoleKeys keys;
  std::string guest, shown;
  std::vector<std::string> ran;
  keys.prompt = "[web1] vMP> ";
  keys.to_guest = [&](std::span<const u8> b) { guest.append(b.begin(), b.end()); };
  keys.show = [&](const std::string& s) { shown += s; };
  keys.run = [&](const std::string& line) { ran.push_back(line); };
  keys.feed(bytes("a\x1d" "cINx\x7f two.iso\rb"));
  CHECK(ran == std::vector<std::string>{"IN two.iso"});
  CHECK(shown == "\r\n[web1] vMP> INx\b \b two.iso\r\n");
  keys.feed(bytes("\x1d" "cEJ\x03\x1d" "c  \r\x1d" "c\x7f\x1b" "c"));
  CHECK(ran.size() == 1);
  CHECK(guest == "abc");
  keys.feed(bytes("\x1d" "c" + std::string(5000, 'x') + "\r"));
  CHECK(ran.back().size() == 1024);
}

TEST_CASE("console hub: typing waits for a full receiver and loses nothing", "[machine]") {
  HostLoop loop;
  ConsoleHub hub(loop);
  std::string got;
  size_t room = 3;
  hub.set_receiver([&](std::span<const u8> b) {
    const size_t n = std::min(room, b.size());
    got.append(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(n));
    room -= n;
    return n;
  });
  const std::string text(1000, 'x');
  hub.type(bytes(text));
  CHECK(got.size() == 3);
  room = 5000;
  hub.receiver_ready();
  loop.post([&] { loop.stop(); });
  loop.run();
  CHECK(got == text);
}

TEST_CASE("console hub: each typing tells what is left of it, and can be taken back", "[machine]") {
  HostLoop loop;
  ConsoleHub hub(loop);
  std::string got;
  size_t room = 4;
  hub.set_receiver([&](std::span<const u8> b) {
    const size_t n = std::min(room, b.size());
    got.append(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(n));
    room -= n;
    return n;
  });
  const auto pump = [&](size_t more) {
    room += more;
    hub.receiver_ready();
    loop.settle(1000, [&] { return room == 0 || hub.input_bytes() == 0; });
  };
  std::vector<size_t> first, second, third;
  hub.type(bytes("abcdef"), [&](size_t left) { first.push_back(left); });
  const u64 taken_back = hub.type(bytes("ghi"), [&](size_t left) { second.push_back(left); });
  hub.type(bytes("jk"), [&](size_t left) { third.push_back(left); });
  CHECK(first == std::vector<size_t>{2});
  pump(3);
  CHECK(first == std::vector<size_t>{2, 0});
  CHECK(second == std::vector<size_t>{2});
  CHECK(hub.input_bytes() == 4);
  CHECK(hub.cancel_typing(taken_back) == 2);
  CHECK(hub.cancel_typing(taken_back) == 0);
  pump(9);
  CHECK(got == "abcdefgjk");
  CHECK(third == std::vector<size_t>{0});
}

TEST_CASE("console hub: listeners see output in order", "[machine]") {
  HostLoop loop;
  ConsoleHub hub(loop);
  std::string seen;
  hub.add_listener([&](std::span<const u8> b) { seen.append(b.begin(), b.end()); });
  hub.write(bytes("one "));
  hub.write(bytes("two"));
  loop.post([&] { loop.stop(); });
  loop.run();
  CHECK(seen == "one two");
}

namespace {

int console_client(const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  return fd;
}

size_t read_all(int fd) {
  std::vector<char> bytes(1 << 16);
  size_t n = 0;
  for (ssize_t got; (got = recv(fd, bytes.data(), bytes.size(), 0)) > 0;) n += static_cast<size_t>(got);
  return n;
}

}  // namespace

TEST_CASE("console socket: clients that never read, send rubbish or are half closed hold up neither the guest nor another client", "[machine]") {
  constexpr u64 kPatienceMs = 60'000;
  HostLoop loop;
  ConsoleHub hub(loop);
  const std::string path = "/tmp/ivm-console-" + std::to_string(getpid());
  size_t typed = 0;
  auto stream = loop.listen_unix(path, [&](std::span<const u8> b) { typed += b.size(); });
  REQUIRE(stream);
  hub.add_listener([&](std::span<const u8> b) { (*stream)->send(b); });
  const int silent = console_client(path), half = console_client(path), rubbish = console_client(path), good = console_client(path);
  shutdown(half, SHUT_WR);
  const std::string noise(100'000, '\xff');
  const ssize_t sent = send(rubbish, noise.data(), noise.size(), MSG_NOSIGNAL);
  REQUIRE(sent > 0);
  loop.settle(kPatienceMs, [&] { return typed == static_cast<size_t>(sent); });
  CHECK(typed == static_cast<size_t>(sent));

  const std::string chunk(1 << 20, 'x');
  constexpr size_t kChunks = 64;
  size_t seen = 0;
  for (size_t n = 1; n <= kChunks; n++) {
    hub.write(bytes(chunk));  // as the guest's processor does: it returns at once
    loop.settle(kPatienceMs, [&] {
      loop.post([] {});  // look again after one more turn
      return (seen += read_all(good)) == n * chunk.size();
    });
    REQUIRE(seen == n * chunk.size());
  }
  // What was kept for a client that does not read is bounded: the backlog, as much under way, and the host's socket.
  size_t late = 0;
  unsigned idle = 0;
  loop.settle(kPatienceMs, [&] {
    const size_t more = read_all(silent);
    late += more;
    idle = more ? 0 : idle + 1;
    loop.post([] {});
    return late > 0 && idle > 1000;
  });
  CHECK(late > 0);
  CHECK(late <= 2 * HostStream::kMaxBacklogBytes + (8 << 20));
  for (const int fd : {silent, half, rubbish, good}) close(fd);
}
