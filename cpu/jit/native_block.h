// Translated blocks and what their machine code refers to.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "cpu/interp/block.h"
#include "cpu/jit/float_record.h"
#include "cpu/jit/site_record.h"
#include "cpu/translate/ir.h"

namespace ia64::cpu::jit {

struct NativeBlock;

/// A way out of a block: a jump whose distance lies in the code, or an indirect jump through `target`. Within a page it stays good as long
/// as the block that owns it can be reached at all; to another page only while the fetch key is the one it was made under.
struct Link {
  static constexpr u64 kNoKey = 0xfee1'dead'0000'0fff;  ///< stands for a key in code until there is one
  u64 key = 0;                   ///< fetch key it was made under
  const void* target = nullptr;  ///< host code; the unlinked stub at first
  u32 jump_end = 0;              ///< of the jump in the owner's code; its last four bytes are the distance. 0: jumps through `target`
  u32 key_end = 0;               ///< the same of the instruction whose last eight bytes are the key. 0: compares with `key`, or not at all
  u8* code = nullptr;            ///< of the owner
  NativeBlock* to = nullptr;     ///< what it leads to, whose `incoming` it is in
  u64 ip = 0;
  u8 slot = 0;
  ir::Mode mode = {};
  GuestPhys page = 0;        ///< of the block it belongs to
  bool leaves_page = false;

  /// Makes it lead to `to`, which lies within 2 GiB of the code.
  void lead_to(const void* to);
  /// Under this key from now on.
  void keep_key(u64 fetch_key);
};

/// Host code of one block in one mode at one virtual address.
struct NativeBlock {
  const void* entry = nullptr;  ///< nullptr: cannot be translated
  u64 ip = 0;
  u8 slot = 0;
  ir::Mode mode;
  u32 mode_bits = 0;            ///< mode, packed
  Block* block = nullptr;
  std::deque<Link> links;       ///< addresses are in the code
  std::deque<FloatRecord> floats;  ///< addresses are in the code
  std::deque<SiteRecord> sites;    ///< addresses are in the code
  std::vector<Link*> incoming;  ///< links that lead here

  // Blocks that become the head of a region when they have been entered often enough.
  i32 countdown = 0;             ///< entries until then; at 0 generated code goes to `hot`
  const void* hot = nullptr;     ///< the engine, later the region
  bool alone = false;            ///< no region came of it
  const void* uncounted = nullptr;      ///< host code behind the count
  std::unique_ptr<NativeBlock> region;
  NativeBlock* fallback = nullptr;  ///< of a region: the block that does what it cannot
  const void* counted = nullptr; ///< of a head: its own entry, while `entry` is the region's
  bool several_pages = false;    ///< of a region: good while the fetch key is `key`, else the engine must look again
  u64 key = 0;
  u8 remade = 0;                 ///< of a head: how often its region has lost a page
  std::deque<NativeBlock> parts;  ///< of a region: what its decoded blocks are called; only ip, slot, mode and block are set
};

}  // namespace ia64::cpu::jit
