// Passes and verifier on hand-made units.
#include <algorithm>

#include "cpu/translate/ir.h"
#include "tests/support/test.h"

using namespace ia64;
using cpu::Insn;
using namespace ia64::cpu::ir;
using Unit = cpu::ir::Unit;

namespace {

constexpr u64 gr(u8 n) { return Location{File::General, n}.pack(); }

/// A unit that ends at a fixed address.
Unit unit_of(std::vector<Op> ops) {
  static const Insn insn;
  Unit u;
  u.ops = std::move(ops);
  u.exits.push_back({0x1000, 0, &insn, {}});
  u.terminal = Leave{0};
  return u;
}

const Insn kInsn;

}  // namespace

TEST_CASE("arithmetic on constants is done once", "[translate]") {
  Unit u = unit_of({{.code = Opcode::constant, .imm = 5},
                    {.code = Opcode::constant, .imm = 7},
                    {.code = Opcode::add, .a = 0, .b = 1},
                    {.code = Opcode::shl_imm, .a = 2, .imm = 4},
                    {.code = Opcode::set, .a = 3, .imm = gr(4)}});
  optimise(u);
  REQUIRE(u.ops.size() == 1);
  CHECK(u.ops[0].code == Opcode::constant);
  CHECK(u.ops[0].imm == (5 + 7) * 16);
  const auto& writes = u.pending(u.blocks[0].pending);
  REQUIRE(writes.size() == 1);
  CHECK(writes[0].location == gr(4));
  CHECK(writes[0].value == 0);
  CHECK(verify(u).empty());
}

TEST_CASE("adding zero is a copy", "[translate]") {
  Unit u = unit_of({{.code = Opcode::get, .imm = gr(3)},
                    {.code = Opcode::constant, .imm = 0},
                    {.code = Opcode::add, .a = 1, .b = 0},
                    {.code = Opcode::set, .a = 2, .imm = gr(4)}});
  optimise(u);
  REQUIRE(u.ops.size() == 1);
  CHECK(u.pending(u.blocks[0].pending)[0].value == 0);
}

TEST_CASE("a write that is overwritten before anybody looks disappears", "[translate]") {
  for (const bool pending : {false, true}) {
    Unit u = unit_of({{.code = Opcode::get, .imm = gr(3)},
                      {.code = Opcode::set, .a = 0, .imm = gr(4)},
                      {.code = Opcode::constant, .imm = 9},
                      {.code = Opcode::set, .a = 2, .imm = gr(4)}});
    ia64::cpu::Optimisations on;
    on.pending_writes = pending;
    optimise(u, on);
    size_t writes = u.pending(u.blocks[0].pending).size();
    for (const Op& op : u.ops) writes += op.code == Opcode::set;
    CHECK(writes == 1);
  }
}

TEST_CASE("a possible fault stores the writes before it, and only those", "[translate]") {
  Unit u = unit_of({{.code = Opcode::get, .imm = gr(3)},
                    {.code = Opcode::set, .a = 0, .imm = gr(4)},
                    {.code = Opcode::load64, .a = 0, .imm = gr(5), .insn = &kInsn},
                    {.code = Opcode::set, .a = 2, .imm = gr(4)}});
  optimise(u);
  REQUIRE(u.ops.size() == 2);
  const auto& before = u.pending(u.ops[1].pending);
  REQUIRE(before.size() == 1);
  CHECK(before[0].value == 0);
  CHECK(u.pending(u.blocks[0].pending)[0].value == 1);
  CHECK(verify(u).empty());
}

TEST_CASE("pending writes are done before a handler runs", "[translate]") {
  Unit u = unit_of({{.code = Opcode::get, .imm = gr(3)},
                    {.code = Opcode::set, .a = 0, .imm = gr(4)},
                    {.code = Opcode::call, .insn = &kInsn},
                    {.code = Opcode::get, .imm = gr(4)},
                    {.code = Opcode::set, .a = 3, .imm = gr(5)}});
  optimise(u);
  REQUIRE(u.ops.size() == 4);
  CHECK(u.ops[1].code == Opcode::set);
  CHECK(u.ops[2].code == Opcode::call);
  CHECK(u.ops[3].code == Opcode::get);  // the handler may have written r4
  CHECK(u.pending(u.blocks[0].pending).size() == 1);
}

