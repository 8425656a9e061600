// RESERVE/RELEASE and persistent reservations.
#include "storage/scsi/reservations.h"

#include <algorithm>

#include "base/endian.h"

namespace ia64::storage::scsi {

namespace {

constexpr u8 kInitiatorCount = 16;

constexpr u16 kReservationsPreempted = 0x2a03, kReservationsReleased = 0x2a04, kRegistrationsPreempted = 0x2a05;
constexpr u8 kTypes[] = {1, 3, 5, 6, 7, 8};

enum ServiceOut : u8 { kRegister, kReserve, kRelease, kClear, kPreempt, kPreemptAndAbort, kRegisterAndIgnore };

bool write_exclusive(u8 type) {
  return type == 1 || type == 5 || type == 7;
}

}  // namespace

Reservations::Registration* Reservations::find(u8 initiator) {
  for (auto& r : registrations_)
    if (r.initiator == initiator) return &r;
  return nullptr;
}

bool Reservations::holds(u8 initiator) const {
  if (!type_) return false;
  if (!all_registrants()) return holder_ == initiator;
  return std::any_of(registrations_.begin(), registrations_.end(), [&](const auto& r) { return r.initiator == initiator; });
}

bool Reservations::conflicts(u8 initiator, Access access, bool ignores_spc2) const {
  if (holder_spc2_ && *holder_spc2_ != initiator && !ignores_spc2) return true;
  if (!type_ || access == Access::None || holds(initiator)) return false;
  if (access == Access::Read && write_exclusive(type_)) return false;
  const bool registered =
      std::any_of(registrations_.begin(), registrations_.end(), [&](const auto& r) { return r.initiator == initiator; });
  return !(registrants_only() && registered);
}

bool Reservations::reserve(u8 initiator) {
  if (!registrations_.empty() || (holder_spc2_ && *holder_spc2_ != initiator)) return false;
  holder_spc2_ = initiator;
  return true;
}

void Reservations::release(u8 initiator) {
  if (holder_spc2_ == initiator) holder_spc2_.reset();
}

void Reservations::reset(bool power_on) {
  holder_spc2_.reset();
  if (!power_on) return;
  registrations_.clear();
  holder_.reset();
  type_ = 0;
  generation_ = 0;
}

// The initiator is named by a parallel SCSI transport identifier. @source SPC-4 6.16.5, 7.6.4.3
void Reservations::append_full_status(std::vector<u8>& out, const Registration& r) const {
  const size_t at = out.size();
  out.resize(at + 24 + 24);
  store_be<u64>(&out[at], r.key);
  if (type_ && (all_registrants() || holder_ == r.initiator)) out[at + 12] = 0x01, out[at + 13] = type_;
  store_be<u16>(&out[at + 18], 1);  // relative target port
  store_be<u32>(&out[at + 20], 24);
  out[at + 24] = 0x01;
  store_be<u16>(&out[at + 26], r.initiator);
  store_be<u16>(&out[at + 30], 1);
}

std::optional<std::vector<u8>> Reservations::in(u8 service_action) const {
  std::vector<u8> out(8);
  store_be<u32>(&out[0], generation_);
  if (service_action == 0) {  // READ KEYS
    for (const auto& r : registrations_) {
      out.resize(out.size() + 8);
      store_be<u64>(&out[out.size() - 8], r.key);
    }
  } else if (service_action == 1) {  // READ RESERVATION
    if (type_) {
      out.resize(24);
      for (const auto& r : registrations_)
        if (!all_registrants() && r.initiator == holder_) store_be<u64>(&out[8], r.key);
      out[21] = type_;
    }
  } else if (service_action == 2) {  // REPORT CAPABILITIES
    store_be<u16>(&out[0], 8);
    out[3] = 0x80;  // the type mask is valid
    out[4] = 0xea;  // WR_EX_AR, EX_AC_RO, WR_EX_RO, EX_AC, WR_EX
    out[5] = 0x01;  // EX_AC_AR
    return out;
  } else if (service_action == 3) {  // READ FULL STATUS
    for (const auto& r : registrations_) append_full_status(out, r);
  } else {
    return std::nullopt;
  }
  store_be<u32>(&out[4], static_cast<u32>(out.size() - 8));
  return out;
}

Reservations::Verdict Reservations::out(u8 initiator, u8 action, u8 scope_type, std::span<const u8, 24> list,
                                        Attentions& attentions) {
  const u64 key = load_be<u64>(&list[0]), action_key = load_be<u64>(&list[8]);
  const u8 type = scope_type & 0x0f;
  const bool names_type = action == kReserve || action == kRelease || action == kPreempt || action == kPreemptAndAbort;
  if (holder_spc2_ && *holder_spc2_ != initiator) return {Status::ReservationConflict, {}};
  if (action > kRegisterAndIgnore) return {Status::CheckCondition, sense::kInvalidFieldInCdb};
  if (list[20] & 0x0d) return {Status::CheckCondition, sense::kInvalidFieldInParameters};  // SPEC_I_PT, ALL_TG_PT, APTPL
  if (names_type && ((scope_type & 0xf0) || std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes)))
    return {Status::CheckCondition, sense::kInvalidFieldInCdb};
  if (action == kRegister || action == kRegisterAndIgnore)
    return register_key(initiator, key, action_key, action == kRegisterAndIgnore, attentions);
  const Registration* own = find(initiator);
  if (!own || own->key != key) return {Status::ReservationConflict, {}};
  switch (action) {
    case kReserve: return reserve_persistent(initiator, type);
    case kRelease: return release_persistent(initiator, type, attentions);
    case kClear: return clear(initiator, attentions);
    default: return preempt(initiator, action_key, type, attentions);
  }
}

