// Puts processors, board and firmware together and runs them.
#include "machine/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <ctime>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/invariant.h"
#include "base/log.h"
#include "cpu/core.h"
#include "cpu/sapic.h"
#include "firmware/firmware.h"
#include "machine/board.h"
#include "machine/guest_cpu_adapter.h"
#include "machine/host_clock.h"
#include "machine/history/history.h"
#include "machine/history/machine_moment.h"
#include "machine/history/shown_once.h"
#include "machine/host_files.h"
#include "machine/idle_slack.h"
#include "machine/icount/counted_run.h"
#include "machine/icount/state_hash.h"
#include "machine/lockstep/lockstep.h"
#include "machine/nvram_file.h"
#include "machine/relay.h"
#include "machine/safe_point.h"
#include "machine/snapshot/machine_snapshot.h"
#include "machine/storage_bays.h"

namespace ia64::machine {
namespace {

constexpr unsigned kMaxCpus = 1;
constexpr i64 kCountedStart = 1'262'304'000;  // 2010-01-01 00:00 UTC, while such machines were built
constexpr u64 kRelaxNs = 10'000;              // counted time that one look of firmware at a controller takes
constexpr u64 kNsPerSecond = 1'000'000'000;
constexpr unsigned kResetLoopCount = 10;       // this many resets in a row,
constexpr u64 kResetLoopNs = kNsPerSecond;     // each after less than this, are a loop
constexpr u64 kQuietLimitNs = 2 * kNsPerSecond;  // how long a guest with counted time may be busy without a break
constexpr u64 kHaltSliceNs = kNsPerSecond;     // a halted processor looks at stop requests at least this often

/// Messages from I/O SAPICs, MSIs and IPIs to the processors.
class ProcessorBus final : public InterruptBus {
 public:
  void add(u16 id_eid, cpu::Core* core) { cores_.emplace_back(id_eid, core); }
  void set_counted(CountedRun* counted) { counted_ = counted; }
  /// How many there were. Any thread.
  u64 messages() const { return messages_.load(std::memory_order_relaxed); }
  void deliver(u16 id_eid, DeliveryMode mode, u8 vector) override {
    messages_.fetch_add(1, std::memory_order_relaxed);
    for (const auto& [address, core] : cores_)
      if (address == id_eid) return counted_ ? counted_->post(mode, vector) : core->post_interrupt(mode, vector);
    LOG(Irq, "message {:#x} to absent processor {:#x} dropped", vector, id_eid);
  }

 private:
  std::vector<std::pair<u16, cpu::Core*>> cores_;
  CountedRun* counted_ = nullptr;
  std::atomic<u64> messages_{0};
};

Result<std::optional<firmware::DirectBoot>> read_direct_boot(const KernelBoot& boot) {
  if (boot.kernel_path.empty()) return std::optional<firmware::DirectBoot>{};
  firmware::DirectBoot direct;
  auto kernel = read_kernel(boot.kernel_path);
  if (!kernel) return kernel.error();
  direct.kernel = std::move(*kernel);
  if (!boot.initrd_path.empty()) {
    auto initrd = read_file(boot.initrd_path, "initrd");
    if (!initrd) return initrd.error();
    direct.initrd = std::move(*initrd);
  }
  direct.arguments = boot.arguments;
  return std::optional<firmware::DirectBoot>(std::move(direct));
}

class MachineImpl final : public Machine, public cpu::BreakGate, public firmware::FirmwareHost, public Repeatable {
 public:
  explicit MachineImpl(NvramFile nvram) : nvram_(std::move(nvram)) {}
  ~MachineImpl() override { stop(); }

  Result<void> build(const MachineConfig& config, CharChannel& console);

