// Admission of commands, unit attentions, sense and reservations of an emulated logical unit.
#include "storage/scsi/logical_unit.h"

#include <algorithm>

#include "base/log.h"
#include "storage/scsi/inquiry.h"

namespace ia64::storage::scsi {

namespace {

constexpr u64 kReportLunsUnit = 0xc101;  // well-known logical unit
constexpr u16 kPowerOnAttention = 0x2901;
constexpr size_t kMaxAttentions = 8;
constexpr u8 kEchoMode = 0x0a, kEchoDescriptorMode = 0x0b;

u16 attention_of(ResetKind kind) {
  switch (kind) {
    case ResetKind::Bus: return 0x2902;
    case ResetKind::Target:
    case ResetKind::LogicalUnit: return 0x2903;
    default: return kPowerOnAttention;
  }
}

Sense attention_sense(u16 code) {
  return {SenseKey::UnitAttention, static_cast<u8>(code >> 8), static_cast<u8>(code)};
}

}  // namespace

LogicalUnit::LogicalUnit(std::span<const Row> rows) : rows_(rows) {
  for (auto& i : initiators_) i.attentions = {kPowerOnAttention};
}

const LogicalUnit::Row* LogicalUnit::find(u8 opcode) const {
  const auto row =
      std::lower_bound(rows_.begin(), rows_.end(), opcode, [](const Row& r, u8 code) { return r.opcode < code; });
  return row != rows_.end() && row->opcode == opcode ? &*row : nullptr;
}

// A reset replaces what was pending: power on, then the reset kinds, outrank the rest.
void LogicalUnit::reset(ResetKind kind) {
  {
    std::lock_guard lock(mutex_);
    calm_ = 0;
    for (auto& i : initiators_) {
      i.attentions = {attention_of(kind)};
      i.sense.reset();
      i.echo_valid = false;
    }
    reservations_.reset(kind == ResetKind::PowerOn);
  }
  after_reset(kind);
}

void LogicalUnit::submit(Task task) {
  LOG(Scsi, "{}: opcode {:#04x} lba {:#x} lun {:#x}", describe(), task.cdb[0], block_range(task.cdb).lba, task.lun);
  task.initiator %= kInitiators;
  const Row* row = find(task.cdb[0]);
  if (task.lun != 0 && !(task.lun == kReportLunsUnit && task.cdb[0] == kReportLuns)) return absent_unit(task);
  if (!row) {
    LOG_ONCE(Unknown, 0x5c51'0000u | task.cdb[0], "SCSI target: unknown opcode {:#04x}", task.cdb[0]);
    return refuse(task, sense::kInvalidOpcode);
  }
  if (!admit(task, *row)) return;
  if (const unsigned length = cdb_bytes(task.cdb[0]); length && task.cdb[length - 1] & 0x04)
    return refuse(task, sense::kInvalidFieldInCdb);  // NACA is not supported
  if (row->flags & kNeedsMedium)
    if (const Sense why = readiness(); why != sense::kNone) return refuse(task, why);
  (this->*row->handler)(task);
}

// --- admission
// --------------------------------------------------------------------------------------------------------

bool LogicalUnit::admit(Task& task, const Row& row) {
  return (calm_.load(std::memory_order_acquire) >> task.initiator & 1) || admit_slowly(task, row);
}

bool LogicalUnit::admit_slowly(Task& task, const Row& row) {
  const auto access = row.flags & kWrites  ? Reservations::Access::Write
                      : row.flags & kReads ? Reservations::Access::Read
                                           : Reservations::Access::None;
  u16 code = 0;
  bool conflict = false;
  {
    std::lock_guard lock(mutex_);
    if (row.opcode != kRequestSense) initiators_[task.initiator].sense.reset();
    if (!(row.flags & kPassesAttention)) code = take_attention(task.initiator);
    const bool ignores = row.flags & (kPassesAttention | kIgnoresSpc2);
    if (!code) conflict = reservations_.conflicts(task.initiator, access, ignores);
    update_calm();
  }
  if (code) return refuse(task, attention_sense(code)), false;
  if (conflict) return finish(task, {.status = Status::ReservationConflict}), false;
  return true;
}

u16 LogicalUnit::take_attention(u8 initiator) {
  auto& list = initiators_[initiator].attentions;
  if (list.empty()) return 0;
  const u16 code = list.front();
  list.erase(list.begin());
  return code;
}

void LogicalUnit::add_attention(u8 initiator, u16 code) {
  auto& list = initiators_[initiator].attentions;
  if (list.size() < kMaxAttentions && std::find(list.begin(), list.end(), code) == list.end()) list.push_back(code);
}

void LogicalUnit::update_calm() {
  unsigned calm = 0;
  for (unsigned i = 0; i < kInitiators; i++)
    if (initiators_[i].attentions.empty() && !initiators_[i].sense) calm |= 1u << i;
  calm_.store(static_cast<u16>(reservations_.any() ? 0 : calm), std::memory_order_release);
}

void LogicalUnit::raise_attention(u16 code, std::optional<u8> except) {
  std::lock_guard lock(mutex_);
  calm_ = 0;
  for (u8 i = 0; i < kInitiators; i++)
    if (i != except) add_attention(i, code);
}

void LogicalUnit::visit_state(StateArchive& a) {
  {
    std::lock_guard lock(mutex_);
    a(initiators_, reservations_);
    for (const Initiator& i : initiators_) a.require(i.attentions.size() <= kMaxAttentions, "the number of unit attentions");
    if (a.loading()) update_calm();
  }
  visit_unit_state(a);
}

void LogicalUnit::nexus_lost(u8 initiator) {
  initiator %= kInitiators;
  std::lock_guard lock(mutex_);
  reservations_.release(initiator);
  initiators_[initiator].sense.reset();
  initiators_[initiator].echo_valid = false;
  update_calm();
}

// --- answers
// ----------------------------------------------------------------------------------------------------------

void LogicalUnit::finish(Task& task, Result result) {
  result.descriptor_sense = descriptor_sense();
  if (result.status == Status::CheckCondition && !task.autosense) {
    std::lock_guard lock(mutex_);
    calm_ = 0;
    initiators_[task.initiator].sense = result.sense;
  }
  task.done(result);
}

void LogicalUnit::good(Task& task, u64 transferred) {
  task.done({.transferred = transferred});
}

void LogicalUnit::refuse(Task& task, const Sense& sense) {
  LOG(Scsi, "{}: opcode {:#04x} refused: key {} asc {:#x}/{:#x}", describe(), task.cdb[0], static_cast<int>(sense.key),
      sense.asc, sense.ascq);
  finish(task, {.status = Status::CheckCondition, .sense = sense});
}

void LogicalUnit::answer(Task& task, std::span<const u8> data, u64 allocation_bytes) {
  good(task, copy_to_list(task.data_in, data.first(std::min<u64>(data.size(), allocation_bytes))));
}

void LogicalUnit::absent_unit(Task& task) {
  if (task.cdb[0] == kInquiry) return answer(task, absent_unit_inquiry(), load_be<u16>(&task.cdb[3]));
  if (task.cdb[0] == kReportLuns) return report_luns(task);
  if (task.cdb[0] == kRequestSense) return answer(task, sense::kNoSuchUnit.encode(), task.cdb[4]);
  refuse(task, sense::kNoSuchUnit);
}

// --- commands
// ---------------------------------------------------------------------------------------------------------

void LogicalUnit::request_sense(Task& task) {
  Sense sense;
  {
    std::lock_guard lock(mutex_);
    auto& own = initiators_[task.initiator];
    if (own.sense) {
      sense = *own.sense;
      own.sense.reset();
    } else if (const u16 code = take_attention(task.initiator)) {
      sense = attention_sense(code);
    }
    update_calm();
  }
  if (sense == sense::kNone) sense = readiness();
  const auto bytes = task.cdb[1] & 0x01 ? sense.encode_descriptor() : sense.encode_fixed();
  answer(task, {bytes.data(), bytes.size()}, task.cdb[4]);
}

void LogicalUnit::report_luns(Task& task) {
  const u64 allocation = load_be<u32>(&task.cdb[6]);
  if (allocation < 16 || task.cdb[2] > 2) return refuse(task, sense::kInvalidFieldInCdb);
  std::array<u8, 16> data{};
  store_be<u32>(&data[0], 8);  // one entry, logical unit 0
  answer(task, data, allocation);
}

void LogicalUnit::reserve(Task& task) {
  bool taken;
  if (task.cdb[1] & 0x11) return refuse(task, sense::kInvalidFieldInCdb);  // third party, extents
  {
    std::lock_guard lock(mutex_);
    calm_ = 0;
    taken = reservations_.reserve(task.initiator);
    update_calm();
  }
  finish(task, {.status = taken ? Status::Good : Status::ReservationConflict});
}

void LogicalUnit::release(Task& task) {
  if (task.cdb[1] & 0x11) return refuse(task, sense::kInvalidFieldInCdb);
  {
    std::lock_guard lock(mutex_);
    reservations_.release(task.initiator);
    update_calm();
  }
  good(task);
}

void LogicalUnit::persistent_reserve_in(Task& task) {
  std::optional<std::vector<u8>> data;
  {
    std::lock_guard lock(mutex_);
    data = reservations_.in(task.cdb[1] & 0x1f);
  }
  data ? answer(task, *data, load_be<u16>(&task.cdb[7])) : refuse(task, sense::kInvalidFieldInCdb);
}

void LogicalUnit::persistent_reserve_out(Task& task) {
  std::array<u8, 24> list{};
  if (load_be<u32>(&task.cdb[5]) != list.size() || copy_from_list(task.data_out, list) != list.size())
    return refuse(task, sense::kParameterListLength);
  Reservations::Verdict verdict;
  {
    std::lock_guard lock(mutex_);
    calm_ = 0;
    Reservations::Attentions attentions;
    verdict = reservations_.out(task.initiator, task.cdb[1] & 0x1f, task.cdb[2], list, attentions);
    for (const auto& [initiator, code] : attentions) add_attention(initiator, code);
    update_calm();
  }
  finish(task, {.status = verdict.status, .sense = verdict.sense, .transferred = list.size()});
}

// The echo buffer, which parallel SCSI drivers use to validate the bus.
void LogicalUnit::read_buffer(Task& task) {
  const u8 mode = task.cdb[1] & 0x1f;
  std::array<u8, 256> data{};
  size_t length = 4;
  if (mode == kEchoDescriptorMode) {
    store_be<u16>(&data[2], static_cast<u16>(data.size()));
  } else if (mode == kEchoMode) {
    std::lock_guard lock(mutex_);
    const auto& own = initiators_[task.initiator];
    length = own.echo_valid ? data.size() : 0;
    data = own.echo;
  } else {
    length = 0;
  }
  if (!length) return refuse(task, mode == kEchoMode ? Sense{SenseKey::IllegalRequest, 0x2c, 0} : sense::kInvalidFieldInCdb);
  answer(task, std::span(data).first(length), load_be<u32>(&task.cdb[5]) & 0xff'ffff);
}

void LogicalUnit::write_buffer(Task& task) {
  const size_t length = load_be<u32>(&task.cdb[5]) & 0xff'ffff;
  std::array<u8, 256> data{};
  // Anything but the echo buffer would be firmware, which no virtual device has.
  if ((task.cdb[1] & 0x1f) != kEchoMode || length > data.size()) return refuse(task, sense::kInvalidFieldInCdb);
  if (copy_from_list(task.data_out, std::span(data).first(length)) != length) return finish(task, {.overrun = true});
  {
    std::lock_guard lock(mutex_);
    initiators_[task.initiator].echo = data;
    initiators_[task.initiator].echo_valid = true;
  }
  good(task, length);
}

}  // namespace ia64::storage::scsi
