// The TOML header of a test file.
#include <fmt/format.h>

#include <stdexcept>

namespace ia64::machine::regression {
[[noreturn]] void malformed_toml();
}
// Some malformed files trip assertions of the library's parser (3.3): they are complaints about the file, and no end of the program.
#define TOML_ASSERT(condition) \
  if (!(condition)) ia64::machine::regression::malformed_toml()
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>

#include "machine/regression/test_file.h"
#include "storage/store_registry.h"

namespace ia64::machine::regression {

void malformed_toml() { throw std::logic_error("no TOML"); }

namespace {

/// Whether the library stumbles.
bool trips(std::string_view text) {
  try {
    (void)toml::parse(text);
  } catch (const std::logic_error&) {
    return true;
  }
  return false;
}

/// The first line with which the library stumbles; 0: it does not.
unsigned malformed_line(const std::string& text) {
  if (!trips(text)) return 0;
  unsigned line = 1;
  for (size_t end = text.find('\n'); end != std::string::npos && !trips(std::string_view(text).substr(0, end + 1)); end = text.find('\n', end + 1)) line++;
  return line;
}

constexpr const char* kOwnOptions[] = {"console", "control", "log", "paused", "timeout", "expect", "send", "until", "help"};

class Header {
 public:
  Header(const LoadContext& context, TestFile& file, Diagnostics& diagnostics) : context_(context), file_(file), diagnostics_(diagnostics) {}

  void read(const toml::table& root) {
    // What names are there comes first: everything else may use them.
    if (const auto* table = sub_table(root, "variables")) variables(*table);
    if (const auto* table = sub_table(root, "images")) images(*table);
    for (const auto& [key, value] : root) top_level(std::string(key.str()), value);
    if (file_.guests.empty() && !has_guests_) file_.guests.push_back({"guest", {}, {1, 1}});
    std::sort(file_.guests.begin(), file_.guests.end(), [](const GuestSpec& a, const GuestSpec& b) { return a.place.line < b.place.line; });
    for (const auto& [name, value] : context_.variables) file_.variables[name] = value;
  }

 private:
  static Place place_of(const toml::node& node) { return {node.source().begin.line, node.source().begin.column}; }
  void complain(const toml::node& node, std::string message) { diagnostics_.add(place_of(node), std::move(message)); }

  const toml::table* sub_table(const toml::table& root, std::string_view key) {
    const toml::node* const node = root.get(key);
    if (node && !node->is_table()) complain(*node, fmt::format("'{}' is a table: [{}]", key, key));
    return node ? node->as_table() : nullptr;
  }

  std::string text(const toml::node& node, std::string_view what) {
    if (const auto value = node.value_exact<std::string>()) return *value;
    complain(node, fmt::format("{}: a string is expected", what));
    return {};
  }
  /// Columns of TOML strings: behind the quote.
  Template text_template(const toml::node& node, std::string_view what) {
    Place place = place_of(node);
    place.column++;
    return parse_template(text(node, what), place, diagnostics_);
  }
  template <class F>
  void each(const toml::node& node, std::string_view what, F f) {
    if (const auto* list = node.as_array())
      for (const auto& item : *list) f(item);
    else
      complain(node, fmt::format("{}: a list is expected: [\"...\"]", what));
  }

  void top_level(const std::string& key, const toml::node& value) {
    if (key == "variables" || key == "images") return;
    if (key == "description") {
      file_.description = text(value, key);
    } else if (key == "tags") {
      each(value, key, [&](const toml::node& tag) { file_.tags.push_back(text(tag, key)); });
    } else if (key == "needs") {
      each(value, key, [&](const toml::node& need) { file_.needs.push_back(text_template(need, key)); });
    } else if (key == "prompt") {
      file_.prompt = text(value, key);
    } else if (key == "host_timeout") {
      duration(value, key, file_.host_timeout_ms);
    } else if (key == "guest_timeout") {
      duration(value, key, file_.guest_timeout_ms);
    } else if (key == "max_output") {
      size(value, key, file_.max_output_bytes);
    } else if (key == "guest") {
      if (const auto* table = value.as_table()) guest("guest", *table);
      else complain(value, "'guest' is a table: [guest]");
    } else if (key == "guests") {
      guests(value);
    } else {
      complain(value, fmt::format("unknown key '{}'; there are description, tags, needs, prompt, host_timeout, guest_timeout, max_output and the "
                                  "tables [variables], [images.NAME], [guest], [guests.NAME]", key));
    }
  }

  void duration(const toml::node& node, const std::string& key, u64& out) {
    std::optional<u64> ms;
    if (const auto seconds = node.value_exact<i64>()) ms = parse_duration(std::to_string(*seconds));
    if (const auto written = node.value_exact<std::string>()) ms = parse_duration(*written);
    if (!ms || *ms == 0) return complain(node, fmt::format("{}: expected a time such as \"90s\" or \"10m\"", key));
    out = *ms;
  }

  void size(const toml::node& node, const std::string& key, u64& out) {
    const auto written = node.value_exact<std::string>();
    const auto bytes = written ? storage::parse_size(*written) : Result<u64>(Error{});
    if (!bytes || *bytes == 0) return complain(node, fmt::format("{}: expected a size such as \"64M\"", key));
    out = *bytes;
  }

