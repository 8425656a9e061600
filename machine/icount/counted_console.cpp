// Console input at counted times.
#include "machine/icount/counted_console.h"

#include <algorithm>
#include <utility>

namespace ia64::machine {

namespace {

constexpr size_t kMostAtOnce = 256;       // far more than a serial line takes
constexpr size_t kForgetBytes = 64 << 10;  // of what the guest has taken: moving the rest up costs time

std::span<const u8> bytes_of(const std::string& s) { return {reinterpret_cast<const u8*>(s.data()), s.size()}; }

}  // namespace

void CountedConsole::write(std::span<const u8> bytes) {
  if (listener_) listener_(bytes);
  host_.write(bytes);
  if (notice_) notice_();
}

size_t CountedConsole::waiting_bytes() const {
  std::lock_guard lock(mutex_);
  return input_.size() - taken_;
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
    n = std::min(bytes.size(), most_from_host_ - std::min(most_from_host_, input_.size() - taken_));
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
  host_.set_break_handler([this, on_break = std::move(on_break)] {
    at_boundary_([this, on_break] {
      on_break();
      record_(on_break);
    });
  });
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
    if (!receiver_ || input_.empty()) return record_({});
    receiver = receiver_;
    text = input_.substr(taken_, kMostAtOnce);
  }
  const size_t taken = receiver(bytes_of(text));
  if (taken)
    record_([receiver, given = text.substr(0, taken)] { receiver(bytes_of(given)); });
  else
    record_({});
  bool host_may_go_on, all_taken;
  {
    std::lock_guard lock(mutex_);
    taken_ += taken;
    all_taken = taken_ == input_.size();
    if (all_taken || taken_ >= kForgetBytes) input_.erase(0, std::exchange(taken_, 0));
    host_may_go_on = input_.size() - taken_ < most_from_host_ && std::exchange(host_waits_, false);
  }
  if (host_may_go_on) host_.receiver_ready();
  if (all_taken && notice_) notice_();
  if (!all_taken && taken == text.size()) pump();
}

}  // namespace ia64::machine
