// Starts an ELF kernel without a boot loader.
#pragma once

#include <string>

#include "firmware/board_description.h"
#include "firmware/efi/boot_services.h"

namespace ia64::firmware {

/// Loads kernel, initial RAM disk and command line, ends boot services and sets the CPU to the kernel's
/// entry.
/// @param fpswa  address of the FPSWA interface for the kernel
/// @returns an empty string when the CPU is set (return from the service then), else why it could not be done
std::string direct_boot(const DirectBoot& what, EfiContext& efi, SystemTable& table, GateCall& call,
                        GuestPhys fpswa);

}  // namespace ia64::firmware
