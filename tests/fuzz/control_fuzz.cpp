// Hostile clients of the control socket, beside one that behaves, in front of a board whose storage changes under them.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "devices/scsi_host.h"
#include "machine/board.h"
#include "machine/config.h"
#include "machine/control/control_server.h"
#include "machine/control/jobs.h"
#include "machine/debugger/desk.h"
#include "machine/host/console_hub.h"
#include "machine/host/console_watches.h"
#include "machine/host/host_loop.h"
#include "machine/machine.h"
#include "machine/snapshot/machine_snapshot.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/storage_board.h"

namespace ia64::fuzz {
namespace {

using namespace machine;
using namespace machine::control;
namespace fs = std::filesystem;

struct StandingClock final : Clock {
  u64 now_ns() const override { return 0; }
  TimerId schedule(u64, std::function<void()>) override { return 1; }
  void cancel(TimerId) override {}
};

/// PCI and storage, and nothing else.
class BoardOfStorage final : public Board {
 public:
  AddressSpace& bus() override { return parts_.memory; }
  const firmware::BoardDescription& description() const override { return description_; }
  std::span<GuestMemory> ram() override { return {}; }
  devices::pci::PciHost& pci() override { return parts_.pci; }
  StorageBays& storage() override { return parts_.bays; }
  void reset(bool) override { parts_.bays.restart(); }
  void press_power_button() override {}
  void visit_state(StateSections& state) override { parts_.bays.visit_state(state); }
  void inspect(InspectWriter& out) const override { out.value("nothing", 0); }

 private:
  test::StorageBoard parts_;
  firmware::BoardDescription description_;
};

double processor_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

/// A machine that is always at its safe point.
class StandingMachine final : public Machine {
 public:
  bool system = true;

  void start(std::function<void(MachineEnd)>) override {}
  void reset() override { board_.reset(true); }
  void press_power_button() override {}
  void set_observer(std::function<void(MachineEvent)>) override {}
  bool call(std::function<void()> fn) override { return fn(), true; }
  void pause() override { paused_ = true; }
  void resume() override { paused_ = false; }
  bool paused() const override { return paused_; }
  void step() override { core_.step(); }
  std::string irreversible() const override { return "not this machine"; }
  void keep_history(bool) override {}
  void go_back(bool) override {}
  void history_ends() override {}
  void set_points(std::vector<u64> stops, std::vector<cpu::WatchRange> watches) override {
    core_.set_stop_addresses(std::move(stops));
    core_.set_watches(std::move(watches));
  }
  void set_debug_observer(std::function<void(const DebugStop&)>) override {}
  void set_image_observer(std::function<void(const ImageEvent&)>) override {}
  firmware::EfiInspection inspect_efi() override { return {}; }
  cpu::StopReason step_here() override { return core_.step(); }
  bool operating_system_runs() const override { return system; }
  u64 resets() const override { return 0; }
  u64 virtual_ns() const override { return 0; }
  Board& board() override { return board_; }
  cpu::Core& core() override { return core_; }
  void stop() override {}
  void at_boundary(std::function<void()> fn) override { fn(); }
  void repeat_by(std::function<void()>) override {}
  void finish() override {}
  Clock& clock() override { return clock_; }
  std::string state_hash() override { return ""; }
  Result<SnapshotManifest> save_snapshot(const SnapshotOptions&) override { return Error{ErrorKind::Unsupported, "not this machine"}; }
  Result<void> load_snapshot(const std::string&, const std::string&) override { return Error{ErrorKind::Unsupported, "not this machine"}; }
  u64 slots_retired() const override { return 0; }
  u64 translating_ns() const override { return 0; }
  u64 idle_ns() const override { return 0; }
  void inspect(InspectWriter& out) const override { board_.inspect(out); }

