// FAT file names: 8.3 names, long names, and the conversion between them.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/int_types.h"

namespace ia64::firmware::fat {

/// The eleven name bytes of a directory entry, blank padded.
using ShortName = std::array<u8, 11>;

/// Text of an 8.3 name. @param case_flags byte 12 of the entry: 0x08 lower-case base, 0x10 lower-case
/// extension
std::u16string to_text(const ShortName& name, u8 case_flags);

/// True when the two names are the same file to FAT: letters compare without case.
bool same_name(std::u16string_view a, std::u16string_view b);

/// True for a name that a long entry can hold: 1..255 characters, none of them reserved, not only dots, no
/// blank or dot at its end.
bool is_valid_name(std::u16string_view name);

/// The 8.3 form of a name that needs no long entry. @returns false when it does (too long, mixed case, odd
/// characters)
bool to_short_name(std::u16string_view name, ShortName& out, u8& case_flags);

/// An 8.3 alias "BASE~N.EXT" for a long name. @param n 1..999999
ShortName make_alias(std::u16string_view name, u32 n);

/// The checksum that ties long entries to their 8.3 entry.
u8 checksum(const ShortName& name);

}  // namespace ia64::firmware::fat
