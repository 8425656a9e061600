// The intermediate form of a block: micro-operations in static single assignment, guest state read and written explicitly.
#pragma once

#include <bitset>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cpu/decode/insn.h"
#include "cpu/jit/optimisations.h"

namespace ia64::cpu {
struct Block;
}

namespace ia64::cpu::ir {

struct FloatSequence;

enum class Opcode : u16 {
#define OP(name, operands, result, effect) name,
#include "cpu/translate/opcodes.inc"
#undef OP
};

enum class Effect : u8 { Pure, Read, Write, Exit, Call, Sync, Phi };

/// Which host registers hold a value.
enum class ValueClass : u8 {
  None,     ///< the operation yields no value
  Integer,  ///< 64 bits in a general register
  Float,    ///< an IEEE double in a vector register
};

struct OpcodeInfo {
  const char* name;
  u8 operands;
  ValueClass result;
  Effect effect;
};
const OpcodeInfo& info(Opcode code);

/// A value is named by the number of the operation that yields it.
using Value = u32;
inline constexpr Value kNone = 0xffff'ffff;

/// The register files that the form knows.
/// Application and control registers go by their number, except LC. Window is the place of a rotating loop in its copy of the rotating registers
/// (cpu/jit/rotation_window.h): reading it makes the copy, writing it puts everything back. Float and FloatInteger are views of
/// floating-point registers that promotion knows: as a double, as the significand of an integer.
enum class File : u8 {
  General, RotatingGeneral, Predicate, RotatingPredicate, Branch, LoopCount, Application, Control, Window, Float, FloatInteger
};

/// A place in guest state. `index` is the architected number; two places are the same exactly when all fields are equal,
/// because rotation moves all rotating registers of a file alike.
struct Location {
  File file = File::General;
  u8 index = 0;
  u8 modulus = 0;  ///< size of the rotating region (RotatingGeneral, Window)

  constexpr u64 pack() const { return u64(file) << 16 | u64{modulus} << 8 | index; }
  static constexpr Location unpack(u64 v) { return {File(v >> 16 & 0xff), u8(v), u8(v >> 8)}; }
  constexpr bool operator==(const Location&) const = default;
};

/// What Op::imm of `slide` says.
struct Slide {
  u8 modulus = 0;      ///< CFM.sor
  bool floats = false;  ///< CFM.rrb.fr must be right all the time
  bool has_room = false;  ///< the window is known not to end here
  constexpr u64 pack() const { return u64{modulus} | u64{floats} << 8 | u64{has_room} << 9; }
  static constexpr Slide unpack(u64 v) { return {u8(v), (v >> 8 & 1) != 0, (v >> 9 & 1) != 0}; }
};
/// Op::imm of `shl` and `shr` whose count is below 64.
inline constexpr u64 kCountInRange = 1;

/// Where a floating-point operation puts its result, and what is known about that place.
struct FloatTarget {
  u8 reg = 0;
  bool form_known = false;    ///< the register is in the result's form already
  bool marked = false;        ///< PSR.mfl or mfh is set already
  bool single = false;        ///< rounds to single precision
  bool operands_single = false;  ///< all operands are known to be exact singles
  bool is_unsigned = false;   ///< of conversions to integer
  bool nan_first = false;     ///< of two NaNs the result is the first operand, as on the host
  bool put_off = false;       ///< the value is a pending write of ways out, not stored here

  constexpr u64 pack() const {
    return u64{reg} | u64{form_known} << 7 | u64{marked} << 8 | u64{single} << 9 | u64{operands_single} << 10 |
           u64{is_unsigned} << 11 | u64{nan_first} << 12 | u64{put_off} << 13;
  }
  static constexpr FloatTarget unpack(u64 v) {
    const auto bit = [v](unsigned n) { return (v >> n & 1) != 0; };
    return {u8(v & 0x7f), bit(7), bit(8), bit(9), bit(10), bit(11), bit(12), bit(13)};
  }
};
/// `width` bits from bit `position` on of the low half of a 32-bit product, the rest 0. position + width is at most 32.
struct BitsOfProduct {
  u32 factor = 0;
  u8 position = 0, width = 32;

