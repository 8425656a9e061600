// Console fan-out and flow-controlled typing.
#include "machine/host/console_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "machine/host/host_loop.h"

namespace ia64::machine {

ConsoleHub::ConsoleHub(HostLoop& loop) : loop_(loop) {}

ConsoleHub::~ConsoleHub() {
  if (log_) std::fclose(log_);
}

void ConsoleHub::write(std::span<const u8> bytes) {
  std::lock_guard lock(output_mutex_);
  output_.insert(output_.end(), bytes.begin(), bytes.end());
  if (drain_posted_) return;
  drain_posted_ = true;
  loop_.post([this] { drain(); });
}

void ConsoleHub::drain() {
  std::vector<u8> bytes;
  {
    std::lock_guard lock(output_mutex_);
    bytes.swap(output_);
    drain_posted_ = false;
  }
  if (bytes.empty()) return;
  if (log_) {
    std::fwrite(bytes.data(), 1, bytes.size(), log_);
    std::fflush(log_);
  }
  for (const auto& listener : listeners_) listener(bytes);
}

void ConsoleHub::set_receiver(std::function<size_t(std::span<const u8>)> receiver) {
  std::lock_guard lock(input_mutex_);
  receiver_ = std::move(receiver);
}

void ConsoleHub::set_break_handler(std::function<void()> on_break) {
  std::lock_guard lock(input_mutex_);
  on_break_ = std::move(on_break);
}

void ConsoleHub::receiver_ready() {
  // Called on a CPU thread for every character the guest takes: only wake the loop when something waits.
  if (!pumping_.load(std::memory_order_acquire)) return;
  loop_.post([this] { pump_input(); });
}

Result<void> ConsoleHub::log_to(const std::string& path) {
  log_ = std::fopen(path.c_str(), "wb");
  if (!log_) return Error{ErrorKind::Io, fmt::format("--log {}: {}", path, std::strerror(errno))};
  return {};
}

u64 ConsoleHub::type(std::span<const u8> bytes, std::function<void(size_t)> progress) {
  if (bytes.empty()) return 0;
  input_.push_back({++last_typing_, std::string(bytes.begin(), bytes.end()), 0, std::move(progress)});
  pump_input();
  return last_typing_;
}

size_t ConsoleHub::cancel_typing(u64 number) {
  const auto typing = std::find_if(input_.begin(), input_.end(), [&](const Typing& t) { return t.number == number; });
  if (typing == input_.end()) return 0;
  const size_t left = typing->bytes.size() - typing->taken;
  input_.erase(typing);
  return left;
}

size_t ConsoleHub::input_bytes() const {
  size_t n = 0;
  for (const Typing& t : input_) n += t.bytes.size() - t.taken;
  return n;
}

void ConsoleHub::send_break() {
  std::function<void()> handler;
  {
    std::lock_guard lock(input_mutex_);
    handler = on_break_;
  }
  if (handler) handler();
}

void ConsoleHub::pump_input() {
  constexpr size_t kChunkBytes = 256;
  pumping_.store(true, std::memory_order_release);
  for (;;) {
    std::function<size_t(std::span<const u8>)> receiver;
    {
      std::lock_guard lock(input_mutex_);
      receiver = receiver_;
    }
    if (input_.empty() || !receiver) {
      pumping_.store(!input_.empty(), std::memory_order_release);
      return;
    }
    const Typing& next = input_.front();
    const size_t n = std::min(next.bytes.size() - next.taken, kChunkBytes);
    const size_t taken = receiver({reinterpret_cast<const u8*>(next.bytes.data()) + next.taken, n});
    took(taken);
    if (taken < n) return;
  }
}

/// Book-keeping for bytes of the front. What is told of it may type, and so come back here.
void ConsoleHub::took(size_t n) {
  if (n == 0) return;
  Typing& front = input_.front();
  front.taken += n;
  const size_t left = front.bytes.size() - front.taken;
  const auto progress = front.progress;
  if (left == 0) input_.pop_front();
  if (progress) progress(left);
}

}  // namespace ia64::machine
