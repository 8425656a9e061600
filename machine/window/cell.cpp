// Text in cells, and UTF-8.
#include "machine/window/cell.h"

#include <algorithm>

namespace ia64::machine::window {
namespace {

constexpr char32_t kReplacement = 0xfffd;

/// Length of a sequence by its first byte; 0 when none begins so.
size_t sequence_length(u8 lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

}  // namespace

unsigned CellGrid::put(unsigned row, unsigned column, std::string_view text, const Style& style) {
  if (row >= rows_) return column;
  for (const char32_t c : decode_utf8(text)) {
    if (column >= columns_) break;
    at(row, column++) = {.text = {c}, .width = 1, .style = style};
  }
  return column;
}

void CellGrid::fill(unsigned row, unsigned column, unsigned rows, unsigned columns, const Style& style) {
  for (unsigned r = row; r < std::min(rows_, row + rows); r++)
    for (unsigned c = column; c < std::min(columns_, column + columns); c++) at(r, c) = {.text = {U' '}, .width = 1, .style = style};
}

std::u32string decode_utf8(std::string_view text) {
  static constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const u8 lead = static_cast<u8>(text[i]);
    const size_t length = sequence_length(lead);
    char32_t c = length <= 1 ? lead : lead & (0x7fu >> length);
    size_t n = 1;
    while (n < length && i + n < text.size() && (static_cast<u8>(text[i + n]) & 0xc0) == 0x80) c = c << 6 | (static_cast<u8>(text[i + n++]) & 0x3f);
    const bool good = length && n == length && c >= kSmallest[length] && c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000);
    out += good ? c : kReplacement;
    i += n;
  }
  return out;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) return put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
  if (c < 0x10000) return put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
}

std::string cells_text(const std::vector<Cell>& cells, size_t first, size_t end) {
  std::string out;
  for (size_t i = first; i < std::min(end, cells.size()); i++) {
    if (cells[i].width == 0) continue;
    if (!cells[i].text[0]) out += ' ';
    for (const char32_t c : cells[i].text)
      if (c) append_utf8(out, c);
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

}  // namespace ia64::machine::window
