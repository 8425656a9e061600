// The text of the control protocol: requests, replies and events, one JSON object a line. docs/control.md is its description.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "machine/control/command.h"

namespace ia64::machine::control {

inline constexpr unsigned kProtocolVersion = 1;
inline constexpr size_t kMaxLineBytes = 64 << 10;  ///< of a request

/// A command to run with its checked arguments.
struct Invocation {
  const CommandRow* row = nullptr;
  Arguments arguments;
};

/// A request as far as it could be read: `id` is there whenever the line had a usable one.
struct Request {
  Json id;
  Result<Invocation> invocation;
  bool is_json = true;  ///< otherwise the line is something else altogether
};

/// Reads `{"id": ..., "command": "eject", "arguments": {...}}` or `{"id": ..., "line": "eject 0,2,1"}`. Never throws.
Request parse_request(std::string_view line);

/// Reads a command line as a person types it: words, quoted with '' or "" where they contain blanks, a backslash before any
/// character that would mean something. @returns Invalid for an unknown command, open quotes and wrong arguments
Result<Invocation> parse_command_line(std::string_view line);

/// One line each, its newline included.
std::string reply_line(const Json& id, const Result<Json>& result);
std::string event_line(EventKind kind, const Json& data);
/// The first line of every connection.
std::string greeting_line(const std::string& guest_name);

/// JSON text; bytes of file names that are not UTF-8 are replaced.
std::string to_text(const Json& json);

}  // namespace ia64::machine::control
