// File store and registry: bad images, locks, host errors.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/block_device.h"
#include "storage/store_registry.h"
#include "storage/stores/file_store.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "tests/support/test.h"
#include "tests/support/temporary_file.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

Error error_of(const std::string& spec) {
  auto r = open_store(spec);
  REQUIRE_FALSE(r.ok());
  CHECK(r.error().message.find('\n') == std::string::npos);
  return r.error();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("store registry: unknown kinds, empty paths and endless nesting are named", "[storage]") {
  CHECK(contains(error_of("qcow9:x.img").message, "'qcow9'"));
  CHECK(contains(error_of("x.img").message, "'x.img'"));
  CHECK(error_of("file:").kind == ErrorKind::Invalid);
  std::string deep;
  for (int i = 0; i < 5000; i++) deep += "ro:";
  CHECK(contains(error_of(deep + "file:x").message, "nested"));
}

TEST_CASE("file store: missing, odd, empty and wrong things are refused in one line", "[storage]") {
  CHECK(error_of("file:no-such-image.img").kind == ErrorKind::NotFound);
  CHECK(contains(error_of("file:no-such-image.img").message, "no-such-image.img"));
  TemporaryFile odd(1000), empty(0);
  CHECK(contains(error_of("file:" + odd.path).message, "1000 bytes"));
  CHECK(contains(error_of("file:" + empty.path).message, "empty"));
  CHECK(contains(error_of("file:.").message, "directory"));
  CHECK(contains(error_of("ro:file:.").message, "directory"));
  CHECK(contains(error_of("ro:file:/dev/null").message, "neither"));
}

TEST_CASE("file store: an unreadable image is refused", "[storage]") {
  if (geteuid() == 0) SKIP_TEST("permissions do not bind the superuser");
  TemporaryFile file(512);
  chmod(file.path.c_str(), 0);
  CHECK(error_of("file:" + file.path).kind == ErrorKind::AccessDenied);
  chmod(file.path.c_str(), 0400);
  CHECK(open_store("ro:file:" + file.path).ok());
  CHECK(error_of("file:" + file.path).kind == ErrorKind::AccessDenied);
}

TEST_CASE("file store: one writer or many readers", "[storage]") {
  TemporaryFile file(4096);
  {
    auto writer = open_store("file:" + file.path);
    REQUIRE(writer.ok());
    CHECK(error_of("file:" + file.path).kind == ErrorKind::Locked);
    const auto e = error_of("ro:file:" + file.path);
    CHECK(e.kind == ErrorKind::Locked);
    CHECK(contains(e.message, file.path));
  }
  auto reader = open_store("ro:file:" + file.path);
  auto second = open_store("ro:file:" + file.path);
  CHECK(reader.ok());
  CHECK(second.ok());
  CHECK(error_of("file:" + file.path).kind == ErrorKind::Locked);
}

TEST_CASE("file store: a lock of another process is reported with its id", "[storage]") {
  TemporaryFile file(4096);
  int ready[2], finish[2];
  REQUIRE(pipe(ready) == 0);
  REQUIRE(pipe(finish) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const int fd = open(file.path.c_str(), O_RDWR);
    char c = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 'y' : 'n';
    (void)!write(ready[1], &c, 1);
    close(finish[1]);
    (void)!read(finish[0], &c, 1);
    _exit(0);
  }
  char c = 0;
  REQUIRE(read(ready[0], &c, 1) == 1);
  const auto e = error_of("file:" + file.path);
  CHECK(e.kind == ErrorKind::Locked);
  if (access("/proc/locks", R_OK) == 0) CHECK(contains(e.message, std::to_string(child)));
  for (int fd : {ready[0], ready[1], finish[0], finish[1]}) close(fd);
  waitpid(child, nullptr, 0);
  CHECK(open_store("file:" + file.path).ok());
}

TEST_CASE("file store: a file shortened behind our back gives an I/O error", "[storage]") {
  TemporaryFile file(8192);
  BlockDevice device(std::move(*open_store("file:" + file.path)));
  REQUIRE(truncate(file.path.c_str(), 4096) == 0);
  u8 buffer[1024];
  CHECK(device.transfer(BlockOp::Read, 4096, buffer, 512) == BlockStatus::Io);
  CHECK(device.transfer(BlockOp::Read, 3584, buffer, 1024) == BlockStatus::Io);
  CHECK(device.transfer(BlockOp::Read, 0, buffer, 512) == BlockStatus::Ok);
}

TEST_CASE("file store: reading never changes the file, size stays", "[storage]") {
  TemporaryFile file(4096);
  const auto before = file.content();
  {
    BlockDevice device(std::move(*open_store("file:" + file.path)));
    u8 buffer[512];
    device.transfer(BlockOp::Read, 0, buffer, 512);
    device.transfer(BlockOp::Flush, 0, nullptr, 0);
  }
  CHECK(file.content() == before);
}

TEST_CASE("fault injection: rules, holding and torn writes do what they say", "[storage]") {
  auto owned = std::make_unique<FaultInjectingStore>(std::make_unique<MemoryStore>(u64{8192}));
  auto& fault = *owned;
  BlockDevice device(std::move(owned));
  fault.add({.op = BlockOp::Read, .status = BlockStatus::Io, .skip = 1, .count = 1});
  u8 buffer[1024];
  CHECK(device.transfer(BlockOp::Read, 0, buffer, 512) == BlockStatus::Ok);
  CHECK(device.transfer(BlockOp::Read, 0, buffer, 512) == BlockStatus::Io);
  CHECK(device.transfer(BlockOp::Read, 0, buffer, 512) == BlockStatus::Ok);
  std::fill_n(buffer, 1024, u8{0xee});
  fault.add({.op = BlockOp::Write, .status = BlockStatus::NoSpace, .torn_bytes = 512});
  CHECK(device.transfer(BlockOp::Write, 0, buffer, 1024) == BlockStatus::NoSpace);
  device.transfer(BlockOp::Read, 0, buffer, 1024);
  CHECK(buffer[511] == 0xee);
  CHECK(buffer[512] == 0);
  fault.hold();
  int done = 0;
  for (int i = 0; i < 3; i++) {
    BlockRequest r;
    r.op = BlockOp::Flush;
    r.done = [&](BlockStatus) { done++; };
    device.submit(std::move(r));
  }
  CHECK(done == 0);
  CHECK(fault.held() == 3);
  fault.release();
  CHECK(done == 3);
}
