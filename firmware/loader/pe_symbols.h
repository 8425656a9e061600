// The COFF symbol table that linkers may leave in a PE image.
#pragma once

#include <span>
#include <vector>

#include "firmware/efi_image.h"

namespace ia64::firmware {

/// Functions and data of the image's sections. The file must have passed PeImage::parse(); the table itself is untrusted: what
/// makes no sense ends it. @returns nothing when there is no table. @source Microsoft PE/COFF specification, 5.4
std::vector<EfiImageSymbol> pe_symbols(std::span<const u8> file);

}  // namespace ia64::firmware