  void start(std::function<void(MachineEnd)> on_end) override;
  void reset() override { request_reset(true); }
  void press_power_button() override {
    history_ends();
    board_->press_power_button();
  }
  void stop() override;
  void set_observer(std::function<void(MachineEvent)> observer) override { observer_ = std::move(observer); }
  bool call(std::function<void()> fn) override;
  void pause() override;
  void resume() override { safe_point_.resume(); }
  void step() override;
  std::string irreversible() const override;
  void keep_history(bool on) override;
  void go_back(bool to_point) override;
  void history_ends() override { history_ends_ = true; }
  void repeat_by(std::function<void()> again) override;
  void set_points(std::vector<u64> stop_addresses, std::vector<cpu::WatchRange> watches) override {
    core_->set_stop_addresses(stop_addresses);
    core_->set_watches(std::move(watches));
    stop_addresses_ = {stop_addresses.begin(), stop_addresses.end()};
  }
  void set_debug_observer(std::function<void(const DebugStop&)> observer) override { debug_observer_ = std::move(observer); }
  void set_image_observer(std::function<void(const ImageEvent&)> observer) override { image_observer_ = std::move(observer); }
  bool paused() const override { return safe_point_.paused(); }
  bool operating_system_runs() const override { return operating_system_; }
  u64 resets() const override { return resets_; }
  u64 virtual_ns() const override { return clock_->now_ns(); }
  u64 idle_ns() const override { return idle_ns_.load(std::memory_order_relaxed); }
  Board& board() override { return *board_; }
  cpu::Core& core() override { return *core_; }
  firmware::EfiInspection inspect_efi() override { return firmware_->inspect_efi(); }
  cpu::StopReason step_here() override;
  u64 translating_ns() const override {
    const cpu::TranslatorCounters* const counters = core_->translator_counters();
    if (!counters) return 0;
    return std::atomic_ref(const_cast<u64&>(counters->translate_ns)).load(std::memory_order_relaxed);
  }
  void at_boundary(std::function<void()> fn) override;
  void finish() override {
    at_boundary([this] { end(MachineEnd::Finished); });
  }
  Clock& clock() override { return *clock_; }
  std::string state_hash() override { return machine::state_hash(core_->regs(), board_->description().ram, board_->ram()); }
  u64 slots_retired() const override { return core_->slots_retired() + retired_before_reset_; }
  Result<SnapshotManifest> save_snapshot(const SnapshotOptions& options) override;
  Result<void> load_snapshot(const std::string& directory, const std::string& name) override;
  void inspect(InspectWriter& out) const override {
    core_->inspect(out);
    board_->inspect(out);
    out.begin("idle");
    out.value("joined_ticks", idle_slack_.joined());
    out.end();
  }

 private:
  // cpu::BreakGate
  cpu::GateAction on_break(cpu::Core& core, u64 imm) override;
  // firmware::FirmwareHost
  void power_off() override { end(MachineEnd::PowerOff); }
  void reset(bool cold) override { request_reset(cold); }
  void wall_clock(i64& seconds, u32& nanoseconds) override;
  void set_wall_clock(i64 seconds) override;
  std::vector<u8> load_nvram() override { return nvram_.image(); }
  bool save_nvram(const std::vector<u8>& image) override;
  void firmware_crashed(const std::string& reason) override { LOG(Error, "{}", reason); }
  void nvram_rejected(const std::string& reason) override;
  void operating_system_started() override;
  void image_loaded(const firmware::EfiImage& image) override { tell_image({ImageEvent::What::Loaded, &image}); }
  void image_unloaded(const firmware::EfiImage& image) override { tell_image({ImageEvent::What::Unloaded, &image}); }

  // Repeatable
  Position position() override { return {core_->slots_retired(), core_->interruptions_taken(), clock_->now_ns()}; }
  bool at_rest() override { return firmware_->busy().empty() && board_->storage().idle() && !board_->storage().has_attached(); }
  std::unique_ptr<Moment> set_aside() override { return std::make_unique<MachineMoment>(*parts(), console_->written(), virtual_clock_->looks()); }
  Result<void> let_go(const Moment& moment) override;
  Result<void> take_up(const Moment& moment) override;
  void page_changed(size_t range, u64 offset) override { board_->bus().code_written(board_->description().ram[range].base + offset, 4096); }
  cpu::StopReason run(u64 at_most_slots) override { return rested(counted_->advance(at_most_slots)); }
  cpu::StopReason run_once() override;
  cpu::StopReason step_held() override;
  bool at_stop_address(DebugStop& stop) override;
  DebugStop watch_hit() override;
  void suspend_watches(bool on) override { core_->suspend_watches(on); }
  bool called_off() override { return call_off_ || wanted_elsewhere(); }