  constexpr u64 pack() const { return u64{factor} | u64{position} << 32 | u64{width} << 40; }
  static constexpr BitsOfProduct unpack(u64 v) { return {static_cast<u32>(v), u8(v >> 32), u8(v >> 40)}; }
};
/// What float_check asks for.
enum FloatCheck : u8 {
  kLowEnabled = 1,    ///< PSR.dfl is 0
  kHighEnabled = 2,   ///< PSR.dfh is 0
  kNearest = 4,       ///< status field 0 rounds to nearest in the narrow range, and no trap is enabled
  kActive = 8,        ///< nothing in the state: the forms are in use
  kLowMarked = 16,    ///< PSR.mfl is set
  kHighMarked = 32,   ///< PSR.mfh is set
};

/// In Op::imm of a float_check, get_double or get_integer in the entry of a region: what fails there does not leave, the region is not
/// entered.
inline constexpr u64 kAtEntry = 1u << 16;

struct Op {
  Opcode code = Opcode::constant;
  Value a = kNone, b = kNone, c = kNone;
  Value guard = kNone;         ///< Exit and Call operations act only when this is 1
  u64 imm = 0;
  const Insn* insn = nullptr;  ///< the instruction that Exit and Call operations belong to
  u32 pending = 0;             ///< list of the writes that this operation's way out has to do first, see Unit::pending()
};

/// A write of guest state that has not been done yet: only ways out do it.
struct PendingWrite {
  u64 location = 0;  ///< packed
  Value value = kNone;
  bool inverse = false;  ///< 1 - value is written, to a predicate
  // What is written is value * factor + plus + addend: loops leave sums that only ways out need to them.
  i32 factor = 1;
  Value plus = kNone;
  i64 addend = 0;
  constexpr bool is_sum() const { return factor != 1 || plus != kNone || addend != 0; }
};

/// What of the machine's mode is built into a translation. Equal modes are equal bits.
struct Mode {
  u8 fetch = 0;       ///< PSR.cpl, it, pk as the engine's fetch key has them
  u8 rotating = 0;    ///< CFM.sor
  bool rotated = false;  ///< whether a rename base differs from zero; code for such a mode is right for zeros too
  bool big_endian = false;
  bool ic = false;
  bool ed = false;    ///< of the code page
  u16 frame = 0;      ///< CFM.sof and sol as in the packed form, or 0 when sol is 0: then sof may be anything
  constexpr bool operator==(const Mode&) const = default;
  constexpr u32 pack() const {
    return u32{fetch} | u32{rotating} << 2 | u32{rotated} << 9 | u32{big_endian} << 10 | u32{ic} << 11 | u32{ed} << 12 | u32{frame} << kFramePos;
  }
  static constexpr Mode unpack(u32 v) {
    return {u8(v & 31),        u8(v >> 2 & 0x78),   bool(v >> 9 & 1),           bool(v >> 10 & 1),
            bool(v >> 11 & 1), bool(v >> 12 & 1), u16(v >> kFramePos & 0x3fff)};
  }
  static constexpr unsigned kFramePos = 13;
  static constexpr u16 frame_of(unsigned sof, unsigned sol) { return static_cast<u16>(sol ? sof | sol << 7 : 0); }
  /// Behind a call: the callee's frame is what the caller put out.
  constexpr Mode called() const {
    Mode m = *this;
    m.rotating = 0, m.rotated = false, m.frame = 0;
    return m;
  }
  /// Whether CFM is known: its other fields are zero then.
  constexpr bool knows_cfm() const { return frame != 0 && rotating == 0 && !rotated; }
  /// AR.PFS behind a call, when CFM is known and AR.EC is 0.
  constexpr u64 pfs_behind_call() const { return frame | u64{fetch >> 1 & 3u} << 62; }
  constexpr unsigned sof() const { return frame & 0x7f; }
  constexpr unsigned sol() const { return frame >> 7; }
};

/// In Op::imm of a call: the frame may be another one afterwards.
inline constexpr unsigned kCallReloadsFrame = 8;

inline constexpr u32 kOutside = ~u32{0};

/// The frame of an inlined call: its r32 is r(32 + shift) of the frame that the unit's general registers are named in. Only ways out make
/// it CFM. shift 0: the unit's own frame. The callee allocates none, so that sol is 0.
struct Frame {
  u8 shift = 0, sof = 0;
  constexpr bool operator==(const Frame&) const = default;
};

/// Whether a way leads through an inlined call or return.
enum class Crossing : u8 { None, Call, Return };

/// A way out of a block to a known address, in a known mode: out of the unit, or to another of its blocks.
struct Exit {
  u64 ip = 0;
  u8 slot = 0;
  const Insn* insn = nullptr;  ///< the last instruction executed
  Mode mode;
  u32 block = kOutside;  ///< where in the unit it leads
  u16 executed = 0;      ///< instructions from the start of the decoded block to here
  u64 last_ip = 0;       ///< bundle of the last instruction executed
  Mode from = {};        ///< the mode in front of the way out
  bool steady = false;   ///< to the steady state of a rotating loop (see Part)
  Frame frame = {};      ///< there
  u32 invocation = 0;    ///< which inlined call of the region it leads into, 0: none
  Crossing crosses = Crossing::None;
};

// How a block ends.
struct Leave { unsigned exit = 0; };        ///< goes on at exits[exit]
struct LeaveIndirect { Value target; const Insn* insn; Mode mode; };  ///< address in a register, same mode
struct LeaveUnknown { const Insn* insn; Exit next; };   ///< the last handler may have changed the mode
struct Left {};                   ///< the last operation always leaves
struct Goto { u32 block = 0; };   ///< goes on in another block of the unit, behind the last instruction of this one
using Terminal = std::variant<Leave, LeaveIndirect, LeaveUnknown, Left, Goto>;

/// A decoded block that operations come from: their instructions count from its start.
struct Part {
  u64 ip = 0;
  u8 slot = 0;
  Block* block = nullptr;
  bool steady = false;  ///< translated for LC above 0 and all stage predicates 1: the inner rounds of a counted rotating loop
  Mode mode = {};       ///< at its beginning
};

/// Operations that run one after the other. Side exits leave the unit, except one that is the last operation.
struct BasicBlock {
  u32 first = 0, end = 0;    ///< its operations in Unit::ops
  Terminal terminal;
  u32 pending = 0;           ///< as Op::pending, for the terminal
  u32 part = 0;              ///< in Unit::parts
  u32 needed = 0;            ///< most instructions executed from here to the next test of the budget
  u32 loop_end = 0;          ///< of a loop head: the last block of the loop; else 0
  u8 depth = 0;              ///< loops around it
  bool leaves_at_once = false;  ///< its first instruction may leave: IIPA must be right on the way in
  Frame frame;               ///< of its operations
  std::vector<u32> preds;    ///< in the order of the operands of its phis
};

/// What is translated at once: one block, or a region of blocks that lead to each other. Blocks stand in reverse post-order;
/// the first one has no predecessors.
struct Unit {
  u64 ip = 0;
  u8 slot = 0;
  u32 span_loops = 0;  ///< with rounds without look-ups
  u32 slots = 0;      ///< most instructions executed before the budget is tested again
  u8 needed_sof = 0;
  Mode mode;
  std::bitset<128> assumed_clean;  ///< general registers whose NaT must be 0 at entry
  std::bitset<128> clean_frame;    ///< the same, because alloc takes the registers into the frame
  std::bitset<128> may_be_nat;     ///< general registers that handlers write
  bool names_run_out = false;      ///< of an inlined call: it uses registers far beyond its frame, which have no name in the unit's
  std::vector<Op> ops;
  std::vector<Exit> exits;
  std::vector<std::shared_ptr<const FloatSequence>> sequences;
  Terminal terminal;               ///< of a unit without `blocks`
  std::vector<BasicBlock> blocks;  ///< empty until make_blocks()
  std::vector<Part> parts;
  u16 own_frame = 0;               ///< where there are inlined calls: the frame around them, as Mode has it, and AR.EC must be 0 at entry
  std::vector<std::vector<Value>> phis;          ///< operands, by Op::imm of the phi
  std::vector<std::vector<PendingWrite>> lists;  ///< [0] is empty

