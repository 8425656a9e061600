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

  /// Adds somebody who sees all guest output from now on.
  void add_listener(std::function<void(std::span<const u8>)> listener) { listeners_.push_back(std::move(listener)); }
  /// Writes a transcript of guest output to `path`, truncating it.
  Result<void> log_to(const std::string& path);
  /// Types bytes into the guest; they wait as long as the guest's receiver is full, and none is lost.
  /// @param progress  called whenever the guest has taken some of these bytes, with how many are left; 0 comes once, last
  /// @returns a number for cancel_typing()
  u64 type(std::span<const u8> bytes, std::function<void(size_t left)> progress = {});
  /// Takes back what the guest has not taken of one type(). @returns how many bytes that is
  size_t cancel_typing(u64 number);
  /// Bytes that wait for the guest.
  size_t input_bytes() const;
  /// What may wait when a program types; people are not held to it.
  static constexpr size_t kMaxInputBytes = 16 << 20;
  void send_break();
  /// Hands on everything the guest has written so far. Call when the machine has stopped.
  void drain();

 private:
  void pump_input();

  HostLoop& loop_;
  std::mutex output_mutex_;
  std::vector<u8> output_;
  bool drain_posted_ = false;
  std::vector<std::function<void(std::span<const u8>)>> listeners_;
  std::FILE* log_ = nullptr;

  /// One type() and how much of it the guest has taken.
  struct Typing {
    u64 number;
    std::string bytes;
    size_t taken = 0;
    std::function<void(size_t)> progress;
  };
  void took(size_t n);

  std::deque<Typing> input_;  // loop thread
  u64 last_typing_ = 0;
  std::mutex input_mutex_;  // guards the two below; never held while calling the receiver
  std::function<size_t(std::span<const u8>)> receiver_;
  std::function<void()> on_break_;
  std::atomic<bool> pumping_{false};
};

}  // namespace ia64::machine
