// Unwind descriptors as binutils' assembler writes them for directives that say what they mean.
#include "machine/debugger/unwind_state.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

#include "tests/support/assembler.h"
#include "tests/support/test.h"
#include "tests/support/tool.h"

using namespace ia64;
using machine::debugger::unwind_state;
using machine::debugger::UnwindState;
using Kind = UnwindState::Place::Kind;
namespace fs = std::filesystem;

namespace {

/// The descriptors of the only function in `source`, without their header.
std::vector<u8> descriptors(const std::string& source) {
  const fs::path folder = fs::temp_directory_path() / ("ivm-unwind-" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "t.s") << ".text\n.explicit\n.proc f\nf:\n" << source << ".endp f\n";
  std::string said;
  const int status = testing::run_tool("(cd " + folder.string() + " && ia64-linux-gnu-as -o t.o t.s && ia64-linux-gnu-objcopy -O binary -j .IA_64.unwind_info t.o t.bin)", &said);
  INFO(said);
  REQUIRE(status == 0);
  std::ifstream in(folder / "t.bin", std::ios::binary);
  std::vector<u8> bytes(std::istreambuf_iterator<char>(in), {});
  fs::remove_all(folder);
  REQUIRE(bytes.size() > 8);
  bytes.erase(bytes.begin(), bytes.begin() + 8);
  return bytes;
}

bool is(const UnwindState::Place& place, Kind kind, i64 value = 0) { return place.kind == kind && (kind == Kind::Untouched || place.value == value); }

const std::string kNothing = "{ .mii\n nop.m 0\n nop.i 0\n nop.i 0\n}\n";

}  // namespace

TEST_CASE("unwind: registers and a fixed frame count from behind the instruction that saves them up to the one that restores", "[machine]") {
  if (!test::have_assembler()) SKIP_TEST("ia64-linux-gnu-as is not installed");
  const auto bytes = descriptors(
      ".prologue\n{ .mmi\n.save ar.pfs, r34\n alloc r34=ar.pfs,0,4,0,0\n.fframe 48\n adds r12=-48,r12\n.save rp, r33\n mov r33=b0\n}\n" + kNothing +
      ".body\n" + kNothing + kNothing + "{ .mib\n.restore sp\n adds r12=48,r12\n mov b0=r33\n br.ret.sptk b0\n}\n");
  const UnwindState begin = unwind_state(bytes, 0), second = unwind_state(bytes, 1), third = unwind_state(bytes, 2);
  CHECK((is(begin.rp, Kind::Untouched) && is(begin.pfs, Kind::Untouched) && is(begin.psp, Kind::Untouched)));
  CHECK((is(second.rp, Kind::Untouched) && is(second.pfs, Kind::General, 34) && is(second.psp, Kind::Untouched)));
  CHECK((is(third.rp, Kind::Untouched) && is(third.pfs, Kind::General, 34) && is(third.psp, Kind::StackPointer, 48)));
  for (const u64 slot : {3u, 5u, 6u, 11u, 12u}) {
    const UnwindState s = unwind_state(bytes, slot);
    CHECK((is(s.rp, Kind::General, 33) && is(s.pfs, Kind::General, 34) && is(s.psp, Kind::StackPointer, 48)));
    CHECK(!s.interruption);
  }
  const UnwindState end = unwind_state(bytes, 14);
  CHECK((is(end.rp, Kind::General, 33) && is(end.psp, Kind::Untouched)));
}

TEST_CASE("unwind: values in memory, and a frame of variable size", "[machine]") {
  if (!test::have_assembler()) SKIP_TEST("ia64-linux-gnu-as is not installed");
  const auto bytes = descriptors(".prologue\n{ .mmi\n.vframe r36\n mov r36=r12\n.savesp rp, 32\n st8 [r3]=r2\n nop.i 0\n}\n{ .mmi\n.savepsp ar.pfs, 8\n st8 [r4]=r5\n nop.m 0\n nop.i 0\n}\n"
                                 ".body\n" + kNothing);
  const UnwindState s = unwind_state(bytes, 6);
  CHECK(is(s.psp, Kind::General, 36));
  CHECK(is(s.rp, Kind::SpRelative, 32));
  CHECK(is(s.pfs, Kind::PspRelative, -8));
  CHECK(is(unwind_state(bytes, 1).rp, Kind::Untouched));
  CHECK(is(unwind_state(bytes, 2).rp, Kind::SpRelative, 32));
}

TEST_CASE("unwind: a state is labelled in one body and copied into a later one", "[machine]") {
  if (!test::have_assembler()) SKIP_TEST("ia64-linux-gnu-as is not installed");
  const auto bytes = descriptors(".prologue\n{ .mii\n.save ar.pfs, r34\n alloc r34=ar.pfs,0,4,0,0\n.save rp, r33\n mov r33=b0\n nop.i 0\n}\n"
                                 ".body\n.label_state 1\n" + kNothing + "{ .mii\n.restore sp\n nop.m 0\n mov b0=r33\n nop.i 0\n}\n" +
                                 ".body\n.copy_state 1\n" + kNothing);
  CHECK(is(unwind_state(bytes, 4).rp, Kind::General, 33));
  CHECK(is(unwind_state(bytes, 10).rp, Kind::General, 33));
  CHECK(is(unwind_state(bytes, 10).pfs, Kind::General, 34));
}

TEST_CASE("unwind: an interruption handler of Linux keeps its state in its frame", "[machine]") {
  if (!test::have_assembler()) SKIP_TEST("ia64-linux-gnu-as is not installed");
  for (const char* abi : {"@svr4", "3"}) {  // as in the assembler's manual, and as Linux 6.1 has it
    const auto bytes = descriptors(std::string(".prologue\n.unwabi ") + abi + ", 'i'\n.fframe 416\n.spillsp rp, 88\n.spillsp ar.pfs, 96\n.body\n" + kNothing);
    const UnwindState s = unwind_state(bytes, 2);
    CHECK(s.interruption);
    CHECK(is(s.rp, Kind::SpRelative, 88));
    CHECK(is(s.pfs, Kind::SpRelative, 96));
    CHECK(is(s.psp, Kind::StackPointer, 416));
  }
  CHECK_FALSE(unwind_state(descriptors(".prologue\n.unwabi 3, 's'\n.body\n" + kNothing), 2).interruption);
}

TEST_CASE("unwind: any bytes end", "[machine]") {
  u64 x = 12345;
  for (unsigned n = 0; n < 20'000; n++) {
    std::vector<u8> bytes;
    for (u64 length = n % 40; length; length--) {
      x = x * 6364136223846793005u + 1442695040888963407u;
      bytes.push_back(static_cast<u8>(x >> 33));
    }
    (void)unwind_state(bytes, n % 100);
  }
}
