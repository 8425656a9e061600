// The window by SDL2: events in, pictures out.
#include <SDL.h>
#include <fmt/format.h>

#include <cstdlib>
#include <mutex>
#include <string_view>

#include "machine/window/console_window.h"
#include "machine/window/font.h"
#include "machine/window/png_file.h"
#include "machine/window/sdl_keys.h"
#include "machine/window/sdl_painter.h"
#include "machine/window/x11_selection.h"

namespace ia64::machine::window {
namespace {

constexpr unsigned kRows = 25, kColumns = 80;
constexpr u64 kFrameMs = 17, kSampleMs = 500;
constexpr size_t kFeedBytes = 64 << 10;  // of guest output between two looks at the keyboard

/// SDL's video part while it lives.
class SdlVideo {
 public:
  Result<void> start() {
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    // Without a desktop SDL would take a driver that shows nothing; whoever wants that names it.
    const char* const x11 = std::getenv("DISPLAY");
    const char* const wayland = std::getenv("WAYLAND_DISPLAY");
    const bool chosen = std::getenv("SDL_VIDEODRIVER") != nullptr;
    if (!chosen && !x11 && !wayland) return Error{ErrorKind::Io, "--console window: no display: neither DISPLAY nor WAYLAND_DISPLAY is set"};
    if (!chosen) SDL_SetHint(SDL_HINT_VIDEODRIVER, !x11 ? "wayland" : wayland ? "x11,wayland" : "x11");
    started_ = SDL_Init(SDL_INIT_VIDEO) == 0;
    // Pictures of letters need no OpenGL, which on many hosts is a program of its own that idles at a cost. Wayland has no other way.
    const char* const driver = started_ ? SDL_GetCurrentVideoDriver() : nullptr;
    if (driver && std::string_view(driver) == "x11") SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    if (!started_) return Error{ErrorKind::Io, fmt::format("--console window: no display: {} does not answer: {}", x11 ? x11 : wayland ? wayland : "it", SDL_GetError())};
    return {};
  }
  ~SdlVideo() {
    if (started_) SDL_Quit();
  }

 private:
  bool started_ = false;
};

struct DestroyWindow {
  void operator()(SDL_Window* w) const { SDL_DestroyWindow(w); }
};

std::string text_of(char* from_sdl) {
  const std::string out = from_sdl ? from_sdl : "";
  SDL_free(from_sdl);
  return out;
}

class SdlConsoleWindow final : public ConsoleWindow {
 public:
  explicit SdlConsoleWindow(WindowWires wires) : wires_(std::move(wires)), ui_(wires_.name, kRows + WindowUi::kBarRows, kColumns, ui_wires()) {}
  Result<void> open_window();

  void run() override;
  void close() override {
    call([this] { closing_ = true; });
  }
  void feed(std::span<const u8> bytes) override;
  void paste_state(PasteState state) override {
    call([this, state] { ui_.paste_state(state); });
  }
  bool call(std::function<void()> fn) override;
  Result<control::Json> screenshot(const std::string& path) override;
  Result<control::Json> show(const std::string& view) override;

 private:
  UiWires ui_wires();
  u64 wait_ms() const;
  void handle(const SDL_Event& event);
  void handle_window(const SDL_WindowEvent& event);
  void handle_key(const SDL_KeyboardEvent& event);
  void handle_mouse(MouseEvent::Kind kind, int x, int y, unsigned button, unsigned clicks);
  void run_posted();
  void take_output();
  void draw();
  void present(const std::vector<SDL_Rect>& changed);
  void fit_cells();
  void zoom(int by);
  void wake();

  WindowWires wires_;
  SdlVideo video_;
  std::unique_ptr<Font> font_;
  std::unique_ptr<SDL_Window, DestroyWindow> window_;
  std::unique_ptr<SdlPainter> painter_;
  u32 wake_event_ = 0;
  WindowUi ui_;