  bool usable_name(const toml::key& key, const char* what) {
    const Place place{key.source().begin.line, key.source().begin.column};
    const std::string_view name = key.str();
    if (!is_variable_name(name) || name.find('.') != std::string_view::npos)
      return diagnostics_.add(place, fmt::format("{} '{}': a name has letters, digits and _", what, name)), false;
    if (name == "dir" || name == "tmp" || name == "ivm" || name == "path" || name == "result" || name == "output")
      return diagnostics_.add(place, fmt::format("{} '{}': this name has a meaning already", what, name)), false;
    return true;
  }

  void variables(const toml::table& table) {
    for (const auto& [key, value] : table) {
      if (!usable_name(key, "variable")) continue;
      const Template t = text_template(value, key.str());
      Variables known = file_.variables;
      for (const auto& [name, given] : context_.variables) known[name] = given;
      file_.variables[std::string(key.str())] = t.expand(known);
    }
  }

  void images(const toml::table& table) {
    for (const auto& [key, value] : table) {
      if (!usable_name(key, "image")) continue;
      if (const auto* about = value.as_table()) image(std::string(key.str()), *about);
      else complain(value, fmt::format("an image is a table: [images.{}]", key.str()));
    }
  }

  void image(const std::string& name, const toml::table& table) {
    ImageSpec spec;
    spec.name = name;
    spec.place = place_of(table);
    unsigned kinds = 0;
    for (const auto& [key, value] : table) {
      kinds++;
      if (key == "copy" || key == "overlay") {
        spec.kind = key == "copy" ? ImageSpec::Kind::Copy : ImageSpec::Kind::Overlay;
        spec.source = text_template(value, key.str());
      } else if (key == "size") {
        spec.kind = ImageSpec::Kind::Empty;
        size(value, "size", spec.size_bytes);
      } else if (key == "make") {
        spec.kind = ImageSpec::Kind::Made;
        each(value, "make", [&](const toml::node& word) { spec.command.push_back(text_template(word, "make")); });
        if (spec.command.empty()) complain(value, "make: the name of a program is missing");
      } else {
        complain(value, fmt::format("unknown key '{}' of an image; there are copy, overlay, size, make", key.str()));
      }
    }
    if (kinds != 1) complain(table, fmt::format("image '{}' has one of copy, overlay, size, make", name));
    file_.images.push_back(std::move(spec));
  }

  void guests(const toml::node& node) {
    const auto* table = node.as_table();
    if (!table) return complain(node, "'guests' holds tables: [guests.NAME]");
    for (const auto& [key, value] : *table) {
      const auto* about = value.as_table();
      if (!about) complain(value, fmt::format("a guest is a table: [guests.{}]", key.str()));
      else if (usable_name(key, "guest")) guest(std::string(key.str()), *about);
    }
  }

  void guest(const std::string& name, const toml::table& table) {
    has_guests_ = true;
    GuestSpec spec{name, {}, place_of(table)};
    for (const auto& [key, value] : table) guest_option(std::string(key.str()), value, spec);
    file_.guests.push_back(std::move(spec));
  }

  void guest_option(const std::string& key, const toml::node& value, GuestSpec& spec) {
    std::string option = "--" + key;
    if (key == "storage") {
      option = "-a";
    } else if (key == "memory") {
      option = "-m";
    } else if (key == "processors") {
      option = "-c";
    } else if (const auto known = context_.run_options.find(key); std::find(std::begin(kOwnOptions), std::end(kOwnOptions), key) != std::end(kOwnOptions)) {
      return complain(value, fmt::format("'{}' is chosen by `ivm test`", key));
    } else if (known == context_.run_options.end()) {
      return complain(value, fmt::format("`ivm run` has no option --{}; beside its options there are storage (-a), memory (-m), processors (-c)", key));
    } else if (!known->second) {
      const auto on = value.value_exact<bool>();
      if (!on) return complain(value, fmt::format("{}: true or false is expected", key));
      if (*on) spec.arguments.push_back(plain(option, value));
      return;
    }
    if (value.is_array())
      each(value, key, [&](const toml::node& item) { option_value(option, key, item, spec); });
    else
      option_value(option, key, value, spec);
  }

  void option_value(const std::string& option, const std::string& key, const toml::node& value, GuestSpec& spec) {
    spec.arguments.push_back(plain(option, value));
    if (const auto number = value.value_exact<i64>())
      spec.arguments.push_back(plain(std::to_string(*number), value));
    else
      spec.arguments.push_back(text_template(value, key));
  }
  static Template plain(std::string text, const toml::node& node) {
    Template t;
    t.parts.push_back({std::move(text), false, place_of(node)});
    return t;
  }

  const LoadContext& context_;
  TestFile& file_;
  Diagnostics& diagnostics_;
  bool has_guests_ = false;
};

}  // namespace

std::optional<u64> parse_duration(std::string_view text) {
  constexpr u64 kLongestMs = u64{7} * 24 * 3600 * 1000;
  u64 n = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  const u64 ms = unit == "ms" ? 1 : unit == "s" || unit.empty() ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : 0;
  if (bad != std::errc{} || ms == 0 || n > kLongestMs / ms) return std::nullopt;
  return n * ms;
}

void parse_header(const std::string& text, const LoadContext& context, TestFile& file, Diagnostics& diagnostics) {
  if (const unsigned line = malformed_line(text)) return diagnostics.add({line, 1}, "this is no TOML");
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto at = parsed.error().source().begin;
    diagnostics.add({at.line, at.column}, std::string(parsed.error().description()));
    return;
  }
  Header(context, file, diagnostics).read(parsed.table());
}

}  // namespace ia64::machine::regression