namespace {

/// entry -> head; head: r4 = r4 + r5, back to the head while r6 != 0, else out.
Unit loop() {
  static const Insn insn;
  Unit u;
  u.ops = {{.code = Opcode::get, .imm = gr(4)},  {.code = Opcode::get, .imm = gr(5)},
           {.code = Opcode::add, .a = 0, .b = 1}, {.code = Opcode::set, .a = 2, .imm = gr(4)},
           {.code = Opcode::get, .imm = gr(6)},  {.code = Opcode::exit_if, .a = 4, .imm = 0, .insn = &insn}};
  u.exits = {{0x1000, 0, &insn, {}, 1}, {0x2000, 0, &insn, {}}};
  u.lists.emplace_back();
  u.blocks.resize(2);
  u.blocks[0].terminal = Goto{1};
  u.blocks[1].end = 6, u.blocks[1].terminal = Leave{1}, u.blocks[1].loop_end = 1, u.blocks[1].depth = 1;
  find_preds(u);
  return u;
}

}  // namespace

TEST_CASE("a loop carries what it changes in a phi and reads the rest once", "[translate]") {
  Unit u = loop();
  optimise(u);
  CHECK(verify(u).empty());
  REQUIRE(u.blocks[0].end == 3);  // r4, r5, r6
  unsigned phis = 0;
  for (const Op& op : u.ops) phis += op.code == Opcode::phi;
  CHECK(phis == 1);
  const Op& back = u.ops[u.blocks[1].end - 1];
  REQUIRE(u.pending(back.pending).size() == 1);
  CHECK(u.ops[u.pending(back.pending)[0].value].code == Opcode::add);
}

TEST_CASE("a loop with more values than registers writes what only ways out would need", "[translate]") {
  // Besides r4: r20 = r40, r21 = r41... which nothing reads.
  const auto writes = [](u8 copies) {
    Unit u = loop();
    std::vector<Op> more;
    for (u8 n = 0; n < copies; n++) {
      const Value at = static_cast<Value>(2 * n);
      more.push_back({.code = Opcode::get, .imm = gr(static_cast<u8>(40 + n))});
      more.push_back({.code = Opcode::set, .a = at, .imm = gr(static_cast<u8>(20 + n))});
    }
    const Value by = static_cast<Value>(more.size());
    for (Op& op : u.ops)
      for (Value* v : {&op.a, &op.b})
        if (*v != kNone) *v += by;
    u.ops.insert(u.ops.begin(), more.begin(), more.end());
    u.blocks[1].end += by;
    optimise(u);
    CHECK(verify(u).empty());
    const Op& back = u.ops[u.blocks[1].end - 1];
    unsigned sets = 0;
    for (const Op& op : u.ops) sets += op.code == Opcode::set;
    return std::pair{sets, u.pending(back.pending).size()};
  };
  CHECK(writes(2) == std::pair{0u, size_t{3}});
  CHECK(writes(12) == std::pair{12u, size_t{1}});  // r4, which the next round reads, stays pending
}

TEST_CASE("the verifier names undefined operands and phis that do not fit", "[translate]") {
  CHECK(verify(unit_of({{.code = Opcode::sxt8, .a = 3}})).find("v3") != std::string::npos);
  CHECK(verify(unit_of({{.code = Opcode::call}})).find("no instruction") != std::string::npos);
  Unit u = loop();
  optimise(u);
  u.phis[0].pop_back();
  CHECK(verify(u).find("predecessors") != std::string::npos);
  u = loop();
  optimise(u);
  u.lists[u.ops[u.blocks[1].end - 1].pending][0].value = 1000;
  CHECK(verify(u).find("v1000") != std::string::npos);
}

