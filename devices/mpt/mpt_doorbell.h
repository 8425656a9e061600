// The doorbell handshake: a request in doublewords, its reply in halves of them, each step confirmed.
#pragma once

#include <array>
#include <span>

#include "base/state_archive.h"

namespace ia64::devices::mpt {

/// The chip's side of one handshake at a time. The interrupt bit rises when the chip has something to say;
/// the host confirms by clearing it. Takes no lock. @source MPI 1.2, 2.4 (Doorbell Handshake)
class Doorbell {
 public:
  static constexpr unsigned kMaxDwords = 255;
  static constexpr unsigned kRequestBytes = 4 * kMaxDwords;

  bool interrupt() const { return interrupt_; }
  /// A handshake is going on (DoorbellUsed).
  bool active() const { return phase_ != Phase::Idle; }
  bool wants_words() const { return phase_ == Phase::Request && words_ < wanted_; }
  /// The half-word of the reply that the host may read now.
  u16 data() const;

  /// Starts a request of `dwords` (1..255) doublewords; replaces whatever went on.
  void begin(unsigned dwords);
  /// Takes the next doubleword. Only when wants_words().
  void add_word(u32 word);
  /// The request is whole: answer with reply() or finish().
  bool whole() const { return phase_ == Phase::Request && words_ == wanted_; }
  /// The request, padded with zeroes.
  std::span<const u8> request() const { return request_; }
  /// Starts to hand out a reply. @param bytes a whole number of doublewords, at most kRequestBytes
  void reply(std::span<const u8> bytes);
  /// Ends a handshake whose reply goes elsewhere.
  void finish();
  /// The host cleared the interrupt bit: on to the next half-word or to the end.
  void confirm();
  void visit_state(StateArchive& a);

 private:
  enum class Phase : u8 { Idle, Request, Reply };
  Phase phase_ = Phase::Idle;
  bool interrupt_ = false;
  unsigned words_ = 0, wanted_ = 0;
  unsigned half_ = 0, halves_ = 0;
  std::array<u8, kRequestBytes> request_{}, reply_{};
};

}  // namespace ia64::devices::mpt
