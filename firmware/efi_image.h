// What firmware tells about the EFI programs it loads.
#pragma once

#include <string>
#include <vector>

#include "base/address_space.h"

namespace ia64::firmware {

/// A name in the COFF symbol table of an image.
struct EfiImageSymbol {
  std::string name;
  u32 rva = 0;  ///< address relative to the image
};

/// An EFI image in guest memory.
struct EfiImage {
  u64 handle = 0;
  std::string path;              ///< as device paths print: "Acpi(...)/.../\EFI\BOOT\BOOTIA64.EFI"
  std::string name;              ///< the last part of its file name, or of the path
  std::string kind;              ///< "application", "boot driver" or "runtime driver"
  GuestPhys base = 0;
  u64 size_bytes = 0;
  GuestPhys entry = 0, gp = 0;   ///< where it begins, and its global pointer: what its entry descriptor holds
  u64 preferred_base = 0;        ///< what its file was linked for
  std::vector<EfiImageSymbol> symbols;  ///< empty when the file has none
};

}  // namespace ia64::firmware
