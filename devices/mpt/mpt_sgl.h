// Scatter/gather lists of MPI messages.
#pragma once

#include <span>
#include <vector>

#include "devices/mpt/mpi.h"
#include "devices/pci/dma_view.h"

namespace ia64::devices::mpt {

/// A piece of guest RAM named by a simple element.
struct Segment {
  GuestPhys phys = 0;
  u64 size_bytes = 0;
  u8* host = nullptr;
};

/// Limits on what one list may hold. They bound the work a hostile list can cause: a chain that loops runs
/// into them.
inline constexpr unsigned kMaxSegments = 1024, kMaxChainDepth = 255;

/// Reads the list that starts `at` bytes into `frame`, following chains, until the end of the list or until
/// `wanted` bytes are covered; a longer last segment is cut.
/// @param chain_at  byte offset of the frame's chain element, or 0
/// @param out  cleared first; keeps its capacity
/// @returns false when the list is malformed, too long, or names anything but RAM
/// @source MPI 1.2, ch. 5 (Scatter Gather Lists)
bool walk_sgl(const DmaView& dma, std::span<const u8> frame, unsigned at, unsigned chain_at, u64 wanted,
              std::vector<Segment>& out);

}  // namespace ia64::devices::mpt
