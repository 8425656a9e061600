// What a command of the control socket is: a row with typed arguments and a handler.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "machine/resource_statement.h"

namespace ia64::machine {
class ConsoleHub;
class ConsoleWatches;
class CountedConsole;
class HeldRun;
class Machine;
struct MachineConfig;
}  // namespace ia64::machine

namespace ia64::machine::debugger {
class Desk;
}

namespace ia64::machine::control {

using Json = nlohmann::ordered_json;
class Jobs;

enum class ArgumentType : u8 {
  Text,     ///< a string
  Address,  ///< "bus,slot,target"
  Size,     ///< bytes as a number, or "20G"; a multiple of 512
  Flag,     ///< true or false; on a command line its name alone means true
};
const char* type_name(ArgumentType type);

struct ArgumentRow {
  const char* name;
  ArgumentType type;
  bool required;
  const char* help;
};

/// Arguments of one call, checked against the rows of its command.
class Arguments {
 public:
  /// @param given an object: a request's `arguments`
  /// @returns Invalid naming the argument that is missing, unknown or of another type
  static Result<Arguments> check(const std::vector<ArgumentRow>& rows, const Json& given);
  /// Words of a command line: by position, or as `name=value`; a flag's name alone sets it.
  static Result<Arguments> check(const std::vector<ArgumentRow>& rows, const std::vector<std::string>& words);

  std::string text(const char* name) const;  ///< empty when not given
  std::optional<DeviceAddress> address(const char* name) const;
  u64 size(const char* name) const;          ///< 0 when not given
  bool flag(const char* name) const { return values_.value(name, false); }

 private:
  Json values_ = Json::object();  // sizes as numbers, everything else as given
};

/// Kinds of events a client can ask for.
#define CONTROL_EVENTS(X) \
  X(State, "state", "the guest was paused, continued or reset, an operating system took over, the machine ended") \
  X(Media, "media", "a DVD was ejected or inserted, or the guest moved its tray") \
  X(Storage, "storage", "a device was attached, detached, changed or resized, an adapter is to be converted") \
  X(Image, "image", "an EFI image was loaded or unloaded") \
  X(Error, "error", "a message that also went to standard error") \
  X(Job, "job", "a long command began, got on or ended")
enum class EventKind : u8 {
#define X(e, name, help) e,
  CONTROL_EVENTS(X)
#undef X
};
const char* event_name(EventKind kind);

/// A window in front of the guest, for commands about it.
class WindowControl {
 public:
  virtual ~WindowControl() = default;
  /// Runs `fn` on the window's thread. Any thread. @returns false, and never calls it, when the window is gone
  virtual bool call(std::function<void()> fn) = 0;
  /// Writes what the window shows as a PNG file. Window's thread. @returns the file and its size
  virtual Result<Json> screenshot(const std::string& path) = 0;
  /// Opens one of the window's views over the terminal. Window's thread.
  virtual Result<Json> show(const std::string& view) = 0;
};

/// What commands act on. Handlers of `Where::Machine` and `Where::Window` rows must not call end_session.
struct CommandContext {
  Machine* machine = nullptr;
  const MachineConfig* config = nullptr;
  std::string snapshot_directory = {};                        ///< empty: this run has none
  std::function<void(std::string reason)> end_session;      ///< loop thread
  std::function<void(EventKind, Json data)> publish;        ///< any thread
  ConsoleHub* console = nullptr;       ///< loop thread, as the two below
  ConsoleWatches* watches = nullptr;
  Jobs* jobs = nullptr;
  debugger::Desk* desk = nullptr;      ///< the processor's thread
  HeldRun* held = nullptr;             ///< nullptr without --held, as the next one
  CountedConsole* counted_console = nullptr;
  WindowControl* window = nullptr;     ///< nullptr without --console window
};

/// A connection, for the commands that concern it.
struct CallClient {
  u64 id = 0;      ///< never used twice in a run
  u32 events = 0;  ///< the kinds it asked for, a bit each
};

/// One call. `client` is nullptr where there is nobody to send events to.
struct Call {
  CommandContext& context;
  const Arguments& arguments;
  CallClient* client = nullptr;
  /// A handler of a `Where::Loop` row that moves this away answers by calling it, on the loop thread; what it returns is not looked at.
  std::function<void(const Result<Json>&)> answer_later = {};
};

/// Where a handler runs: on the host loop, on the processor's thread at its safe point (Machine::call), or on the window's thread.
enum class Where : u8 { Loop, Machine, Window };

struct CommandRow {
  const char* name;
  const char* alias;  ///< as the vMP menu of Integrity VM calls it; nullptr for none
  std::vector<ArgumentRow> arguments;
  Where where;
  Result<Json> (*handler)(Call&);
  const char* help;
};

/// The argument of commands that begin a job: the answer comes when the job has ended, and is what the job brought.
inline constexpr ArgumentRow kWaitArgument = {"wait", ArgumentType::Flag, false, "answer when it has ended"};

/// All commands, in the order of `help`.
const std::vector<CommandRow>& command_table();
/// By name or alias, whatever its case. nullptr when there is none.
const CommandRow* find_command(std::string_view name);

// One list for each subject; command_table() joins them.
std::vector<CommandRow> machine_commands();
std::vector<CommandRow> storage_commands();
std::vector<CommandRow> inspect_commands();
std::vector<CommandRow> snapshot_commands();
std::vector<CommandRow> bus_commands();
std::vector<CommandRow> code_commands();
std::vector<CommandRow> translation_commands();
std::vector<CommandRow> point_commands();
std::vector<CommandRow> trace_commands();
std::vector<CommandRow> efi_commands();
std::vector<CommandRow> console_commands();
std::vector<CommandRow> window_commands();

}  // namespace ia64::machine::control