  std::mutex mutex_;  // guards the three below
  std::vector<std::function<void()>> posted_;
  std::vector<u8> output_;
  bool wake_sent_ = false;

  std::vector<u8> taken_;  ///< output on its way to the terminal,
  size_t taken_at_ = 0;    ///< from here on
  bool more_output_ = false;
  bool closing_ = false, visible_ = true, exposed_ = true, text_sent_ = false;
  u64 next_frame_ms_ = 0, next_sample_ms_ = 0;
};

Result<void> SdlConsoleWindow::open_window() {
  if (auto ok = video_.start(); !ok) return ok.error();
  wake_event_ = SDL_RegisterEvents(1);
  auto font = Font::open();
  if (!font) return font.error();
  font_ = std::move(*font);
  painter_ = std::make_unique<SdlPainter>(*font_);
  window_.reset(SDL_CreateWindow(fmt::format("{} - ivm", wires_.name).c_str(), SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                 font_->cell_width() * static_cast<int>(kColumns),
                                 font_->cell_height() * static_cast<int>(kRows + WindowUi::kBarRows), SDL_WINDOW_RESIZABLE));
  if (!window_) return Error{ErrorKind::Io, fmt::format("--console window: {}", SDL_GetError())};
  SDL_StartTextInput();
  return {};
}

UiWires SdlConsoleWindow::ui_wires() {
  UiWires w;
  w.type = [this](std::string_view bytes) { wires_.type(std::string(bytes)); };
  w.paste = wires_.paste;
  w.stop_paste = wires_.stop_paste;
  w.release_paste = wires_.release_paste;
  w.send_break = wires_.send_break;
  w.run = [this](const std::string& line, std::function<void(const Result<control::Json>&)> done) {
    wires_.run(line, [this, done = std::move(done)](Result<control::Json> answer) {
      call([done, answer = std::move(answer)] { done(answer); });
    });
  };
  w.copy = [](const std::string& text) { SDL_SetClipboardText(text.c_str()); };
  w.copy_primary = [](const std::string& text) { SDL_SetPrimarySelectionText(text.c_str()); };
  w.clipboard = [this] {
    const std::string text = x11_selection("CLIPBOARD", window_.get());
    return text.empty() ? text_of(SDL_GetClipboardText()) : text;
  };
  w.primary = [this] {
    const std::string text = x11_selection("PRIMARY", window_.get());
    return text.empty() ? text_of(SDL_GetPrimarySelectionText()) : text;
  };
  w.zoom = [this](int by) { zoom(by); };
  w.screenshot = [this](const std::string& path) -> Result<std::string> {
    auto done = screenshot(path);
    if (!done) return done.error();
    return fmt::format("{} written", path);
  };
  return w;
}

// --- other threads -----------------------------------------------------------------------------------------------------------

void SdlConsoleWindow::wake() {
  SDL_Event event{};
  event.type = wake_event_;
  SDL_PushEvent(&event);
}

bool SdlConsoleWindow::call(std::function<void()> fn) {
  bool send;
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(fn));
    send = !std::exchange(wake_sent_, true);
  }
  if (send) wake();
  return true;
}

void SdlConsoleWindow::feed(std::span<const u8> bytes) {
  bool send;
  {
    std::lock_guard lock(mutex_);
    if (output_.size() + bytes.size() > kMaxUnshownBytes) output_.clear();
    output_.insert(output_.end(), bytes.begin(), bytes.end());
    send = !std::exchange(wake_sent_, true);
  }
  if (send) wake();
}

// --- the window's thread -----------------------------------------------------------------------------------------------------

void SdlConsoleWindow::run() {
  SDL_Event event;
  while (!closing_) {
    if (SDL_WaitEventTimeout(&event, static_cast<int>(wait_ms()))) do handle(event);
      while (SDL_PollEvent(&event));
    run_posted();
    take_output();
    const u64 now = SDL_GetTicks64();
    if (visible_ && now >= next_sample_ms_) ui_.tick(now), next_sample_ms_ = now + kSampleMs;
    if (visible_ && now >= next_frame_ms_ && (exposed_ || ui_.changed())) draw(), next_frame_ms_ = SDL_GetTicks64() + kFrameMs;
  }
}