  const std::vector<PendingWrite>& pending(u32 list) const { return lists[list]; }
};

/// Whether the operation compares or tests, so that the host has its result in the flags.
inline bool is_relation(Opcode c) { return c >= Opcode::cmp_eq && c <= Opcode::test_bit; }
inline bool is_phi(const Op& op) { return info(op.code).effect == Effect::Phi; }

/// Gives a unit that came from one block its only BasicBlock.
void make_blocks(Unit& unit);
/// Where `block` may go on inside the unit: at most two places. The one that its last operation leads to comes first.
struct Successors {
  u32 to[2];
  unsigned count = 0;
};
Successors successors(const Unit& unit, const BasicBlock& block);
/// Fills in BasicBlock::preds.
void find_preds(Unit& unit);

/// One operation a line, for dumps and tests.
std::string print(const Unit& unit);
/// The first thing that is wrong with `unit`, or an empty text: operands defined before use, operand counts, exits in range,
/// no value alive across a Call.
std::string verify(const Unit& unit);

/// Folds constants and forwards the operands of operations that do nothing.
void fold_constants(Unit& unit);
/// Turns reads and writes of guest state into values that blocks hand to each other through phis: what is left are the first
/// reads, the writes in front of operations that run foreign code, and the lists of pending writes of the ways out.
/// Replaces reads of what was read or written before.
/// @param put_off  false: every write is done where it happens
/// @param floats   floating-point registers of regions too
/// @param loop_writes  loops with more values than registers write at once what only ways out would need
void promote_state(Unit& unit, bool put_off = true, bool floats = true, bool loop_writes = true);
/// Drops writes of guest state that another write replaces before anybody can look. For units of one block.
void drop_dead_writes(Unit& unit);
/// Puts constants where a branch decided what a predicate is: behind it, on its way out, and in phis.
void use_branch_facts(Unit& unit);
/// Moves compares that decide a branch directly in front of it, so that the branch can use the host's flags.
void sink_compares(Unit& unit);
/// Computes each value once in a block and in those that only it leads to. Leaves what becomes useless to drop_dead_values().
void share_values(Unit& unit);
/// Makes one multiplication of the shifts, sums and differences that compute a multiple of a value, or a field of its low 32 bits.
void find_multiples(Unit& unit);
/// Finds forms for which the host has one instruction: sums with a shifted operand, and what depends on predicates.
void find_short_forms(Unit& unit);
/// Ways out invert predicates themselves where nobody else needs the inverse.
void leave_inversions_to_exits(Unit& unit);
/// Makes loads of bytes that the same block has stored just before take them from the stored values: the host is slow to read back a word
/// that was written in pieces.
void forward_stores(Unit& unit);
/// Gives loops of one block whose addresses grow evenly a second form for the rounds on the same pages, which looks up nothing.
/// @param in_series  several rounds in a row where they are short
void make_span_loops(Unit& unit, bool in_series = true);
/// Replaces the operations by `kept`, whose operands and blocks are right already. `number` has what each old operation is called now,
/// kNone for those that are gone; the rest of the unit is told.
void renumber(Unit& unit, std::vector<Op> kept, const std::vector<Value>& number);
/// Drops operations without effect whose results nobody uses.
void drop_dead_values(Unit& unit);
/// All of the above that are switched on, in the order that pays.
void optimise(Unit& unit, const Optimisations& on = {});

}  // namespace ia64::cpu::ir
