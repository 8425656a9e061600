// What can be chosen about the translator, and what it counts.
#pragma once

#include <string>
#include <vector>

#include "base/int_types.h"
#include "cpu/jit/host_features.h"
#include "cpu/jit/optimisations.h"

namespace ia64::cpu {

/// Sizes beyond which a region does not grow.
struct RegionLimits {
  u32 parts = 64;  ///< decoded blocks
  u32 instructions = 1500;
};

/// Choices of the translator of one processor.
struct TranslatorOptions {
  u32 threshold = 64;               ///< executions by the interpreter before a block is translated
  u32 region_threshold = 1000;      ///< entries of a translated block before it becomes the head of a region
  RegionLimits region_limits;
  u64 cache_bytes = u64{64} << 20;  ///< host code kept; when full, everything is dropped
  Optimisations optimisations;      ///< which of them are on
  HostFeatures host = HostFeatures::detect();  ///< extensions that generated code may use
  bool verify = false;              ///< check the intermediate form of each block
  bool count_handlers = false;      ///< count handler calls of generated code by instruction; costs a little
  std::vector<u64> dump_ips;        ///< show the translation of every block that holds one of these addresses...
  std::string dump_path;            ///< ...in this file; empty: on standard error
  bool perf_map = false;            ///< write perf-PID.map for the perf tool into the folder for temporary files
};

/// Why translations were thrown away.
enum class DropReason : u8 { CacheFull, DecodedBlocksFull, Asked, kCount };
/// Why a block did not start in generated code.
enum class BailReason : u8 { Attention, Budget, Frame, Nat, kCount };

struct TranslatorCounters {
  u64 blocks = 0, code_bytes = 0, refused = 0, flushes = 0, pages_dropped = 0;
  u64 span_loops = 0;                  ///< loops in regions with rounds without look-ups
  u64 windows = 0;                     ///< rotating loops among the regions
  u64 inlined = 0;                     ///< calls that regions have taken in
  u64 thinned = 0;                     ///< regions to be made anew, with fewer access sites
  u64 odd_floats = 0;                  ///< instructions left to their handlers because generated code was left in front of them too often
  u64 misfits = 0;                     ///< regions given up because registers were seldom in the forms that they assume
  u64 regions = 0, region_parts = 0;  ///< regions made, and the decoded blocks in them
  u64 wide_regions = 0, looks_at_parts = 0;  ///< regions of blocks on several pages, and how often changed mappings made them be looked at again
  u64 translate_ns = 0;  ///< host processor time spent translating
  u64 instructions = 0;  ///< executed in generated code
  u64 enters = 0, bails = 0, deopts = 0, links = 0, handler_exits = 0;
  u64 flushes_by[static_cast<unsigned>(DropReason::kCount)] = {};
  u64 bails_by[static_cast<unsigned>(BailReason::kCount)] = {};
  u64 dynamic_targets = 0, dynamic_misses = 0;  ///< look-ups for indirect branches, and those that left generated code
};

}  // namespace ia64::cpu
