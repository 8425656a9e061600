// Runs commands against a target and keeps the answer.
#pragma once

#include <initializer_list>
#include <string>

#include "storage/scsi/target.h"
#include "tests/support/test.h"

namespace ia64::testing {

/// Every command completes before run() returns when the store below completes at once.
struct CommandRunner {
  storage::scsi::ScsiTarget* target = nullptr;
  std::vector<u8> in = std::vector<u8>(1 << 20);
  std::vector<u8> out;
  storage::scsi::Result last;
  int completions = 0;
  u8 initiator = 0;

  void run(std::initializer_list<int> cdb, size_t in_bytes = 65536) {
    storage::scsi::Task t;
    size_t i = 0;
    for (int b : cdb) t.cdb[i++] = static_cast<u8>(b);
    t.initiator = initiator;
    std::fill(in.begin(), in.begin() + static_cast<long>(in_bytes), u8{0xcc});
    if (!out.empty()) t.data_out = {{out.data(), out.size()}};
    if (in_bytes) t.data_in = {{in.data(), in_bytes}};
    t.done = [this](const storage::scsi::Result& r) { last = r, completions++; };
    target->submit(std::move(t));
  }
  void run_as(u8 who, std::initializer_list<int> cdb) {
    initiator = who;
    run(cdb);
    initiator = 0;
  }
  bool good() const { return last.status == storage::scsi::Status::Good && !last.overrun; }
  bool conflict() const { return last.status == storage::scsi::Status::ReservationConflict; }
  bool sense(int key, int asc, int ascq = 0) const {
    return last.status == storage::scsi::Status::CheckCondition && static_cast<int>(last.sense.key) == key &&
           last.sense.asc == asc && last.sense.ascq == ascq;
  }
  std::string text(size_t at, size_t n) const {
    return {in.begin() + static_cast<long>(at), in.begin() + static_cast<long>(at + n)};
  }
};

}  // namespace ia64::testing
