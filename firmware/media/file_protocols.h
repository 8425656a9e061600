// Simple File System and File protocols over FAT volumes.
#pragma once

#include <map>

#include "firmware/media/block_protocols.h"

namespace ia64::firmware {

/// Serves both protocols. One guest structure per open file; functions are shared. @source
/// EFI 1.10, 11.4, 11.5
class FileProtocols {
 public:
  explicit FileProtocols(EfiContext& efi) : efi_(efi) {}
  /// Mounts FAT on the device and installs SimpleFileSystem on its handle. @returns Unsupported when there is
  /// no FAT
  EfiStatus install(BlockDevice& device);

 private:
  struct OpenFile {
    BlockDevice* device = nullptr;
    fat::File file;
    bool writable = false;
    u64 position = 0;  ///< bytes; in a directory the next slot
  };
  using Operation = EfiStatus (FileProtocols::*)(GateCall&, OpenFile&);
  EfiFunction bind(Operation operation);
  EfiStatus open_volume(GateCall& call);
  EfiStatus hand_out(GateCall& call, u64 result_at, OpenFile file);

  EfiStatus open(GateCall& call, OpenFile& f);
  EfiStatus close(GateCall& call, OpenFile& f);
  EfiStatus remove(GateCall& call, OpenFile& f);
  EfiStatus read(GateCall& call, OpenFile& f);
  EfiStatus write(GateCall& call, OpenFile& f);
  EfiStatus get_position(GateCall& call, OpenFile& f);
  EfiStatus set_position(GateCall& call, OpenFile& f);
  EfiStatus get_info(GateCall& call, OpenFile& f);
  EfiStatus set_info(GateCall& call, OpenFile& f);
  EfiStatus flush(GateCall& call, OpenFile& f);

  EfiStatus read_directory(GateCall& call, OpenFile& f, u64 size_at, u64 buffer);
  EfiStatus info_bytes(OpenFile& f, const Guid& type, std::vector<u8>& out);
  EfiStatus set_file_info(OpenFile& f, std::span<const u8> bytes);
  void release(GuestPhys interface);

  EfiContext& efi_;
  std::map<GuestPhys, BlockDevice*> volumes_;
  std::map<GuestPhys, OpenFile> files_;
};

}  // namespace ia64::firmware
