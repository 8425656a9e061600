// Reservations of a logical unit: RESERVE/RELEASE and persistent ones.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/int_types.h"
#include "base/state_archive.h"
#include "storage/scsi/sense.h"

namespace ia64::storage::scsi {

/// Who may use the unit. Not locked: the owner does that. Persistent reservations do not survive power-on (no APTPL).
/// @source SPC-4 5.13, SPC-2 5.5
class Reservations {
 public:
  enum class Access : u8 { None, Read, Write };  ///< what a command does to the medium
  /// Attention codes to raise, with the initiators that get them.
  using Attentions = std::vector<std::pair<u8, u16>>;

  bool any() const { return holder_spc2_ || !registrations_.empty(); }
  /// Whether another initiator's reservation forbids a command.
  bool conflicts(u8 initiator, Access access, bool ignores_spc2) const;

  bool reserve(u8 initiator);  ///< false: conflict
  void release(u8 initiator);
  void reset(bool power_on);

  /// Parameter data of PERSISTENT RESERVE IN, or nothing for an unknown service action.
  std::optional<std::vector<u8>> in(u8 service_action) const;

  struct Verdict {
    Status status = Status::Good;
    Sense sense{};
  };
  /// PERSISTENT RESERVE OUT. @param list the 24-byte parameter list
  Verdict out(u8 initiator, u8 service_action, u8 scope_type, std::span<const u8, 24> list, Attentions& attentions);
  void visit_state(StateArchive& a);

 private:
  struct Registration {
    u8 initiator;
    u64 key;
    void visit_state(StateArchive& a) { a(initiator, key); }
  };
  Registration* find(u8 initiator);
  bool all_registrants() const { return type_ == 7 || type_ == 8; }
  bool registrants_only() const { return type_ >= 5; }
  bool holds(u8 initiator) const;
  void append_full_status(std::vector<u8>& out, const Registration& r) const;
  void drop_reservation(u8 by, Attentions& attentions);
  Verdict register_key(u8 initiator, u64 key, u64 new_key, bool ignore, Attentions& attentions);
  Verdict reserve_persistent(u8 initiator, u8 type);
  Verdict release_persistent(u8 initiator, u8 type, Attentions& attentions);
  Verdict clear(u8 initiator, Attentions& attentions);
  Verdict preempt(u8 initiator, u64 victim_key, u8 type, Attentions& attentions);

  std::optional<u8> holder_spc2_;
  std::vector<Registration> registrations_;
  std::optional<u8> holder_;  // of the persistent reservation
  u8 type_ = 0;               // 0: no persistent reservation
  u32 generation_ = 0;
};

}  // namespace ia64::storage::scsi