 private:
  BoardOfStorage board_;
  StandingClock clock_;
  cpu::Core core_{cpu::CoreWires{.bus = &board_.bus(), .clock = &clock_}};
  bool paused_ = false;
};

class Client {
 public:
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  bool connected() const { return connected_; }
  void put(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void end_input() { shutdown(fd_, SHUT_WR); }
  /// What has come. @returns false when the connection is over
  bool take(std::string& into) {
    char bytes[4096];
    for (;;) {
      const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
      if (n == 0) return false;
      if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
      into.append(bytes, static_cast<size_t>(n));
    }
  }

 private:
  const int fd_;
  bool connected_ = false;
};

class Rig {
 public:
  explicit Rig(u64 seed) : random_(seed), folder_(fs::temp_directory_path() / ("ivm-control-fuzz-" + std::to_string(getpid()))) {
    console_.set_receiver([](std::span<const u8> b) { return b.size(); });  // a job that never ends is never answered
    fs::create_directories(folder_);
    for (const char* name : {"a", "b", "c", "one.iso", "two.iso"}) {
      std::ofstream(folder_ / name).close();
      fs::resize_file(folder_ / name, 64 << 10);
      fs::permissions(folder_ / name, fs::perms::owner_read | fs::perms::owner_write);
    }
    auto server = ControlServer::listen(loop_, runner_, "unix:" + path());
    check(server.ok(), "the server does not listen");
    server_ = std::move(*server);
    good_ = std::make_unique<Client>(path());
    check(good_->connected(), "the good client is not connected");
    for (const char* text : {"disk:scsi:0,2,0:overlay:null:1M", "disk:avio_stor:0,3,0:overlay:null:1M"})
      check(machine_.board().storage().plug(*parse_resource_statement(text)).ok(), "no disk to begin with");
  }
  ~Rig() { fs::remove_all(folder_); }

  void run() {
    for (u64 steps = 20 + random_.below(150); steps; steps--) {
      step();
      if (random_.one_in(8)) ask();
    }
    ask();
  }

 private:
  std::string path() const { return (folder_ / "control").string(); }

