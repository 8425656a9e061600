// Box drawing by the weights of four arms, blocks by eighths.
#include "machine/window/box_drawing.h"

#include <algorithm>

namespace ia64::machine::window {
namespace {

enum Weight : char { kNone = '0', kLight = '1', kHeavy = '2', kDouble = '3' };

/// Arms of U+2500 to U+257F: left, right, up, down.
constexpr char kArms[128][5] = {
    "1100", "2200", "0011", "0022", "1100", "2200", "0011", "0022", "1100", "2200", "0011", "0022", "0101", "0201", "0102", "0202",
    "1001", "2001", "1002", "2002", "0110", "0210", "0120", "0220", "1010", "2010", "1020", "2020", "0111", "0211", "0121", "0112",
    "0122", "0221", "0212", "0222", "1011", "2011", "1021", "1012", "1022", "2021", "2012", "2022", "1101", "2101", "1201", "2201",
    "1102", "2102", "1202", "2202", "1110", "2110", "1210", "2210", "1120", "2120", "1220", "2220", "1111", "2111", "1211", "2211",
    "1121", "1112", "1122", "2121", "1221", "2112", "1212", "2221", "2212", "2122", "1222", "2222", "1100", "2200", "0011", "0022",
    "3300", "0033", "0301", "0103", "0303", "3001", "1003", "3003", "0310", "0130", "0330", "3010", "1030", "3030", "0311", "0133",
    "0333", "3011", "1033", "3033", "3301", "1103", "3303", "3310", "1130", "3330", "3311", "1133", "3333", "0101", "1001", "1010",
    "0110", "0000", "0000", "0000", "1000", "0010", "0100", "0001", "2000", "0020", "0200", "0002", "1200", "0012", "2100", "0021",
};

/// One direction of a cell: lines run along it from 0 to `length` and have their thickness across. `near` is the arm towards 0.
struct Axis {
  Weight near, far;
  int length, middle;
};

/// Draws the arms of one axis. `cross` is the other one; `low` its arm on the side of this axis' first parallel line.
class ArmPainter {
 public:
  ArmPainter(std::vector<BoxPart>& out, bool horizontal, int thickness) : out_(out), horizontal_(horizontal), thickness_(thickness) {}

  void paint(const Axis& axis, const Axis& cross) {
    arm(axis.near, axis, cross, true);
    arm(axis.far, axis, cross, false);
  }

 private:
  void arm(Weight weight, const Axis& axis, const Axis& cross, bool near) {
    if (weight == kNone) return;
    const int gap = thickness_;
    if (weight == kDouble) {
      line(axis, cross, near, reach(cross.near, cross, near), -gap, thickness_);
      line(axis, cross, near, reach(cross.far, cross, near), gap, thickness_);
      return;
    }
    const bool crossed = cross.near == kDouble && cross.far == kDouble;
    const bool ends_here = (near ? axis.far : axis.near) == kNone;
    int beyond = 0;
    if (cross.near == kDouble || cross.far == kDouble) beyond = crossed && ends_here ? -gap : gap;
    line(axis, cross, near, beyond, 0, weight == kHeavy ? 2 * thickness_ : thickness_);
  }

  /// How far beyond the middle one of two parallel lines goes: it stops at a double arm on its own side, and makes the outer
  /// corner where there is none.
  int reach(Weight beside, const Axis& cross, bool) const {
    if (beside == kDouble) return -thickness_;
    return cross.near == kDouble || cross.far == kDouble ? thickness_ : 0;
  }

  /// @param beyond pixels past the middle @param offset of the line's middle, across
  void line(const Axis& axis, const Axis& cross, bool near, int beyond, int offset, int thickness) {
    const int half = (thickness_ + 1) / 2;
    const int from = near ? 0 : std::max(0, axis.middle - thickness_ / 2 - beyond);
    const int to = near ? std::min(axis.length, axis.middle + half + beyond) : axis.length;
    const int across = cross.middle - thickness / 2 + offset;
    if (horizontal_)
      out_.push_back({from, across, to - from, thickness});
    else
      out_.push_back({across, from, thickness, to - from});
  }

  std::vector<BoxPart>& out_;
  bool horizontal_;
  int thickness_;
};

std::vector<BoxPart> lines(char32_t c, int width, int height) {
  const char* const arms = kArms[c - 0x2500];
  const auto weight = [arms](unsigned n) { return static_cast<Weight>(arms[n]); };
  const int thickness = std::max(1, width / 8);
  const Axis across{weight(0), weight(1), width, width / 2}, down{weight(2), weight(3), height, height / 2};
  std::vector<BoxPart> out;
  ArmPainter(out, true, thickness).paint(across, down);
  ArmPainter(out, false, thickness).paint(down, across);
  return out;
}

int eighths(int n, int of) { return (of * n + 4) / 8; }

std::vector<BoxPart> quadrants(char32_t c, int width, int height) {
  static constexpr u8 kQuadrants[] = {4, 8, 1, 13, 9, 7, 11, 2, 6, 14};  // U+2596 on: 1 upper left, 2 upper right, 4 lower left, 8 lower right
  const u8 set = kQuadrants[c - 0x2596];
  const int x = width / 2, y = height / 2;
  std::vector<BoxPart> out;
  if (set & 1) out.push_back({0, 0, x, y});
  if (set & 2) out.push_back({x, 0, width - x, y});
  if (set & 4) out.push_back({0, y, x, height - y});
  if (set & 8) out.push_back({x, y, width - x, height - y});
  return out;
}

std::vector<BoxPart> blocks(char32_t c, int w, int h) {
  if (c >= 0x2596) return quadrants(c, w, h);
  if (c == 0x2580) return {{0, 0, w, eighths(4, h)}};
  if (c <= 0x2588) {  // lower one eighth to full
    const int part = eighths(static_cast<int>(c - 0x2580), h);
    return {{0, h - part, w, part}};
  }
  if (c <= 0x258f) return {{0, 0, std::max(1, eighths(8 - static_cast<int>(c - 0x2588), w)), h}};
  if (c == 0x2590) return {{w / 2, 0, w - w / 2, h}};
  if (c <= 0x2593) return {{0, 0, w, h, static_cast<u8>(64 * (c - 0x2590))}};
  if (c == 0x2594) return {{0, 0, w, std::max(1, eighths(1, h))}};
  return {{w - std::max(1, eighths(1, w)), 0, std::max(1, eighths(1, w)), h}};
}

}  // namespace

std::vector<BoxPart> box_parts(char32_t c, int cell_width, int cell_height) {
  if (c >= 0x2500 && c < 0x2580) return lines(c, cell_width, cell_height);
  if (c >= 0x2580 && c < 0x25a0) return blocks(c, cell_width, cell_height);
  return {};
}

}  // namespace ia64::machine::window