// Ends the reservation; the other registrants of a registrants-only one hear of it.
void Reservations::drop_reservation(u8 by, Attentions& attentions) {
  if (registrants_only())
    for (const auto& r : registrations_)
      if (r.initiator != by) attentions.emplace_back(r.initiator, kReservationsReleased);
  type_ = 0;
  holder_.reset();
}

Reservations::Verdict Reservations::register_key(u8 initiator, u64 key, u64 new_key, bool ignore, Attentions& attentions) {
  Registration* own = find(initiator);
  if (!ignore && key != (own ? own->key : 0)) return {Status::ReservationConflict, {}};
  generation_++;
  if (new_key) {
    own ? void(own->key = new_key) : registrations_.push_back({initiator, new_key});
    return {};
  }
  if (!own) return {};
  const bool held = holds(initiator);
  std::erase_if(registrations_, [&](const auto& r) { return r.initiator == initiator; });
  if (held && (!all_registrants() || registrations_.empty())) drop_reservation(initiator, attentions);
  return {};
}

Reservations::Verdict Reservations::reserve_persistent(u8 initiator, u8 type) {
  if (type_) return holds(initiator) && type == type_ ? Verdict{} : Verdict{Status::ReservationConflict, {}};
  type_ = type;
  holder_ = initiator;
  return {};
}

Reservations::Verdict Reservations::release_persistent(u8 initiator, u8 type, Attentions& attentions) {
  if (!holds(initiator)) return {};
  if (type != type_) return {Status::CheckCondition, sense::kInvalidRelease};
  drop_reservation(initiator, attentions);
  return {};
}

Reservations::Verdict Reservations::clear(u8 initiator, Attentions& attentions) {
  for (const auto& r : registrations_)
    if (r.initiator != initiator) attentions.emplace_back(r.initiator, kReservationsPreempted);
  registrations_.clear();
  holder_.reset();
  type_ = 0;
  generation_++;
  return {};
}

Reservations::Verdict Reservations::preempt(u8 initiator, u64 victim_key, u8 type, Attentions& attentions) {
  const auto is_victim = [&](const Registration& r) { return r.key == victim_key && r.initiator != initiator; };
  bool takes_over = false;
  if (type_ && all_registrants()) {
    takes_over = victim_key == 0;
  } else if (type_) {
    const Registration* holder = find(*holder_);
    takes_over = holder && holder->key == victim_key;
  }
  const bool everyone = takes_over && all_registrants();
  if (!everyone && victim_key == 0) return {Status::CheckCondition, sense::kInvalidFieldInParameters};
  const bool known = std::any_of(registrations_.begin(), registrations_.end(), [&](const auto& r) { return r.key == victim_key; });
  if (!everyone && !known) return {Status::ReservationConflict, {}};
  generation_++;
  for (const auto& r : registrations_)
    if (everyone ? r.initiator != initiator : is_victim(r)) attentions.emplace_back(r.initiator, kRegistrationsPreempted);
  std::erase_if(registrations_, [&](const auto& r) { return everyone ? r.initiator != initiator : is_victim(r); });
  if (!takes_over) return {};
  if (type != type_)
    for (const auto& r : registrations_)
      if (r.initiator != initiator) attentions.emplace_back(r.initiator, kReservationsReleased);
  type_ = type;
  holder_ = initiator;
  return {};
}

void Reservations::visit_state(StateArchive& a) {
  a(holder_spc2_, registrations_, holder_, type_, generation_);
  const auto known = [](std::optional<u8> initiator) { return !initiator || *initiator < kInitiatorCount; };
  a.require(known(holder_spc2_) && known(holder_) && type_ <= 8, "a reservation");
  a.require(type_ == 0 ? !holder_ : (holder_ && find(*holder_)) || (all_registrants() && !registrations_.empty()), "the holder of a reservation");
  a.require(registrations_.size() <= kInitiatorCount &&
                std::all_of(registrations_.begin(), registrations_.end(), [&](const Registration& r) { return known(r.initiator); }),
            "a registration");
}

}  // namespace ia64::storage::scsi
