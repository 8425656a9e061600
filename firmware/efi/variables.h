// EFI variables and the image they are kept in between runs.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/state_archive.h"
#include "firmware/efi/guid.h"
#include "firmware/efi/status.h"

namespace ia64::firmware {

/// The variable store: pure data, no guest memory. Thread rule: the firmware's lock.
class VariableStore {
 public:
  struct Variable {
    u32 attributes = 0;
    std::vector<u8> data;
    bool operator==(const Variable&) const = default;
    void visit_state(StateArchive& a) { a(attributes, data); }
  };
  struct Key {
    std::u16string name;
    Guid vendor;
    auto operator<=>(const Key&) const = default;
    void visit_state(StateArchive& a) { a(name, vendor); }
  };

  /// Room for all variables, names and data, as a real NVRAM would have.
  static constexpr u64 kQuotaBytes = 128 << 10;
  static constexpr u64 kMaxDataBytes = 32 << 10;

  /// @returns nothing when absent or, at runtime, when it lacks runtime access
  const Variable* get(const Key& key, bool runtime) const;
  /// SetVariable; empty data or attributes without any access bit delete. @source EFI 1.10, 6.1
  EfiStatus set(const Key& key, u32 attributes, std::span<const u8> data, bool runtime);
  /// The variable after `key` in enumeration order (an empty name starts). @returns NotFound at the end,
  /// InvalidParameter when `key` names no variable
  EfiStatus next(Key& key, bool runtime) const;
  /// True since the last call when a non-volatile variable changed.
  bool take_dirty();
  /// Forgets volatile variables (reset).
  void forget_volatile();

  /// The NVRAM image: non-volatile variables with a header and a CRC.
  std::vector<u8> save() const;
  /// Replaces everything by an image. @returns Invalid saying what is wrong with it; the store is empty then
  Result<void> load(std::span<const u8> image);
  /// All variables, volatile ones included.
  void visit_state(StateArchive& a) { a(variables_, dirty_); }

 private:
  u64 used_bytes() const;
  std::map<Key, Variable> variables_;
  bool dirty_ = false;
};

}  // namespace ia64::firmware
