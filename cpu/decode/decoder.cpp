// The decoder: a table look-up per slot, then field extraction and the static checks.
#include "cpu/decode/decoder.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/bits.h"
#include "cpu/decode/formats.h"
#include "cpu/decode/static_checks.h"
#include "cpu/exec/handlers.h"

namespace ia64::cpu {
namespace {

using namespace op_flag;

/// Rows whose fixed bits agree with an index (the major opcode and the ten bits below it), most specific
/// first, ended by kReservedOp. Nearly all chains have one member; the longest are told apart by btype or the
/// y and c bits.
class DecodeTables {
 public:
  DecodeTables() {
    std::vector<std::vector<u16>> rows(kUnits * kIndices);
    for (u16 op = 1; op < op_count(); ++op) enter_row(op, rows);
    std::map<std::vector<u16>, u16> chains;
    for (size_t n = 0; n < rows.size(); ++n) start_[n] = chain_for(std::move(rows[n]), chains);
  }

  struct Member {
    OpPattern pattern;
    u16 op;
  };

  const Member& find(Unit unit, u64 bits) const {
    const Member* m = &members_[start_[index(unit, bits)]];
    while ((bits & m->pattern.mask) != m->pattern.value) ++m;
    return *m;
  }

 private:
  static constexpr unsigned kUnits = 5, kIndexBits = 14, kShift = 41 - kIndexBits;
  static constexpr size_t kIndices = size_t{1} << kIndexBits;

  static size_t index(Unit unit, u64 bits) {
    return (static_cast<size_t>(unit) - 1) * kIndices + static_cast<size_t>(bits >> kShift & (kIndices - 1));
  }

  static void enter_row(u16 op, std::vector<std::vector<u16>>& rows) {
    const OpInfo& info = op_info(op);
    const OpPattern p = pattern_of(info.picture);
    const u64 fixed = p.mask >> kShift, value = p.value >> kShift, open = ~fixed & (kIndices - 1);
    for (u64 n = open;; n = (n - 1) & open) {  // every subset of the open bits
      const u64 bits = (value | n) << kShift;
      if (info.unit == Unit::A) {
        rows[index(Unit::I, bits)].push_back(op);
        rows[index(Unit::M, bits)].push_back(op);
      } else {
        rows[index(info.unit, bits)].push_back(op);
      }
      if (n == 0) break;
    }
  }

  u16 chain_for(std::vector<u16> ops, std::map<std::vector<u16>, u16>& chains) {
    std::stable_sort(ops.begin(), ops.end(), [](u16 a, u16 b) {
      return __builtin_popcountll(pattern_of(op_info(a).picture).mask) >
             __builtin_popcountll(pattern_of(op_info(b).picture).mask);
    });
    const auto known = chains.find(ops);
    if (known != chains.end()) return known->second;
    const u16 start = static_cast<u16>(members_.size());
    for (u16 op : ops) members_.push_back({pattern_of(op_info(op).picture), op});
    members_.push_back({{}, kReservedOp});
    chains.emplace(std::move(ops), start);
    return start;
  }

  u16 start_[kUnits * kIndices];
  std::vector<Member> members_;
};

const DecodeTables& tables() {
  static const DecodeTables t;
  return t;
}

void make_illegal(Insn& i, bool whatever_predicate) {
  i.handler = illegal_operation;
  i.flags |= kEndsBlock;
  i.flags = static_cast<u8>(i.flags & ~kReadsOwnPredicate);
  if (whatever_predicate) i.flags |= kReadsOwnPredicate;
}

/// An encoding that no row covers. The unassigned codes of the branch-predict opcode are hints and do nothing
/// (hint.b was one of them before it was defined); all others are illegal when the predicate in the low six
/// bits is true.
void make_reserved(Unit unit, u64 bits, Insn& out) {
  constexpr u64 kBranchPredict = 2;
  out.imm = bits;
  out.qp = static_cast<u8>(bits & 63);
  if (unit == Unit::B && field(bits, 37, 4) == kBranchPredict)
    out.handler = nop_b9;
  else
    make_illegal(out, false);
}

}  // namespace

void decode_slot(Unit unit, u64 bits, u64 lslot, unsigned slot, Insn& out) noexcept {
  out = Insn{};
  out.slot = static_cast<u8>(slot);
  const DecodeTables::Member& row = tables().find(unit, bits);
  out.op = row.op;
  if (out.op == kReservedOp) {
    make_reserved(unit, bits, out);
    return;
  }
  const OpInfo& op = op_info(out.op);
  extract_fields(op.format, bits, lslot, out);
  out.handler = op.handler;
  if (op.flags & kEnds) out.flags |= kEndsBlock;
  if (op.flags & kReadsQp) out.flags |= kReadsOwnPredicate;
  StaticFault fault = static_fault(op, out);
  if (bits & row.pattern.must_be_0)
    fault = op.flags & kNoQp ? StaticFault::Always : StaticFault::IfPredicated;
  if (fault == StaticFault::None) return;
  const bool clears_p2 = fault == StaticFault::IfPredicated && (op.flags & kReadsQp);
  make_illegal(out, fault == StaticFault::Always || clears_p2);
  if (clears_p2) out.handler = illegal_approximation;
}

unsigned decode_bundle(const u8* bytes, Insn out[3]) noexcept {
  const RawBundle raw = split_bundle(bytes);
  const BundleTemplate& t = bundle_template(raw.template_bits);
  const unsigned count = t.mlx ? 2 : 3;
  for (unsigned n = 0; n < count; ++n) {
    const bool is_long = t.mlx && n == 1;
    decode_slot(t.units[n], raw.slots[is_long ? 2 : n], is_long ? raw.slots[1] : 0, n, out[n]);
    if (t.stops & (1u << (is_long ? 2 : n))) out[n].flags |= kGroupEnd;
    if (t.reserved) {
      out[n].op = kReservedOp;
      make_illegal(out[n], true);
    }
  }
  out[count - 1].flags |= kLastSlot;
  return count;
}

u8 highest_gr_target(const Insn& insn) noexcept {
  const OpInfo& op = op_info(insn.op);
  if (op.format == Format::M34) return 0;
  const u8 target = op.flags & kWritesR1 ? insn.r1 : 0;
  const u8 base = op.flags & kWritesR3 ? insn.r3 : 0;
  return std::max(target, base);
}

}  // namespace ia64::cpu
