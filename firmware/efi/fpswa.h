// The floating-point software assistance protocol.
#pragma once

#include "firmware/efi/context.h"
#include "firmware/efi/runtime_services.h"

namespace ia64::firmware {

/// Revision every HP machine reports: 1.18.
inline constexpr u32 kFpswaRevision = 1 << 16 | 18;

/// Installs the FPSWA interface, built at `at` (16 bytes of runtime data), on a handle of its own.
/// The processor computes every operation itself and never asks for assistance, so a call can only concern an
/// exception that the program has enabled: the function answers that it is to be raised. @source platform
/// reference 6.4
/// @returns the interface's address
GuestPhys install_fpswa(EfiContext& efi, RuntimeServices& runtime, GuestPhys at);

}  // namespace ia64::firmware
