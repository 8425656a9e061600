// Input to a machine whose time is counted: only at boundaries, and as fast as the guest takes it.
#include "machine/icount/counted_console.h"

#include <algorithm>
#include <vector>

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;

namespace {

/// The host's end: keeps output, and offers what it is told to.
struct Host final : CharChannel {
  void write(std::span<const u8> bytes) override { output.append(bytes.begin(), bytes.end()); }
  void set_receiver(std::function<size_t(std::span<const u8>)> r) override { receiver = std::move(r); }
  void receiver_ready() override { ready++; }
  void set_break_handler(std::function<void()> fn) override { on_break = std::move(fn); }
  size_t offer(const std::string& text) { return receiver({reinterpret_cast<const u8*>(text.data()), text.size()}); }
  std::string output;
  std::function<size_t(std::span<const u8>)> receiver;
  std::function<void()> on_break;
  int ready = 0;
};

struct Rig {
  Host host;
  std::vector<std::function<void()>> posted;
  CountedConsole console{host, [this](std::function<void()> fn) { posted.push_back(std::move(fn)); }};
  std::string taken;
  size_t room = 4;

  Rig() {
    console.set_receiver([this](std::span<const u8> bytes) {
      const size_t n = std::min(bytes.size(), room);
      taken.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      room -= n;
      return n;
    });
  }
  void boundary() {
    for (auto& fn : std::exchange(posted, {})) fn();
  }
  void guest_reads() {
    room = 4;
    console.receiver_ready();
  }
};

}  // namespace

TEST_CASE("counted console: what is typed arrives at boundaries, as much as there is room for", "[icount]") {
  Rig rig;
  rig.console.type("abcdefg");
  CHECK(rig.taken == "");
  rig.boundary();
  CHECK(rig.taken == "abcd");
  rig.boundary();
  CHECK(rig.taken == "abcd");
  rig.guest_reads();
  CHECK(rig.taken == "abcd");
  rig.boundary();
  CHECK(rig.taken == "abcdefg");
  rig.guest_reads();
  CHECK(rig.posted.empty());
}

TEST_CASE("counted console: the host's end is held back and told when it may go on", "[icount]") {
  Rig rig;
  const std::string text(40, 'x');
  const size_t first = rig.host.offer(text);
  CHECK(first > 0);
  CHECK(first < text.size());
  CHECK(rig.host.offer(text) == 0);
  CHECK(rig.host.ready == 0);
  rig.boundary();
  CHECK(rig.taken == "xxxx");
  CHECK(rig.host.ready == 1);
  CHECK(rig.host.offer(text) == 4);
}

TEST_CASE("counted console: output is heard within the write and goes on to the host's end", "[icount]") {
  Rig rig;
  std::string heard;
  rig.console.set_listener([&](std::span<const u8> b) { heard.append(b.begin(), b.end()); });
  const u8 text[] = {'h', 'i'};
  rig.console.write(text);
  CHECK(heard == "hi");
  CHECK(rig.host.output == "hi");
}

TEST_CASE("counted console: a break comes at a boundary", "[icount]") {
  Rig rig;
  int breaks = 0;
  rig.console.set_break_handler([&] { breaks++; });
  rig.host.on_break();
  CHECK(breaks == 0);
  rig.boundary();
  CHECK(breaks == 1);
}

TEST_CASE("counted console: who stops the guest first may offer all at once, and hears when it was taken", "[icount]") {
  Rig rig;
  int noticed = 0;
  rig.console.set_notice([&] { noticed++; });
  rig.console.take_up_to(1 << 20);
  std::string text;
  for (int n = 0; n < 100'000; n++) text += static_cast<char>('a' + n % 26);
  CHECK(rig.host.offer(text) == text.size());
  CHECK(rig.console.waiting_bytes() == text.size());
  rig.boundary();
  while (rig.taken.size() < text.size()) {
    REQUIRE(noticed == 0);
    const size_t before = rig.taken.size();
    rig.guest_reads();
    rig.boundary();
    REQUIRE(rig.taken.size() > before);
  }
  CHECK(noticed == 1);
  CHECK(rig.console.waiting_bytes() == 0);
  CHECK(rig.taken == text);
  const u8 byte[] = {'x'};
  rig.console.write(byte);
  CHECK(noticed == 2);
}
