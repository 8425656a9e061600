// Images, sums and child processes of tests.
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "machine/regression/child_process.h"
#include "machine/regression/images.h"
#include "machine/regression/sha256.h"
#include "machine/regression/work_folder.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::regression;
namespace fs = std::filesystem;

namespace {

std::string sum(const std::string& text, size_t piece = 1000) {
  Sha256 s;
  for (size_t at = 0; at < text.size(); at += piece) {
    const std::string part = text.substr(at, piece);
    s.add({reinterpret_cast<const u8*>(part.data()), part.size()});
  }
  return s.finish();
}

int status_of(ChildProcess& process) {
  pollfd p{process.end_fd(), POLLIN, 0};
  CHECK(poll(&p, 1, 60'000) == 1);
  return process.status().value_or(-1);
}

}  // namespace

TEST_CASE("sha256: the examples of FIPS 180", "[regression]") {
  CHECK(sum("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sum("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  for (size_t piece : {1u, 7u, 56u}) CHECK(sum(two, piece) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sum(std::string(1'000'000, 'a'), 63) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("images: a copy has the same content, the same size and its holes", "[regression]") {
  auto folder = WorkFolder::create(false);
  REQUIRE(folder);
  const std::string from = folder->path() + "/from", to = folder->path() + "/to";
  {
    std::ofstream out(from, std::ios::binary);
    out << std::string(5000, 'x');
    out.seekp(20 << 20);
    out << "end";
  }
  fs::resize_file(from, 64 << 20);
  REQUIRE(copy_image(from, to));
  CHECK(fs::file_size(to) == 64 << 20);
  CHECK(*sha256_of_file(from) == *sha256_of_file(to));
  struct stat about;
  REQUIRE(stat(to.c_str(), &about) == 0);
  CHECK(about.st_blocks * 512 < 4 << 20);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK_FALSE(copy_image(from, to));  // never over a file that is there
  CHECK_FALSE(copy_image(folder->path() + "/none", folder->path() + "/x"));
  CHECK_FALSE(copy_image("/dev/zero", folder->path() + "/y"));
}

TEST_CASE("work folder: private, and gone with all that is in it", "[regression]") {
  std::string path;
  {
    auto folder = WorkFolder::create(false);
    REQUIRE(folder);
    path = folder->path();
    std::ofstream(path + "/file") << "x";
    struct stat about;
    REQUIRE(stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0700);
    REQUIRE(WorkFolder::create(false));  // sweeps, and leaves what is in use
    CHECK(fs::exists(path + "/file"));
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("child process: output, exit status, signals, programs that are not there", "[regression]") {
  auto folder = WorkFolder::create(false);
  REQUIRE(folder);
  const std::string out = folder->path() + "/out";
  auto good = ChildProcess::start({"sh", "-c", "echo one; echo two >&2; exit 7"}, out, out);
  REQUIRE(good);
  CHECK(status_of(*good) == 7);
  std::ifstream in(out);
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "one\ntwo\n");
  auto killed = ChildProcess::start({"sh", "-c", "kill -TERM $$"}, out, out);
  REQUIRE(killed);
  CHECK(status_of(*killed) == 128 + SIGTERM);
  const auto none = ChildProcess::start({"no-such-program-here"}, out, out);
  REQUIRE_FALSE(none);
  CHECK(none.error().message.find("no-such-program-here") != std::string::npos);
}

TEST_CASE("child process: goes with its owner, with what it started", "[regression]") {
  auto folder = WorkFolder::create(false);
  REQUIRE(folder);
  const std::string pid_file = folder->path() + "/pid";
  REQUIRE(mkfifo(pid_file.c_str(), 0600) == 0);
  std::string pid;
  {
    auto process = ChildProcess::start({"sh", "-c", "sh -c 'echo $$ > \"$0\"; sleep 1000' \"$0\"; true", pid_file}, "/dev/null", "/dev/null");
    REQUIRE(process);
    std::ifstream in(pid_file);
    in >> pid;
    CHECK(kill(std::stoi(pid), 0) == 0);
  }
  // Nobody but init can collect it; until then it is a zombie that runs no more.
  std::ifstream status("/proc/" + pid + "/stat");
  std::string text((std::istreambuf_iterator<char>(status)), {});
  for (unsigned n = 0; n < 1000 && !text.empty() && text.find(") Z") == std::string::npos && text.find(") X") == std::string::npos; n++) {
    usleep(10'000);
    std::ifstream again("/proc/" + pid + "/stat");
    text.assign(std::istreambuf_iterator<char>(again), {});
  }
  CHECK((text.empty() || text.find(") Z") != std::string::npos || text.find(") X") != std::string::npos));
}
