// Regions: decoded blocks that lead to each other, translated as one unit.
#pragma once

#include <functional>
#include <optional>

#include "cpu/jit/options.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

/// Builds the unit of the region that begins with a decoded block. A loop takes in what leads back to its head; a block that no path
/// leads back to takes in what it leads to.
class RegionBuilder {
 public:
  /// Which decoded block at a bundle address is worth taking in, in that mode; nullptr for none.
  using Find = std::function<Block*(u64 ip, Mode mode)>;

  RegionBuilder(const LowerTable& rules, Mode mode, Find find, RegionLimits limits)
      : rules_(rules), mode_(mode), inner_mode_(mode), find_(std::move(find)), limits_(limits) {}

  /// Rotating loops may be translated with a window.
  void allow_windows() { windows_ = true; }
  /// What a branch register held the last time, for calls through it.
  using Guess = std::function<u64(u8 branch_register)>;
  /// Small functions that the region calls may become part of it.
  void allow_inlining(Guess guess) { guess_ = std::move(guess); }
  /// Calls that build() has taken in.
  unsigned inlined() const { return static_cast<unsigned>(invocations_.size()); }
  /// Whether build() made such a loop.
  bool windowed() const { return windowed_; }
  /// @returns a unit without blocks when `head` leads nowhere that could be taken in
  Unit build(Block& head, u64 ip, u8 slot);

 private:
  struct Lowered {
    Part part;
    Unit unit;
    Inlining inlining;
  };
  /// A call that the region takes in, of a function that allocates no frame.
  struct Invocation {
    Mode mode;
    Frame frame;
    Inlining::Back back;
    unsigned instructions = 0;
  };
  /// Operations of a decoded block up to a branch within the region.
  struct Piece {
    u32 lowered = 0;
    u32 first = 0, end = 0;    // in its unit
    bool last = false;         // ends with its unit's terminal
    std::vector<u32> to;       // pieces that follow
  };

  void discover(Block& head, u64 ip, u8 slot);
  bool fits(Block& block, u32 invocation) const;
  void add(Block& block, u64 ip, u8 slot, u32 invocation);
  const Mode& inner_mode(u32 invocation) const { return invocation ? invocations_[invocation - 1].mode : *inner_mode_; }
  Unit lower(const Lowered& l, const std::vector<u64>* leaders) const;
  void follow_exits(size_t n);
  bool take_in_call(size_t n);
  bool can_take_in(Block& block, const Invocation& in) const;
  bool returns_soon(Block& callee, u64 ip, const Invocation& made) const;
  bool may_inline() const;
  bool goes_inside(const Exit& exit) const;
  bool inner_exit(const Exit& exit, u32& part) const;
  void lower_again();
  bool rotating_loop(Block& head, u64 ip);
  void cut();
  void choose_pieces();
  void order();
  bool cut_side_entries();
  void visit(u32 piece, std::vector<u8>& state, std::vector<u32>& post);
  Unit stitch(u8 slot);
  void copy_piece(Unit& out, u32 number);
  void check_nats(Unit& out, const Lowered& l);
  void find_loops(Unit& out);
  u32 longest(const Unit& out, const BasicBlock& block) const;
  void count_needs(Unit& out);

  const LowerTable& rules_;
  const Mode mode_;
  std::optional<Mode> inner_mode_;  // of everything behind the head: another one when the head allocates a frame
  Find find_;
  Guess guess_;
  const RegionLimits limits_;
  std::vector<Invocation> invocations_;       // from 1 on in Inlining::invocation
  std::vector<Lowered> lowered_;
  std::vector<u32> first_piece_;              // by lowered block
  std::vector<Piece> pieces_;
  std::vector<std::pair<u32, u32>> severed_;  // edges between pieces that leave the region instead
  std::vector<bool> chosen_;
  std::vector<u32> order_;                    // reverse post-order
  std::vector<u32> place_;                    // by piece: its block in the unit, or kOutside
  std::vector<std::vector<Value>> number_;    // by lowered block and operation
  std::bitset<128> may_be_nat_;
  unsigned instructions_ = 0;
  unsigned sof_after_head_ = 0;               // known when the head allocates a frame
  bool head_allocates_ = false;
  bool windows_ = false, windowed_ = false;   // allowed; this is a rotating loop in one
};

}  // namespace ia64::cpu::ir
