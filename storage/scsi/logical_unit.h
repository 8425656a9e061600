// What every emulated logical unit has in common: admission, attentions, reservations, sense.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "storage/scsi/reservations.h"
#include "storage/scsi/target.h"

namespace ia64::storage::scsi {

inline constexpr unsigned kInitiators = 16;

/// Logical unit 0 of a target. A derived class brings a sorted table of commands. State is kept for each initiator; while
/// nothing is pending and nobody holds a reservation, a command takes no lock. All tasks are treated as SIMPLE.
/// @source SPC-4
class LogicalUnit : public ScsiTarget {
 public:
  void submit(Task task) final;
  void reset(ResetKind kind) override;

  /// An initiator is gone for good: its RESERVE ends. Persistent reservations stay.
  void nexus_lost(u8 initiator);
  /// Makes a unit attention pending for every initiator except one. @param code ASC << 8 | ASCQ
  void raise_attention(u16 code, std::optional<u8> except = {});
  void visit_state(StateArchive& a) final;

 protected:
  using Handler = void (LogicalUnit::*)(Task&);
  struct Row {
    u8 opcode;
    u8 flags;
    Handler handler;
  };
  // Row flags.
  static constexpr u8 kPassesAttention = 1;  ///< runs although a unit attention is pending, and leaves it pending
  static constexpr u8 kNeedsMedium = 2;
  static constexpr u8 kReads = 4;      ///< refused under another's exclusive-access reservation
  static constexpr u8 kWrites = 8;     ///< refused under another's write-exclusive reservation too
  static constexpr u8 kIgnoresSpc2 = 16;  ///< allowed under another's RESERVE (INQUIRY, RELEASE and the like)
  /// For table entries: a handler of a derived class.
  template <class D>
  static constexpr Handler handler(void (D::*h)(Task&)) {
    return static_cast<Handler>(h);
  }

  /// @param rows sorted by operation code; outlives the object
  explicit LogicalUnit(std::span<const Row> rows);

  // what derived classes answer with
  void good(Task& task, u64 transferred = 0);
  void refuse(Task& task, const Sense& sense);
  void finish(Task& task, Result result);
  void answer(Task& task, std::span<const u8> data, u64 allocation_bytes);

  // commands that need nothing of the medium
  void do_nothing(Task& task) { good(task); }
  void request_sense(Task& task);
  void report_luns(Task& task);
  void reserve(Task& task);
  void release(Task& task);
  void persistent_reserve_in(Task& task);
  void persistent_reserve_out(Task& task);
  void read_buffer(Task& task);
  void write_buffer(Task& task);

  // what derived classes know better
  virtual Sense readiness() { return sense::kNone; }
  virtual bool descriptor_sense() const { return false; }
  virtual void after_reset(ResetKind) {}
  virtual void visit_unit_state(StateArchive& a) = 0;

 private:
  struct Initiator {
    std::vector<u16> attentions;
    std::optional<Sense> sense;  // kept only for controllers without autosense
    std::array<u8, 256> echo{};
    bool echo_valid = false;
    void visit_state(StateArchive& a) { a(attentions, sense, echo, echo_valid); }
  };
  const Row* find(u8 opcode) const;
  void absent_unit(Task& task);
  bool admit(Task& task, const Row& row);
  bool admit_slowly(Task& task, const Row& row);
  u16 take_attention(u8 initiator);
  void add_attention(u8 initiator, u16 code);
  void update_calm();

  const std::span<const Row> rows_;
  std::atomic<u16> calm_{0};  // one bit an initiator: nothing pending, nobody reserved, commands pass without the lock
  std::mutex mutex_;               // guards what follows; never held while a task completes
  std::array<Initiator, kInitiators> initiators_;
  Reservations reservations_;
};

}  // namespace ia64::storage::scsi
