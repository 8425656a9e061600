// A serial line whose guest writes something again after it went back.
#pragma once

#include <utility>

#include "base/char_channel.h"

namespace ia64::machine {

/// Passes everything on but what the host's end has had already. CPU thread, where it is not the channel's own rule.
class ShownOnce final : public CharChannel {
 public:
  explicit ShownOnce(CharChannel& host) : host_(host) {}

  /// Bytes that the guest has written so far.
  u64 written() const { return written_; }
  /// The guest is again where it had written so many bytes.
  void go_back(u64 written) { written_ = written; }
  /// What the guest writes from now on is news.
  void go_another_way() { shown_ = written_; }

  void write(std::span<const u8> bytes) override {
    const u64 before = std::exchange(written_, written_ + bytes.size());
    if (written_ <= shown_) return;
    const u64 known = shown_ > before ? shown_ - before : 0;
    shown_ = written_;
    host_.write(bytes.subspan(known));
  }
  void set_receiver(std::function<size_t(std::span<const u8>)> receiver) override { host_.set_receiver(std::move(receiver)); }
  void receiver_ready() override { host_.receiver_ready(); }
  void set_break_handler(std::function<void()> on_break) override { host_.set_break_handler(std::move(on_break)); }

 private:
  CharChannel& host_;
  u64 written_ = 0, shown_ = 0;
};

}  // namespace ia64::machine
