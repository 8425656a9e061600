// Parts of snapshots: checksum, sections, manifest, memory files, directories.
#include "machine/snapshot/machine_snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "machine/host_clock.h"
#include "machine/snapshot/checksum.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;

namespace fs = std::filesystem;

namespace {

std::span<const u8> bytes_of(std::string_view text) { return {reinterpret_cast<const u8*>(text.data()), text.size()}; }

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/ivm-snapshot-test-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
};

struct File {
  int fd;
  explicit File(const Folder& folder) : fd(open((folder.path + "/memory").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600)) {}
  ~File() { close(fd); }
  u64 blocks() const {
    struct stat st;
    fstat(fd, &st);
    return static_cast<u64>(st.st_blocks) * 512;
  }
};

struct Value {
  u64 v = 0;
  void visit_state(StateArchive& a) { a(v); }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

SnapshotManifest sample_manifest() {
  SnapshotManifest m;
  m.name = "booted", m.created = "2026-11-22T07:31:00Z", m.board = "hpvm-1", m.guest = "web\"1";
  m.memory_bytes = u64{1} << 30, m.processors = 1, m.processor_model = "montecito", m.virtual_ns = 123;
  m.kernel = {"/k", "/i", "console=ttyS0"};
  m.adapters = {{0, 2, "avio_stor", ""}};
  m.media = {{"disk:avio_stor:0,2,0:overlay:file:/x", "overlay", "", 1 << 20, "0123456789abcdef", "overlay-0,2,0"}};
  m.memory = {u64{1} << 30, 4096, "fedcba9876543210"};
  m.state_bytes = 100, m.state_checksum = "00";
  return m;
}

std::unique_ptr<PartialSnapshot> begun(const SnapshotDirectory& directory, const std::string& name, bool replace = false) {
  auto partial = directory.begin(name, replace);
  REQUIRE(partial);
  SnapshotManifest m = sample_manifest();
  m.name = name;
  const std::string text = to_text(m);
  REQUIRE((*partial)->write(snapshot_file::kManifest, bytes_of(text)));
  return std::move(*partial);
}

}  // namespace

TEST_CASE("snapshot: the checksum is XXH64", "[machine][snapshot]") {
  // From the specification's reference implementation.
  CHECK(checksum_text(bytes_of("")) == "ef46db3751d8e999");
  CHECK(checksum_text(bytes_of("a")) == "d24ec4f1a98c6e5b");
  CHECK(checksum_text(bytes_of("abc")) == "44bc2cf5ad770999");
  std::string text;
  for (unsigned n = 0; n < 1000; n++) text += static_cast<char>('a' + n * 7 % 26);
  for (const size_t piece : {1u, 3u, 31u, 32u, 33u, 100u}) {
    Checksum sum;
    for (size_t at = 0; at < text.size(); at += piece) sum.add(bytes_of(text).subspan(at, std::min(piece, text.size() - at)));
    CHECK(sum.text() == checksum_text(bytes_of(text)));
  }
}

TEST_CASE("snapshot: sections are found by name, and what is missing, unknown or of another length is named", "[machine][snapshot]") {
  Value one{1}, two{2};
  StateSections out;
  out.part("one", one);
  out.part("two", two);
  const auto file = out.serialize();
  {
    auto in = StateSections::parse(file);
    REQUIRE(in);
    Value a, b;
    in->part("two", b);
    in->part("one", a);
    CHECK((a.v == 1 && b.v == 2));
    CHECK(in->finish().ok());
  }
  auto load = [&](const std::vector<std::string>& names, auto&& visit) {
    auto in = StateSections::parse(file);
    REQUIRE(in);
    for (const auto& name : names) in->section(name, visit);
    const auto done = in->finish();
    return done ? std::string() : done.error().message;
  };
  const auto whole = [](StateArchive& a) {
    Value v;
    a(v);
  };
  CHECK(load({"one", "three"}, whole) == "the state is damaged: section 'three' is missing");
  CHECK(load({"one"}, whole) == "the state has a section 'two' that this version of ivm does not know");
  CHECK(load({"one", "two"}, [](StateArchive&) {}) == "the state is damaged: section 'one' is 8 bytes too long");
  CHECK(load({"one", "two"}, [](StateArchive& a) {
          std::array<u8, 9> more{};
          a(more);
        }) == "the state is damaged: section 'one': it is cut short");
  CHECK(load({"one"}, [](StateArchive& a) { a.require(false, "a name, 'x\n\xff',"); }) == "the state is damaged: section 'one': a name, 'x?\?', is out of range");
}

