// The debugger's side of a connection: packets with pieces swapped, cut and repeated, raw bytes between them, connections that end
// anywhere, against a stub in front of a processor that runs.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/address_space.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/gdb_rig.h"

namespace ia64::fuzz {
namespace {

namespace dbg = machine::debugger;

class StandingClock final : public Clock {
  u64 now_ns() const override { return 0; }
  TimerId schedule(u64, std::function<void()>) override { return 1; }
  void cancel(TimerId) override {}
};

constexpr u64 kRamBytes = 1 << 20;
const char* const kStarts[] = {"?", "g", "G", "p", "P", "m", "M", "X", "c", "s", "bs", "bc", "b", "C05;", "S05", "vCont;", "vCont?", "vKill;1", "Z0,", "Z1,", "Z2,", "Z3,", "Z4,", "Z9",
                               "z0,", "z4,", "D", "k", "Hg", "T", "qSupported", "qXfer:features:read:target.xml:", "qXfer:threads:read::", "qfThreadInfo",
                               "qThreadExtraInfo,", "qRcmd,", "qC", "QStartNoAckMode", "vMustReplyEmpty", "!", ""};
const char* const kPieces[] = {",", ":", ";", "=", "0", "1", "-1", "s:1", "c", "xx", "ffffffffffffffff", "10000", "e000000000010000", "8", "}", "}\x03", "\x03", "*", "x", "00"};

std::string payload(Random& random) {
  std::string out = random.pick(kStarts);
  for (u64 n = random.below(6); n; n--) {
    switch (random.below(4)) {
      case 0: out += random.pick(kPieces); break;
      case 1: out += fmt::format("{:x}", random.awkward()); break;
      case 2: out += fmt::format("{:x}", random.below(kRamBytes)); break;
      default: out += fmt::format("{:016x}", random.awkward());
    }
    if (random.one_in(2)) out += random.pick(kPieces);
  }
  if (random.one_in(50)) out += std::string(random.below(20000), '0');
  return out;
}

std::string bytes(Random& random) {
  std::string out;
  switch (random.below(8)) {
    case 0:
      for (u64 n = random.below(40); n; n--) out += static_cast<char>(random.below(256));
      return out;
    case 1: return random.one_in(2) ? "\x03" : "-";
    case 2: return dbg::frame(payload(random)).substr(random.below(4));
    default: return dbg::frame(payload(random));
  }
}

}  // namespace

void fuzz_one(u64 seed) {
  Random random(seed);
  std::vector<u8> ram(kRamBytes);
  for (u8& b : ram) b = random.one_in(4) ? static_cast<u8>(random.next()) : 0;
  AddressSpace bus;
  bus.add_ram(0, kRamBytes, ram.data(), "ram");
  StandingClock clock;
  cpu::Core core({.bus = &bus, .clock = &clock});
  core.regs().ip = 0x10000, core.regs().iva = 0x20000, core.regs().bspstore = 0x30000;
  test::GdbRig rig(core);
  rig.most_instructions = 200;
  rig.can_go_back = random.one_in(2);
  for (unsigned n = 0; n < 200; n++) {
    const std::string sent = rig.feed(bytes(random));
    check(rig.handled == rig.asked, "a message was never done with");
    check(sent.size() < 16 * dbg::kMaxPayloadBytes, "a reply without end");
    check(sent.empty() || sent[0] == '+' || sent[0] == '-' || sent[0] == '$', "something that is no packet was sent");
    if (!rig.went_back.empty() && random.one_in(2)) {
      rig.went_back.clear();
      rig.stub.stopped({.why = random.one_in(2) ? machine::DebugStop::Why::HistoryBegin : machine::DebugStop::Why::Step});
    }
    if (random.one_in(40)) {
      rig.stub.gone();
      check(core.watchpoints().ranges().empty(), "a debugger that is gone still watches");
      rig.connect();
    }
  }
}

}  // namespace ia64::fuzz
