// Pieces of pasted text.
#include "machine/window/paste_feeder.h"

#include <algorithm>

namespace ia64::machine::window {
namespace {

constexpr u8 kXon = 0x11, kXoff = 0x13;

}  // namespace

std::string paste_bytes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (c == '\n') {
      out += '\r';
    } else if (c == '\r') {
      out += '\r';
      if (i + 1 < text.size() && text[i + 1] == '\n') i++;
    } else if (c == '\t' || (static_cast<u8>(c) >= ' ' && c != 0x7f)) {
      out += c;
    }
  }
  return out;
}

void PasteFeeder::start(std::string_view text, std::string_view before, std::string_view behind) {
  if (!active()) held_ = false;
  text_.erase(0, at_);
  at_ = 0;
  text_.append(before).append(paste_bytes(text)).append(behind);
  pump();
}

void PasteFeeder::stop() {
  text_.clear();
  text_.shrink_to_fit();
  at_ = 0;
}

void PasteFeeder::drained() {
  waiting_ = false;
  pump();
}

void PasteFeeder::release() {
  held_ = false;
  pump();
}

void PasteFeeder::watch_output(std::span<const u8> bytes) {
  if (!active()) return;
  const bool was = held_;
  for (const u8 b : bytes)
    if (b == kXoff || b == kXon) held_ = b == kXoff;
  if (was && !held_) pump();
}

void PasteFeeder::pump() {
  if (pumping_) return;  // the guest took a piece at once: the loop below goes on
  pumping_ = true;
  while (!waiting_ && !held_ && active()) {
    const std::string piece = text_.substr(at_, kPieceBytes);
    at_ += piece.size();
    waiting_ = true;
    type({reinterpret_cast<const u8*>(piece.data()), piece.size()});
  }
  pumping_ = false;
  if (!active()) stop();
}

}  // namespace ia64::machine::window
