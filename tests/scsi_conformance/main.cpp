// Serves a disk target on a loopback port for SCSI conformance testers: iscsi_disk STORE, or MEGABYTES of memory.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "storage/block_device.h"
#include "storage/scsi/disk_target.h"
#include "storage/store_registry.h"
#include "storage/stores/memory_store.h"
#include "tests/support/iscsi_front.h"

using namespace ia64;
using namespace ia64::storage;

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "64";
  std::unique_ptr<BlockStore> store;
  if (what.find(':') == std::string::npos) {
    store = std::make_unique<MemoryStore>(std::strtoull(what.c_str(), nullptr, 10) << 20);
  } else {
    auto opened = open_store(what);
    if (!opened) return std::fprintf(stderr, "%s\n", opened.error().message.c_str()), 1;
    store = std::move(*opened);
  }
  scsi::DiskTarget disk(std::make_unique<BlockDevice>(std::move(store)), {.serial = "SN0001"});
  testing::IscsiFront front(disk);
  std::printf("%s\n", front.url().c_str());
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}