TEST_CASE("snapshot: a damaged state file is refused in one line", "[machine][snapshot]") {
  Value one{0x1122334455667788};
  StateSections out;
  for (const char* name : {"one", "two", "three"}) out.part(name, one);
  const auto good = out.serialize();
  for (size_t size = 0; size < good.size(); size++) CHECK_FALSE(StateSections::parse({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}));
  std::mt19937 random(1);
  for (unsigned n = 0; n < 20000; n++) {
    auto bytes = good;
    for (unsigned k = 1 + random() % 6; k; k--) bytes[random() % bytes.size()] = static_cast<u8>(random());
    auto in = StateSections::parse(bytes);
    if (in) continue;
    CHECK(in.error().message.find('\n') == std::string::npos);
  }
  auto other = good;
  other[8] = 99;
  CHECK(has(StateSections::parse(other).error().message, "format 99; this version of ivm reads format 2"));
}

TEST_CASE("snapshot: a manifest is read as it was written, and every missing member is named", "[machine][snapshot]") {
  const std::string text = to_text(sample_manifest());
  auto back = parse_manifest(text);
  REQUIRE(back);
  CHECK(to_text(*back) == text);
  CHECK(back->guest == "web\"1");
  for (const char* member : {"board", "memory_bytes", "kernel", "media", "statement", "checksum", "adapters", "virtual_ns"}) {
    std::string damaged = text;
    const auto at = damaged.find('"' + std::string(member) + '"');
    REQUIRE(at != std::string::npos);
    damaged[at + 1] = '#';
    const auto read = parse_manifest(damaged);
    REQUIRE_FALSE(read);
    CHECK(has(read.error().message, std::string("'") + member + "'"));
  }
  std::mt19937 random(1);
  for (unsigned n = 0; n < 3000; n++) {
    std::string damaged = text;
    for (unsigned k = 1 + random() % 4; k; k--) damaged[random() % damaged.size()] = "{}[]\",:0a-\xff"[random() % 11];
    (void)parse_manifest(damaged);
  }
  CHECK(has(parse_manifest("{\"ivm_snapshot\": 99}").error().message, "format 99"));
  CHECK_FALSE(parse_manifest("[]"));
}

TEST_CASE("snapshot: memory comes back from a file that has holes where there are zeroes", "[machine][snapshot]") {
  constexpr u64 kMiB = 1 << 20;
  Folder folder;
  File file(folder);
  std::vector<GuestMemory> ram, back;
  for (auto* list : {&ram, &back})
    for (const u64 size : {8 * kMiB, 4 * kMiB}) list->push_back(std::move(*GuestMemory::map(size)));
  ram[0].data()[0] = 1;
  ram[0].data()[5 * kMiB + 4095] = 2;
  std::memset(ram[1].data() + 4096, 3, 3 * 4096);
  std::memset(ram[1].data() + kMiB, 0, kMiB);  // touched, but zero
  const auto written = write_memory_file(file.fd, ram);
  REQUIRE(written);
  CHECK(written->size_bytes == 12 * kMiB);
  CHECK(written->stored_bytes == 5 * 4096);
  CHECK(file.blocks() < 64 * 1024);
  CHECK(examine_memory_file(file.fd)->checksum == written->checksum);

  std::memset(back[0].data() + kMiB, 9, kMiB);
  REQUIRE(show_memory_file(file.fd, back));
  CHECK(std::memcmp(back[0].data(), ram[0].data(), ram[0].size_bytes()) == 0);
  CHECK(std::memcmp(back[1].data(), ram[1].data(), ram[1].size_bytes()) == 0);

  // What the guest writes stays its own; saved again it is there beside what came from the file.
  back[0].data()[4096] = 7;
  Folder second;
  File again(second);
  const auto rewritten = write_memory_file(again.fd, back);
  REQUIRE(rewritten);
  CHECK(rewritten->stored_bytes == 6 * 4096);
  CHECK(examine_memory_file(file.fd)->checksum == written->checksum);
  CHECK(examine_memory_file(again.fd)->checksum != written->checksum);
  back[0].clear();
  CHECK(back[0].data()[0] == 0);
  CHECK(back[0].data()[5 * kMiB + 4095] == 0);
}

