// Runs in a Linux guest: the SG_IO end of attached devices on a real SCSI generic driver, with a tape behind it.
//   sg_end /dev/sgN /dev/nstN     two nodes of one tape; prints one line per step; exit status 0 when all went as it must
#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "base/endian.h"
#include "storage/attached/pass_through.h"

using namespace ia64;
using namespace ia64::storage;

// The other end is not in this program.
Result<std::unique_ptr<PassThrough>> storage::open_iscsi(const std::string&) {
  return Error{ErrorKind::Unsupported, "no iSCSI"};
}

namespace {

int failures = 0;
void expect(bool ok, const char* what) {
  std::printf("%s: %s\n", what, ok ? "as it must" : "WRONG");
  failures += !ok;
}

struct Tape {
  PassThrough& device;
  std::vector<u8> data;
  PassedOutcome last;

  PassedOutcome& run(std::initializer_list<int> bytes, PassedCommand::Direction direction = PassedCommand::Direction::None) {
    std::vector<u8> cdb;
    for (const int b : bytes) cdb.push_back(static_cast<u8>(b));
    last = device.execute({.cdb = cdb, .data = direction == PassedCommand::Direction::None ? std::span<u8>{} : std::span(data),
                           .direction = direction});
    return last;
  }
  bool good() const { return !last.lost && last.status == 0; }
  bool sense(u8 bits, u8 key) const { return last.status == 2 && last.sense.size() >= 14 && last.sense[2] == (bits | key); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  expect(open_pass_through("/dev/null").error().kind == ErrorKind::Invalid, "what takes no commands is refused");
  expect(open_pass_through("/dev/sg99").error().kind == ErrorKind::NotFound, "what is absent is refused");
  auto opened = open_pass_through(argv[1]);
  if (!opened) return std::printf("%s\n", opened.error().message.c_str()), 1;
  expect(open_pass_through(argv[1]).error().kind == ErrorKind::Locked, "a second opener is refused");
  expect(open_pass_through(argv[2]).error().kind == ErrorKind::Locked, "its other node is refused");
  constexpr auto In = PassedCommand::Direction::In, Out = PassedCommand::Direction::Out;
  Tape tape{**opened, std::vector<u8>(96), {}};

  expect(tape.run({0x12, 0, 0, 0, 96, 0}, In).status == 0 && (tape.data[0] & 0x1f) == 1, "INQUIRY says tape");
  expect(tape.last.transferred >= 36 && tape.last.transferred <= 96, "its residue is subtracted");
  for (int n = 0; n < 3 && tape.run({0, 0, 0, 0, 0, 0}).status != 0; n++) {
  }
  expect(tape.good(), "ready after its unit attentions");
  tape.run({0x01, 0, 0, 0, 0, 0});
  expect(tape.good(), "REWIND");
  tape.data.assign(1 << 20, 0xa5);
  tape.data[0] = 1, tape.data.back() = 2;
  tape.run({0x0a, 0, 0x10, 0, 0, 0}, Out);
  expect(tape.good(), "WRITE of 1 MiB");
  tape.data.assign(1000, 0x5a);
  expect(tape.run({0x0a, 0, 0, 0x03, 0xe8, 0}, Out).status == 0, "WRITE of 1000 bytes");
  expect(tape.run({0x10, 0, 0, 0, 1, 0}).status == 0, "WRITE FILEMARKS");
  expect(tape.run({0x01, 0, 0, 0, 0, 0}).status == 0, "REWIND again");
  tape.data.assign(1 << 20, 0);
  tape.run({0x08, 0, 0x10, 0, 0, 0}, In);
  expect(tape.good() && tape.data[0] == 1 && tape.data.back() == 2 && tape.data[1000] == 0xa5, "READ of 1 MiB");
  tape.data.assign(4096, 0);
  tape.run({0x08, 0, 0, 0x10, 0, 0}, In);
  expect(tape.sense(0x20, 0) && load_be<u32>(&tape.last.sense[3]) == 3096, "a short block says so");
  expect(tape.data[999] == 0x5a, "and is there");
  tape.run({0x08, 0, 0, 0x10, 0, 0}, In);
  expect(tape.sense(0x80, 0), "the filemark");
  tape.run({0x19, 0, 0, 0, 0, 0});
  expect(tape.sense(0, 5), "an unknown command's sense");
  tape.device.reset();
  return failures != 0;
}
