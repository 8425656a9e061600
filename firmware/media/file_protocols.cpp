// Simple File System and File protocol services. @source EFI 1.10, 11.4 (EFI_SIMPLE_FILE_SYSTEM), 11.5
// (EFI_FILE)
#include "firmware/media/file_protocols.h"

#include "firmware/efi/guest_data.h"
#include "firmware/media/file_info.h"
#include "firmware/media/guest_transfer.h"

namespace ia64::firmware {

namespace {

constexpr u64 kRevision = 0x0001'0000;
constexpr u64 kModeRead = 1, kModeWrite = 2, kModeCreate = bit(63);
constexpr u64 kValidAttributes = 0x37;
constexpr size_t kFileSystemLabelAt = 36;

/// Copies `bytes` to the caller's buffer if *size allows; *size receives the size needed.
EfiStatus answer(GateCall& call, u64 size_at, u64 buffer, const std::vector<u8>& bytes) {
  u64 room = 0;
  if (!call.read_value(size_at, room)) return efi::kInvalidParameter;
  if (!call.write_value(size_at, u64{bytes.size()})) return efi::kInvalidParameter;
  if (room < bytes.size()) return efi::kBufferTooSmall;
  return call.write(buffer, bytes.data(), bytes.size()) ? efi::kSuccess : efi::kInvalidParameter;
}

}  // namespace

EfiFunction FileProtocols::bind(Operation operation) {
  return [this, operation](GateCall& call) {
    const auto it = files_.find(call.arg(0));
    return it == files_.end() ? efi::kInvalidParameter : (this->*operation)(call, it->second);
  };
}

EfiStatus FileProtocols::install(BlockDevice& d) {
  d.volume = fat::Volume::mount(*d.medium, [this] {
    i64 seconds = 0;
    u32 nanoseconds = 0;
    efi_.host.wall_clock(seconds, nanoseconds);
    return seconds;
  });
  if (!d.volume) return efi::kUnsupported;
  d.file_system =
      ProtocolBuilder(efi_)
          .u64_value(kRevision)
          .function("SimpleFileSystem.OpenVolume", [this](GateCall& call) { return open_volume(call); })
          .build();
  if (!d.file_system) return efi::kOutOfResources;
  volumes_[d.file_system] = &d;
  return efi_.handles.install(d.handle, guid::kSimpleFileSystem, d.file_system);
}

EfiStatus FileProtocols::hand_out(GateCall& call, u64 result_at, OpenFile file) {
  const GuestPhys interface = ProtocolBuilder(efi_)
                                  .u64_value(kRevision)
                                  .function("File.Open", bind(&FileProtocols::open))
                                  .function("File.Close", bind(&FileProtocols::close))
                                  .function("File.Delete", bind(&FileProtocols::remove))
                                  .function("File.Read", bind(&FileProtocols::read))
                                  .function("File.Write", bind(&FileProtocols::write))
                                  .function("File.GetPosition", bind(&FileProtocols::get_position))
                                  .function("File.SetPosition", bind(&FileProtocols::set_position))
                                  .function("File.GetInfo", bind(&FileProtocols::get_info))
                                  .function("File.SetInfo", bind(&FileProtocols::set_info))
                                  .function("File.Flush", bind(&FileProtocols::flush))
                                  .build();
  if (!interface) return efi::kOutOfResources;
  files_[interface] = std::move(file);
  if (call.write_value(result_at, interface)) return efi::kSuccess;
  release(interface);
  return efi::kInvalidParameter;
}

void FileProtocols::release(GuestPhys interface) {
  files_.erase(interface);
  ProtocolBuilder::release(efi_, interface);
}

// OpenVolume (This, **Root)
EfiStatus FileProtocols::open_volume(GateCall& call) {
  const auto it = volumes_.find(call.arg(0));
  if (it == volumes_.end()) return efi::kInvalidParameter;
  BlockDevice& d = *it->second;
  return hand_out(call, call.arg(1), {&d, d.volume->root(), !d.volume->read_only(), 0});
}

// Open (This, **NewHandle, *FileName, OpenMode, Attributes)
EfiStatus FileProtocols::open(GateCall& call, OpenFile& f) {
  const auto path = read_string16(call, call.arg(2));
  const u64 mode = call.arg(3), attributes = call.arg(4);
  if (!path) return efi::kInvalidParameter;
  const bool create = mode == (kModeRead | kModeWrite | kModeCreate),
             write = create || mode == (kModeRead | kModeWrite);
  if (!write && mode != kModeRead) return efi::kInvalidParameter;
  if (create && (attributes & ~kValidAttributes)) return efi::kInvalidParameter;
  fat::Volume& v = *f.device->volume;
  if (write && v.read_only()) return efi::kWriteProtected;
  fat::File found;
  const EfiStatus s =
      create ? v.create(f.file, *path, static_cast<u8>(attributes), found) : v.open(f.file, *path, found);
  if (efi_error(s)) return s;
  const bool protects = !found->is_directory() && (found->slot.attributes() & fat::attribute::kReadOnly);
  if (write && !create && protects) return efi::kAccessDenied;
  return hand_out(call, call.arg(1), {f.device, found, write, 0});
}

EfiStatus FileProtocols::close(GateCall& call, OpenFile&) {
  release(call.arg(0));
  return efi::kSuccess;
}

EfiStatus FileProtocols::remove(GateCall& call, OpenFile& f) {
  const EfiStatus s = f.writable ? f.device->volume->remove(f.file) : efi::kAccessDenied;
  release(call.arg(0));
  return efi_error(s) ? efi::kWarnDeleteFailure : efi::kSuccess;
}

// Read (This, *BufferSize, *Buffer)
EfiStatus FileProtocols::read(GateCall& call, OpenFile& f) {
  const u64 size_at = call.arg(1), buffer = call.arg(2);
  u64 size = 0;
  if (!call.read_value(size_at, size)) return efi::kInvalidParameter;
  if (f.file->deleted) return efi::kDeviceError;
  if (f.file->is_directory()) return read_directory(call, f, size_at, buffer);
  if (f.position > f.file->size()) return efi::kDeviceError;
  size = std::min<u64>(size, f.file->size() - f.position);
  fat::Volume& v = *f.device->volume;
  const EfiStatus s = v.read(f.file, f.position, size, [&](u64 at, u64 done, u64 n) {
    return read_to_caller(call, efi_.bus, v.medium(), at, n, buffer + done);
  });
  if (efi_error(s)) return s;
  f.position += size;
  return call.write_value(size_at, size) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus FileProtocols::read_directory(GateCall& call, OpenFile& f, u64 size_at, u64 buffer) {
  auto cursor = static_cast<u32>(f.position);
  fat::Entry entry;
  EfiStatus s = f.device->volume->next_entry(f.file, cursor, entry);
  if (s == efi::kNotFound) return call.write_value(size_at, u64{0}) ? efi::kSuccess : efi::kInvalidParameter;
  if (efi_error(s)) return s;
  s = answer(call, size_at, buffer,
             encode(file_info_of(entry.slot, entry.name, f.device->volume->cluster_bytes())));
  if (!efi_error(s)) f.position = cursor;
  return s;
}

// Write (This, *BufferSize, *Buffer)
EfiStatus FileProtocols::write(GateCall& call, OpenFile& f) {
  const u64 size_at = call.arg(1), buffer = call.arg(2);
  u64 size = 0;
  if (!call.read_value(size_at, size)) return efi::kInvalidParameter;
  if (f.file->is_directory()) return efi::kUnsupported;
  if (!f.writable) return efi::kAccessDenied;
  fat::Volume& v = *f.device->volume;
  const EfiStatus s = v.write(f.file, f.position, size, [&](u64 at, u64 done, u64 n) {
    return write_from_caller(call, efi_.bus, v.medium(), at, n, buffer + done);
  });
  if (efi_error(s)) {
    (void)call.write_value(size_at, u64{0});
    return s;
  }
  f.position += size;
  return efi::kSuccess;
}

// GetPosition (This, *Position)
EfiStatus FileProtocols::get_position(GateCall& call, OpenFile& f) {
  if (f.file->is_directory()) return efi::kUnsupported;
  if (f.file->deleted) return efi::kDeviceError;
  return call.write_value(call.arg(1), f.position) ? efi::kSuccess : efi::kInvalidParameter;
}

// SetPosition (This, Position)
EfiStatus FileProtocols::set_position(GateCall& call, OpenFile& f) {
  const u64 position = call.arg(1);
  if (f.file->deleted) return efi::kDeviceError;
  if (f.file->is_directory() && position != 0) return efi::kUnsupported;
  f.position = position == ~u64{0} ? f.file->size() : position;
  return efi::kSuccess;
}

EfiStatus FileProtocols::info_bytes(OpenFile& f, const Guid& type, std::vector<u8>& out) {
  fat::Volume& v = *f.device->volume;
  if (type == guid::kFileInfo) {
    if (f.file->deleted) return efi::kDeviceError;
    out = encode(file_info_of(f.file->slot, f.file->name, v.cluster_bytes()));
    return efi::kSuccess;
  }
  if (type != guid::kFileSystemInfo && type != guid::kFileSystemVolumeLabel) return efi::kUnsupported;
  std::u16string label;
  if (const EfiStatus s = v.label(label); efi_error(s)) return s;
  if (type == guid::kFileSystemVolumeLabel) return out = encode_label(label), efi::kSuccess;
  u64 free_bytes = 0;
  if (const EfiStatus s = v.free_bytes(free_bytes); efi_error(s)) return s;
  out = encode_file_system_info(v.read_only(), v.total_bytes(), free_bytes, v.cluster_bytes(), label);
  return efi::kSuccess;
}

// GetInfo (This, *InformationType, *BufferSize, *Buffer)
EfiStatus FileProtocols::get_info(GateCall& call, OpenFile& f) {
  Guid type;
  std::vector<u8> bytes;
  if (!call.read_value(call.arg(1), type)) return efi::kInvalidParameter;
  if (const EfiStatus s = info_bytes(f, type, bytes); efi_error(s)) return s;
  return answer(call, call.arg(2), call.arg(3), bytes);
}

EfiStatus FileProtocols::set_file_info(OpenFile& f, std::span<const u8> bytes) {
  const auto info = decode_file_info(bytes);
  fat::Volume& v = *f.device->volume;
  if (!info) return efi::kBadBufferSize;
  if (info->attributes & ~kValidAttributes) return efi::kInvalidParameter;
  if (f.file->deleted) return efi::kDeviceError;
  const bool directory = f.file->is_directory();
  if (bool(info->attributes & fat::attribute::kDirectory) != directory) return efi::kAccessDenied;
  const bool resizes = !directory && info->file_size != f.file->size();
  if (resizes && !f.writable) return efi::kAccessDenied;
  if (!apply_file_info(f.file->slot, *info)) return efi::kInvalidParameter;
  if (!info->name.empty() && info->name != f.file->name)
    if (const EfiStatus s = v.rename(f.file, info->name); efi_error(s)) return s;
  if (resizes)
    if (const EfiStatus s = v.resize(f.file, info->file_size); efi_error(s)) return s;
  if (f.file->root) return efi::kSuccess;
  // Taken anew: resizing has put in its own time.
  return v.update_slot(f.file, *apply_file_info(f.file->slot, *info));
}

// SetInfo (This, *InformationType, BufferSize, *Buffer)
EfiStatus FileProtocols::set_info(GateCall& call, OpenFile& f) {
  Guid type;
  constexpr u64 kMaxBytes = 4096;
  if (!call.read_value(call.arg(1), type)) return efi::kInvalidParameter;
  std::vector<u8> bytes(std::min(call.arg(2), kMaxBytes));
  if (!call.read(call.arg(3), bytes.data(), bytes.size())) return efi::kInvalidParameter;
  if (type != guid::kFileInfo && type != guid::kFileSystemInfo && type != guid::kFileSystemVolumeLabel)
    return efi::kUnsupported;
  if (f.device->volume->read_only()) return efi::kWriteProtected;
  if (type == guid::kFileInfo) return set_file_info(f, bytes);
  const auto label = decode_label(bytes, type == guid::kFileSystemInfo ? kFileSystemLabelAt : 0);
  return label ? f.device->volume->set_label(*label) : efi::kBadBufferSize;
}

EfiStatus FileProtocols::flush(GateCall&, OpenFile& f) {
  return f.writable ? f.device->volume->flush() : efi::kAccessDenied;
}

}  // namespace ia64::firmware
