// Requests from text, replies and events to text.
#include "machine/control/protocol.h"

#include <fmt/format.h>

namespace ia64::machine::control {
namespace {

constexpr size_t kMaxIdBytes = 256;

const char* kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound: return "not-found";
    case ErrorKind::AccessDenied: return "denied";
    case ErrorKind::Locked: return "busy";
    case ErrorKind::Invalid:
    case ErrorKind::OutOfRange: return "invalid";
    case ErrorKind::Unsupported: return "refused";
    case ErrorKind::Io: return "io";
    case ErrorKind::NoSpace: return "no-space";
    case ErrorKind::Internal: break;
  }
  return "internal";
}

Error invalid(std::string message) { return {ErrorKind::Invalid, std::move(message)}; }

/// Cuts a command line into words.
Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); i++) {
    const char c = line[i];
    if (c == '\\' && quote != '\'') {
      if (++i == line.size()) return invalid("the line ends behind a backslash");
      word += line[i], in_word = true;
    } else if (quote) {
      c == quote ? void(quote = 0) : void(word += c);
    } else if (c == '"' || c == '\'') {
      quote = c, in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      if (in_word) words.push_back(std::exchange(word, ""));
      in_word = false;
    } else {
      word += c, in_word = true;
    }
  }
  if (quote) return invalid(fmt::format("a quote {} is open", quote));
  if (in_word) words.push_back(std::move(word));
  return words;
}

Error unknown_command(std::string_view name) {
  return {ErrorKind::NotFound, fmt::format("there is no command '{}'; help lists them", name)};
}

template <class Given>
Result<Invocation> invoke(const CommandRow& row, const Given& given) {
  auto arguments = Arguments::check(row.arguments, given);
  if (!arguments) return Error{arguments.error().kind, fmt::format("{}: {}", row.name, arguments.error().message)};
  return Invocation{&row, std::move(*arguments)};
}

bool usable_id(const Json& id) {
  return id.is_null() || id.is_number_integer() || (id.is_string() && id.get_ref<const std::string&>().size() <= kMaxIdBytes);
}

Result<Invocation> read_invocation(const Json& request) {
  for (const auto& [key, value] : request.items())
    if (key != "id" && key != "command" && key != "arguments" && key != "line") return invalid(fmt::format("unknown member '{}'", key));
  const bool has_line = request.contains("line");
  if (has_line == request.contains("command")) return invalid("a request has a member \"command\" or a member \"line\"");
  const Json& what = request[has_line ? "line" : "command"];
  if (!what.is_string()) return invalid("\"command\" and \"line\" are strings");
  if (has_line) return parse_command_line(what.get_ref<const std::string&>());
  const CommandRow* row = find_command(what.get_ref<const std::string&>());
  if (!row) return unknown_command(what.get_ref<const std::string&>());
  static const Json kNone = Json::object();
  const Json& arguments = request.contains("arguments") ? request["arguments"] : kNone;
  if (!arguments.is_object()) return invalid("\"arguments\" is an object");
  return invoke(*row, arguments);
}

}  // namespace

Request parse_request(std::string_view line) {
  const Json request = Json::parse(line, nullptr, false);
  if (request.is_discarded()) return {{}, invalid("the line is not JSON"), false};
  if (!request.is_object()) return {{}, invalid("a request is a JSON object"), false};
  Json id = request.contains("id") ? request["id"] : Json();
  if (!usable_id(id)) return {{}, invalid(fmt::format("an id is an integer or a string of at most {} bytes", kMaxIdBytes)), true};
  return {std::move(id), read_invocation(request), true};
}

Result<Invocation> parse_command_line(std::string_view line) {
  auto words = split_words(line);
  if (!words) return words.error();
  if (words->empty()) return invalid("the line is empty");
  const CommandRow* row = find_command(words->front());
  if (!row) return unknown_command(words->front());
  words->erase(words->begin());
  return invoke(*row, *words);
}

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string reply_line(const Json& id, const Result<Json>& result) {
  Json reply = {{"id", id}};
  if (result)
    reply["result"] = *result;
  else
    reply["error"] = {{"kind", kind_name(result.error().kind)}, {"message", result.error().message}};
  return to_text(reply) + "\n";
}

std::string event_line(EventKind kind, const Json& data) {
  return to_text({{"event", event_name(kind)}, {"data", data}}) + "\n";
}

std::string greeting_line(const std::string& guest_name) {
  return to_text({{"ivm", {{"protocol", kProtocolVersion}, {"guest", guest_name}}}}) + "\n";
}

}  // namespace ia64::machine::control
