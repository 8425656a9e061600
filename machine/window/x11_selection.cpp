// A requestor of selections, with Xlib.
#include "machine/window/x11_selection.h"

#include <SDL.h>
#include <SDL_syswm.h>
#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <poll.h>

#include <memory>

namespace ia64::machine::window {
namespace {

constexpr int kPatienceMs = 1000;

struct CloseDisplay {
  void operator()(Display* d) const { XCloseDisplay(d); }
};

class Requestor {
 public:
  explicit Requestor(Display* display)
      : display_(display), window_(XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, 1, 1, 0, 0, 0)), property_(atom("IVM_SELECTION")) {
    XSelectInput(display_, window_, PropertyChangeMask);
  }

  std::string text(const char* selection, Window own) {
    // Identifiers of one client's resources differ in their low bits only.
    constexpr Window kResourceMask = 0x1fffff;
    if ((XGetSelectionOwner(display_, atom(selection)) & ~kResourceMask) == (own & ~kResourceMask)) return {};
    XConvertSelection(display_, atom(selection), atom("UTF8_STRING"), property_, window_, CurrentTime);
    XEvent event;
    if (!wait(SelectionNotify, event) || event.xselection.property == None) return {};
    std::string out;
    if (take(out) != atom("INCR")) return out;
    for (out.clear();;) {  // taking the property was the word to begin; each piece is a new value, the last one empty
      do {
        if (!wait(PropertyNotify, event)) return {};
      } while (event.xproperty.state != PropertyNewValue || event.xproperty.atom != property_);
      const size_t before = out.size();
      const Atom type = take(out);  // none: the news was of a value that is gone, such as the word INCR itself
      if (type != None && out.size() == before) return out;
      if (out.size() > kMostSelectionBytes) return {};
    }
  }

 private:
  Atom atom(const char* name) { return XInternAtom(display_, name, False); }

  bool wait(int type, XEvent& event) {
    while (!XCheckTypedEvent(display_, type, &event)) {
      pollfd fd{ConnectionNumber(display_), POLLIN, 0};
      XFlush(display_);
      if (XEventsQueued(display_, QueuedAfterReading) == 0 && poll(&fd, 1, kPatienceMs) <= 0) return false;
      if (XCheckTypedEvent(display_, type, &event)) return true;
      XEvent other;
      if (XPending(display_) > 0) XNextEvent(display_, &other);
    }
    return true;
  }

  /// Appends the property's bytes and removes it. @returns its type
  Atom take(std::string& out) {
    Atom type = None;
    int format = 0;
    unsigned long items = 0, left = 0;
    unsigned char* data = nullptr;
    XGetWindowProperty(display_, window_, property_, 0, static_cast<long>(kMostSelectionBytes / 4), True, AnyPropertyType, &type, &format, &items, &left, &data);
    if (data && format == 8) out.append(reinterpret_cast<const char*>(data), items);
    if (data) XFree(data);
    return type;
  }

  Display* display_;
  Window window_;
  Atom property_;
};

}  // namespace

std::string x11_selection(const char* name, SDL_Window* own) {
  SDL_SysWMinfo info;
  SDL_VERSION(&info.version);
  if (!SDL_GetWindowWMInfo(own, &info) || info.subsystem != SDL_SYSWM_X11) return {};
  const std::unique_ptr<Display, CloseDisplay> display(XOpenDisplay(nullptr));
  return display ? Requestor(display.get()).text(name, info.info.x11.window) : std::string();
}

}  // namespace ia64::machine::window