  void step() {
    switch (random_.below(9)) {
      case 0: return good_line(random_line());
      case 1: return pick().put(random_line() + "\n");
      case 2: return pick().put(mutated(request(random_line())) + (random_.one_in(6) ? "" : "\n"));
      case 3: return pick().put(request(random_line()) + "\n");
      case 4: return pick().put(std::string(random_.below(3) ? random_.below(200) : 70'000, random_.pick("{[\"x\\\n\0,")));
      case 5: return disturb();
      case 6: return guest_command();
      case 7: machine_.system = random_.below(4); return;
      default: good_line(random_line());
    }
  }

  Client& pick() {
    if (others_.empty() || random_.one_in(6)) others_.push_back(std::make_unique<Client>(path()));
    if (others_.size() > 24) others_.erase(others_.begin());
    return *others_[random_.below(others_.size())];
  }

  void disturb() {
    Client& c = pick();
    switch (random_.below(4)) {
      case 0: return c.end_input();
      case 1: others_.erase(std::find_if(others_.begin(), others_.end(), [&](const auto& o) { return o.get() == &c; })); return;
      case 2: {
        std::string nothing;
        c.take(nothing);
        return;
      }
      default:
        for (int i = 0; i < 50; i++) c.put("{\"line\":\"help\"}\n");  // and never reads
    }
  }

  /// The guest locks and moves trays meanwhile.
  void guest_command() {
    for (const auto& [slot, adapter] : machine_.board().storage().adapters())
      for (const auto& [number, device] : adapter.devices) {
        if (!random_.one_in(3)) continue;
        static constexpr u8 kCommands[][6] = {{0x1e, 0, 0, 0, 1}, {0x1e}, {0x1b, 0, 0, 0, 2}, {0x1b, 0, 0, 0, 3}, {0x00}, {0x12, 0, 0, 0, 36}};
        storage::scsi::Task task;
        std::copy_n(kCommands[random_.below(std::size(kCommands))], 6, task.cdb.begin());
        task.done = [](const storage::scsi::Result&) {};
        adapter.host->target(number)->submit(std::move(task));
      }
  }

  std::string random_address() {
    std::string out = std::to_string(random_.one_in(8)) + "," + std::to_string(2 + random_.below(3));
    if (!random_.one_in(5)) out += "," + std::to_string(random_.below(random_.one_in(4) ? 130 : 4));
    return out;
  }

  std::string random_resource() {
    static const char* const kStores[] = {"file:a", "file:b", "file:c", "ro:file:c", "overlay:null:1M", "file:missing", "null:1M"};
    const bool dvd = random_.one_in(3);
    std::string out = dvd ? "dvd:" : random_.one_in(20) ? "tape:" : "disk:";
    out += random_.one_in(2) ? "scsi:" : "avio_stor:";
    if (!random_.one_in(4)) out += random_address();
    std::string store = dvd ? (random_.one_in(2) ? "file:one.iso" : "null:.") : random_.pick(kStores);
    if (const auto at = store.find("file:"); at != std::string::npos) store.insert(at + 5, folder_.string() + "/");
    if (store == "null:.") store = "null:" + folder_.string();
    return out + ":" + store;
  }

  /// A whole address, mostly of something that is there.
  std::string plausible_address() {
    std::vector<std::string> all;
    for (const auto& s : machine_.board().storage().statements())
      all.push_back(std::to_string(*s.address.bus) + "," + std::to_string(*s.address.slot) + "," + std::to_string(*s.address.target));
    return all.empty() || random_.one_in(6) ? random_address() : all[random_.below(all.size())];
  }

  std::string plausible_line() {
    const char* const force = random_.one_in(3) ? " force" : "";
    const char* const disc = random_.one_in(2) ? "one.iso" : "two.iso";
    const char* const kind = random_.one_in(2) ? "scsi" : "avio_stor";
    switch (random_.below(10)) {
      case 0:
      case 1:
      case 2: return "attach " + random_resource();
      case 3: return "detach " + plausible_address();
      case 4: return "change " + random_resource();
      case 5: return std::string("change hba:") + kind + ":0," + std::to_string(2 + random_.below(3));
      case 6: return "eject " + plausible_address() + force;
      case 7: return std::string("insert ") + disc + " " + plausible_address();
      case 8: return "resize " + plausible_address() + (random_.one_in(2) ? " 128K" : "");
      default: return random_.one_in(4) ? "reset" : "storage";
    }
  }

  std::string random_line() {
    if (!random_.one_in(4)) return plausible_line();
    static const char* const kNames[] = {"attach", "attach", "detach", "change", "eject", "insert", "resize", "storage", "media", "devices",
                                         "counters", "registers", "type", "watch", "unwatch", "jobs", "cancel", "wait", "status", "pause", "continue", "reset", "events", "help", "power-off",
                                         "quit", "EJ", "go", "activity", "state-hash", "snapshot", "screenshot", "view", "nosuch", "",
                                         "disassemble", "memory", "symbol", "backtrace", "translate", "tlb", "vhpt", "break", "watchpoint", "break-image",
                                         "delete", "step", "faults", "branches", "trace", "pci", "scsi", "efi", "images", "cache"};
    std::string line = random_.pick(kNames);
    for (u64 n = random_.below(4); n; n--) {
      static const char* const kWords[] = {"force", "one.iso", "two.iso", "../a", "address=0,2,1", "20G", "64K", "512", "size=1M", "all",
                                           "state,media", "job", "line=^x.*$", "prompt=(a|b)", "hex=0a", "wait", "once", "1", "2", "cpu", "\"open", "'q q'", "\\", "gr", "x=y",
                                           "0x10", "ip", "r12+0x8-1", "cr.iip", "nosuch+1", "0xa000000000000000", "18446744073709551615", "phys", "write", "access", "on", "off",
                                           "itr", "dtc", "tc", "save", "load", "list", "show", "delete", "replace", "variables", "handles", "memory-map", "images", "name=Timeout",
                                           "ms=5", "ms=0", "count=100000", "8K", "*", "main*"};
      switch (random_.below(5)) {
        case 0: line += " " + random_address(); break;
        case 1: line += " " + random_resource(); break;
        case 2: line += " hba:" + std::string(random_.one_in(2) ? "scsi:" : "avio_stor:") + random_address(); break;
        default: line += std::string(" ") + random_.pick(kWords);
      }
    }
    return line;
  }

  static std::string request(const std::string& line) { return to_text({{"id", 1}, {"line", line}}); }

  std::string mutated(std::string text) {
    for (u64 n = 1 + random_.below(4); n && !text.empty(); n--) {
      const size_t at = random_.below(text.size());
      switch (random_.below(3)) {
        case 0: text[at] = static_cast<char>(random_.next()); break;
        case 1: text.erase(at, random_.below(8)); break;
        default: text.insert(at, text.substr(0, random_.below(20)));
      }
    }
    return text;
  }

  void good_line(const std::string& line) {
    last_line_ = line;
    last_id_++;
    good_->put(to_text({{"id", last_id_}, {"line", line}}) + "\n");
    await_reply();
  }

  /// The good client is answered, whatever the others do.
  void ask() {
    good_line("status");
    check(last_reply_.contains("result"), "status has no result");
    check_storage();
  }

  void await_reply() {
    // Of processor time: a sanitizer's build on a busy host takes long over a hundred thousand steps.
    constexpr double kPatienceSeconds = 40;
    constexpr u64 kTurnMs = 1'000;
    bool answered = false;
    for (const double began = processor_seconds(); !answered && processor_seconds() - began < kPatienceSeconds;)
      loop_.settle(kTurnMs, [&] {
        check(good_->take(text_), "the good client was disconnected");
        for (size_t end; !answered && (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1)) {
          last_reply_ = Json::parse(text_.substr(0, end), nullptr, false);
          check(!last_reply_.is_discarded(), "a reply is not JSON");
          answered = last_reply_.contains("id") && last_reply_["id"] == last_id_;
        }
        if (!answered) loop_.post([] {});  // look again after one more turn
        return answered;
      });
    check(answered, ("no reply to " + last_line_).c_str());
    check(last_reply_.contains("result") != last_reply_.contains("error"), "a reply with neither result nor error");
  }

  void check_storage() {
    unsigned vio = 0, avio = 0;
    for (const auto& [slot, adapter] : machine_.board().storage().adapters()) {
      check(machine_.board().pci().bus(slot.first).device(slot.second) == adapter.device.get(), "an adapter is not in its slot");
      for (unsigned n = 0; n < adapter.host->addresses(); n++) {
        const auto device = adapter.devices.find(static_cast<u8>(n));
        check(adapter.host->target(n) == (device == adapter.devices.end() ? nullptr : device->second.target), "adapter and list differ");
      }
      (adapter.kind == "scsi" ? vio : avio) += static_cast<unsigned>(adapter.devices.size());
    }
    check(vio <= 30 && avio <= 128, "more devices than a guest may have");
  }

  Random random_;
  const fs::path folder_;
  StandingMachine machine_;
  debugger::Desk desk_{machine_};
  MachineConfig config_;
  HostLoop loop_;
  std::unique_ptr<ControlServer> server_;
  ConsoleHub console_{loop_};
  ConsoleWatches watches_;
  Jobs jobs_{[this](const Json& data) { server_->publish(EventKind::Job, data); },
             [this](std::function<void()> fn) { loop_.post(std::move(fn)); }};
  CommandRunner runner_{loop_, {.machine = &machine_,
                                .config = &config_,
                                .end_session = [](const std::string&) {},
                                .publish = [this](EventKind kind, const Json& data) { server_->publish(kind, data); },
                                .console = &console_,
                                .watches = &watches_,
                                .jobs = &jobs_,
                                .desk = &desk_}};
  std::unique_ptr<Client> good_;
  std::vector<std::unique_ptr<Client>> others_;
  std::string text_;
  Json last_reply_;
  std::string last_line_;
  i64 last_id_ = 0;
};

}  // namespace

void fuzz_one(u64 seed) {
  Rig(seed).run();
}

}  // namespace ia64::fuzz
