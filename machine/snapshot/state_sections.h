// The state file of a snapshot: named sections, each with its length.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/state_archive.h"

namespace ia64::machine {

/// Sections in the order they were saved. All integers little-endian:
///
///     "IVMSTATE"  u32 format  u32 count  { u32 name length  u64 section length  name  section }...
///
/// Whoever has state calls section() with the same name for both directions. Loading stops at the first section that is
/// missing, damaged, too short or too long; finish() says which. One thread.
class StateSections {
 public:
  static constexpr u32 kFormat = 2;  ///< grows with every change of any section

  /// Saves.
  StateSections() = default;
  /// Loads. Every name appears once and every length fits. @returns Invalid saying what is wrong with the file
  static Result<StateSections> parse(std::vector<u8> file);

  bool loading() const { return loading_; }
  /// Saves what `visit` describes as a section, or loads it by the same.
  void section(const std::string& name, const std::function<void(StateArchive&)>& visit);
  /// As above for something that has visit_state().
  template <class T>
  void part(const std::string& name, T& part) {
    section(name, [&part](StateArchive& a) { part.visit_state(a); });
  }
  /// Loading: whether everything there was has been loaded. @returns Invalid naming the section
  Result<void> finish() const;

  /// The file, of what has been saved.
  std::vector<u8> serialize() const;
  /// Names and lengths, in order.
  std::vector<std::pair<std::string, u64>> list() const;

 private:
  struct Section {
    std::string name;
    std::vector<u8> bytes;
    bool used = false;
  };
  std::vector<Section> sections_;
  std::string error_;
  bool loading_ = false;
};

}  // namespace ia64::machine
