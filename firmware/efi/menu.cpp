// Menus on the firmware console.
#include "firmware/efi/menu.h"

#include <fmt/format.h>

#include <algorithm>

namespace ia64::firmware {
namespace {

constexpr char kBanner[] = "EFI Boot Manager ver 1.10 [14.62]";
constexpr int kFirstItemRow = 4;
constexpr size_t kVisibleItems = 13;
constexpr int kHintRow = kFirstItemRow + static_cast<int>(kVisibleItems) + 1;
constexpr int kCountdownRow = kHintRow + 1;
constexpr u8 kNormal = 0x07, kHighlight = 0x70;
constexpr u64 kSecond = 1'000'000'000;

}  // namespace

void Menu::draw_item(const Page& page, size_t item, size_t top, bool selected) {
  auto& t = console_.terminal();
  t.set_cursor(4, kFirstItemRow + static_cast<int>(item - top));
  t.set_attribute(selected ? kHighlight : kNormal);
  t.print(fmt::format("{:<70.70}", page.items[item]));
  t.set_attribute(kNormal);
}

void Menu::draw(const Page& page, size_t top) {
  auto& t = console_.terminal();
  t.set_attribute(kNormal);
  t.clear();
  t.show_cursor(false);
  t.print(kBanner);
  t.print("\n\n");
  t.print(page.title);
  const size_t end = std::min(page.items.size(), top + kVisibleItems);
  for (size_t i = top; i < end; i++) draw_item(page, i, top, i == page.selected);
  t.set_cursor(4, kHintRow);
  t.print("Use ^ and v to change option(s). Use Enter to select an option");
  int row = kCountdownRow + 1;
  for (const auto& line : page.footer) {
    if (!t.set_cursor(4, row++)) break;
    t.print(fmt::format("{:.74}", line));
  }
}

void Menu::draw_countdown(u64 seconds) {
  auto& t = console_.terminal();
  t.set_cursor(4, kCountdownRow);
  t.print(seconds ? fmt::format("Default boot selection will be booted in {:>3} seconds", seconds)
                  : std::string(54, ' '));
}

Menu::Answer Menu::choose(GateCall& call, const Page& given, std::optional<u64> seconds,
                          std::u16string_view other_keys) {
  Page page = given;
  if (page.selected >= page.items.size()) page.selected = 0;
  size_t top = page.selected >= kVisibleItems ? page.selected - kVisibleItems + 1 : 0;
  draw(page, top);
  std::optional<u64> end_ns;
  if (seconds) end_ns = clock_.now_ns() + *seconds * kSecond;
  using How = Answer::How;
  for (;;) {
    std::optional<u64> tick;
    if (end_ns) {
      const u64 now = clock_.now_ns();
      if (now >= *end_ns) return {How::TimedOut, page.selected, {}};
      const u64 left = (*end_ns - now + kSecond - 1) / kSecond;
      draw_countdown(left);
      tick = *end_ns - (left - 1) * kSecond;
    }
    const auto key = console_.wait_key(call, tick);
    if (!key) continue;
    if (end_ns) draw_countdown(0);
    end_ns.reset();
    if (key->character == u'\r') return {How::Chosen, page.selected, *key};
    if (key->scan == scan::kEscape) return {How::Escape, page.selected, *key};
    if (key->character && other_keys.find(key->character) != std::u16string_view::npos)
      return {How::OtherKey, page.selected, *key};
    const size_t old = page.selected, last = page.items.size() - 1;
    if (key->scan == scan::kUp || key->character == u'^') page.selected = old ? old - 1 : last;
    if (key->scan == scan::kDown || key->character == u'v') page.selected = old < last ? old + 1 : 0;
    if (key->scan == scan::kHome) page.selected = 0;
    if (key->scan == scan::kEnd) page.selected = last;
    if (page.selected == old) continue;
    if (page.selected < top || page.selected >= top + kVisibleItems) {
      top = page.selected < top ? page.selected : page.selected - kVisibleItems + 1;
      draw(page, top);
    } else {
      draw_item(page, old, top, false);
      draw_item(page, page.selected, top, true);
    }
  }
}

std::optional<std::string> Menu::ask(GateCall& call, std::string_view prompt, size_t max_chars) {
  auto& t = console_.terminal();
  t.show_cursor(true);
  t.print(prompt);
  std::string line;
  for (;;) {
    const auto key = console_.wait_key(call);
    if (!key) continue;
    if (key->scan == scan::kEscape) return {};
    if (key->character == u'\r') break;
    if (key->character == u'\b') {
      if (!line.empty()) line.pop_back(), t.print("\b \b");
    } else if (key->character >= 0x20 && key->character < 0x7f && line.size() < max_chars) {
      line += static_cast<char>(key->character);
      t.print({&line.back(), 1});
    }
  }
  t.print("\n");
  return line;
}

void Menu::wait_any_key(GateCall& call) {
  say("\nPress any key to continue");
  (void)console_.wait_key(call);
}

}  // namespace ia64::firmware