/// How long nothing needs to be done when nothing happens.
u64 SdlConsoleWindow::wait_ms() const {
  constexpr u64 kHiddenMs = 10'000;
  if (taken_at_ < taken_.size() || more_output_) return 0;
  if (!visible_) return kHiddenMs;
  const u64 now = SDL_GetTicks64();
  const bool draws = exposed_ || const_cast<WindowUi&>(ui_).changed();
  const u64 next = draws ? std::min(next_frame_ms_, next_sample_ms_) : next_sample_ms_;
  return next > now ? next - now : 0;
}

void SdlConsoleWindow::run_posted() {
  std::vector<std::function<void()>> posted;
  {
    std::lock_guard lock(mutex_);
    posted.swap(posted_);
    wake_sent_ = false;
    if (taken_at_ == taken_.size()) {
      taken_.clear();
      taken_.swap(output_);
      taken_at_ = 0;
    }
    more_output_ = !output_.empty();
  }
  for (const auto& fn : posted) fn();
}

void SdlConsoleWindow::take_output() {
  const size_t n = std::min(kFeedBytes, taken_.size() - taken_at_);
  if (!n) return;
  ui_.guest_output({&taken_[taken_at_], n});
  taken_at_ += n;
}

void SdlConsoleWindow::handle(const SDL_Event& event) {
  switch (event.type) {
    case SDL_QUIT: return ui_.close_requested();
    case SDL_WINDOWEVENT: return handle_window(event.window);
    case SDL_KEYDOWN: return handle_key(event.key);
    case SDL_TEXTINPUT:
      if (!text_sent_) ui_.text(event.text.text);
      return;
    case SDL_MOUSEBUTTONDOWN:
      return handle_mouse(MouseEvent::Kind::Press, event.button.x, event.button.y, event.button.button, event.button.clicks);
    case SDL_MOUSEBUTTONUP:
      return handle_mouse(MouseEvent::Kind::Release, event.button.x, event.button.y, event.button.button, event.button.clicks);
    case SDL_MOUSEMOTION: return handle_mouse(MouseEvent::Kind::Move, event.motion.x, event.motion.y, 0, 1);
    case SDL_MOUSEWHEEL: {
      MouseEvent wheel;
      wheel.kind = MouseEvent::Kind::Wheel;
      wheel.wheel = event.wheel.y;
      if (modifiers_of(SDL_GetModState()).ctrl) return zoom(event.wheel.y > 0 ? 1 : -1);
      return ui_.mouse(wheel);
    }
    default: return;
  }
}

void SdlConsoleWindow::handle_window(const SDL_WindowEvent& event) {
  switch (event.event) {
    case SDL_WINDOWEVENT_SIZE_CHANGED: return fit_cells();
    case SDL_WINDOWEVENT_EXPOSED: exposed_ = true; return;
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_RESTORED: visible_ = exposed_ = true; return;
    case SDL_WINDOWEVENT_HIDDEN:
    case SDL_WINDOWEVENT_MINIMIZED: visible_ = false; return;
    case SDL_WINDOWEVENT_FOCUS_GAINED: return ui_.focus(true);
    case SDL_WINDOWEVENT_FOCUS_LOST: return ui_.focus(false);
    default: return;
  }
}

void SdlConsoleWindow::handle_key(const SDL_KeyboardEvent& event) {
  const auto press = key_press_of(event.keysym);
  text_sent_ = press && press->modifiers.alt;  // the text of Alt and a letter follows as an event of its own, which is not meant
  if (press) ui_.key(*press);
}

