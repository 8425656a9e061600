// EFI state for people who look at a guest. Snapshots: nothing here refers to firmware's own objects.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/address_space.h"
#include "firmware/efi_image.h"

namespace ia64::firmware {

struct EfiVariableInfo {
  std::string name, vendor;  ///< vendor as a well-known name or a GUID
  u32 attributes = 0;        ///< EFI_VARIABLE_*: 1 non-volatile, 2 boot service, 4 runtime access
  std::vector<u8> data;
};

struct EfiHandleInfo {
  u64 handle = 0;
  std::string path;  ///< its device path; empty without one, and when boot services have ended
  std::vector<std::pair<std::string, u64>> protocols;  ///< name or GUID, interface address
};

struct EfiMemoryInfo {
  GuestPhys base = 0;
  u64 size_bytes = 0;
  std::string type;  ///< as the EFI specification names it, less "Efi"
  u64 attributes = 0;
};

struct EfiInspection {
  bool boot_services = false;  ///< until ExitBootServices
  std::vector<EfiVariableInfo> variables;
  std::vector<EfiHandleInfo> handles;
  std::vector<EfiMemoryInfo> memory;
  std::vector<EfiImage> images;
};

}  // namespace ia64::firmware
