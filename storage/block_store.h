// The contract of a host-backed medium: asynchronous block requests with scatter/gather.
#pragma once

#include <sys/uio.h>

#include <functional>
#include <string>
#include <vector>

#include "base/int_types.h"

namespace ia64::storage {

/// Outcome of a request. NoSpace and Io become sense data; never exceptions.
enum class BlockStatus : u8 { Ok, Io, NoSpace, ReadOnly, OutOfRange, NoMedium, Unsupported };

enum class BlockOp : u8 { Read, Write, Flush, Discard, WriteZeroes };

/// One request. The memory behind `iov` must stay valid until `done` runs.
struct BlockRequest {
  BlockOp op = BlockOp::Read;
  u64 offset_bytes = 0;
  u64 size_bytes = 0;              ///< sum of iov lengths for Read/Write; the range for Discard/WriteZeroes
  std::vector<iovec> iov;          ///< empty for Flush, Discard, WriteZeroes
  bool fua = false;                ///< Write: durable before `done`
  std::function<void(BlockStatus)> done;  ///< called exactly once, from any thread, possibly before submit() returns
};

/// A stretch of a medium that is stored, or that is a hole and reads as zeroes (or as what lies below an overlay).
struct BlockExtent {
  u64 size_bytes = 0;
  bool mapped = true;
};

class OverlayImage;

/// A medium. Its size changes only in refresh_size(). Requests may be submitted from any thread and complete in any order; a Flush completes
/// after every write completed before it was submitted is durable. BlockDevice (block_device.h) has checked ranges before a
/// store is called.
class BlockStore {
 public:
  virtual ~BlockStore() = default;  ///< waits for requests in flight
  virtual u64 size_bytes() const = 0;
  virtual bool read_only() const = 0;
  virtual std::string describe() const = 0;  ///< e.g. "file:/images/root.img", for messages
  virtual void submit(BlockRequest request) = 0;
  /// Looks whether the medium has grown meanwhile. @returns the size from now on, in bytes
  virtual u64 refresh_size() { return size_bytes(); }
  /// The stretch that begins at `offset_bytes` (inside the medium). Stores without holes call everything mapped.
  virtual BlockExtent extent_at(u64 offset_bytes) { return {size_bytes() - offset_bytes, true}; }
  /// The overlay that takes every write to this store; nullptr where writes go elsewhere, or nowhere.
  virtual OverlayImage* overlay() { return nullptr; }
};

}  // namespace ia64::storage
