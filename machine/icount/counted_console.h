// The console of a machine whose time is counted: input reaches the guest at counted times, scripts see output as it is made.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "base/char_channel.h"

namespace ia64::machine {

/// Stands between the serial line and the host's end of it. The line's receiver is called where `at_boundary` runs its functions
/// and nowhere else.
class CountedConsole final : public CharChannel {
 public:
  using Executor = std::function<void(std::function<void()>)>;
  /// @param host  what people look at and type into; outlives this
  /// @param at_boundary  Machine::at_boundary()
  CountedConsole(CharChannel& host, Executor at_boundary) : host_(host), at_boundary_(std::move(at_boundary)) {}

  /// Called with guest output when and where the guest writes it; before the machine starts only.
  void set_listener(std::function<void(std::span<const u8>)> listener) { listener_ = std::move(listener); }
  /// Called where and when the guest has written, and when it has taken all that was typed; before the machine starts only.
  void set_notice(std::function<void()> notice) { notice_ = std::move(notice); }
  /// Called within what `at_boundary` runs, with a function that does to the guest again what was just done, or none if nothing was;
  /// before the machine starts only.
  void set_record(std::function<void(std::function<void()> again)> record) { record_ = std::move(record); }
  /// Takes what the host's end offers at once, up to this much, for whoever stops the guest before it offers; before the start only.
  void take_up_to(size_t bytes) { most_from_host_ = bytes; }
  /// Bytes that wait for the guest. Any thread.
  size_t waiting_bytes() const;
  /// Types into the guest from the next boundary on, as fast as it takes it. Any thread; a guest's course depends on when.
  void type(std::string_view text);

  void write(std::span<const u8> bytes) override;
  void set_receiver(std::function<size_t(std::span<const u8>)> receiver) override;
  void receiver_ready() override;
  void set_break_handler(std::function<void()> on_break) override;

 private:
  size_t offer(std::span<const u8> bytes);
  void pump();

  CharChannel& host_;
  const Executor at_boundary_;
  std::function<void(std::span<const u8>)> listener_;
  std::function<void()> notice_;
  std::function<void(std::function<void()>)> record_ = [](const std::function<void()>&) {};
  size_t most_from_host_ = 16;  // the rest waits at the host's end, which shows how far typing is
  mutable std::mutex mutex_;    // guards what follows; never held while anybody is called
  std::function<size_t(std::span<const u8>)> receiver_;
  std::string input_;
  size_t taken_ = 0;  ///< of input_, by the guest
  bool host_waits_ = false;  ///< the host's end was refused bytes
};

}  // namespace ia64::machine
