// Block I/O and Disk I/O services. @source EFI 1.10, 11.6 (EFI_BLOCK_IO), 11.7 (EFI_DISK_IO)
#include "firmware/media/block_protocols.h"

#include "firmware/media/guest_transfer.h"

namespace ia64::firmware {

EfiFunction BlockProtocols::bind(std::map<GuestPhys, BlockDevice*>& by_interface, Operation operation) {
  return [this, &by_interface, operation](GateCall& call) {
    const auto it = by_interface.find(call.arg(0));
    return it == by_interface.end() ? efi::kInvalidParameter : (this->*operation)(call, *it->second);
  };
}

EfiStatus BlockProtocols::install(BlockDevice& d) {
  constexpr u64 kRevision = 0x0001'0000;
  const BlockMedium& m = *d.medium;
  const GuestPhys media = ProtocolBuilder(efi_)
                              .u32_value(kMediaId)
                              .u8_value(m.removable())
                              .u8_value(1)  // a medium is present
                              .u8_value(d.is_partition)
                              .u8_value(m.read_only())
                              .u8_value(!m.read_only())  // write caching
                              .u32_value(m.block_size())
                              .u32_value(0)  // any buffer alignment
                              .u64_value(m.block_count() - 1)
                              .build();
  d.block_io = ProtocolBuilder(efi_)
                   .u64_value(kRevision)
                   .pointer(media)
                   .function("BlockIo.Reset", bind(block_io_, &BlockProtocols::reset))
                   .function("BlockIo.ReadBlocks", bind(block_io_, &BlockProtocols::read_blocks))
                   .function("BlockIo.WriteBlocks", bind(block_io_, &BlockProtocols::write_blocks))
                   .function("BlockIo.FlushBlocks", bind(block_io_, &BlockProtocols::flush_blocks))
                   .build();
  d.disk_io = ProtocolBuilder(efi_)
                  .u64_value(kRevision)
                  .function("DiskIo.ReadDisk", bind(disk_io_, &BlockProtocols::read_disk))
                  .function("DiskIo.WriteDisk", bind(disk_io_, &BlockProtocols::write_disk))
                  .build();
  const GuestPhys path = efi_.place(d.path.bytes());
  if (!media || !d.block_io || !d.disk_io || !path) return efi::kOutOfResources;
  block_io_[d.block_io] = &d;
  disk_io_[d.disk_io] = &d;
  for (const auto& [protocol, interface] :
       {std::pair{guid::kDevicePath, path}, {guid::kBlockIo, d.block_io}, {guid::kDiskIo, d.disk_io}})
    if (const EfiStatus s = efi_.handles.install(d.handle, protocol, interface); efi_error(s)) return s;
  return efi::kSuccess;
}

EfiStatus BlockProtocols::reset(GateCall&, BlockDevice&) {
  return efi::kSuccess;
}
EfiStatus BlockProtocols::flush_blocks(GateCall&, BlockDevice& d) {
  return d.medium->flush();
}

// ReadBlocks / WriteBlocks (This, MediaId, LBA, BufferSize, Buffer)
EfiStatus BlockProtocols::blocks(GateCall& call, BlockDevice& d, bool write) {
  BlockMedium& m = *d.medium;
  const u64 lba = call.arg(2), size = call.arg(3), buffer = call.arg(4);
  if (static_cast<u32>(call.arg(1)) != kMediaId) return efi::kMediaChanged;
  if (write && m.read_only()) return efi::kWriteProtected;
  if (size == 0) return efi::kSuccess;
  if (buffer == 0) return efi::kInvalidParameter;
  if (size % m.block_size()) return efi::kBadBufferSize;
  const u64 count = size / m.block_size();
  if (lba >= m.block_count() || count > m.block_count() - lba) return efi::kInvalidParameter;
  if (write) m.raw_writes()++;
  return write ? write_from_caller(call, efi_.bus, m, lba * m.block_size(), size, buffer)
               : read_to_caller(call, efi_.bus, m, lba * m.block_size(), size, buffer);
}
EfiStatus BlockProtocols::read_blocks(GateCall& call, BlockDevice& d) {
  return blocks(call, d, false);
}
EfiStatus BlockProtocols::write_blocks(GateCall& call, BlockDevice& d) {
  return blocks(call, d, true);
}

// ReadDisk / WriteDisk (This, MediaId, Offset, BufferSize, Buffer)
EfiStatus BlockProtocols::bytes(GateCall& call, BlockDevice& d, bool write) {
  const u64 offset = call.arg(2), size = call.arg(3), buffer = call.arg(4);
  if (static_cast<u32>(call.arg(1)) != kMediaId) return efi::kMediaChanged;
  if (size == 0) return efi::kSuccess;
  if (buffer == 0) return efi::kInvalidParameter;
  if (write && !d.medium->read_only()) d.medium->raw_writes()++;
  return write ? write_from_caller(call, efi_.bus, *d.medium, offset, size, buffer)
               : read_to_caller(call, efi_.bus, *d.medium, offset, size, buffer);
}
EfiStatus BlockProtocols::read_disk(GateCall& call, BlockDevice& d) {
  return bytes(call, d, false);
}
EfiStatus BlockProtocols::write_disk(GateCall& call, BlockDevice& d) {
  return bytes(call, d, true);
}

}  // namespace ia64::firmware
