// Stores by specification: "file:PATH", "ro:file:PATH".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/block_store.h"

namespace ia64::storage {

/// Opens the store a specification names: one `kind:` after another, outermost wrapper first, at most
/// kMaxNesting deep.
/// @returns a one-line error naming the unknown kind or the file and what is wrong with it
inline constexpr unsigned kMaxNesting = 8;
Result<std::unique_ptr<BlockStore>> open_store(std::string_view spec);

/// Whether `kind` is the first word of some specification.
bool known_store_kind(std::string_view kind);

}  // namespace ia64::storage
