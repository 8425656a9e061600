// Who may use a disc besides: images by one kind of adapter, drives by one guest.
#include "storage/scsi/disc_share.h"

#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "storage/scsi/dvd_drive.h"
#include "tests/support/test.h"
#include "tests/support/temporary_file.h"

namespace ia64::storage::scsi {
namespace {

constexpr bool kVio = true, kAvio = false;
constexpr u64 kBytes = 64 * 1024;

/// What another process, such as another guest, is told.
bool elsewhere(const std::function<bool()>& question) {
  const pid_t child = fork();
  if (child == 0) _exit(question() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

ia64::Result<std::unique_ptr<DvdDrive>> drive_of(const std::string& storage, const std::string& path, bool vio) {
  return DvdDrive::open(storage, path, {.parallel_bus = vio});
}

TEST_CASE("disc sharing: an image goes to many guests by one kind of adapter", "[dvd]") {
  const ia64::testing::TemporaryFile image(kBytes);
  {
    const auto first = DiscShare::of_image(image.path, kVio);
    REQUIRE(first);
    CHECK(DiscShare::of_image(image.path, kVio));
    CHECK(elsewhere([&] { return bool(DiscShare::of_image(image.path, kVio)); }));
    CHECK_FALSE(elsewhere([&] { return bool(DiscShare::of_image(image.path, kAvio)); }));
    const auto other = DiscShare::of_image(image.path, kAvio);
    REQUIRE_FALSE(other);
    CHECK(other.error().kind == ErrorKind::Locked);
    CHECK(other.error().message == image.path + ": this disc is in a drive on a VIO adapter; all that share it must be on the same kind");
  }
  CHECK(DiscShare::of_image(image.path, kAvio));
}

TEST_CASE("disc sharing: a drive belongs to one guest, also while it is empty", "[dvd]") {
  const ia64::testing::TemporaryFile drive(kBytes);  // stands for a device node
  const auto taken = [&] { return !HostClaim(drive.path).held(); };  // what another guest does
  CHECK_FALSE(taken());
  {
    const auto dvd = drive_of("disk", drive.path, kAvio);
    REQUIRE(dvd);
    CHECK(taken());
    (*dvd)->eject();
    CHECK(taken());
    CHECK(drive_of("null", drive.path, kAvio));  // the same guest may give its drive another form
  }
  CHECK_FALSE(taken());
  {
    const HostClaim another_guest(drive.path);
    for (const char* storage : {"disk", "null"}) {
      const auto refused = drive_of(storage, drive.path, kAvio);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().message == drive.path + ": another guest has this drive");
    }
  }
  const auto empty = drive_of("null", drive.path, kVio);
  REQUIRE(empty);
  CHECK(taken());
}

TEST_CASE("disc sharing: an ejected image is free for the other kind of adapter", "[dvd]") {
  const ia64::testing::TemporaryFile image(kBytes);
  const auto vio = drive_of("file", image.path, kVio);
  REQUIRE(vio);
  const auto refused = drive_of("file", image.path, kAvio);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Locked);
  (*vio)->eject();
  CHECK(drive_of("file", image.path, kAvio));
}

}  // namespace
}  // namespace ia64::storage::scsi