void SdlConsoleWindow::handle_mouse(MouseEvent::Kind kind, int x, int y, unsigned button, unsigned clicks) {
  MouseEvent event;
  event.kind = kind;
  event.row = static_cast<unsigned>(std::max(0, y) / font_->cell_height());
  event.column = static_cast<unsigned>(std::max(0, x) / font_->cell_width());
  event.button = button;
  event.clicks = clicks;
  event.modifiers = modifiers_of(SDL_GetModState());
  ui_.mouse(event);
}

/// As many cells as the window has room for.
void SdlConsoleWindow::fit_cells() {
  int width = 0, height = 0;
  SDL_GetWindowSize(window_.get(), &width, &height);
  const unsigned columns = std::clamp<unsigned>(static_cast<unsigned>(width / font_->cell_width()), ScreenModel::kMinColumns, ScreenModel::kMaxColumns);
  const unsigned rows = std::clamp<unsigned>(static_cast<unsigned>(height / font_->cell_height()), ScreenModel::kMinRows + WindowUi::kBarRows,
                                             ScreenModel::kMaxRows);
  ui_.resize(rows, columns);
  exposed_ = true;
}

/// Other letters, the same cells: the window changes its size.
void SdlConsoleWindow::zoom(int by) {
  font_->set_size(by ? font_->size() + by : Font::kStandard);
  painter_->forget();
  SDL_SetWindowSize(window_.get(), font_->cell_width() * static_cast<int>(ui_.model().columns()),
                    font_->cell_height() * static_cast<int>(ui_.model().rows() + WindowUi::kBarRows));
  fit_cells();
}

void SdlConsoleWindow::draw() {
  const auto changed = painter_->paint(ui_.compose(), ui_.reverse_screen());
  present(changed);
}

void SdlConsoleWindow::present(const std::vector<SDL_Rect>& changed) {
  SDL_Surface* const surface = SDL_GetWindowSurface(window_.get());
  SDL_Surface* const picture = painter_->picture();
  if (!surface || !picture) return;
  if (std::exchange(exposed_, false)) {
    SDL_FillRect(surface, nullptr, 0);
    SDL_BlitSurface(picture, nullptr, surface, nullptr);
    SDL_UpdateWindowSurface(window_.get());
    return;
  }
  for (const SDL_Rect& rect : changed) {
    SDL_Rect to = rect;
    SDL_BlitSurface(picture, &rect, surface, &to);
  }
  if (!changed.empty()) SDL_UpdateWindowSurfaceRects(window_.get(), changed.data(), static_cast<int>(changed.size()));
}

Result<control::Json> SdlConsoleWindow::screenshot(const std::string& path) {
  do {
    while (taken_at_ < taken_.size()) take_output();
    std::lock_guard lock(mutex_);
    taken_.clear();
    taken_.swap(output_);  // at most kMaxUnshownBytes
    taken_at_ = 0;
  } while (!std::exchange(more_output_, false) && !taken_.empty());
  draw();
  const SDL_Surface* const picture = painter_->picture();
  if (!picture) return Error{ErrorKind::Internal, "screenshot: there is no picture"};
  auto ok = write_png(path, {static_cast<const u32*>(picture->pixels), static_cast<unsigned>(picture->w), static_cast<unsigned>(picture->h),
                             static_cast<size_t>(picture->pitch)});
  if (!ok) return ok.error();
  return control::Json{{"file", path},
                       {"width", picture->w},
                       {"height", picture->h},
                       {"rows", ui_.model().rows() + WindowUi::kBarRows},
                       {"columns", ui_.model().columns()}};
}

Result<control::Json> SdlConsoleWindow::show(const std::string& view) {
  if (auto ok = ui_.show(view); !ok) return ok.error();
  return control::Json{{"view", view}};
}

}  // namespace

Result<std::unique_ptr<ConsoleWindow>> ConsoleWindow::open(WindowWires wires) {
  auto window = std::make_unique<SdlConsoleWindow>(std::move(wires));
  if (auto ok = window->open_window(); !ok) return ok.error();
  return std::unique_ptr<ConsoleWindow>(std::move(window));
}

}  // namespace ia64::machine::window
