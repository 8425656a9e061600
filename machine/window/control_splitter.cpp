// A parser of control sequences that keeps their form only.
#include "machine/window/control_splitter.h"

#include <algorithm>
#include <charconv>

#include "machine/window/cell.h"

namespace ia64::machine::window {
namespace {

constexpr u8 kBel = 0x07, kCan = 0x18, kSub = 0x1a, kEsc = 0x1b, kDel = 0x7f;
constexpr size_t kMaxSequenceBytes = 256;

/// Control characters a terminal acts upon: BEL to SI.
bool acts(u8 b) { return b >= kBel && b <= 0x0f; }
bool is_final(u8 b) { return b >= 0x40 && b < kDel; }

/// Bytes a character has by its first one; 0: none begins so.
size_t length_of(u8 lead) { return lead >= 0xf0 ? (lead < 0xf5 ? 4 : 0) : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0; }

/// Whether `b` may be the second byte behind `lead`: no overlong form, no surrogate, nothing above U+10FFFF.
bool second_fits(u8 lead, u8 b) {
  switch (lead) {
    case 0xe0: return b >= 0xa0;
    case 0xed: return b < 0xa0;
    case 0xf0: return b >= 0x90;
    case 0xf4: return b < 0x90;
    default: return true;
  }
}

}  // namespace

void ControlSplitter::feed(std::span<const u8> bytes) {
  for (const u8 b : bytes) byte(b);
  flush();
}

void ControlSplitter::flush() {
  if (!run_.empty()) emit_(run_);
  run_.clear();
}

void ControlSplitter::byte(u8 b) {
  if (state_ == State::String || state_ == State::StringEscape) {
    if (b == kBel || b == kCan || b == kSub || (state_ == State::StringEscape && b == '\\'))
      state_ = State::Ground;
    else if (state_ == State::StringEscape && b != kEsc)
      state_ = State::Escape, sequence_.clear(), bad_ = false, escape(b);
    else
      state_ = b == kEsc ? State::StringEscape : State::String;
    return;
  }
  if (b < ' ' || b == kDel) return control(b);
  if (state_ == State::Escape) return escape(b);
  if (state_ == State::Csi) return csi(b);
  text(b);
}

/// Control characters act within a sequence as well, without ending it. @source DEC VT220 Programmer Reference, 3.5.3
void ControlSplitter::control(u8 b) {
  if (!utf8_.empty()) character();
  if (b == kEsc) {
    state_ = State::Escape;
    sequence_.clear();
    bad_ = false;
  } else if (b == kCan || b == kSub) {
    state_ = State::Ground;
  } else if (acts(b)) {
    flush();
    const char c = static_cast<char>(b);
    emit_({&c, 1});
  }
}

void ControlSplitter::escape(u8 b) {
  if (b >= 0x80) return void(state_ = State::Ground);
  if (b < 0x30) {  // an intermediate
    bad_ = bad_ || sequence_.size() >= kMaxSequenceBytes;
    if (!bad_) sequence_ += static_cast<char>(b);
    return;
  }
  if (sequence_.empty() && b == '[') return void(state_ = State::Csi);
  if (sequence_.empty() && (b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_')) return void(state_ = State::String);
  state_ = State::Ground;
  if (bad_) return;
  flush();
  emit_("\x1b" + sequence_ + static_cast<char>(b));
}

void ControlSplitter::csi(u8 b) {
  if (b >= 0x80) return void(state_ = State::Ground);
  bad_ = bad_ || sequence_.size() >= kMaxSequenceBytes;
  if (!bad_) sequence_ += static_cast<char>(b);
  if (!is_final(b)) return;
  state_ = State::Ground;
  if (!bad_) finish_csi();
}

/// Writes the sequence anew: private mark, numbers within bounds, intermediates, final.
void ControlSplitter::finish_csi() {
  std::string out = "\x1b[";
  size_t at = 0;
  if (sequence_[at] >= '<' && sequence_[at] <= '?') out += sequence_[at++];
  unsigned numbers = 0;
  for (; at < sequence_.size() && sequence_[at] >= '0' && sequence_[at] <= ';';) {
    if (sequence_[at] > '9') {
      if (++numbers >= kMaxNumbers) return;
      out += sequence_[at++];
      continue;
    }
    const size_t end = std::min(sequence_.find_first_not_of("0123456789", at), sequence_.size());
    unsigned n = 0;
    if (std::from_chars(&sequence_[at], &sequence_[at] + (end - at), n).ec != std::errc{}) n = kMaxNumber;
    out += std::to_string(std::min(n, kMaxNumber));
    at = end;
  }
  for (; at + 1 < sequence_.size(); at++) {
    if (sequence_[at] < ' ' || sequence_[at] > '/') return;  // numbers behind intermediates, a private mark within
    out += sequence_[at];
  }
  flush();
  emit_(out + sequence_.back());
}

void ControlSplitter::text(u8 b) {
  if (b < 0x80) {
    if (!utf8_.empty()) character();
    if (!run_.empty() && static_cast<u8>(run_.back()) >= 0x80) flush();
    run_ += static_cast<char>(b);
    return;
  }
  const bool goes_on = (b & 0xc0) == 0x80;
  const bool fits = goes_on && !utf8_.empty() && (utf8_.size() > 1 || second_fits(static_cast<u8>(utf8_[0]), b));
  if (!utf8_.empty() && !fits) character();
  utf8_ += static_cast<char>(b);
  if (utf8_.size() >= length_of(static_cast<u8>(utf8_[0]))) character();
}

/// The character under way is complete, or will never be.
void ControlSplitter::character() {
  const size_t length = length_of(static_cast<u8>(utf8_[0]));
  const bool whole = length && utf8_.size() == length;
  const bool is_c1 = whole && utf8_[0] == '\xc2' && static_cast<u8>(utf8_[1]) < 0xa0;
  if (!run_.empty() && static_cast<u8>(run_.back()) < 0x80) flush();
  if (!is_c1) run_ += whole ? utf8_ : "\xef\xbf\xbd";
  utf8_.clear();
}

}  // namespace ia64::machine::window
