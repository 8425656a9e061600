// Console fan-out and flow-controlled typing.
#include "machine/host/console_hub.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "machine/host/host_loop.h"

namespace ia64::machine {

ConsoleHub::ConsoleHub(HostLoop& loop) : loop_(loop) {}

ConsoleHub::~ConsoleHub() {
  if (log_) std::fclose(log_);
}

void ConsoleHub::write(std::span<const u8> bytes) {
  if (direct_listener_) direct_listener_(bytes);
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
  pump_elsewhere();
}

/// Pumps where calls into the receiver may be made; not within this call, which may come from the receiver.
void ConsoleHub::pump_elsewhere() {
  const auto pump = [this] { pump_input(); };
  executor_ ? executor_(pump) : loop_.post(pump);
}

Result<void> ConsoleHub::log_to(const std::string& path) {
  log_ = std::fopen(path.c_str(), "wb");
  if (!log_) return Error{ErrorKind::Io, fmt::format("--log {}: {}", path, std::strerror(errno))};
  return {};
}

void ConsoleHub::type(std::span<const u8> bytes) {
  {
    std::lock_guard lock(input_mutex_);
    input_.insert(input_.end(), bytes.begin(), bytes.end());
  }
  executor_ ? pump_elsewhere() : pump_input();
}

void ConsoleHub::send_break() {
  std::function<void()> handler;
  {
    std::lock_guard lock(input_mutex_);
    handler = on_break_;
  }
  if (!handler) return;
  executor_ ? executor_(handler) : handler();
}

void ConsoleHub::pump_input() {
  pumping_.store(true, std::memory_order_release);
  for (;;) {
    std::vector<u8> chunk;
    std::function<size_t(std::span<const u8>)> receiver;
    {
      std::lock_guard lock(input_mutex_);
      if (input_.empty() || !receiver_) {
        pumping_.store(!input_.empty(), std::memory_order_release);
        return;
      }
      chunk.assign(input_.begin(), input_.begin() + std::min<size_t>(input_.size(), 256));
      receiver = receiver_;
    }
    const size_t taken = receiver(chunk);
    std::lock_guard lock(input_mutex_);
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(taken));
    if (taken < chunk.size()) return;
  }
}

}  // namespace ia64::machine