TEST_CASE("the printer shows one operation a line", "[translate]") {
  const std::string text = print(unit_of({{.code = Opcode::get, .imm = gr(3)}, {.code = Opcode::set, .a = 0, .imm = gr(4)}}));
  CHECK(text.find("  v0 = get r3\n") != std::string::npos);
  CHECK(text.find("  set r4 v0\n") != std::string::npos);
  CHECK(text.find("  exit 0: 0x1000.0\n") != std::string::npos);
}

namespace {

constexpr u64 pr(u8 n) { return Location{File::Predicate, n}.pack(); }

/// p6, p7 = r3 < r4 or not; leaves when p6; then r5 = p7 ? r3 : r4.
Unit compare_and_branch() {
  Unit u = unit_of({{.code = Opcode::get, .imm = gr(3)},
                    {.code = Opcode::get, .imm = gr(4)},
                    {.code = Opcode::cmp_lt, .a = 0, .b = 1},
                    {.code = Opcode::invert, .a = 2},
                    {.code = Opcode::set, .a = 2, .imm = pr(6)},
                    {.code = Opcode::set, .a = 3, .imm = pr(7)},
                    {.code = Opcode::add, .a = 0, .b = 1},
                    {.code = Opcode::set, .a = 6, .imm = gr(6)},
                    {.code = Opcode::exit_if, .a = 2, .imm = 1, .insn = &kInsn},
                    {.code = Opcode::select, .a = 3, .b = 0, .c = 1},
                    {.code = Opcode::set, .a = 9, .imm = gr(5)}});
  u.exits.push_back({0x2000, 0, &kInsn, {}});
  return u;
}

/// The value that `list` writes to `location`, which must be there.
const Op& written(const Unit& u, u32 list, u64 location) {
  for (const PendingWrite& w : u.pending(list))
    if (w.location == location) return u.ops[w.value];
  FAIL("not written");
  return u.ops[0];
}

}  // namespace

TEST_CASE("a branch tells what its predicate is on both ways", "[translate]") {
  Unit u = compare_and_branch();
  optimise(u);
  CHECK(verify(u).empty());
  const u32 taken = u.ops.back().pending, behind = u.blocks[0].pending;
  REQUIRE(u.ops.back().code == Opcode::exit_if);  // the selection is gone
  CHECK(written(u, taken, pr(6)).imm == 1);
  CHECK(written(u, taken, pr(7)).imm == 0);
  CHECK(written(u, behind, pr(6)).imm == 0);
  CHECK(written(u, behind, pr(7)).imm == 1);
  CHECK(written(u, behind, gr(5)).imm == gr(3));  // p7 is 1: r3
}

TEST_CASE("a compare that only decides a branch stands in front of it", "[translate]") {
  Unit u = compare_and_branch();
  optimise(u);
  REQUIRE(u.ops.size() >= 2);
  CHECK(u.ops[u.ops.size() - 2].code == Opcode::cmp_lt);
  CHECK(u.ops.back().a == u.ops.size() - 2);
}

namespace {

constexpr u64 kCount = Location{File::LoopCount, 0}.pack();

/// entry -> head; head: back to itself while LC is not 0, LC counted down to no less than 0. An access that may leave comes behind the
/// counting when `late`, else in front of it.
Unit counted_loop(bool late) {
  Unit u;
  const Op access{.code = Opcode::load64, .a = 0, .insn = &kInsn};
  u.ops = {{.code = Opcode::get, .imm = gr(4)}};
  if (!late) u.ops.push_back(access);
  const auto count = static_cast<Value>(u.ops.size());
  u.ops.insert(u.ops.end(), {{.code = Opcode::get, .imm = kCount},
                             {.code = Opcode::constant, .imm = 0},
                             {.code = Opcode::cmp_eq, .a = count, .b = count + 1},
                             {.code = Opcode::invert, .a = count + 2},
                             {.code = Opcode::count_down, .a = count},
                             {.code = Opcode::set, .a = count + 4, .imm = kCount}});
  if (late) u.ops.push_back(access);
  u.ops.push_back({.code = Opcode::exit_if, .a = count + 3, .imm = 0, .insn = &kInsn});
  u.exits = {{0x1000, 0, &kInsn, {}, 1}, {0x2000, 0, &kInsn, {}}};
  u.lists.emplace_back();
  u.blocks.resize(2);
  u.blocks[0].terminal = Goto{1};
  u.blocks[1].end = static_cast<u32>(u.ops.size()), u.blocks[1].terminal = Leave{1}, u.blocks[1].loop_end = 1, u.blocks[1].depth = 1;
  find_preds(u);
  return u;
}

}  // namespace

