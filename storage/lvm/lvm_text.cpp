// The text format of LVM2 metadata: sections, numbers, strings, lists, comments.
#include <fmt/core.h>

#include <charconv>

#include "storage/lvm/lvm_metadata.h"

namespace ia64::storage::lvm {

namespace {

constexpr unsigned kMaxDepth = 16;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> run() {
    Node root;
    if (!section(root, 0, true)) return Error{ErrorKind::Invalid, fmt::format("LVM metadata, line {}: {}", line_, why_)};
    return root;
  }

 private:
  bool fail(const char* why) {
    if (!why_) why_ = why;
    return false;
  }
  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        while (at_ < text_.size() && text_[at_] != '\n') at_++;
      else if (c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '\0')
        line_ += c == '\n', at_++;
      else
        return;
    }
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    at_++;
    return true;
  }
  static bool name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '+';
  }
  std::string word() {
    skip();
    const size_t from = at_;
    while (at_ < text_.size() && name_char(text_[at_])) at_++;
    return std::string(text_.substr(from, at_ - from));
  }
  bool section(Node& out, unsigned depth, bool top) {
    if (depth > kMaxDepth) return fail("nested too deep");
    for (;;) {
      skip();
      if (at_ >= text_.size()) return top || fail("a section is not closed");
      if (!top && take('}')) return true;
      const std::string name = word();
      if (name.empty()) return fail("a name was expected");
      Node child;
      if (take('{')) {
        if (!section(child, depth + 1, false)) return false;
      } else if (!take('=') || !value(child)) {
        return fail("'=' and a value were expected");
      }
      out.children.insert_or_assign(name, std::move(child));
    }
  }
  bool value(Node& out) {
    if (!take('[')) return element(out);
    if (take(']')) return true;
    do {
      if (!element(out)) return false;
    } while (take(','));
    return take(']') || fail("a list is not closed");
  }
  bool element(Node& out) {
    if (!take('"')) {
      out.values.push_back(word());
      return !out.values.back().empty() || fail("a value was expected");
    }
    std::string s;
    for (; at_ < text_.size() && text_[at_] != '"'; at_++) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) at_++;
      s += text_[at_];
    }
    if (at_ >= text_.size()) return fail("a string is not closed");
    at_++;
    out.values.push_back(std::move(s));
    return true;
  }

  const std::string_view text_;
  size_t at_ = 0;
  unsigned line_ = 1;
  const char* why_ = nullptr;
};

}  // namespace

const Node* Node::child(std::string_view name) const {
  const auto it = children.find(name);
  return it == children.end() ? nullptr : &it->second;
}

u64 Node::number(std::string_view name, u64 missing) const {
  const Node* n = child(name);
  u64 v = 0;
  if (!n || n->values.empty()) return missing;
  const auto& s = n->values[0];
  return std::from_chars(s.data(), s.data() + s.size(), v).ec == std::errc{} ? v : missing;
}

std::string Node::text(std::string_view name) const {
  const Node* n = child(name);
  return n && !n->values.empty() ? n->values[0] : std::string{};
}

Result<Node> parse_text(std::string_view text) {
  return Parser(text).run();
}

}  // namespace ia64::storage::lvm
