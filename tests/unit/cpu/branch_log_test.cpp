// Recording of branches: what is kept, and that nothing else changes.
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;

namespace {

constexpr u64 kCode = BareMachine::kCode;
/// As many rounds of a loop as r15 says and one more, a call, and an interruption at its end.
constexpr const char* kProgram = R"(
    {.mii
     nop.m 0
     mov ar.lc=r15
     nop.i 0 ;;
    }
loop:
    {.mib
     adds r14=1,r14
     nop.i 0
     br.cloop.sptk.few loop ;;
    }
    {.mib
     nop.m 0
     nop.i 0
     br.call.sptk.few b6=sub ;;
    }
    {.mib
     break.m 7
     nop.i 0
     nop.b 0 ;;
    }
sub:
    {.mib
     nop.m 0
     nop.i 0
     br.ret.sptk.few b6 ;;
    }
)";

struct Program : BareMachine {
  explicit Program(u64 rounds) {
    load(kProgram);
    regs().psr |= cpu::psr::kIc;
    regs().set_gr(15, rounds);
  }
};

}  // namespace

TEST_CASE("branches: taken ones and interruptions are recorded, oldest first", "[core]") {
  NEEDS_ASSEMBLER();
  Program m(2);
  m.core().record_branches(true);
  m.run_to_interruption();
  REQUIRE(m.core().branches());
  const auto log = m.core().branches()->latest();
  struct Expected {
    u64 from, to;
    bool interruption;
  };
  const std::vector<Expected> expected = {{kCode + 0x12, kCode + 0x10, false}, {kCode + 0x12, kCode + 0x10, false}, {kCode + 0x22, kCode + 0x40, false},
                                          {kCode + 0x42, kCode + 0x30, false}, {kCode + 0x30, BareMachine::kIva + 0x2c00, true}};
  REQUIRE(log.size() == expected.size());
  for (size_t n = 0; n < expected.size(); n++) {
    CHECK(log[n].from == expected[n].from);
    CHECK(log[n].to == expected[n].to);
    CHECK(log[n].interruption == expected[n].interruption);
  }
}

TEST_CASE("branches: recording changes no result and can end", "[core]") {
  NEEDS_ASSEMBLER();
  Program with(100), without(100);
  with.core().record_branches(true);
  with.run_to_interruption(), without.run_to_interruption();
  CHECK(with.regs().gr(14) == 101);
  CHECK(without.regs().gr(14) == 101);
  CHECK(with.core().slots_retired() == without.core().slots_retired());
  CHECK_FALSE(without.core().branches());
  const auto log = *with.core().branches();
  CHECK(log.count() == 103);  // 100 rounds, a call, a return, one interruption
  CHECK(log.latest().size() == cpu::BranchLog::kKept);
  CHECK(log.latest().back().interruption);
  CHECK(log.latest().back().from == kCode + 0x30);
  CHECK(log.latest().back().to == BareMachine::kIva + 0x2c00);
  with.core().record_branches(false);
  CHECK_FALSE(with.core().branches());
}
