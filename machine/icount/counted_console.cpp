// Console input at counted times.
#include "machine/icount/counted_console.h"

#include <algorithm>
#include <utility>

namespace ia64::machine {

namespace {

constexpr size_t kMostFromHost = 16;  // the rest waits at the host's end, which shows how far typing is

std::span<const u8> bytes_of(const std::string& s) { return {reinterpret_cast<const u8*>(s.data()), s.size()}; }

}  // namespace

void CountedConsole::write(std::span<const u8> bytes) {
  if (listener_) listener_(bytes);
  host_.write(bytes);
}

void CountedConsole::type(std::string_view text) {
  {
    std::lock_guard lock(mutex_);
    input_ += text;
  }
  at_boundary_([this] { pump(); });
}

/// The host's end has bytes.
size_t CountedConsole::offer(std::span<const u8> bytes) {
  size_t n;
  {
    std::lock_guard lock(mutex_);
    n = std::min(bytes.size(), kMostFromHost - std::min(kMostFromHost, input_.size()));
    input_.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    if (n < bytes.size()) host_waits_ = true;
  }
  if (n) at_boundary_([this] { pump(); });
  return n;
}

void CountedConsole::set_receiver(std::function<size_t(std::span<const u8>)> receiver) {
  const bool connected = receiver != nullptr;
  {
    std::lock_guard lock(mutex_);
    receiver_ = std::move(receiver);
  }
  if (connected)
    host_.set_receiver([this](std::span<const u8> bytes) { return offer(bytes); });
  else
    host_.set_receiver(nullptr);
}

void CountedConsole::set_break_handler(std::function<void()> on_break) {
  if (!on_break) return host_.set_break_handler(nullptr);
  host_.set_break_handler([this, on_break = std::move(on_break)] { at_boundary_(on_break); });
}

void CountedConsole::receiver_ready() {
  {
    std::lock_guard lock(mutex_);
    if (input_.empty()) return;
  }
  at_boundary_([this] { pump(); });
}

/// Gives the guest what it takes.
void CountedConsole::pump() {
  std::function<size_t(std::span<const u8>)> receiver;
  std::string text;
  {
    std::lock_guard lock(mutex_);
    if (!receiver_ || input_.empty()) return;
    receiver = receiver_;
    text = input_;
  }
  const size_t taken = receiver(bytes_of(text));
  bool host_may_go_on;
  {
    std::lock_guard lock(mutex_);
    input_.erase(0, taken);
    host_may_go_on = input_.size() < kMostFromHost && std::exchange(host_waits_, false);
  }
  if (host_may_go_on) host_.receiver_ready();
}

}  // namespace ia64::machine
