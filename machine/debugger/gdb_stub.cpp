// The conversation with a debugger.
#include "machine/debugger/gdb_stub.h"

#include <fmt/format.h>

#include <algorithm>

#include "machine/debugger/core_packets.h"
#include "machine/debugger/gdb_packet.h"
#include "machine/debugger/ia64_target.h"

namespace ia64::machine::debugger {
namespace {

constexpr const char *kOk = "OK", *kMalformed = "E01", *kTooMany = "E1c";
constexpr size_t kMaxPoints = 4096;
constexpr u64 kMaxWatchBytes = 64 << 10;
constexpr size_t kOutputChunkBytes = 2048;
constexpr u64 kLastSlot = 2;

}  // namespace

struct GdbStub::Row {
  std::string_view name;
  void (GdbStub::*handle)(std::string_view args);
};

/// The first whose name a payload begins with. Whatever is not here is answered with nothing, which means "not supported".
constexpr GdbStub::Row GdbStub::kRows[] = {
    {"?", &GdbStub::why_stopped},
    {"vCont?", &GdbStub::resume_kinds},
    {"vCont;", &GdbStub::resume_actions},
    {"vKill", &GdbStub::kill},
    {"c", &GdbStub::continue_},
    {"C", &GdbStub::continue_signal},
    {"s", &GdbStub::step},
    {"S", &GdbStub::step_signal},
    {"bs", &GdbStub::back_one},
    {"bc", &GdbStub::back_to_point},
    {"Z", &GdbStub::insert_point},
    {"z", &GdbStub::remove_point},
    {"D", &GdbStub::detach},
    {"k", &GdbStub::kill_silently},
    {"H", &GdbStub::choose_thread},
    {"T", &GdbStub::thread_alive},
    {"QStartNoAckMode", &GdbStub::no_acks},
    {"qSupported", &GdbStub::supported},
    {"qXfer:features:read:target.xml:", &GdbStub::features},
    {"qXfer:threads:read::", &GdbStub::threads},
    {"qfThreadInfo", &GdbStub::first_threads},
    {"qsThreadInfo", &GdbStub::more_threads},
    {"qThreadExtraInfo,", &GdbStub::thread_name},
    {"qC", &GdbStub::current_thread},
    {"qAttached", &GdbStub::is_attached},
    {"qSymbol:", &GdbStub::symbols},
    {"qRcmd,", &GdbStub::command},
};

// --- connections and messages ------------------------------------------------------------------------------------------------

void GdbStub::connected(Client client) {
  client_ = std::move(client);
  connected_ = acks_ = true;
  running_ = names_breaks_ = false;
  last_.clear();
  stop_ = "T05thread:1;";
  connections_++;
}

void GdbStub::gone() {
  if (!connected_) return;
  connected_ = false;
  connections_++;
  release();
}

void GdbStub::message(const std::string& message) {
  switch (message[0]) {
    case '$':
      if (acks_) client_.send("+");
      return packet(std::string_view(message).substr(1));
    case PacketBuffer::kInterrupt: return interrupt();
    case '!':
      if (acks_) client_.send("-");
      return silent();
    default:  // a request to repeat
      if (acks_) client_.send(last_);
      return silent();
  }
}

void GdbStub::packet(std::string_view payload) {
  if (is_core_packet(payload)) {
    if (std::string_view("GPMX").find(payload[0]) != std::string_view::npos) target_.intervene();
    return target_.ask([p = std::string(payload)](cpu::Core& core) { return answer_core_packet(core, p); }, later());
  }
  for (const Row& row : kRows)
    if (payload.starts_with(row.name)) return (this->*row.handle)(payload.substr(row.name.size()));
  reply("");
}

void GdbStub::send(std::string_view payload) {
  last_ = frame(payload);
  client_.send(last_);
}

void GdbStub::reply(std::string_view payload) {
  send(payload);
  client_.ready();
}

/// A reply that comes when the machine has done something; nobody's when the debugger has gone meanwhile.
std::function<void(std::string)> GdbStub::later() {
  return [this, connection = connections_](const std::string& payload) {
    if (connection == connections_) reply(payload);
  };
}

// --- running and stopping ----------------------------------------------------------------------------------------------------

void GdbStub::why_stopped(std::string_view) {
  running_ = false;
  target_.pause();
  take_hold();
  target_.ask([](cpu::Core&) { return std::string(); }, [this, tell = later()](const std::string&) { tell(stop_); });
}

/// Interrupts that come while the machine stands are too late: its stop has been reported.
void GdbStub::interrupt() {
  if (running_) {
    target_.pause();
    target_.ask([](cpu::Core&) { return std::string(); }, [this, connection = connections_](const std::string&) {
      if (connection == connections_) report("T02thread:1;");
    });
  }
  silent();
}

void GdbStub::report(std::string_view stop) {
  if (!running_) return;
  running_ = false;
  stop_ = stop;
  send(stop_);
}

void GdbStub::take_hold() {
  if (!std::exchange(holds_, true)) target_.hold(true);
}

void GdbStub::go_back(bool to_point) {
  if (!target_.reversible()) return reply("");
  take_hold();
  running_ = true;
  apply_points();
  target_.go_back(to_point);
  silent();
}

void GdbStub::resume(bool step) {
  take_hold();
  running_ = true;
  apply_points();
  step ? target_.step() : target_.resume();
  silent();
}

void GdbStub::resume_at(std::string_view args, bool with_signal, bool step) {
  Cursor at(args);
  if (with_signal) at.up_to(';');  // signals mean nothing to a machine
  if (!at.done()) {
    const auto pc = at.number();
    if (!pc || !at.done()) return reply(kMalformed);
    target_.intervene();
    target_.ask([pc = *pc](cpu::Core& core) { return set_program_counter(core, pc), std::string(); }, [](const std::string&) {});
  }
  resume(step);
}

/// `vCont;s:1;c`: the first action for thread 1, or for all.
void GdbStub::resume_actions(std::string_view args) {
  for (Cursor actions(args); !actions.done();) {
    Cursor action(actions.up_to(';'));
    const std::string_view what = action.up_to(':'), thread = action.rest();
    const bool mine = thread.empty() || thread == "1" || thread == "-1" || thread == "0";
    if (what.empty() || std::string_view("cCsS").find(what[0]) == std::string_view::npos) return reply(kMalformed);
    if (mine) return resume(what[0] == 's' || what[0] == 'S');
  }
  reply(kMalformed);
}

void GdbStub::stopped(const DebugStop& stop) {
  using Why = DebugStop::Why;
  if (!holds_) return target_.resume();  // at a point of a debugger that has just gone
  if (stop.why == Why::StopAddress && names_breaks_ && software_.contains(stop.address)) return report("T05thread:1;swbreak:;");
  if (stop.why == Why::StopAddress && names_breaks_ && hardware_.contains(stop.address)) return report("T05thread:1;hwbreak:;");
  if (stop.why == Why::HistoryBegin) return report("T05thread:1;replaylog:begin;");
  if (stop.why != Why::Watch) return report("T05thread:1;");
  for (const Watch& w : watches_) {
    const bool counts = (stop.read && w.kind != '2') || (stop.write && w.kind != '3');
    if (!counts || stop.address >= w.address + w.size_bytes || w.address >= stop.address + 16) continue;
    const char* const name = w.kind == '2' ? "watch" : w.kind == '3' ? "rwatch" : "awatch";
    return report(fmt::format("T05thread:1;{}:{:x};", name, std::max(stop.address, w.address)));
  }
  report("T05thread:1;");
}

void GdbStub::ended() {
  if (connected_) report("W00");
}

/// The guest runs as if nobody had looked.
void GdbStub::release() {
  software_.clear(), hardware_.clear(), watches_.clear();
  running_ = false;
  if (!std::exchange(holds_, false)) return;
  apply_points();
  target_.hold(false);
  target_.resume();
}

void GdbStub::detach(std::string_view) {
  release();
  reply(kOk);
}

void GdbStub::kill(std::string_view) {
  reply(kOk);
  target_.power_off();
}

void GdbStub::kill_silently(std::string_view) {
  silent();
  target_.power_off();
}

// --- breakpoints and watchpoints ---------------------------------------------------------------------------------------------

void GdbStub::apply_points() {
  std::vector<u64> stops(software_.begin(), software_.end());
  stops.insert(stops.end(), hardware_.begin(), hardware_.end());
  std::vector<cpu::WatchRange> ranges;
  for (const Watch& w : watches_) ranges.push_back({w.address, w.size_bytes, w.kind != '2', w.kind != '3'});
  target_.set_points(std::move(stops), std::move(ranges));
}

/// `KIND,ADDRESS,SIZE`. @returns false when it makes no sense
bool GdbStub::change_point(std::string_view args, bool insert) {
  const char kind = args.empty() ? 0 : args[0];
  Cursor at(args.substr(std::min<size_t>(1, args.size())));
  const auto address = at.skip(",") ? at.number() : std::nullopt;
  const auto size = address && at.skip(",") ? at.number() : std::nullopt;
  if (!size) return false;
  if (kind == '0' || kind == '1') {
    auto& set = kind == '0' ? software_ : hardware_;
    if ((*address & 15) > kLastSlot) return false;
    insert ? (void)set.insert(*address) : (void)set.erase(*address);
    return true;
  }
  if (*size == 0 || *size > kMaxWatchBytes || *address + (*size - 1) < *address) return false;
  const Watch watch{kind, *address, *size};
  insert ? (void)watches_.insert(watch) : (void)watches_.erase(watch);
  return true;
}

void GdbStub::insert_point(std::string_view args) {
  if (args.empty() || args[0] < '0' || args[0] > '4') return reply("");
  if (software_.size() + hardware_.size() + watches_.size() >= kMaxPoints) return reply(kTooMany);
  const bool good = change_point(args, true);
  if (running_) apply_points();
  reply(good ? kOk : kMalformed);
}

void GdbStub::remove_point(std::string_view args) {
  if (args.empty() || args[0] < '0' || args[0] > '4') return reply("");
  const bool good = change_point(args, false);
  if (running_) apply_points();
  reply(good ? kOk : kMalformed);
}

// --- queries -----------------------------------------------------------------------------------------------------------------

void GdbStub::supported(std::string_view args) {
  names_breaks_ = args.find("swbreak+") != std::string_view::npos && args.find("hwbreak+") != std::string_view::npos;
  reply(fmt::format("PacketSize={:x};QStartNoAckMode+;qXfer:features:read+;qXfer:threads:read+;vContSupported+;swbreak+;hwbreak+{}",
                    kMaxPayloadBytes, target_.reversible() ? ";ReverseStep+;ReverseContinue+" : ""));
}

void GdbStub::no_acks(std::string_view) {
  reply(kOk);
  acks_ = false;
}

namespace {

/// The part `OFFSET,LENGTH` of an object, as qXfer wants it.
std::string part_of(const std::string& object, std::string_view args) {
  Cursor at(args);
  const auto offset = at.number();
  const auto length = offset && at.skip(",") ? at.number() : std::nullopt;
  if (!length) return kMalformed;
  const std::string part = object.substr(std::min<u64>(*offset, object.size()), std::min<u64>(*length, kMaxPayloadBytes / 4));
  return (*offset + part.size() < object.size() ? "m" : "l") + escape_binary(part);
}

}  // namespace

void GdbStub::features(std::string_view args) { reply(part_of(target_description(), args)); }

void GdbStub::threads(std::string_view args) {
  reply(part_of("<?xml version=\"1.0\"?>\n<threads><thread id=\"1\" core=\"0\" name=\"CPU 0\"/></threads>\n", args));
}

void GdbStub::thread_name(std::string_view) { reply(to_hex("CPU 0")); }

void GdbStub::choose_thread(std::string_view args) {
  const std::string_view thread = args.substr(std::min<size_t>(1, args.size()));
  reply(thread == "0" || thread == "1" || thread == "-1" ? kOk : kMalformed);
}

void GdbStub::thread_alive(std::string_view args) { reply(args == "1" ? kOk : kMalformed); }

void GdbStub::command(std::string_view args) {
  const auto line = from_hex(args);
  if (!line) return reply(kMalformed);
  target_.monitor(std::string(line->begin(), line->end()), [this, connection = connections_](const std::string& text) {
    if (connection != connections_) return;
    for (size_t at = 0; at < text.size(); at += kOutputChunkBytes) send("O" + to_hex(std::string_view(text).substr(at, kOutputChunkBytes)));
    reply(kOk);
  });
}

}  // namespace ia64::machine::debugger
