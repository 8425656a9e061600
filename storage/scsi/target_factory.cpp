// One row per kind of device: what it may be on and how it is opened.
#include "storage/scsi/target_factory.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include "base/log.h"
#include "storage/attached/attached_target.h"
#include "storage/scsi/disk_target.h"
#include "storage/scsi/dvd_drive.h"
#include "storage/store_registry.h"
#include "storage/wrappers/undo.h"

namespace ia64::storage::scsi {

namespace {

using Opened = ia64::Result<std::unique_ptr<ScsiTarget>>;

// @source integrity-vm reference 1.4
const char* disk_product(const std::string& storage) {
  return storage == "disk" ? "Virtual Disk" : storage == "lv" ? "Virtual LvDisk" : "Virtual FileDisk";
}

DiskIdentity identity_of(const TargetSpec& spec) {
  return {.product = disk_product(spec.storage),
          .serial = spec.serial,
          .parallel_bus = spec.parallel_bus,
          .max_transfer_bytes = spec.max_transfer_bytes};
}

/// What is a guest's disk for one program is an image for another: raw bytes may be meant, but seldom are.
void warn_of_image(const TargetSpec& spec) {
  if (spec.storage != "file") return;
  const auto format = image_format(spec.location);
  if (format != "raw") LOG(Warn, "{}: looks like an image of format {}, and is used as raw bytes; {}:{} is the disk in it", spec.location, format, format, spec.location);
}

Opened open_disk(const TargetSpec& spec) {
  warn_of_image(spec);
  auto store = open_store(spec.storage + ":" + spec.location, spec.overlay_copy);
  if (!store) return store.error();
  if (spec.undo && !(*store)->read_only()) *store = std::make_unique<UndoStore>(std::move(*store), *spec.undo);
  return std::unique_ptr<ScsiTarget>(
      std::make_unique<DiskTarget>(std::make_unique<BlockDevice>(std::move(*store)), identity_of(spec)));
}

// @source integrity-vm reference 2.3: the console hides images that everybody may write to
Opened open_dvd(const TargetSpec& spec) {
  auto drive = DvdDrive::open(spec.storage, spec.location, identity_of(spec));
  if (!drive) return drive.error();
  struct stat st;
  if (spec.storage == "file" && stat(spec.location.c_str(), &st) == 0 && (st.st_mode & S_IWOTH))
    LOG(Warn, "{}: every user may write to this disc, so once ejected it is not offered again", spec.location);
  return std::unique_ptr<ScsiTarget>(std::move(*drive));
}

// Tapes, media changers and burners: the guest sees the real device's own INQUIRY data.
Opened open_attached(const TargetSpec& spec) {
  auto device = open_pass_through(spec.location);
  if (!device) return device.error();
  if (auto ok = check_attached_kind(spec.device, spec.location, **device); !ok) return ok.error();
  return std::unique_ptr<ScsiTarget>(std::make_unique<AttachedTarget>(std::move(*device)));
}

bool attached_storage(std::string_view storage) {
  return storage == "attach" || storage == "attach_path";
}

bool disk_storage(std::string_view storage) {
  return storage != "null" && known_store_kind(storage);
}

bool dvd_storage(std::string_view storage) {
  return storage == "disk" || storage == "file" || storage == "null";
}

struct DeviceRow {
  std::string_view device;
  bool (*allows)(std::string_view storage);
  const char* list;
  Opened (*open)(const TargetSpec&);
};
constexpr DeviceRow kDevices[] = {
    {"disk", disk_storage, "disk, lv, file or another kind of store", open_disk},
    {"dvd", dvd_storage, "disk, file or null", open_dvd},
    {"tape", attached_storage, "attach or attach_path", open_attached},
    {"changer", attached_storage, "attach or attach_path", open_attached},
    {"burner", attached_storage, "attach or attach_path", open_attached},
};

const DeviceRow* find_device(std::string_view device) {
  for (const auto& row : kDevices)
    if (row.device == device) return &row;
  return nullptr;
}

}  // namespace

ia64::Result<void> check_target_kind(std::string_view device, std::string_view storage) {
  const DeviceRow* row = find_device(device);
  std::string known;
  for (const auto& r : kDevices) known += fmt::format("{}{}", known.empty() ? "" : ", ", r.device);
  if (!row) return Error{ErrorKind::Unsupported, fmt::format("device '{}' is not supported; use one of {}", device, known)};
  if (!row->allows(storage))
    return Error{ErrorKind::Unsupported, fmt::format("a {} cannot be on storage '{}'; use {}", device, storage, row->list)};
  return {};
}

Opened open_target(const TargetSpec& spec) {
  if (auto ok = check_target_kind(spec.device, spec.storage); !ok) return ok.error();
  return find_device(spec.device)->open(spec);
}

}  // namespace ia64::storage::scsi
