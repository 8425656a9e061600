// Glyphs by SDL2_ttf.
#include "machine/window/font.h"

#include <SDL_ttf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace ia64::machine::window {
namespace {

constexpr const char* kFolders[] = {"/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu", "/usr/share/fonts/dejavu-sans-mono-fonts",
                                    "/usr/share/fonts/TTF", "/usr/local/share/fonts"};

std::string find(const char* name) {
  for (const char* folder : kFolders) {
    const auto path = std::filesystem::path(folder) / name;
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path.string();
  }
  return {};
}

}  // namespace

struct Font::Face {
  TTF_Font* regular = nullptr;
  TTF_Font* bold = nullptr;  ///< may be absent: made from the regular one
  ~Face() {
    if (bold) TTF_CloseFont(bold);
    if (regular) TTF_CloseFont(regular);
    TTF_Quit();
  }
};

Font::Font(std::unique_ptr<Face> face) : face_(std::move(face)) { set_size(kStandard); }
Font::~Font() = default;

Result<std::unique_ptr<Font>> Font::open() {
  if (TTF_Init() != 0) return Error{ErrorKind::Io, fmt::format("--console window: {}", TTF_GetError())};
  auto face = std::make_unique<Face>();
  const char* const chosen = std::getenv("IVM_FONT");
  const std::string path = chosen && *chosen ? chosen : find("DejaVuSansMono.ttf");
  if (path.empty())
    return Error{ErrorKind::Io, "--console window: no font: install DejaVu (fonts-dejavu-core), or let IVM_FONT name a monospaced TrueType font"};
  face->regular = TTF_OpenFont(path.c_str(), kStandard);
  if (!face->regular) return Error{ErrorKind::Io, fmt::format("--console window: font {}: {}", path, TTF_GetError())};
  if (!(chosen && *chosen))
    if (const std::string bold = find("DejaVuSansMono-Bold.ttf"); !bold.empty()) face->bold = TTF_OpenFont(bold.c_str(), kStandard);
  return std::unique_ptr<Font>(new Font(std::move(face)));
}

void Font::set_size(int pixels) {
  size_ = std::clamp(pixels, kSmallest, kLargest);
  glyphs_.clear();
  for (TTF_Font* font : {face_->regular, face_->bold})
    if (font) TTF_SetFontSize(font, size_), TTF_SetFontHinting(font, TTF_HINTING_LIGHT);
  int advance = 0;
  TTF_GlyphMetrics32(face_->regular, U'M', nullptr, nullptr, nullptr, nullptr, &advance);
  width_ = std::max(1, advance);
  height_ = std::max(1, TTF_FontHeight(face_->regular));
}

Font::Surface Font::render(const Cell& cell) {
  std::string text;
  for (const char32_t c : cell.text)
    if (c) append_utf8(text, c);
  TTF_Font* const font = cell.style.bold && face_->bold ? face_->bold : face_->regular;
  int style = TTF_STYLE_NORMAL;
  if (cell.style.bold && !face_->bold) style |= TTF_STYLE_BOLD;
  if (cell.style.italic) style |= TTF_STYLE_ITALIC;
  TTF_SetFontStyle(font, style);
  return Surface(TTF_RenderUTF8_Blended(font, text.c_str(), SDL_Color{255, 255, 255, 255}));
}

SDL_Surface* Font::glyph(const Cell& cell) {
  if (!cell.text[0] || cell.text[0] == U' ') return nullptr;
  std::u32string key{static_cast<char32_t>(cell.style.bold | cell.style.italic << 1)};
  for (const char32_t c : cell.text)
    if (c) key += c;
  const auto known = glyphs_.find(key);
  if (known != glyphs_.end()) return known->second.get();
  if (glyphs_.size() >= kMaxGlyphs) glyphs_.clear();
  return (glyphs_[key] = render(cell)).get();
}

}  // namespace ia64::machine::window
