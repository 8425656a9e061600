// The intermediate form of a block: micro-operations in static single assignment, guest state read and written explicitly.
#pragma once

#include <bitset>
#include <string>
#include <variant>
#include <vector>

#include "cpu/decode/insn.h"
#include "cpu/jit/optimisations.h"

namespace ia64::cpu::ir {

enum class Opcode : u8 {
#define OP(name, operands, result, effect) name,
#include "cpu/translate/opcodes.inc"
#undef OP
};

enum class Effect : u8 { Pure, Read, Write, Exit, Call, Sync };

struct OpcodeInfo {
  const char* name;
  u8 operands;
  bool result;
  Effect effect;
};
const OpcodeInfo& info(Opcode code);

/// A value is named by the number of the operation that yields it.
using Value = u16;
inline constexpr Value kNone = 0xffff;

/// The register files that the form knows.
/// Application registers go by their number, except LC.
enum class File : u8 { General, RotatingGeneral, Predicate, RotatingPredicate, Branch, LoopCount, Application };

/// A place in guest state. `index` is the architected number; two places are the same exactly when all fields are equal,
/// because rotation moves all rotating registers of a file alike.
struct Location {
  File file = File::General;
  u8 index = 0;
  u8 modulus = 0;  ///< size of the rotating region (RotatingGeneral)

  constexpr u64 pack() const { return u64(file) << 16 | u64{modulus} << 8 | index; }
  static constexpr Location unpack(u64 v) { return {File(v >> 16 & 0xff), u8(v), u8(v >> 8)}; }
  constexpr bool operator==(const Location&) const = default;
};

struct Op {
  Opcode code = Opcode::constant;
  Value a = kNone, b = kNone, c = kNone;
  Value guard = kNone;         ///< Exit and Call operations act only when this is 1
  u64 imm = 0;
  const Insn* insn = nullptr;  ///< the instruction that Exit and Call operations belong to
};

/// What of the machine's mode is built into a translation. Equal modes are equal bits.
struct Mode {
  u8 fetch = 0;       ///< PSR.cpl, it, pk as the engine's fetch key has them
  u8 rotating = 0;    ///< CFM.sor
  bool rrb_pr = false;  ///< whether CFM.rrb.pr differs from zero
  bool big_endian = false;
  bool ic = false;
  bool ed = false;    ///< of the code page
  constexpr bool operator==(const Mode&) const = default;
  constexpr u64 pack() const {
    return u64{fetch} | u64{rotating} << 8 | u64{rrb_pr} << 16 | u64{big_endian} << 17 | u64{ic} << 18 | u64{ed} << 19;
  }
};

/// A way out of a block to a known address, in a known mode.
struct Exit {
  u64 ip = 0;
  u8 slot = 0;
  const Insn* insn = nullptr;  ///< the last instruction executed
  Mode mode;
};

// How a block ends.
struct Leave { unsigned exit = 0; };        ///< goes on at exits[exit]
struct LeaveIndirect { Value target; const Insn* insn; };  ///< address in a register, same mode
struct LeaveUnknown { const Insn* insn; Exit next; };   ///< the last handler may have changed the mode
struct Left {};                             ///< the last operation always leaves
using Terminal = std::variant<Leave, LeaveIndirect, LeaveUnknown, Left>;

/// One block.
struct Unit {
  u64 ip = 0;
  u8 slot = 0;
  u8 slots = 0;       ///< most instructions it can execute
  u8 needed_sof = 0;
  Mode mode;
  std::bitset<128> assumed_clean;  ///< general registers whose NaT must be 0 at entry
  std::vector<Op> ops;
  std::vector<Exit> exits;
  Terminal terminal;
};

/// One operation a line, for dumps and tests.
std::string print(const Unit& unit);
/// The first thing that is wrong with `unit`, or an empty text: operands defined before use, operand counts, exits in range,
/// no value alive across a Call.
std::string verify(const Unit& unit);

/// Folds constants and forwards the operands of operations that do nothing.
void fold_constants(Unit& unit);
/// Drops writes of guest state that another write replaces before anybody can look.
void drop_dead_writes(Unit& unit);
/// Drops operations without effect whose results nobody uses.
void drop_dead_values(Unit& unit);
/// All of the above that are switched on, in the order that pays.
void optimise(Unit& unit, const Optimisations& on = {});

}  // namespace ia64::cpu::ir
