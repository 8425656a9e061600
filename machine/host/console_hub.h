// The host side of the guest console: fans output out to terminal, transcript and script, and types input with flow control.
#pragma once

#include <atomic>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/char_channel.h"
#include "base/result.h"

namespace ia64::machine {

class HostLoop;

/// One per machine. CharChannel methods from any thread; the rest on the loop thread.
class ConsoleHub final : public CharChannel {
 public:
  explicit ConsoleHub(HostLoop& loop);
  ~ConsoleHub() override;

  void write(std::span<const u8> bytes) override;
  void set_receiver(std::function<size_t(std::span<const u8>)> receiver) override;
  void receiver_ready() override;
  void set_break_handler(std::function<void()> on_break) override;

  /// Hands input on where `executor` runs its functions, and nowhere else: for machines whose input comes at counted times.
  /// To be set before the machine starts.
  void deliver_on(std::function<void(std::function<void()>)> executor) { executor_ = std::move(executor); }
  /// Calls `listener` within write(), on its thread, besides the others. To be set before the machine starts.
  void set_direct_listener(std::function<void(std::span<const u8>)> listener) { direct_listener_ = std::move(listener); }
  /// Adds somebody who sees all guest output from now on.
  void add_listener(std::function<void(std::span<const u8>)> listener) { listeners_.push_back(std::move(listener)); }
  /// Writes a transcript of guest output to `path`, truncating it.
  Result<void> log_to(const std::string& path);
  /// Types bytes into the guest; they wait as long as the guest's receiver is full, and none is lost. With deliver_on(): any thread.
  void type(std::span<const u8> bytes);
  void send_break();
  /// Hands on everything the guest has written so far. Call when the machine has stopped.
  void drain();

 private:
  void pump_input();
  void pump_elsewhere();

  HostLoop& loop_;
  std::function<void(std::function<void()>)> executor_;
  std::function<void(std::span<const u8>)> direct_listener_;
  std::mutex output_mutex_;
  std::vector<u8> output_;
  bool drain_posted_ = false;
  std::vector<std::function<void(std::span<const u8>)>> listeners_;
  std::FILE* log_ = nullptr;

  std::mutex input_mutex_;  // guards the three below; never held while calling the receiver
  std::deque<u8> input_;
  std::function<size_t(std::span<const u8>)> receiver_;
  std::function<void()> on_break_;
  std::atomic<bool> pumping_{false};
};

}  // namespace ia64::machine
