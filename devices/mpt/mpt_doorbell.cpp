// Doorbell handshake.
#include "devices/mpt/mpt_doorbell.h"

#include <algorithm>

#include "base/endian.h"
#include "base/invariant.h"

namespace ia64::devices::mpt {

u16 Doorbell::data() const {
  return phase_ == Phase::Reply ? load_le<u16>(&reply_[2 * half_]) : u16{0};
}

void Doorbell::begin(unsigned dwords) {
  phase_ = Phase::Request;
  interrupt_ = true;
  words_ = 0;
  wanted_ = dwords;
  request_ = {};
}

void Doorbell::add_word(u32 word) {
  INVARIANT(wants_words());
  store_le<u32>(&request_[4 * words_++], word);
}

void Doorbell::reply(std::span<const u8> bytes) {
  INVARIANT(!bytes.empty() && bytes.size() % 4 == 0 && bytes.size() <= reply_.size());
  std::copy(bytes.begin(), bytes.end(), reply_.begin());
  phase_ = Phase::Reply;
  half_ = 0;
  halves_ = static_cast<unsigned>(bytes.size() / 2);
  interrupt_ = true;
}

void Doorbell::finish() {
  phase_ = Phase::Idle;
  interrupt_ = true;
}

void Doorbell::confirm() {
  interrupt_ = false;
  if (phase_ != Phase::Reply) return;
  if (++half_ == halves_) return finish();
  interrupt_ = true;
}

void Doorbell::visit_state(StateArchive& a) {
  a(phase_, interrupt_, words_, wanted_, half_, halves_, request_, reply_);
  a.require(phase_ <= Phase::Reply && wanted_ <= kMaxDwords && words_ <= wanted_ && halves_ <= 2 * kMaxDwords &&
                (phase_ != Phase::Reply || half_ < halves_),
            "the doorbell");
}

}  // namespace ia64::devices::mpt
