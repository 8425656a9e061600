// The register stack engine: moves stacked registers between the register file and the backing store.
#pragma once

#include "cpu/core.h"

namespace ia64::cpu {

/// The engine in enforced-lazy operation, which every RSC.mode permits: memory is touched only where the
/// architecture makes it mandatory (alloc, flushrs, loadrs, br.ret, rfi). The 96 physical registers are
/// accounted exactly:
///
///     current frame (sof) + dirty + invalid = 96
///
/// The clean partition is always empty: what has been stored is loaded again from memory, so changes that
/// software made to the backing store are seen. Register values live in the linear window
/// Registers::stack_gr; `bspstore` always belongs to window index `bof - rse_dirty`. An incomplete frame is
/// one with rse_dirty < 0. CPU thread only. @source SDM vol. 2, ch. 6
class Rse {
 public:
  explicit Rse(Core& core) : core_(core) {}

  /// AR.BSP: where r32 of the current frame would be stored.
  u64 bsp() const;

  /// br.call and cover: the lowest `count` registers of the current frame become dirty.
  void preserve(unsigned count);
  /// br.ret and rfi: brings back `count` registers below the current frame; the caller then sets CFM.
  /// May leave the frame incomplete: begin_frame_load() must follow.
  /// @param outputs registers of the returned-to frame above its locals
  /// @returns false for a bad PFS: the frame is to be forced to zero size. @source SDM vol. 2, 6.5.5
  bool restore(unsigned count, unsigned outputs);
  /// Asks the engine to complete the current frame before the next instruction (RSE.CFLE = 1).
  void begin_frame_load();

  /// alloc: stores the oldest dirty registers until a frame of `sof` fits. On a fault the instruction may be
  /// restarted.
  Next make_room(unsigned sof);
  /// flushrs: stores all dirty registers.
  Next flush();
  /// loadrs: makes exactly `size_bytes` below BSP present and dirty. @param size_bytes RSC.loadrs, 0..16383
  Next ensure_loaded(u64 size_bytes);
  /// Mandatory loads of an incomplete frame, at the target of br.ret or rfi.
  Next complete_frame();

  /// mov to AR.BSPSTORE: keeps the dirty partition, so BSP moves along.
  void set_bspstore(u64 value);

  /// Where the register `count` registers above (below when negative) the one at `address` lives, collections
  /// skipped.
  static u64 skip(u64 address, i64 count);

 private:
  unsigned store_run(unsigned most);
  unsigned load_run(unsigned most);
  Next store_one();
  Next store_pending_collection();
  Next load_one();
  void recentre();

  Core& core_;
};

}  // namespace ia64::cpu
