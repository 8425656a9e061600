// Hostile commands for the disk and the DVD: any CDB, any lists, resets and disc changes in between.
#include <cstdlib>
#include <memory>

#include "storage/scsi/disk_target.h"
#include "storage/scsi/dvd_target.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "tests/fuzz/fuzz.h"

namespace ia64::fuzz {

namespace {

using namespace storage;
using namespace storage::scsi;

std::unique_ptr<BlockDevice> medium(u64 bytes, unsigned block) {
  auto store = std::make_unique<FaultInjectingStore>(std::make_unique<MemoryStore>(bytes));
  store->add_periodic(BlockOp::Read, BlockStatus::Io, 97, false);
  store->add_periodic(BlockOp::Write, BlockStatus::NoSpace, 89, true);
  return std::make_unique<BlockDevice>(std::move(store), block);
}

class Initiator {
 public:
  Initiator(ScsiTarget& target, Random& random) : target_(target), random_(random), out_(random.below(9000)), in_(random.below(9000)) {}

  void command() {
    Task task;
    static constexpr u8 kOpcodes[] = {0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x16, 0x17, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2a, 0x2f, 0x35,
                                      0x3b, 0x3c, 0x41, 0x42, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x55, 0x5a, 0x5e, 0x5f, 0x88, 0x89, 0x8a,
                                      0x8f, 0x93, 0x9e, 0xa0, 0xa8, 0xad, 0xb9, 0xbe};
    for (auto& b : task.cdb) b = static_cast<u8>(random_.one_in(3) ? random_.awkward() : random_.below(4));
    task.cdb[0] = random_.one_in(6) ? static_cast<u8>(random_.next()) : random_.pick(kOpcodes);
    if (random_.one_in(2)) task.cdb[5] = 0, task.cdb[9] = 0, task.cdb[15] = 0;
    task.lun = random_.one_in(20) ? random_.awkward() : 0;
    task.initiator = static_cast<u8>(random_.one_in(8) ? random_.next() : random_.below(3));
    task.autosense = !random_.one_in(10);
    for (auto& b : out_) b = static_cast<u8>(random_.one_in(3) ? random_.next() : 0);
    if (!random_.one_in(3)) task.data_out = pieces(out_);
    if (!random_.one_in(3)) task.data_in = pieces(in_);
    int done = 0;
    const u64 offered = list_bytes(task.data_in) + list_bytes(task.data_out);
    task.done = [&](const Result& r) {
      done++;
      const auto sense = r.sense_bytes();
      check(sense.size() >= 8 && sense.size() <= 252, "odd sense length");
      check(r.transferred <= offered || r.transferred <= 65536, "more moved than there was");
    };
    target_.submit(std::move(task));
    check(done == 1, "a command did not complete exactly once");
  }

 private:
  std::vector<iovec> pieces(std::vector<u8>& from) {
    std::vector<iovec> list;
    for (size_t at = 0; at < from.size();) {
      const size_t n = std::min<size_t>(from.size() - at, 1 + random_.below(3000));
      list.push_back({from.data() + at, n});
      at += n;
    }
    return list;
  }
  ScsiTarget& target_;
  Random& random_;
  std::vector<u8> out_, in_;
};

}  // namespace

void fuzz_one(u64 seed) {
  Random random(seed);
  DiskTarget disk(medium(1 << 20, 512), {.serial = "FUZZ", .max_transfer_bytes = random.one_in(2) ? 1u << 20 : 0});
  DvdTarget dvd(random.one_in(3) ? nullptr : medium(1 << 20, 2048), {.device_type = kTypeDvd, .block_bytes = 2048});
  Initiator to_disk(disk, random), to_dvd(dvd, random);
  for (u64 n = 200; n; n--) {
    if (random.one_in(30)) disk.reset(static_cast<ResetKind>(random.below(4)));
    if (random.one_in(30)) dvd.reset(static_cast<ResetKind>(random.below(4)));
    if (random.one_in(20)) dvd.remove();
    if (random.one_in(20)) dvd.insert(medium(2048 * (1 + random.below(600)), 2048));
    to_disk.command();
    to_dvd.command();
  }
}

}  // namespace ia64::fuzz