  void tell_image(const ImageEvent& event) {
    if (image_observer_) image_observer_(event);
  }
  void power_on();
  Result<MachineParts> parts();
  void read_kernel_again();
  void cpu_main();
  bool wanted_elsewhere() const { return stopping_ || ended_ || reset_wanted_; }
  void observe(MachineEvent event) {
    if (observer_) observer_(event);
  }
  void follow_host_clock();
  void wire_processor(const MachineConfig& config);
  timespec running_clock() const;
  i64 counted_offset() const { return config_.start_s.value_or(kCountedStart) - running_clock().tv_sec; }
  Result<void> reach_quiet_point();
  void rest(cpu::StopReason reason);
  cpu::StopReason run_stretch();
  cpu::StopReason run_freely();
  cpu::StopReason rested(cpu::StopReason reason) {
    rest(reason);
    return reason;
  }
  cpu::StopReason step_once();
  bool look_at_history();
  void forget_history();
  void drop_history();
  void perform_go_back(bool to_point);
  void stop_for_debugger(cpu::StopReason reason);
  void step_unwatched();
  void idle();
  void sleep_until(u64 ns);
  u64 timer_slack();
  void leave_run();
  void report_difference();
  void do_reset();
  void soft_off();
  void request_reset(bool cold);
  void end(MachineEnd why);

  MachineConfig config_;
  NvramFile nvram_;
  std::unique_ptr<SettableClock> clock_;
  VirtualClock* virtual_clock_ = nullptr;  ///< clock_, when time is counted
  std::optional<ShownOnce> console_;        ///< around the console, when time is counted
  storage::UndoJournal disks_before_;
  ProcessorBus processor_bus_;
  // The processor outlives the board: requests in flight end, and interrupt it, while the board goes away.
  std::unique_ptr<Lockstep> lockstep_;  ///< only with Engine::Lockstep
  std::unique_ptr<cpu::Core> core_;
  std::unique_ptr<CountedRun> counted_;  ///< only when time is counted
  std::unique_ptr<GuestCpuAdapter> adapter_;
  std::unique_ptr<Board> board_;
  std::unique_ptr<firmware::Firmware> firmware_;
  std::unique_ptr<History> history_;        ///< only while somebody may want to go back
  std::function<void(MachineEnd)> on_end_;
  std::function<void(MachineEvent)> observer_;
  std::function<void(const DebugStop&)> debug_observer_;
  std::function<void(const ImageEvent&)> image_observer_;
  SafePoint safe_point_;
  Relay relay_{[this] { core_->request_stop(); }};
  i64 wall_clock_offset_s_ = 0;

