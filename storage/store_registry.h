// Stores by specification: "file:PATH", "overlay:qcow2:PATH", "ro:direct:file:PATH".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/block_store.h"

namespace ia64::storage {

/// Opens the store a specification names: one `word:` after another, outermost wrapper first, at most kMaxNesting deep
/// (backing files of images count). Stores: file disk lv null nbd; formats: qcow2 vhd overlay; wrappers: ro delay fault;
/// options of the files below: direct threads short. README.md has the grammar of each.
/// @returns a one-line error naming the unknown kind or the file and what is wrong with it
inline constexpr unsigned kMaxNesting = 8;
/// @param overlay_copy  not empty: an overlay file whose content the outermost overlay begins with, in a nameless file of its own;
///                      refused where the specification has no overlay
Result<std::unique_ptr<BlockStore>> open_store(std::string_view spec, const std::string& overlay_copy = "");

/// Whether `kind` is the first word of some specification.
bool known_store_kind(std::string_view kind);

/// A size such as "20G" (K, M, G, T: powers of 1024) in bytes, a multiple of 512.
Result<u64> parse_size(std::string_view text);

/// The format of an image file by its first and last bytes: "qcow2", "vhd", "overlay", else "raw".
std::string image_format(const std::string& path);

}  // namespace ia64::storage
