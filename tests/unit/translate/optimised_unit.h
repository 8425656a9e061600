// A unit of a few operations, as the passes leave it.
#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "cpu/translate/ir.h"
#include "tests/support/test.h"

namespace ia64::test {

using namespace cpu::ir;

constexpr u64 gr(u8 n) { return Location{File::General, n}.pack(); }

/// Optimises `ops` and what writes the values in `written` to r10 and up. Returns the values after it.
inline cpu::ir::Unit optimised(std::vector<Op> ops, std::initializer_list<Value> written, std::vector<Op>& results) {
  static const cpu::Insn insn;
  cpu::ir::Unit u;
  u.ops = std::move(ops);
  u8 to = 10;
  for (Value v : written) u.ops.push_back({.code = Opcode::set, .a = v, .imm = gr(to++)});
  u.exits.push_back({0x1000, 0, &insn, {}});
  u.terminal = Leave{0};
  optimise(u);
  CHECK(verify(u).empty());
  to = 10;
  for (size_t n = 0; n < written.size(); n++, to++)
    for (const PendingWrite& w : u.pending(u.blocks[0].pending))
      if (w.location == gr(to)) results.push_back(u.ops[w.value]);
  REQUIRE(results.size() == written.size());
  return u;
}

inline Op get(u8 r) { return {.code = Opcode::get, .imm = gr(r)}; }
inline Op constant(u64 k) { return {.code = Opcode::constant, .imm = k}; }
inline Op left(Value a, u64 n) { return {.code = Opcode::shl_imm, .a = a, .imm = n}; }
inline Op binary(Opcode code, Value a, Value b) { return {.code = code, .a = a, .b = b}; }

}  // namespace ia64::test
