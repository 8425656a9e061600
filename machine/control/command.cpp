// The table of commands, and the check of their arguments.
#include "machine/control/command.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "storage/store_registry.h"

namespace ia64::machine::control {
namespace {

Error bad_argument(const char* name, std::string_view why) {
  return {ErrorKind::Invalid, fmt::format("argument '{}': {}", name, why)};
}

const ArgumentRow* find_argument(const std::vector<ArgumentRow>& rows, std::string_view name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const ArgumentRow& r) { return name == r.name; });
  return row == rows.end() ? nullptr : &*row;
}

Result<Json> check_size(const ArgumentRow& row, const Json& value) {
  if (value.is_string()) {
    auto size = storage::parse_size(value.get<std::string>());
    if (!size) return bad_argument(row.name, size.error().message);
    return Json(*size);
  }
  if (!value.is_number_unsigned() || value.get<u64>() % 512 || value.get<u64>() > u64{1} << 62)
    return bad_argument(row.name, "expected a multiple of 512, or a text such as \"20G\"");
  return value;
}

Result<Json> check_value(const ArgumentRow& row, const Json& value) {
  switch (row.type) {
    case ArgumentType::Flag:
      if (!value.is_boolean()) return bad_argument(row.name, "expected true or false");
      return value;
    case ArgumentType::Size: return check_size(row, value);
    case ArgumentType::Text:
    case ArgumentType::Address: break;
  }
  if (!value.is_string()) return bad_argument(row.name, "expected a string");
  if (row.type == ArgumentType::Text) return value;
  auto address = parse_device_address(value.get_ref<const std::string&>());
  if (!address) return bad_argument(row.name, address.error().message);
  return value;
}

/// The JSON value of a word; flags are the only ones that are not strings.
Result<Json> value_of_word(const ArgumentRow& row, const std::string& word) {
  if (row.type != ArgumentType::Flag) return Json(word);
  if (word == "true" || word == "yes" || word == "1") return Json(true);
  if (word == "false" || word == "no" || word == "0") return Json(false);
  return bad_argument(row.name, "expected yes or no");
}

}  // namespace

const char* type_name(ArgumentType type) {
  switch (type) {
    case ArgumentType::Text: return "text";
    case ArgumentType::Address: return "address";
    case ArgumentType::Size: return "size";
    case ArgumentType::Flag: return "flag";
  }
  return "";
}

Result<Arguments> Arguments::check(const std::vector<ArgumentRow>& rows, const Json& given) {
  Arguments out;
  for (const auto& [name, value] : given.items()) {
    const ArgumentRow* row = find_argument(rows, name);
    if (!row) return Error{ErrorKind::Invalid, fmt::format("there is no argument '{}'", name)};
    auto checked = check_value(*row, value);
    if (!checked) return checked.error();
    out.values_[row->name] = std::move(*checked);
  }
  for (const ArgumentRow& row : rows)
    if (row.required && !out.values_.contains(row.name)) return bad_argument(row.name, "is missing");
  return out;
}

Result<Arguments> Arguments::check(const std::vector<ArgumentRow>& rows, const std::vector<std::string>& words) {
  Json given = Json::object();
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    const ArgumentRow* row = equals == std::string::npos ? nullptr : find_argument(rows, std::string_view(word).substr(0, equals));
    std::string text = row ? word.substr(equals + 1) : word;
    if (!row) {
      row = find_argument(rows, word);
      if (row && row->type == ArgumentType::Flag) {
        text = "true";
      } else {  // the next place that is free
        const auto next = std::find_if(rows.begin(), rows.end(),
                                       [&](const ArgumentRow& r) { return r.type != ArgumentType::Flag && !given.contains(r.name); });
        if (next == rows.end()) return Error{ErrorKind::Invalid, fmt::format("there is no place for the argument '{}'", word)};
        row = &*next;
      }
    }
    auto value = value_of_word(*row, text);
    if (!value) return value.error();
    given[row->name] = std::move(*value);
  }
  return check(rows, given);
}

std::string Arguments::text(const char* name) const { return values_.value(name, std::string()); }

std::optional<DeviceAddress> Arguments::address(const char* name) const {
  if (!values_.contains(name)) return std::nullopt;
  return *parse_device_address(text(name));
}

u64 Arguments::size(const char* name) const { return values_.value(name, u64{0}); }

const char* event_name(EventKind kind) {
  switch (kind) {
#define X(e, name, help) \
  case EventKind::e: return name;
    CONTROL_EVENTS(X)
#undef X
  }
  return "";
}

const std::vector<CommandRow>& command_table() {
  static const std::vector<CommandRow> table = [] {
    std::vector<CommandRow> all;
    for (auto list : {machine_commands(), storage_commands(), inspect_commands(), bus_commands(), code_commands(), translation_commands(),
                      point_commands(), trace_commands(), efi_commands(), console_commands(), snapshot_commands(), window_commands()})
      all.insert(all.end(), std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()));
    return all;
  }();
  return table;
}

const CommandRow* find_command(std::string_view name) {
  const std::string wanted(name);
  for (const CommandRow& row : command_table())
    if (!strcasecmp(wanted.c_str(), row.name) || (row.alias && !strcasecmp(wanted.c_str(), row.alias))) return &row;
  return nullptr;
}

}  // namespace ia64::machine::control
