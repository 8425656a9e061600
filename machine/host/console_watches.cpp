// Watches over the console's text.
#include "machine/host/console_watches.h"

#include <fmt/format.h>

#include <algorithm>

namespace ia64::machine {

void ConsoleWatches::feed(std::span<const u8> bytes) {
  reader_.append({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, text_);
  searches_.remove_if([this](Search& s) { return search(s); });
  forget();
}

bool ConsoleWatches::search(Search& s) {
  while (const auto match = s.watch.pattern.find(text_, s.from, s.searched)) {
    if (on_match) on_match(s.watch, *match, forgotten_ + match->begin);
    if (s.watch.once) return true;
    s.from = s.searched = std::max(match->end, match->begin + 1);
    if (s.from > text_.size()) break;
  }
  return false;
}

void ConsoleWatches::forget() {
  if (text_.size() <= kMaxKeptBytes) return;
  const size_t n = text_.size() - kLongestMatch;
  text_.erase(0, n);
  forgotten_ += n;
  for (Search& s : searches_) {
    s.from -= std::min(s.from, n);
    s.searched -= std::min(s.searched, n);
  }
}

Result<ConsoleWatches::Id> ConsoleWatches::add(ConsolePattern pattern, bool once, u64 owner) {
  if (searches_.size() >= kMaxWatches) return Error{ErrorKind::NoSpace, fmt::format("there are {} watches already", kMaxWatches)};
  searches_.push_back({{++last_, owner, std::move(pattern), once}, text_.size(), text_.size()});
  return last_;
}

bool ConsoleWatches::remove(Id id, u64 owner) {
  const size_t before = searches_.size();
  searches_.remove_if([&](const Search& s) { return s.watch.id == id && s.watch.owner == owner; });
  return searches_.size() < before;
}

void ConsoleWatches::remove_all(u64 owner) {
  searches_.remove_if([&](const Search& s) { return s.watch.owner == owner; });
}

}  // namespace ia64::machine