  std::thread thread_;
  std::mutex stop_mutex_;  // one stop() at a time
  std::atomic<bool> stopping_{false}, ended_{false}, reset_wanted_{false}, cold_reset_{true}, operating_system_{false};
  std::atomic<bool> stepping_{false};  ///< pause again after one instruction
  std::atomic<bool> history_ends_{false}, call_off_{false};
  std::atomic<u64> resets_{0}, idle_ns_{0};
  std::atomic<bool> disturbed_{false};  ///< somebody outside wanted something of the CPU thread
  bool restored_ = false;           ///< load_snapshot() came before start()
  // CPU thread only
  std::optional<u64> idle_until_ns_;
  IdleSlack idle_slack_;
  bool debugged_ = false;           ///< a debugger holds the machine
  u64 firmware_calls_ = 0;
  std::set<u64> stop_addresses_;
  u64 input_look_ = 0;              ///< of what at_boundary() is running; 0: it can be repeated
  struct Input {
    u64 seen, ran;                  ///< looks of the clock; the first one decides how the quantum ends
    std::function<void()> again;    ///< empty: it did nothing
  };
  std::map<u64, Input> input_;      ///< since the history began, in order
  u64 last_input_ = 0;
  bool kernel_unread_ = false;      ///< a restored machine reads the kernel it is to start when it is reset
  u64 powered_on_ns_ = 0;
  unsigned quick_resets_ = 0;
  std::atomic<u64> retired_before_reset_{0};
};

Result<void> MachineImpl::build(const MachineConfig& config, CharChannel& console) {
  if (config.cpus == 0 || config.cpus > kMaxCpus)
    return Error{ErrorKind::Invalid, fmt::format("-c {}: this board takes {} processor", config.cpus, kMaxCpus)};
  config_ = config;
  auto direct = config.restored ? Result<std::optional<firmware::DirectBoot>>(std::nullopt) : read_direct_boot(config.kernel);
  if (!direct) return direct.error();
  kernel_unread_ = config.restored && !config.kernel.kernel_path.empty();
  if (config.deterministic())
    clock_ = std::unique_ptr<SettableClock>(virtual_clock_ = new VirtualClock);
  else
    follow_host_clock();
  if (virtual_clock_) console_.emplace(console);
  if (virtual_clock_ || config.start_s) wall_clock_offset_s_ = counted_offset();
  auto board = make_board(config, {.clock = clock_.get(),
                                   .pace = virtual_clock_,
                                   .undo = virtual_clock_ ? &disks_before_ : nullptr,
                                   .interrupts = &processor_bus_,
                                   .console = console_ ? &*console_ : &console,
                                   .on_soft_off = [this] { soft_off(); }});
  if (!board) return board.error();
  board_ = std::move(*board);
  board_->storage().on_intervention = [this] { history_ends(); };
  wire_processor(config);

  firmware::FirmwareOptions options{.direct_boot = std::move(*direct), .boot_timeout_s = {}, .relax = {}};
  if (config.boot_timeout_s >= 0) options.boot_timeout_s = static_cast<u32>(config.boot_timeout_s);
  if (virtual_clock_) options.relax = [clock = virtual_clock_](u64) { clock->advance_to(clock->now_ns() + kRelaxNs); };
  firmware_ = std::make_unique<firmware::Firmware>(board_->description(), board_->bus(), *clock_, *this, std::move(options));
  return {};
}

/// Time that follows the host's, and stands while the machine is paused.
void MachineImpl::follow_host_clock() {
  auto host_clock = std::make_unique<HostClock>();
  safe_point_.on_wait = [clock = host_clock.get()](bool waiting) { waiting ? clock->pause() : clock->resume(); };
  clock_ = std::move(host_clock);
}

void MachineImpl::wire_processor(const MachineConfig& config) {
  const auto& description = board_->description();
  if (config.engine.engine == Engine::Lockstep) {
    std::vector<LockstepRam> ram;
    for (size_t n = 0; n < description.ram.size(); n++) ram.push_back({description.ram[n].base, &board_->ram()[n]});
    lockstep_ = std::make_unique<Lockstep>(board_->bus(), ram, *clock_, description.itc_hz);
  }
  AddressSpace& bus = lockstep_ ? lockstep_->primary_bus() : board_->bus();
  core_ = std::make_unique<cpu::Core>(cpu::CoreWires{.bus = &bus, .clock = clock_.get(), .itc_hz = description.itc_hz});
  if (config.engine.engine != Engine::Interpreter) core_->use_translator(config.engine.translator);
  core_->sapic().put_off_timers(!virtual_clock_);
  core_->set_gate(this);
  if (lockstep_) lockstep_->attach(*core_);
  if (virtual_clock_) counted_ = std::make_unique<CountedRun>(*core_, *virtual_clock_, *this, lockstep_.get());
  processor_bus_.set_counted(counted_.get());
  adapter_ = std::make_unique<GuestCpuAdapter>(*core_, 0);
  const auto& id = description.cpus[0];
  processor_bus_.add(static_cast<u16>(id.id << 8 | id.eid), core_.get());
}

void MachineImpl::at_boundary(std::function<void()> fn) {
  INVARIANT(virtual_clock_);
  virtual_clock_->schedule_input([this, fn = std::move(fn)](u64 look) {
    input_look_ = look;
    fn();
    if (std::exchange(input_look_, 0)) history_ends();
  });
}

/// The guest switched off in the middle of something: where time is counted, the engines end at the same instruction.
void MachineImpl::soft_off() {
  if (!virtual_clock_) return end(MachineEnd::PowerOff);
  at_boundary([this] { end(MachineEnd::PowerOff); });
}

void MachineImpl::start(std::function<void(MachineEnd)> on_end) {
  on_end_ = std::move(on_end);
  thread_ = std::thread([this] {
    restored_ ? clock_->resume() : power_on();
    relay_.run([this] { cpu_main(); });
    safe_point_.close();
  });
}

void MachineImpl::stop() {
  std::lock_guard lock(stop_mutex_);
  stopping_ = true;
  if (!thread_.joinable()) return;
  leave_run();
  thread_.join();
}

bool MachineImpl::call(std::function<void()> fn) {
  if (!safe_point_.post(std::move(fn))) return false;
  leave_run();
  return true;
}

void MachineImpl::pause() {
  stepping_ = false;
  call_off_ = true;
  safe_point_.pause();
  leave_run();
}

void MachineImpl::step() {
  stepping_ = true;
  leave_run();
  safe_point_.resume();
}

void MachineImpl::operating_system_started() {
  operating_system_ = true;
  observe(MachineEvent::OperatingSystem);
}

void MachineImpl::power_on() {
  operating_system_ = false;
  core_->reset();
  firmware_->power_on(*adapter_);
  const firmware::GateRange range = firmware_->gate_range();
  const GuestPhys base = std::min(range.code.base, range.pal_code.base);
  const GuestPhys last = std::max(range.code.base + range.code.size_bytes, range.pal_code.base + range.pal_code.size_bytes);
  core_->set_gate_range(base, last - base);
  if (lockstep_) lockstep_->powered_on(base, last - base);
  if (counted_) counted_->powered_on();
  powered_on_ns_ = clock_->now_ns();
}

void MachineImpl::cpu_main() {
  while (!stopping_) {
    if (reset_wanted_.exchange(false)) do_reset();
    if (ended_) return;
    safe_point_.pass([this] { return wanted_elsewhere(); });
    if (wanted_elsewhere()) continue;
    const cpu::StopReason reason = run_stretch();
    if (!relay_.carry_out()) return;
    stop_for_debugger(reason);
    rest(reason);
    if (lockstep_ && !lockstep_->difference().empty()) report_difference();
  }
}

/// Nothing is to do for a while, if that is why the processor has stopped.
void MachineImpl::rest(cpu::StopReason reason) {
  if (reason == cpu::StopReason::Gate) idle();
  if (reason != cpu::StopReason::Halted) return;
  core_->sapic().allow_late(timer_slack());
  sleep_until(clock_->now_ns() + kHaltSliceNs);
  core_->sapic().allow_late(0);
}

/// By how much the halted processor's timer may be late.
u64 MachineImpl::timer_slack() {
  if (!config_.idle_slack || counted_) return 0;
  if (disturbed_.exchange(false) || debugged_ || stepping_ || !stop_addresses_.empty() || !core_->watchpoints().ranges().empty()) idle_slack_.end();
  return idle_slack_.halted({.now_ns = clock_->now_ns(),
                             .due_ns = core_->sapic().timer_due_ns(),
                             .executed = core_->slots_retired(),
                             .messages = processor_bus_.messages(),
                             .firmware = firmware_calls_});
}

cpu::StopReason MachineImpl::run_stretch() {
  if (stepping_) return step_once();
  if (!counted_) return run_freely();
  if (!look_at_history()) return counted_->run();
  const u64 slots = history_->due_in_slots();
  return slots ? counted_->run(slots) : counted_->advance();  // at rest perhaps at the end of this quantum
}

/// Firmware waits for its requests within a stretch, so errands would never be done there.
cpu::StopReason MachineImpl::run_freely() {
  const Errands::Scope scope(operating_system_ ? &relay_ : nullptr);
  return core_->run(0);
}

cpu::StopReason MachineImpl::step_once() {
  if (!counted_) return core_->step();
  if (!look_at_history()) return counted_->step();
  const Position before = position();
  const cpu::StopReason reason = counted_->step();
  if (reason != cpu::StopReason::Requested && reason != cpu::StopReason::Watch) history_->stepped(before);
  return reason;
}

// --- going back --------------------------------------------------------------------------------------------------------------

std::string MachineImpl::irreversible() const {
  if (!config_.icount || lockstep_) return "going back needs a run of counted time, --icount";
  if (std::any_of(config_.storage.begin(), config_.storage.end(), StorageBays::is_attached)) return "going back is not possible with a tape, changer or burner of the host attached";
  return "";
}

void MachineImpl::keep_history(bool on) {
  debugged_ = on;
  look_at_history();
  if (!on || !irreversible().empty()) {
    if (history_) forget_history();
    return history_.reset();
  }
  history_ends_ = false;
  if (!history_) history_ = std::make_unique<History>(*this, board_->ram(), disks_before_, History::Limits{});
  look_at_history();
}

/// Makes a checkpoint when one is due. @returns whether a history is kept
bool MachineImpl::look_at_history() {
  if (!history_) return false;
  if (history_ends_.exchange(false)) {
    forget_history();
    console_->go_another_way();
  }
  if (!history_->due_in_slots()) history_->keep();
  return true;
}

void MachineImpl::go_back(bool to_point) {
  call_off_ = false;
  call([this, to_point] { perform_go_back(to_point); });
}

void MachineImpl::perform_go_back(bool to_point) {
  History::Arrival arrival;
  safe_point_.pause();
  if (look_at_history()) {
    virtual_clock_->hold_input(true);
    arrival = to_point ? history_->back_to_point() : history_->back_one();
    virtual_clock_->hold_input(false);
  }
  if (arrival.end == History::End::CalledOff || wanted_elsewhere()) return;
  if (debug_observer_) debug_observer_(arrival.end == History::End::Failed ? DebugStop{.why = DebugStop::Why::Step} : arrival.stop);
}

Result<void> MachineImpl::let_go(const Moment& moment) {
  const auto& machine_moment = static_cast<const MachineMoment&>(moment);
  idle_until_ns_.reset();
  console_->go_back(machine_moment.printed());
  return machine_moment.let_go(*parts());
}

void MachineImpl::repeat_by(std::function<void()> again) {
  const u64 look = std::exchange(input_look_, 0);
  if (history_ && look) input_.emplace(++last_input_, Input{look, virtual_clock_->looks(), std::move(again)});
}

/// Input that the machine has had is forgotten with the history before it; what has been taken back is still to come.
void MachineImpl::forget_history() {
  history_->forget();
  std::erase_if(input_, [this](const auto& i) { return i.second.ran <= virtual_clock_->looks(); });
}

/// RAM is, or will be, in other hands.
void MachineImpl::drop_history() {
  if (!history_) return;
  forget_history();
  console_->go_another_way();
  history_->memory_replaced();
  input_.clear();
  virtual_clock_->go_back(virtual_clock_->looks(), {});
}

/// What was typed since then comes again at its time, also when the machine goes on from there as it likes.
Result<void> MachineImpl::take_up(const Moment& moment) {
  const auto& machine_moment = static_cast<const MachineMoment&>(moment);
  std::multimap<u64, std::function<void()>> again;
  for (const auto& [number, input] : input_) {
    if (input.ran <= machine_moment.looks()) continue;
    again.emplace(input.seen, [this, number = number, fn = input.again] {
      if (const auto it = input_.find(number); it != input_.end()) it->second.ran = virtual_clock_->looks();
      if (fn) fn();
    });
  }
  virtual_clock_->go_back(machine_moment.looks(), std::move(again));
  return machine_moment.take_up(*parts());
}

cpu::StopReason MachineImpl::run_once() {
  cpu::StopReason reason = cpu::StopReason::Requested;
  while (reason == cpu::StopReason::Requested && !called_off()) reason = counted_->advance_once();
  return rested(reason);
}

cpu::StopReason MachineImpl::step_held() {
  cpu::StopReason reason = cpu::StopReason::Requested;
  while (reason == cpu::StopReason::Requested && !called_off()) reason = counted_->step();
  return rested(reason);
}

bool MachineImpl::at_stop_address(DebugStop& stop) {
  const u64 here = core_->regs().ip | core_->regs().slot;
  stop = {.why = DebugStop::Why::StopAddress, .address = here};
  return stop_addresses_.contains(here);
}

DebugStop MachineImpl::watch_hit() {
  const cpu::Fault& hit = core_->watch_hit();
  return {DebugStop::Why::Watch, hit.ifa, (hit.isr & cpu::isr::kR) != 0, (hit.isr & cpu::isr::kW) != 0};
}

// -----------------------------------------------------------------------------------------------------------------------------

void MachineImpl::step_unwatched() {
  core_->suspend_watches(true);
  while (step_once() == cpu::StopReason::Requested) {
  }
  core_->suspend_watches(false);
}

cpu::StopReason MachineImpl::step_here() {
  cpu::StopReason reason = cpu::StopReason::Requested;
  while (reason == cpu::StopReason::Requested) reason = step_once();
  if (reason == cpu::StopReason::Watch) step_unwatched();
  return reason;
}

/// Pauses when the stretch ended for a debugger. A watched access is done first: debuggers compare what memory holds behind it.
void MachineImpl::stop_for_debugger(cpu::StopReason reason) {
  using cpu::StopReason;
  DebugStop stop{.why = DebugStop::Why::Step};
  if (reason == StopReason::StopAddress) stop = {DebugStop::Why::StopAddress, core_->regs().ip | core_->regs().slot};
  if (reason == StopReason::Watch) {
    stop = watch_hit();
    step_unwatched();
  }
  const bool nothing_done = reason == StopReason::Requested || reason == StopReason::Halted;
  if (stop.why == DebugStop::Why::Step && (nothing_done || !stepping_)) return;
  stepping_ = false;
  safe_point_.pause();
  if (debug_observer_) debug_observer_(stop);
}

void MachineImpl::report_difference() {
  std::fputs(lockstep_->difference().c_str(), stderr);
  end(MachineEnd::EnginesDiffer);
}

/// Sleeps until a virtual time, an interrupt or a request to stop.
void MachineImpl::sleep_until(u64 ns) {
  const u64 now = clock_->now_ns();
  if (counted_)
    counted_->idle_until(ns);
  else if (now < ns)
    core_->wait_for_interrupt(std::chrono::nanoseconds(ns - now));
  idle_ns_.fetch_add(clock_->now_ns() - now, std::memory_order_relaxed);
}

/// Makes the CPU thread look at what changed. Any thread.
void MachineImpl::leave_run() {
  disturbed_ = true;
  safe_point_.wake();
  if (counted_) return counted_->request_stop();
  core_->request_stop();
}

/// Sleeps as long as firmware asked for; a console key or an interrupt ends it early.
void MachineImpl::idle() {
  if (!idle_until_ns_ || stopping_ || ended_ || reset_wanted_) return;
  sleep_until(*idle_until_ns_);
  idle_until_ns_.reset();
}

cpu::GateAction MachineImpl::on_break(cpu::Core&, u64 imm) {
  firmware_calls_++;
  const firmware::GateResult result = firmware_->on_break(*adapter_, imm);
  switch (result.action) {
    case firmware::GateAction::NotMine: return cpu::GateAction::NotMine;
    case firmware::GateAction::Continue: return cpu::GateAction::Continue;
    case firmware::GateAction::Resume: break;
    case firmware::GateAction::Stop:
      if (!reset_wanted_) end(MachineEnd::FirmwareStop);
      return cpu::GateAction::Stop;
  }
  if (!result.idle_until_ns && !ended_ && !reset_wanted_) return cpu::GateAction::Resume;
  idle_until_ns_ = result.idle_until_ns;
  return cpu::GateAction::Stop;
}

void MachineImpl::wall_clock(i64& seconds, u32& nanoseconds) {
  const timespec t = running_clock();
  seconds = t.tv_sec + wall_clock_offset_s_;
  nanoseconds = static_cast<u32>(t.tv_nsec);
}

void MachineImpl::set_wall_clock(i64 seconds) { wall_clock_offset_s_ = seconds - running_clock().tv_sec; }

/// What the guest's clock runs by: the host's, or counted time.
timespec MachineImpl::running_clock() const {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (!virtual_clock_) return t;
  const u64 now_ns = clock_->now_ns();
  return {static_cast<time_t>(now_ns / kNsPerSecond), static_cast<long>(now_ns % kNsPerSecond)};
}

bool MachineImpl::save_nvram(const std::vector<u8>& image) {
  auto ok = nvram_.save(image);
  if (!ok) LOG(Warn, "{}", ok.error().message);
  return ok.ok();
}

void MachineImpl::nvram_rejected(const std::string& reason) {
  auto aside = nvram_.put_aside();
  LOG(Warn, "EFI variables are lost: {}; {}", reason, aside ? "the damaged file is now " + *aside : aside.error().message);
}

void MachineImpl::request_reset(bool cold) {
  cold_reset_ = cold;
  reset_wanted_ = true;
  leave_run();
}

void MachineImpl::do_reset() {
  const u64 ran_ns = clock_->now_ns() - powered_on_ns_;
  quick_resets_ = ran_ns < kResetLoopNs ? quick_resets_ + 1 : 0;
  if (quick_resets_ == kResetLoopCount) return end(MachineEnd::ResetLoop);
  LOG(Machine, "{} reset after {} ms", cold_reset_ ? "cold" : "warm", ran_ns / 1'000'000);
  retired_before_reset_ += core_->slots_retired();
  resets_++;
  idle_until_ns_.reset();
  drop_history();
  board_->reset(cold_reset_);
  core_->drop_all_code();
  tell_image({});
  if (kernel_unread_) read_kernel_again();
  power_on();
  observe(MachineEvent::Reset);
}

void MachineImpl::read_kernel_again() {
  auto direct = read_direct_boot(config_.kernel);
  kernel_unread_ = !direct;
  if (direct)
    firmware_->set_direct_boot(std::move(**direct));
  else
    LOG(Error, "--kernel: {}; the boot manager starts in its place", direct.error().message);
}

Result<MachineParts> MachineImpl::parts() {
  if (lockstep_) return Error{ErrorKind::Unsupported, "snapshots: not with --engine lockstep, which is two machines"};
  return MachineParts{.config = config_,
                      .board = *board_,
                      .core = *core_,
                      .firmware = *firmware_,
                      .clock = *clock_,
                      .counted = counted_.get(),
                      .started = thread_.joinable(),
                      .visit_machine = [this](StateArchive& a) { a(wall_clock_offset_s_, resets_, retired_before_reset_, powered_on_ns_); }};
}

Result<SnapshotManifest> MachineImpl::save_snapshot(const SnapshotOptions& options) {
  auto all = parts();
  if (!all) return all.error();
  if (auto ok = reach_quiet_point(); !ok) return ok.error();
  return machine::save_snapshot(*all, options);
}

/// Where time is counted, only the guest's going on ends what its storage does; so it goes on until nothing is in flight, and to where
/// the ALAT, which a snapshot does not keep, is empty. So neither that nor saving changes its course.
Result<void> MachineImpl::reach_quiet_point() {
  const u64 until_ns = clock_->now_ns() + kQuietLimitNs;
  while (counted_ && !(board_->storage().idle() && core_->alat().empty())) {
    if (wanted_elsewhere()) return Error{ErrorKind::Unsupported, "cannot be saved: the guest is about to be reset or to end"};
    if (clock_->now_ns() >= until_ns)
      return Error{ErrorKind::Locked, fmt::format("the guest had storage requests or advanced loads under way for {} s of its time without a break: try again", kQuietLimitNs / kNsPerSecond)};
    const cpu::StopReason reason = counted_->advance();
    stop_for_debugger(reason);
    if (reason == cpu::StopReason::StopAddress || reason == cpu::StopReason::Watch)
      return Error{ErrorKind::Unsupported, "cannot be saved: a breakpoint stopped the guest before its storage was done"};
    rest(reason);
  }
  return {};
}

Result<void> MachineImpl::load_snapshot(const std::string& directory, const std::string& name) {
  auto all = parts();
  if (!all) return all.error();
  auto snapshot = OpenSnapshot::open(directory, name);
  if (!snapshot) return snapshot.error();
  if (auto ok = (*snapshot)->check(*all); !ok) return ok;
  const bool started = thread_.joinable(), stood = clock_->paused();
  idle_until_ns_.reset();
  drop_history();
  board_->storage().forget_conversions();
  board_->reset(true);
  core_->drop_all_code();
  power_on();
  auto loaded = (*snapshot)->load(*all);
  if (started && !stood) clock_->resume();
  if (!loaded) {
    if (started) request_reset(true);
    return Error{loaded.error().kind, fmt::format("snapshot '{}': {}{}", name, loaded.error().message, started ? "; the guest was reset" : "")};
  }
  if (counted_ && !(*snapshot)->manifest().counted) wall_clock_offset_s_ = counted_offset();
  operating_system_ = true;
  restored_ = !started;
  return {};
}

void MachineImpl::end(MachineEnd why) {
  if (ended_.exchange(true)) return;
  if (counted_) counted_->end();
  leave_run();
  if (on_end_) on_end_(why);
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::create(const MachineConfig& config, CharChannel& console) {
  auto nvram = NvramFile::open(config.nvram_path);
  if (!nvram) return nvram.error();
  auto machine = std::make_unique<MachineImpl>(std::move(*nvram));
  if (auto ok = machine->build(config, console); !ok) return ok.error();
  return std::unique_ptr<Machine>(std::move(machine));
}

}  // namespace ia64::machine
