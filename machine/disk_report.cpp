// Reads partition tables and EFI partitions with the firmware's own code.
#include "machine/disk_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "firmware/media/fat_volume.h"
#include "firmware/media/partitions.h"
#include "storage/block_device.h"
#include "storage/image_tools.h"
#include "storage/store_registry.h"

namespace ia64::machine {

namespace {

using namespace firmware;

/// A store as the firmware's code sees media; it refuses every write.
class StoreMedium final : public BlockMedium {
 public:
  StoreMedium(storage::BlockDevice& device, u32 block) : device_(device), block_(block) {}
  u32 block_size() const override { return block_; }
  u64 block_count() const override { return device_.size_bytes() / block_; }
  bool read_only() const override { return true; }
  EfiStatus read(u64 lba, u64 count, u8* out) override {
    return device_.transfer(storage::BlockOp::Read, lba * block_, out, count * block_) == storage::BlockStatus::Ok
               ? efi::kSuccess
               : efi::kDeviceError;
  }
  EfiStatus write(u64, u64, const u8*) override { return efi::kWriteProtected; }
  EfiStatus flush() override { return efi::kSuccess; }
  EfiStatus read_guest(u64, std::span<const GuestSpan>) override { return efi::kDeviceError; }
  EfiStatus write_guest(u64, std::span<const GuestSpan>) override { return efi::kWriteProtected; }
  u64& raw_writes() override { return raw_writes_; }

 private:
  storage::BlockDevice& device_;
  const u32 block_;
  u64 raw_writes_ = 0;
};

// @source EFI 1.10; HP-UX and OpenVMS partition types as their installers write them
constexpr std::pair<const char*, const char*> kTypes[] = {
    {"C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EFI system"},
    {"75894C1E-3AEB-11D3-B7C1-7B03A0000000", "HP-UX data"},
    {"E2A1E728-32E3-11D6-A682-7B03A0000000", "HP-UX service (HPSP)"},
    {"EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "basic data"},
    {"E3C9E316-0B5C-4DB8-817D-F92DF00215AE", "Microsoft reserved"},
    {"0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux file system"},
    {"0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "Linux swap"},
    {"E6D6D379-F507-44C2-A23C-238F2A3DF928", "Linux LVM"},
};

std::string type_name(const Partition& p) {
  if (p.kind == Partition::Kind::ElTorito) return "El Torito boot image";
  if (p.kind == Partition::Kind::Mbr) return fmt::format("MBR type {:#04x}{}", p.mbr_type, p.mbr_type == 0xef ? " (EFI system)" : "");
  const auto text = to_text(p.type);
  for (const auto& [guid, name] : kTypes)
    if (text == guid) return name;
  return text;
}

std::string narrow(const std::u16string& text) {
  std::string out;
  for (const char16_t c : text) out += c < 0x80 && c >= 0x20 ? static_cast<char>(c) : '?';
  return out;
}

std::string lower(std::string s) {
  for (char& c : s) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return s;
}

/// Loaders and the small files that say how they boot.
class Tree {
 public:
  Tree(fat::Volume& volume, std::string& out) : volume_(volume), out_(out) {}
  void walk(const fat::File& directory, const std::string& path, unsigned depth) {
    u32 cursor = 0;
    fat::Entry entry;
    for (unsigned n = 0; n < kMostEntries && volume_.next_entry(directory, cursor, entry) == efi::kSuccess; n++) {
      const std::string name = narrow(entry.name), full = path + "\\" + name;
      if (name == "." || name == "..") continue;
      fat::File file;
      if (entry.slot.is_directory()) {
        if (depth < kMostDepth && volume_.open(directory, entry.name, file) == efi::kSuccess) walk(file, full, depth + 1);
      } else if (lower(name).ends_with(".efi")) {
        out_ += fmt::format("    loader {} ({} bytes)\n", full, entry.slot.size());
      } else if (is_boot_text(lower(name)) && volume_.open(directory, entry.name, file) == efi::kSuccess) {
        show(file, full);
      }
    }
  }

 private:
  static constexpr unsigned kMostEntries = 4096, kMostDepth = 8;
  static constexpr u32 kMostText = 2048;
  static bool is_boot_text(const std::string& name) {
    return name == "auto" || name == "elilo.conf" || name == "grub.cfg" || name.ends_with(".nsh");
  }
  void show(const fat::File& file, const std::string& path) {
    std::string text(std::min(file->size(), kMostText), '\0');
    const auto move = [&](u64 offset, u64 done, u64 bytes) {
      return read_medium_bytes(volume_.medium(), offset, bytes, text.data() + done);
    };
    if (volume_.read(file, 0, text.size(), move) != efi::kSuccess) return;
    out_ += fmt::format("    boot text {}:\n", path);
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      std::erase_if(line, [](char c) { return c < 0x20 || c > 0x7e; });
      if (!line.empty()) out_ += "      " + line + "\n";
      at = end + 1;
    }
  }

  fat::Volume& volume_;
  std::string& out_;
};

const char* scheme_of(const std::vector<Partition>& list) {
  if (list.empty()) return "no partition table";
  switch (list[0].kind) {
    case Partition::Kind::Gpt: return "GPT";
    case Partition::Kind::Mbr: return "MBR";
    default: return "El Torito";
  }
}

}  // namespace

Result<std::string> report_disk(const std::string& file_or_spec) {
  const std::string spec = storage::spec_of(file_or_spec);
  auto store = storage::open_store("ro:" + spec);
  if (!store) return store.error();
  storage::BlockDevice device(std::move(*store));
  // An ISO image has 2048-byte sectors; a disk image is tried first.
  StoreMedium small(device, 512), large(device, 2048);
  BlockMedium* medium = &small;
  auto partitions = find_partitions(small);
  if (partitions.empty() && device.size_bytes() >= 2048) {
    if (auto other = find_partitions(large); !other.empty()) partitions = std::move(other), medium = &large;
  }
  std::string out = fmt::format("{}\n  size {} bytes, {}, {} partitions\n", spec, device.size_bytes(), scheme_of(partitions), partitions.size());
  for (const auto& p : partitions) {
    out += fmt::format("  partition {}: blocks {}..{}, {} MiB, {}\n", p.number, p.first, p.first + p.count - 1,
                       p.count * medium->block_size() >> 20, type_name(p));
    if (p.kind == Partition::Kind::Gpt) out += fmt::format("    GUID {}\n", to_text(p.unique));
    MediumSlice slice(*medium, p.first, p.count);
    if (auto volume = fat::Volume::mount(slice, [] { return i64{0}; })) {
      std::u16string label;
      volume->label(label);
      out += fmt::format("    FAT{} file system '{}'\n", volume->bits(), narrow(label));
      Tree(*volume, out).walk(volume->root(), "", 0);
    }
  }
  return out;
}

}  // namespace ia64::machine