TEST_CASE("a count is subtracted from where the branch says that it is above 0, and is 0 on the other way", "[translate]") {
  Unit u = counted_loop(false);
  optimise(u);
  CHECK(verify(u).empty());
  for (const Op& op : u.ops) CHECK(op.code != Opcode::count_down);
  const Op& back = u.ops[u.blocks[1].end - 1];
  REQUIRE(back.code == Opcode::exit_if);
  const Op& less = written(u, back.pending, kCount);
  CHECK(less.code == Opcode::add);
  CHECK(u.ops[less.b].imm == ~u64{0});
  const Op& none = written(u, u.blocks[1].pending, kCount);
  CHECK(none.code == Opcode::constant);
  CHECK(none.imm == 0);
}

TEST_CASE("a count that somebody may see between counting and branch stays at 0", "[translate]") {
  Unit u = counted_loop(true);
  optimise(u);
  CHECK(verify(u).empty());
  unsigned counts = 0;
  for (const Op& op : u.ops) counts += op.code == Opcode::count_down;
  CHECK(counts == 1);
}

namespace {

/// What sink_compares makes of a compare of r3 and r4, whose outcome goes to p6 and its inverse to p7, then `between`, then a branch on the inverse.
std::vector<Opcode> sunk(std::vector<Op> between) {
  std::vector<Op> ops = {{.code = Opcode::get, .imm = gr(3)},
                         {.code = Opcode::get, .imm = gr(4)},
                         {.code = Opcode::cmp_eq, .a = 0, .b = 1},
                         {.code = Opcode::invert, .a = 2},
                         {.code = Opcode::set, .a = 2, .imm = pr(6)},
                         {.code = Opcode::set, .a = 3, .imm = pr(7)}};
  ops.insert(ops.end(), between.begin(), between.end());
  ops.push_back({.code = Opcode::exit_if, .a = 3, .imm = 0, .insn = &kInsn});
  Unit u = unit_of(std::move(ops));
  u.lists.emplace_back();
  sink_compares(u);
  CHECK(verify(u).empty());
  std::vector<Opcode> order;
  for (const Op& op : u.ops) order.push_back(op.code);
  return order;
}

}  // namespace

TEST_CASE("a compare goes to its branch with the writes of its predicates", "[translate]") {
  const Op sum = {.code = Opcode::add, .a = 0, .b = 1}, other = {.code = Opcode::set, .a = 0, .imm = gr(5)};
  CHECK(sunk({sum, other}) == std::vector{Opcode::get, Opcode::get, Opcode::add, Opcode::set, Opcode::cmp_eq, Opcode::invert, Opcode::set, Opcode::set, Opcode::exit_if});
}

TEST_CASE("writes of predicates stay in front of what may leave, and of others to the same place", "[translate]") {
  const std::vector in_place = {Opcode::get, Opcode::get, Opcode::cmp_eq, Opcode::invert, Opcode::set, Opcode::set};
  const auto stays = [&](const Op& between) {
    const std::vector<Opcode> order = sunk({between});
    return std::equal(in_place.begin(), in_place.end(), order.begin());
  };
  CHECK(stays({.code = Opcode::load64, .a = 0, .insn = &kInsn}));
  CHECK(stays({.code = Opcode::set, .a = 0, .imm = pr(6)}));
  CHECK(stays({.code = Opcode::get, .imm = pr(7)}));
  CHECK_FALSE(stays({.code = Opcode::set, .a = 0, .imm = pr(8)}));
}
