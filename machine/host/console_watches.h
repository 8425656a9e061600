// Standing searches in the console's text: whoever watches hears of every match.
#pragma once

#include <functional>
#include <list>
#include <span>
#include <string>

#include "base/result.h"
#include "machine/host/console_pattern.h"
#include "machine/host/console_text.h"

namespace ia64::machine {

/// Loop thread.
class ConsoleWatches {
 public:
  using Id = u64;
  struct Watch {
    Id id;
    u64 owner;  ///< as given to add()
    ConsolePattern pattern;
    bool once;
  };
  /// A match. `offset` counts the bytes of text since power-on before it. Must not add or remove watches.
  std::function<void(const Watch& watch, const ConsolePattern::Match& match, u64 offset)> on_match;

  void feed(std::span<const u8> bytes);
  /// Looks at what is printed from now on. @returns NoSpace when there are too many
  Result<Id> add(ConsolePattern pattern, bool once, u64 owner);
  /// @returns false when there is none of that owner
  bool remove(Id id, u64 owner);
  void remove_all(u64 owner);

 private:
  static constexpr size_t kMaxWatches = 64;
  static constexpr size_t kMaxKeptBytes = 256 << 10;  // text that no watch needs any more goes when there is more
  static constexpr size_t kLongestMatch = 64 << 10;

  struct Search {
    Watch watch;
    size_t from, searched;  // in text_
  };
  /// @returns whether the watch is over
  bool search(Search& s);
  void forget();

  ConsoleText reader_;
  std::string text_;   // the end of what was printed
  u64 forgotten_ = 0;  // bytes of text before text_
  std::list<Search> searches_;
  Id last_ = 0;
};

}  // namespace ia64::machine
