// Loaded images: loading, starting, ending and unloading EFI programs.
#pragma once

#include <map>
#include <optional>

#include "firmware/efi/context.h"
#include "firmware/loader/pe_image.h"

namespace ia64::firmware {

/// Every image that is in memory. @source EFI 1.10, 5.4 and chapter 7. Thread rule: the firmware's lock.
class Images {
 public:
  /// @param system_table address handed to every image
  Images(EfiContext& efi, GuestPhys system_table);

  /// LoadImage from `source`, or, when that is empty, from the file `path` names.
  EfiStatus load(GateCall& call, bool boot_policy, EfiHandle parent, const DevicePath& path,
                 std::vector<u8> source, EfiHandle& image);
  /// StartImage. On return `exit_size` and `exit_data` hold what Exit() was given (0 otherwise).
  EfiStatus start(GateCall& call, EfiHandle image, u64& exit_size, u64& exit_data);
  /// Exit: does not return when `image` is running.
  EfiStatus exit(GateCall& call, EfiHandle image, EfiStatus status, u64 exit_size, u64 exit_data);
  EfiStatus unload(GateCall& call, EfiHandle image);

  /// Gives the image its command line (Loaded Image protocol, LoadOptions).
  void set_load_options(EfiHandle image, std::span<const u8> options);
  /// The boot manager's own image: parent of what it loads.
  EfiHandle firmware_image() const { return firmware_image_; }
  bool exists(EfiHandle image) const { return images_.count(image) != 0; }
  /// Every image that was loaded, in the order of handles.
  std::vector<EfiImage> described() const;
  ImageKind kind(EfiHandle image) const { return images_.at(image).file.kind(); }

  /// Whether a runtime driver is loaded, which SetVirtualAddressMap relocates.
  bool has_runtime_driver() const;
  /// Applies the relocations of runtime drivers for their new virtual bases (SetVirtualAddressMap).
  void relocate_runtime_images(const std::function<u64(u64)>& convert);

 private:
  struct Image {
    PeImage file;
    GuestPhys base = 0;
    u64 pages = 0;
    GuestPhys loaded_image = 0;  // interface
    GuestPhys load_options = 0, file_path = 0;
    bool started = false, running = false;
    u64 exit_size = 0, exit_data = 0;
    EfiImage description;
  };
  void announce(EfiHandle handle, Image& image, const DevicePath& path, std::span<const u8> file);
  EfiStatus fetch(GateCall& call, bool boot_policy, const DevicePath& path, std::vector<u8>& source,
                  EfiHandle& device, DevicePath& file_path);
  EfiStatus place(Image& image);
  void forget(EfiHandle handle);

  EfiContext& efi_;
  const GuestPhys system_table_;
  std::map<EfiHandle, Image> images_;
  EfiHandle firmware_image_ = 0;
};

}  // namespace ia64::firmware
