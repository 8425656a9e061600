// Runs objdump over a temporary file of bundles and compares its lines with ours as they arrive.
#include "objdump_comparison.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "cpu/disasm/printer.h"
#include "differences.h"

namespace ia64::sweep {
namespace {

constexpr const char* kObjdump = "ia64-linux-gnu-objdump";
constexpr u64 kExamplesPerRow = 3;

/// A file of bundles that disappears with the object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<Bundle>& bundles) {
    const char* folder = std::getenv("TMPDIR");
    path_ = fmt::format("{}/decode_sweep.XXXXXX", folder != nullptr ? folder : "/tmp");
    const int fd = mkstemp(path_.data());
    if (fd < 0) return;
    FILE* f = fdopen(fd, "wb");
    written_ = std::fwrite(bundles.data(), sizeof(Bundle), bundles.size(), f) == bundles.size();
    written_ &= std::fclose(f) == 0;
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  bool written() const { return written_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool written_ = false;
};

/// Our lines for one bundle, made once and used for its two or three lines of objdump output.
class CurrentBundle {
 public:
  void move_to(const std::vector<Bundle>& bundles, size_t index, u64 base) {
    if (index == index_) return;
    index_ = index;
    const u8* bytes = bundles[index].data();
    cpu::bundle_text(bytes, base + index * 16, lines);
    raw = cpu::split_bundle(bytes);
    cpu::decode_bundle(bytes, insns);
  }
  std::string lines[3];
  cpu::RawBundle raw{};
  cpu::Insn insns[3];

 private:
  size_t index_ = ~size_t{0};
};

/// Compares one line of objdump with ours.
void compare_line(const CurrentBundle& b, unsigned slot, u64 address, std::string theirs, Tally& tally) {
  while (!theirs.empty() && theirs.back() == ' ') theirs.pop_back();
  ++tally.slots;
  const std::string& ours = b.lines[slot];
  if (ours == theirs) return;
  const bool is_long = slot == 1 && cpu::bundle_template(b.raw.template_bits).mlx;
  const u64 bits = b.raw.slots[is_long ? 2 : slot];
  if (const Difference* d = explain(b.insns[slot], bits, ours, theirs)) {
    ++tally.deliberate[d->name];
    return;
  }
  ++tally.different;
  if (++tally.rows[b.insns[slot].op] <= kExamplesPerRow)
    tally.examples.push_back(fmt::format("{:#x} slot {} bits {:#013x}\n    ours   |{}|\n    objdump|{}|",
                                         address, slot, bits, ours, theirs));
}

struct ClosePipe {
  void operator()(FILE* f) const { pclose(f); }
};

void fail(Tally& tally, const char* why) {
  ++tally.different;
  tally.examples.emplace_back(why);
}

}  // namespace

void Tally::add(const Tally& other) {
  slots += other.slots;
  different += other.different;
  for (const auto& [name, count] : other.deliberate) deliberate[name] += count;
  examples.insert(examples.end(), other.examples.begin(), other.examples.end());
}

bool objdump_available() {
  return std::system(fmt::format("{} --version >/dev/null 2>&1", kObjdump).c_str()) == 0;
}

Tally compare_with_objdump(const std::vector<Bundle>& bundles, u64 base) {
  Tally tally;
  TemporaryFile file(bundles);
  if (!file.written()) return fail(tally, "cannot write the temporary file"), tally;
  const std::string command = fmt::format(
      "{} -D -z -b binary -m ia64 --no-show-raw-insn --adjust-vma={:#x} {}", kObjdump, base, file.path());
  std::unique_ptr<FILE, ClosePipe> pipe(popen(command.c_str(), "r"));
  if (!pipe) return fail(tally, "cannot run objdump"), tally;
  CurrentBundle current;
  size_t bundles_seen = 0;
  char line[256];
  while (std::fgets(line, sizeof line, pipe.get()) != nullptr) {
    char* colon = std::strstr(line, ":\t");
    if (colon == nullptr) continue;
    const u64 address = std::strtoull(line, nullptr, 16), offset = address - base;
    line[std::strcspn(line, "\n")] = '\0';
    if (offset / 16 >= bundles.size())
      return fail(tally, "objdump printed an address outside the file"), tally;
    bundles_seen += offset % 16 == 0;
    current.move_to(bundles, offset / 16, base);
    compare_line(current, static_cast<unsigned>(offset % 16 / 6), address, colon + 2, tally);
  }
  if (bundles_seen != bundles.size()) fail(tally, "objdump did not print every bundle");
  return tally;
}

}  // namespace ia64::sweep
