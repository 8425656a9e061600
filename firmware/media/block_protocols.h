// Block I/O and Disk I/O protocols over media.
#pragma once

#include <map>
#include <memory>

#include "firmware/efi/context.h"
#include "firmware/media/block_medium.h"
#include "firmware/media/fat_volume.h"

namespace ia64::firmware {

/// A disk or partition with a handle.
struct BlockDevice {
  EfiHandle handle = 0;
  DevicePath path;
  std::unique_ptr<BlockMedium> medium;
  bool is_partition = false;
  GuestPhys block_io = 0, disk_io = 0, file_system = 0;  ///< interfaces
  std::unique_ptr<fat::Volume> volume;                   ///< with file_system only
};

/// Installs and serves the two protocols. Interfaces of all devices share their functions. @source
/// EFI 1.10, 11.6, 11.7
class BlockProtocols {
 public:
  explicit BlockProtocols(EfiContext& efi) : efi_(efi) {}
  /// Installs DevicePath, BlockIo and DiskIo on a handle of its own. `device` must outlive the EFI context's
  /// use.
  EfiStatus install(BlockDevice& device);

  static constexpr u32 kMediaId = 1;

 private:
  using Operation = EfiStatus (BlockProtocols::*)(GateCall&, BlockDevice&);
  EfiFunction bind(std::map<GuestPhys, BlockDevice*>& by_interface, Operation operation);
  EfiStatus reset(GateCall& call, BlockDevice& device);
  EfiStatus read_blocks(GateCall& call, BlockDevice& device);
  EfiStatus write_blocks(GateCall& call, BlockDevice& device);
  EfiStatus flush_blocks(GateCall& call, BlockDevice& device);
  EfiStatus read_disk(GateCall& call, BlockDevice& device);
  EfiStatus write_disk(GateCall& call, BlockDevice& device);
  EfiStatus blocks(GateCall& call, BlockDevice& device, bool write);
  EfiStatus bytes(GateCall& call, BlockDevice& device, bool write);

  EfiContext& efi_;
  std::map<GuestPhys, BlockDevice*> block_io_, disk_io_;
};

}  // namespace ia64::firmware