TEST_CASE("snapshot: writing memory tells how far it is, and ends when nobody wants it any more", "[machine][snapshot]") {
  Folder folder;
  std::vector<GuestMemory> ram;
  for (const u64 size : {8u << 20, 4u << 20}) ram.push_back(std::move(*GuestMemory::map(size)));
  for (const u64 at : {0u, 5u << 20, 7u << 20}) ram[0].data()[at] = 1;
  ram[1].data()[1 << 20] = 1;
  std::vector<u64> heard;
  {
    File file(folder);
    REQUIRE(write_memory_file(file.fd, ram, [&](u64 done) { return heard.push_back(done), true; }));
  }
  REQUIRE_FALSE(heard.empty());
  CHECK(std::is_sorted(heard.begin(), heard.end()));
  CHECK(heard.back() == (9u << 20) + 4096);
  File file(folder);
  unsigned calls = 0;
  const auto stopped = write_memory_file(file.fd, ram, [&](u64) { return calls++, false; });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().message == "cancelled");
  CHECK(calls == 1);
}

TEST_CASE("snapshot: a memory file of another size is refused", "[machine][snapshot]") {
  Folder folder;
  File file(folder);
  std::vector<GuestMemory> ram;
  ram.push_back(std::move(*GuestMemory::map(1 << 20)));
  REQUIRE(write_memory_file(file.fd, ram));
  REQUIRE(ftruncate(file.fd, 4096) == 0);
  const auto shown = show_memory_file(file.fd, ram);
  REQUIRE_FALSE(shown);
  CHECK(shown.error().message == "the memory file has 4096 bytes in place of 1048576");
}

TEST_CASE("snapshot: a snapshot is whole or not there", "[machine][snapshot]") {
  Folder folder;
  const SnapshotDirectory directory(folder.path + "/made");
  CHECK(directory.names()->empty());
  {
    auto partial = begun(directory, "one");
    CHECK(directory.names()->empty());
  }
  CHECK(fs::is_empty(folder.path + "/made"));
  REQUIRE(begun(directory, "one")->commit());
  REQUIRE(begun(directory, "two")->commit());
  CHECK(*directory.names() == std::vector<std::string>{"one", "two"});
  CHECK(directory.manifest("two")->name == "two");
  CHECK(has(directory.begin("one", false).error().message, "snapshot 'one' exists"));
  auto third = begun(directory, "one", true);
  std::ofstream(third->path("mark")) << "new";
  REQUIRE(third->commit());
  third.reset();
  CHECK(fs::exists(directory.path_of("one", "mark")));
  REQUIRE(directory.remove("one"));
  CHECK(*directory.names() == std::vector<std::string>{"two"});
  CHECK(has(directory.manifest("one").error().message, "there is no snapshot 'one' in " + directory.path() + "; there is two"));
  CHECK(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("snapshot: names that would lead elsewhere are refused", "[machine][snapshot]") {
  for (const char* name : {"", ".", "..", ".x", "a/b", "-x", "a b", "\xff", "a\n"}) CHECK_FALSE(valid_snapshot_name(name));
  CHECK_FALSE(valid_snapshot_name(std::string(65, 'a')));
  for (const char* name : {"a", "A-1_2.b", "7"}) CHECK(valid_snapshot_name(name));
  Folder folder;
  CHECK_FALSE(SnapshotDirectory(folder.path).remove(".."));
  CHECK(fs::exists(folder.path));
}

TEST_CASE("host clock: time stands while paused and goes on from where it was set", "[machine][snapshot]") {
  HostClock clock;
  clock.pause();
  clock.settle();
  clock.set_now(5'000'000'000);
  CHECK(clock.now_ns() == 5'000'000'000);
  std::atomic<bool> fired{false};
  clock.schedule(4'000'000'000, [&] { fired = true, fired.notify_all(); });
  CHECK_FALSE(fired);
  clock.resume();
  fired.wait(false);
  CHECK(clock.now_ns() >= 5'000'000'000);
}
