// A small Fusion-MPT driver over the PCI windows: what Linux's mptbase and mptspi do, step by step.
#pragma once

#include <cstring>
#include <initializer_list>
#include <optional>
#include <vector>

#include "base/endian.h"
#include "devices/mpt/mpt.h"
#include "tests/unit/devices/fake_driver.h"

namespace ia64::testing {

/// Drives a 53C1030 in bus 1, slot 2. Messages are byte vectors in the layout of the manual.
struct MptDriver {
  static constexpr u64 kConfig = 0xf000'0000 + (1 << 20) + (2 << 15);
  static constexpr u64 kBar = 0x8c00'0000, kDiagnosticBar = 0x8c01'0000;
  static constexpr u64 kFrames = 0x1'0000, kReplies = 0x2'0000, kSense = 0x3'0000, kData = 0x10'0000;
  static constexpr u32 kReplyBytes = 128;
  Board& board;
  unsigned next_frame = 0;

  explicit MptDriver(Board& b) : board(b) {
    board.set(kConfig + 0x10, 4, 0x3000);
    board.set(kConfig + 0x14, 4, kBar);
    board.set(kConfig + 0x1c, 4, kDiagnosticBar);
    board.set(kConfig + 4, 2, 7);
  }
  u32 read(unsigned reg) { return static_cast<u32>(board.get(kBar + reg, 4)); }
  void write(unsigned reg, u32 v) { board.set(kBar + reg, 4, v); }
  u32 state() { return read(0) >> 28; }

  using Message = std::vector<u8>;
  static Message message(u8 function, size_t bytes,
                         std::initializer_list<std::pair<unsigned, u32>> dwords = {}) {
    Message m(bytes);
    m[3] = function;
    for (const auto& [at, v] : dwords) store_le<u32>(&m[at], v);
    return m;
  }

  // --- doorbell
  void begin_handshake(const Message& m) {
    write(0x30, 0);
    write(0x00, 0x4200'0000u | static_cast<u32>(m.size() / 4) << 16);
    REQUIRE((read(0x30) & 1));
    REQUIRE((read(0x00) & 0x0800'0000));
    write(0x30, 0);
    for (size_t at = 0; at < m.size(); at += 4) {
      write(0x00, load_le<u32>(&m[at]));
      REQUIRE_FALSE((read(0x30) & 0x8000'0000));
    }
    REQUIRE((read(0x30) & 1));
  }
  Message handshake(const Message& m) {
    begin_handshake(m);
    Message reply;
    size_t halves = 2;
    for (size_t n = 0; n < halves; n++) {
      REQUIRE((read(0x30) & 1));
      const u16 half = static_cast<u16>(read(0x00));
      CHECK(static_cast<u16>(read(0x00)) == half);  // stays until it is confirmed
      reply.push_back(static_cast<u8>(half));
      reply.push_back(static_cast<u8>(half >> 8));
      if (n == 1) halves = 2 * (half & 0xff);
      write(0x30, 0);
    }
    REQUIRE((read(0x30) & 1));
    CHECK_FALSE((read(0x00) & 0x0800'0000));
    write(0x30, 0);
    CHECK_FALSE((read(0x30) & 1));
    return reply;
  }
  static u16 status(const Message& reply) { return load_le<u16>(&reply[0x0e]); }

  // --- bringing it up
  Message ioc_init(u32 mfa_high = 0, u32 sense_high = 0) {
    auto m = message(2, 0x18, {{0x0c, kReplyBytes}, {0x10, mfa_high}, {0x14, sense_high}});
    m[0] = 4, m[5] = 16, m[6] = 1;
    return m;
  }
  void free_replies(unsigned count) {
    for (unsigned n = 0; n < count; n++) write(0x44, static_cast<u32>(kReplies + n * kReplyBytes));
  }
  void start(unsigned replies = 32) {
    free_replies(replies);
    REQUIRE(status(handshake(ioc_init())) == 0);
    REQUIRE(state() == 2);
    REQUIRE(status(handshake(message(6, 12))) == 0);
    write(0x34, 0x1);  // doorbell masked, replies not
  }
  void unlock() {
    for (u32 key : {0xffu, 4u, 0xbu, 2u, 7u, 0xdu}) write(0x04, key);
  }
  void hard_reset() {
    unlock();
    write(0x08, 4);
  }

  // --- queues
  u64 frame_at(unsigned n) { return kFrames + 128 * n; }
  void post(const Message& m) {
    const u64 at = frame_at(next_frame++ % 256);
    std::memset(&board.ram[at], 0, 128);
    std::memcpy(&board.ram[at], m.data(), m.size());
    write(0x40, static_cast<u32>(at));
  }
  struct Answer {
    u32 context = 0;
    Message frame;  // empty for a context reply
    bool is_context() const { return frame.empty(); }
    u16 status() const { return frame.empty() ? 0 : load_le<u16>(&frame[0x0e]); }
    u32 dword(unsigned at) const { return load_le<u32>(&frame[at]); }
  };
  /// The next reply, if one has come. Its frame is given back.
  std::optional<Answer> next() {
    const u32 v = read(0x44);
    if (v == 0xffff'ffff) return std::nullopt;
    if (!(v & 0x8000'0000)) return Answer{v, {}};
    const u32 at = v << 1;
    Answer a{load_le<u32>(&board.ram[at + 8]), {}};
    a.frame.assign(&board.ram[at], &board.ram[at] + 4 * board.ram[at + 2]);
    write(0x44, at);
    return a;
  }
  Answer take() {
    auto a = next();
    REQUIRE(a);
    return *a;
  }
  Answer ask(const Message& m) {
    post(m);
    return take();
  }

  // --- SCSI
  enum Direction : u32 { kNone = 0, kOut = 1, kIn = 2 };
  static constexpr u32 kLast = 0xd1u << 24;  // simple, end of everything, 32 bits
  Message scsi(u8 target, std::initializer_list<int> cdb, Direction direction, u32 bytes, u32 context = 7) {
    auto m = message(0, 0x38,
                     {{0x08, context},
                      {0x14, direction << 24},
                      {0x28, bytes},
                      {0x2c, kSense},
                      {0x30, kLast | (direction == kOut ? 4u << 24 : 0) | bytes},
                      {0x34, static_cast<u32>(kData)}});
    m[0] = target, m[4] = static_cast<u8>(cdb.size()), m[5] = 64;
    size_t at = 0x18;
    for (int b : cdb) m[at++] = static_cast<u8>(b);
    return m;
  }
  Message task(u8 type, u8 target, u32 context_of_task = 0, u32 context = 0x55) {
    auto m = message(1, 0x34, {{0x08, context}, {0x30, context_of_task}});
    m[0] = target, m[5] = type;
    return m;
  }

  // --- configuration pages: address of the buffer is kData
  Message config(u8 action, u8 type, u8 number, u32 address = 0, u32 bytes = 0x200) {
    auto m = message(4, 0x24,
                     {{0x08, 9}, {0x18, address}, {0x1c, kLast | bytes}, {0x20, static_cast<u32>(kData)}});
    m[0] = action, m[0x16] = number, m[0x17] = type;
    return m;
  }
  /// Reads the current values of a page.
  Message page(u8 type, u8 number, u32 address = 0, u8 action = 1) {
    const auto a = ask(config(action, type, number, address));
    REQUIRE(a.status() == 0);
    return Message(&board.ram[kData], &board.ram[kData] + 4 * a.frame[0x15]);
  }
};

}  // namespace ia64::testing
