// 8.3 and long file names. @source Microsoft FAT specification 1.03, "Long Directory Entries"
#include "firmware/media/fat_names.h"

#include <algorithm>

namespace ia64::firmware::fat {

namespace {

// Code page 437, 0x80..0xff.
constexpr std::u16string_view kHighCharacters =
    u"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
    u"αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
static_assert(kHighCharacters.size() == 128);

bool is_lower(char16_t c) {
  return c >= u'a' && c <= u'z';
}
bool is_upper(char16_t c) {
  return c >= u'A' && c <= u'Z';
}

char16_t upper(char16_t c) {
  if (is_lower(c) || (c >= 0xe0 && c <= 0xfe && c != 0xf7)) return static_cast<char16_t>(c - 0x20);
  return c;
}

/// Characters an 8.3 name may hold besides letters and digits.
bool is_short_character(char16_t c) {
  return is_upper(c) || is_lower(c) || (c >= u'0' && c <= u'9') ||
         (c < 0x80 && c > 0x20 &&
          std::u16string_view(u"!#$%&'()-@^_`{}~").find(c) != std::u16string_view::npos);
}

struct Split {
  std::u16string_view base, extension;
};

Split split_extension(std::u16string_view name) {
  const size_t dot = name.rfind(u'.');
  if (dot == std::u16string_view::npos || dot == 0) return {name, {}};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

enum class Case { None, Lower, Upper, Mixed };
Case case_of(std::u16string_view s) {
  const bool low = std::any_of(s.begin(), s.end(), is_lower), up = std::any_of(s.begin(), s.end(), is_upper);
  return low && up ? Case::Mixed : low ? Case::Lower : up ? Case::Upper : Case::None;
}

bool fits(std::u16string_view s, size_t limit) {
  return s.size() <= limit && std::all_of(s.begin(), s.end(), is_short_character) &&
         case_of(s) != Case::Mixed;
}

void put(ShortName& out, size_t at, std::u16string_view s) {
  for (size_t i = 0; i < s.size(); i++) out[at + i] = static_cast<u8>(upper(s[i]));
}

/// Drops blanks and dots, and replaces what 8.3 names cannot hold.
std::u16string simplified(std::u16string_view s) {
  std::u16string out;
  for (const char16_t c : s)
    if (c != u' ' && c != u'.') out.push_back(is_short_character(c) ? upper(c) : u'_');
  return out;
}

}  // namespace

std::u16string to_text(const ShortName& name, u8 case_flags) {
  const auto part = [&](size_t first, size_t count, bool lower) {
    std::u16string s;
    for (size_t i = first; i < first + count; i++) {
      const u8 c = i == 0 && name[0] == 0x05 ? 0xe5 : name[i];  // 0xe5 would mean a deleted entry
      const char16_t u = c >= 0x80 ? kHighCharacters[c - 0x80] : c;
      s.push_back(lower && is_upper(u) ? static_cast<char16_t>(u + 0x20) : u);
    }
    s.erase(s.find_last_not_of(u' ') + 1);
    return s;
  };
  std::u16string base = part(0, 8, case_flags & 0x08);
  const std::u16string extension = part(8, 3, case_flags & 0x10);
  if (!extension.empty()) base.append(1, u'.').append(extension);
  return base;
}

bool same_name(std::u16string_view a, std::u16string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char16_t x, char16_t y) { return upper(x) == upper(y); });
}

bool is_valid_name(std::u16string_view name) {
  if (name.empty() || name.size() > 255 || name.back() == u' ' || name.back() == u'.') return false;
  return std::none_of(name.begin(), name.end(), [](char16_t c) {
    return c < 0x20 || c == 0xffff ||
           std::u16string_view(u"\"*/:<>?\\|").find(c) != std::u16string_view::npos;
  });
}

bool to_short_name(std::u16string_view name, ShortName& out, u8& case_flags) {
  const auto [base, extension] = split_extension(name);
  if (base.empty() || !fits(base, 8) || !fits(extension, 3) ||
      (extension.empty() && name.size() != base.size()))
    return false;
  out.fill(' ');
  put(out, 0, base);
  put(out, 8, extension);
  case_flags = static_cast<u8>((case_of(base) == Case::Lower ? 0x08 : 0) |
                               (case_of(extension) == Case::Lower ? 0x10 : 0));
  return true;
}

ShortName make_alias(std::u16string_view name, u32 n) {
  const auto [base, extension] = split_extension(name);
  std::u16string tail;
  for (u32 v = n; v; v /= 10) tail.push_back(static_cast<char16_t>(u'0' + v % 10));
  tail.push_back(u'~');
  std::reverse(tail.begin(), tail.end());
  std::u16string short_base = simplified(base);
  if (short_base.empty()) short_base.push_back(u'_');
  short_base.resize(std::min(short_base.size(), 8 - tail.size()));
  ShortName out;
  out.fill(' ');
  put(out, 0, short_base);
  put(out, short_base.size(), tail);
  put(out, 8, std::u16string_view(simplified(extension)).substr(0, 3));
  return out;
}

u8 checksum(const ShortName& name) {
  u8 sum = 0;
  for (const u8 c : name) sum = static_cast<u8>((sum >> 1 | sum << 7) + c);
  return sum;
}

}  // namespace ia64::firmware::fat
