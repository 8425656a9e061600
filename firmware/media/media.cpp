// Puts it together: PCI, controllers, disks, partitions, volumes.
#include "firmware/media/media.h"

#include <deque>
#include <thread>

#include "base/log.h"
#include "firmware/media/block_protocols.h"
#include "firmware/media/file_protocols.h"
#include "firmware/media/mpt_scsi.h"
#include "firmware/media/partitions.h"
#include "firmware/media/virtio_scsi.h"

namespace ia64::firmware {

namespace {

void relax_on_host(u64 spins) {
  constexpr u64 kPauses = 200, kYields = 2000;
  if (spins < kPauses) return __builtin_ia32_pause();
  if (spins < kYields) return std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::microseconds(50));
}

/// A boot driver and the function it is for.
struct DriverRow {
  u16 vendor_id, device_id;
  u64 memory_bytes;  // 4 KiB aligned guest memory it works in
  std::unique_ptr<ScsiHost> (*attach)(AddressSpace&, const BoardDescription&, const PciFunction&, GuestPhys,
                                      Relax);
};

template <class Driver>
constexpr DriverRow row_of() {
  return {Driver::kVendorId, Driver::kDeviceId, Driver::kMemoryBytes,
          [](AddressSpace& bus, const BoardDescription& board, const PciFunction& f, GuestPhys memory,
             Relax relax) -> std::unique_ptr<ScsiHost> {
            return Driver::attach(bus, board, f, memory, std::move(relax));
          }};
}
constexpr DriverRow kDrivers[] = {row_of<MptScsi>(), row_of<VirtioScsi>()};

const DriverRow* find_driver(const PciFunction& f) {
  for (const DriverRow& d : kDrivers)
    if (d.vendor_id == f.vendor_id && d.device_id == f.device_id) return &d;
  return nullptr;
}

}  // namespace

struct Media::Impl {
  Impl(EfiContext& efi, Relax relax) : efi(efi), relax(std::move(relax)), blocks(efi), files(efi) {}

  void attach(const PciFunction& function);
  BlockDevice& add_device(DevicePath path, std::unique_ptr<BlockMedium> medium, bool is_partition);
  void add_partitions(BlockDevice& disk);
  static DevicePath partition_path(const BlockDevice& disk, const Partition& p);

  EfiContext& efi;
  Relax relax;
  std::vector<std::unique_ptr<ScsiHost>> controllers;  // before devices: media refer to them
  std::deque<BlockDevice> devices;                     // stable addresses
  std::vector<EfiHandle> disks;
  BlockProtocols blocks;
  FileProtocols files;
};

BlockDevice& Media::Impl::add_device(DevicePath path, std::unique_ptr<BlockMedium> medium,
                                     bool is_partition) {
  BlockDevice& d = devices.emplace_back();
  d.path = std::move(path);
  d.medium = std::move(medium);
  d.is_partition = is_partition;
  if (const EfiStatus s = blocks.install(d); efi_error(s))
    LOG(Warn, "{}: not offered to loaders: {}", d.path.to_text(), status_name(s));
  return d;
}

DevicePath Media::Impl::partition_path(const BlockDevice& disk, const Partition& p) {
  DevicePath path = disk.path;
  switch (p.kind) {
    case Partition::Kind::Gpt: return path.hard_drive_gpt(p.number, p.first, p.count, p.unique);
    case Partition::Kind::Mbr: return path.hard_drive_mbr(p.number, p.first, p.count, p.signature);
    case Partition::Kind::ElTorito: return path.cdrom(p.number, p.first, p.count);
  }
  return path;
}

void Media::Impl::add_partitions(BlockDevice& disk) {
  const auto partitions = find_partitions(*disk.medium);
  for (const Partition& p : partitions) {
    BlockDevice& d = add_device(partition_path(disk, p),
                                std::make_unique<MediumSlice>(*disk.medium, p.first, p.count), true);
    const bool has_files = !efi_error(files.install(d));
    LOG(Efi, "partition {}{}", d.path.to_text(), has_files ? " (FAT)" : "");
  }
  if (partitions.empty()) (void)files.install(disk);  // a volume without a partition table
}

void Media::Impl::attach(const PciFunction& f) {
  const DriverRow* const driver = find_driver(f);
  if (!driver) return;
  GuestPhys memory = 0xffff'ffff;
  const u64 pages = (driver->memory_bytes + efi::kPageSize - 1) / efi::kPageSize;
  if (efi_error(
          efi.memory.allocate(MemoryMap::Allocate::MaxAddress, MemoryType::BootServicesData, pages, memory)))
    return;
  auto controller = driver->attach(efi.bus, efi.board, f, memory, relax);
  if (!controller) return (void)efi.memory.free(memory, pages);
  auto found = controller->scan();
  controllers.push_back(std::move(controller));
  for (auto& disk : found) {
    DevicePath path;
    path.acpi(DevicePath::kPnp0a03, f.bus).pci(f.device, f.function).scsi(disk.target, disk.lun);
    BlockDevice& d = add_device(path, std::move(disk.medium), false);
    LOG(Efi, "disk {}: {} blocks of {}", d.path.to_text(), d.medium->block_count(), d.medium->block_size());
    disks.push_back(d.handle);
    add_partitions(d);
  }
}

Media::Media(EfiContext& efi, Relax relax)
    : impl_(std::make_unique<Impl>(efi, relax ? std::move(relax) : relax_on_host)) {}
Media::~Media() = default;

void Media::connect() {
  for (const PciFunction& f : assign_pci_resources(impl_->efi.board, impl_->efi.bus)) impl_->attach(f);
  impl_->efi.at_exit_boot_services([impl = impl_.get()] {
    for (auto& c : impl->controllers) c->stop();
  });
}

const std::vector<EfiHandle>& Media::disks() const {
  return impl_->disks;
}

}  // namespace ia64::firmware
