// Palette and the colours of a style.
#include "machine/window/palette.h"

#include <utility>

namespace ia64::machine::window {
namespace {

constexpr Rgb kSixteen[] = {{0x10, 0x12, 0x14}, {0xcc, 0x24, 0x24}, {0x4e, 0x9a, 0x06}, {0xc4, 0xa0, 0x00}, {0x34, 0x65, 0xc8}, {0x8b, 0x5f, 0xa3},
                            {0x06, 0x98, 0x9a}, {0xd3, 0xd7, 0xcf}, {0x6c, 0x70, 0x6a}, {0xff, 0x55, 0x55}, {0x8a, 0xe2, 0x34}, {0xfc, 0xe9, 0x4f},
                            {0x72, 0x9f, 0xff}, {0xd0, 0x8f, 0xd8}, {0x34, 0xe2, 0xe2}, {0xff, 0xff, 0xff}};
constexpr u8 kCubeFirst = 16, kGreyFirst = 232;

u8 cube_level(unsigned n) { return static_cast<u8>(n ? 55 + 40 * n : 0); }

Rgb rgb_of(const Colour& c, Rgb standard) {
  switch (c.kind) {
    case Colour::Kind::Default: return standard;
    case Colour::Kind::Indexed: return palette(c.r);
    case Colour::Kind::Rgb: return {c.r, c.g, c.b};
  }
  return standard;
}

}  // namespace

Rgb palette(u8 n) {
  if (n < kCubeFirst) return kSixteen[n];
  if (n >= kGreyFirst) {
    const u8 grey = static_cast<u8>(8 + 10 * (n - kGreyFirst));
    return {grey, grey, grey};
  }
  const unsigned i = n - kCubeFirst;
  return {cube_level(i / 36), cube_level(i / 6 % 6), cube_level(i % 6)};
}

Paint paint_of(const Style& style, bool reverse_screen) {
  Paint out{rgb_of(style.foreground, kDefaultForeground), rgb_of(style.background, kDefaultBackground)};
  if (style.bold && style.foreground == Colour{}) out.foreground = palette(15);
  if (style.reverse != reverse_screen) std::swap(out.foreground, out.background);
  return out;
}

}  // namespace ia64::machine::window
