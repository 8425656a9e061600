// The GDB protocol's packets as text.
#include "machine/debugger/gdb_packet.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::debugger;

namespace {

std::vector<std::string> messages(PacketBuffer& buffer, std::string_view bytes) {
  buffer.add(bytes);
  std::vector<std::string> out;
  while (auto m = buffer.next(false)) out.push_back(*m);
  return out;
}

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("gdb packets: checksums are those of the manual's examples", "[gdb]") {
  CHECK(frame("") == "$#00");
  CHECK(frame("OK") == "$OK#9a");
  CHECK(frame("?") == "$?#3f");
  PacketBuffer b;
  CHECK(messages(b, "+$?#3f+") == List{"$?"});
  CHECK(messages(b, "$#00") == List{"$"});
  CHECK(messages(b, "$?#40") == List{"!"});
  CHECK(messages(b, "$?#zz") == List{"!"});
}

TEST_CASE("gdb packets: they come in pieces, one after another, with interrupts between", "[gdb]") {
  PacketBuffer b;
  CHECK(messages(b, "$m10").empty());
  CHECK(messages(b, ",4#").empty());
  CHECK(messages(b, "2").empty());
  CHECK(messages(b, "e\x03$?#3f-$?") == List{"$m10,4", "\x03", "$?", "-"});
  CHECK(messages(b, "#3f") == List{"$?"});
  CHECK(messages(b, "$abc$?#3f") == List{"$?"});  // the first was cut off
  CHECK(messages(b, "garbage\n\r\x7f").empty());
  CHECK_FALSE(b.overflowed());
}

TEST_CASE("gdb packets: a packet without end is too long some day, garbage never piles up", "[gdb]") {
  PacketBuffer b;
  CHECK(messages(b, std::string(1 << 20, 'x')).empty());
  CHECK_FALSE(b.overflowed());
  CHECK(messages(b, "$" + std::string(kMaxPayloadBytes, 'x')).empty());
  CHECK_FALSE(b.overflowed());
  CHECK(messages(b, "xxxxx").empty());
  CHECK(b.overflowed());
}

TEST_CASE("gdb packets: interrupt bytes within binary data belong to the data", "[gdb]") {
  PacketBuffer b;
  const std::string payload = "X10,2:" + escape_binary(std::string("\x03#"));
  CHECK(messages(b, frame(payload)) == List{"$" + payload});
  CHECK(unescape_binary(payload.substr(6)) == "\x03#");
}

TEST_CASE("gdb packets: hexadecimal and binary data", "[gdb]") {
  CHECK(to_hex("Az\xff") == "417aff");
  CHECK(from_hex("417AfF") == std::vector<u8>{0x41, 0x7a, 0xff});
  CHECK_FALSE(from_hex("4"));
  CHECK_FALSE(from_hex("4g"));
  CHECK(escape_binary("a$#}*b") == "a}\x04}\x03}]}\x0a" "b");
  CHECK(unescape_binary(escape_binary("a$#}*b")) == "a$#}*b");
  CHECK(unescape_binary("x}") == "x}");
  Cursor c("1f,0:rest");
  CHECK(c.number() == 0x1f);
  CHECK(c.skip(","));
  CHECK_FALSE(c.skip(","));
  CHECK(c.number() == 0);
  CHECK(c.up_to('t') == ":res");
  CHECK(c.done());
  CHECK_FALSE(c.number());
  CHECK_FALSE(Cursor("10000000000000000").number());  // more than 64 bits
}
