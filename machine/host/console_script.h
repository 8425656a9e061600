// Scripted console: ordered expect/send steps over the whole output stream since power-on.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine {

/// Runs steps in order. An Expect consumes the stream up to the end of its match, so matching depends on the order of
/// output only, never on timing. Loop thread.
class ConsoleScript {
 public:
  struct Step {
    enum class Kind : u8 { Expect, Send } kind;
    std::string text;  ///< RE2 syntax (multi-line mode, '.' excludes newline) for Expect; escapes \r \n \t \e \\ \xNN for Send
  };

  /// @returns Invalid naming the step and what its regular expression or escape lacks
  static Result<std::unique_ptr<ConsoleScript>> create(std::vector<Step> steps);
  virtual ~ConsoleScript() = default;

  /// Guest output. Calls `send` for every Send step that becomes due, and `done` when the last step is an Expect and has matched.
  virtual void feed(std::span<const u8> bytes) = 0;
  /// Runs Send steps that come before any Expect. Call once, after power-on.
  virtual void start() = 0;
  /// What the script waits for, for the message of a timeout; empty when finished.
  virtual std::string waiting_for() const = 0;

  std::function<void(std::string)> send;
  std::function<void()> done;
  /// Optional: called with the pattern, as written, of each Expect that matched, before what follows it.
  std::function<void(const std::string&)> matched;
};

/// Decodes the escapes of a Send step.
Result<std::string> decode_escapes(const std::string& text);

}  // namespace ia64::machine
