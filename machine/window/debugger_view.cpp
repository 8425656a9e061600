// Pages of the debugger view: what they ask and what they show.
#include "machine/window/debugger_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace ia64::machine::window {
namespace {

constexpr const char* kPages[] = {"CPU", "System", "Memory", "TLB", "Faults"};
constexpr unsigned kCodeLines = 9;          // three bundles
constexpr unsigned kRegisterColumns = 22;   // "r127 0123456789abcdef* "
constexpr u64 kMemoryRowBytes = 16;

const Style kChanged{.foreground = Colour::rgb(0x10, 0x18, 0x20), .background = Colour::rgb(0xff, 0xc8, 0x57)};
const Style kNat{.foreground = Colour::rgb(0xff, 0x80, 0x80), .background = look::kPanel.background, .bold = true};

u64 number_of(const std::string& hex) { return std::strtoull(hex.c_str(), nullptr, 0); }

std::string text_of(const nlohmann::ordered_json& v) { return v.is_string() ? v.get<std::string>() : v.is_null() ? "-" : v.dump(); }

std::string padded(std::string text, size_t columns) {
  if (text.size() < columns) text.append(columns - text.size(), ' ');
  return text;
}

/// "00 01 02 ..." in groups of four bytes, so that a row fits into 80 columns.
std::string grouped(const std::string& bytes) {
  constexpr size_t kGroupDigits = 8;
  std::string out;
  size_t digits = 0;
  for (const char c : bytes) {
    if (c == ' ') continue;
    if (digits && digits % kGroupDigits == 0) out += ' ';
    out += c;
    digits++;
  }
  return out;
}

}  // namespace

std::string psr_text(u64 psr) {
  static constexpr std::pair<unsigned, const char*> kBits[] = {
      {1, "be"},   {2, "up"},  {3, "ac"},  {4, "mfl"}, {5, "mfh"}, {13, "ic"}, {14, "i"},   {15, "pk"},  {17, "dt"},  {18, "dfl"}, {19, "dfh"}, {20, "sp"},
      {21, "pp"},  {22, "di"}, {23, "si"}, {24, "db"}, {25, "lp"}, {26, "tb"}, {27, "rt"},  {34, "is"},  {35, "mc"},  {36, "it"},  {37, "id"},  {38, "da"},
      {39, "dd"},  {40, "ss"}, {43, "ed"}, {44, "bn"}, {45, "ia"}};
  std::string out = fmt::format("cpl{}", psr >> 32 & 3);
  for (const auto& [bit, name] : kBits)
    if (psr >> bit & 1) out += std::string(" ") + name;
  return out;
}

DebuggerView::DebuggerView(Wires wires) : wires_(std::move(wires)) {}

// --- asking ------------------------------------------------------------------------------------------------------------------

void DebuggerView::ask(const std::string& line, void (DebuggerView::*take)(const Json&)) {
  wires_.run(line, [this, take, alive = std::weak_ptr<bool>(alive_), page = page_](const Result<Json>& answer) {
    if (alive.expired() || page != page_) return;
    error_ = answer ? std::string() : answer.error().message;
    if (answer) (this->*take)(*answer);
    wires_.redraw();
  });
}

void DebuggerView::refresh() {
  switch (page_) {
    case Page::Processor:
      ask("registers", &DebuggerView::take_registers);
      return ask(fmt::format("disassemble count={}", kCodeLines), &DebuggerView::take_code);
    case Page::System:
      ask("registers ar", &DebuggerView::take_application);
      ask("registers cr", &DebuggerView::take_control);
      return ask("registers rr", &DebuggerView::take_regions);
    case Page::Memory:
      if (has_address_) ask(fmt::format("memory {:#x} {}", address_, (rows_ - 1) * kMemoryRowBytes), &DebuggerView::take_memory);
      return;
    case Page::Translations: return ask("tlb", &DebuggerView::take_translations);
    case Page::Interruptions: return ask("faults 64 all", &DebuggerView::take_interruptions);
  }
}

void DebuggerView::take_registers(const Json& answer) {
  // What changed is told against the last stop, not against the last look.
  if (registers_.is_null() || registers_ != answer) before_ = std::exchange(registers_, answer);
}

void DebuggerView::take_code(const Json& answer) {
  code_.clear();
  for (const Json& row : answer.value("code", Json::array())) {
    const bool next = !row.value("next", "").empty();
    const Style& style = next ? look::kChosen : look::kPanel;
    std::string text = fmt::format("{:<2} {:<19} {}", next ? "=>" : "", row.value("address", ""), row.value("instruction", ""));
    Line line{{text, style}};
    if (const std::string symbol = row.value("symbol", ""); !symbol.empty()) line.push_back({"  " + symbol, next ? style : look::kPanelDim});
    code_.push_back(std::move(line));
  }
}

void DebuggerView::add_named(std::vector<Line>& lines, const std::string& title, const Json& values) {
  lines.push_back({{title, look::kPanelTitle}});
  std::vector<Piece> cells;
  size_t n = 0;
  const auto cell = [&](const std::string& name, const Json& value) {
    cells.push_back({fmt::format("{:<6}", name), look::kPanelDim});
    cells.push_back({padded(fmt::format("{:016x}", number_of(text_of(value))), kRegisterColumns - 5), look::kPanel});
  };
  if (values.is_array())
    for (const Json& v : values) cell(fmt::format("{}", n++), v);
  else
    for (const auto& [name, v] : values.items()) cell(name, v);
  for (size_t at = 0; at < cells.size();) lines.push_back(grid_line(cells, at));
}

DebuggerView::Line DebuggerView::grid_line(const std::vector<Piece>& cells, size_t& at) const {
  Line line;
  for (unsigned k = 0; k < 2 * per_line() && at < cells.size(); k++) line.push_back(cells[at++]);
  return line;
}

void DebuggerView::take_application(const Json& answer) { application_.clear(), add_named(application_, "application registers", answer); }
void DebuggerView::take_control(const Json& answer) { control_.clear(), add_named(control_, "control registers", answer); }
void DebuggerView::take_regions(const Json& answer) {
  regions_.clear();
  add_named(regions_, "region registers", answer.contains("rr") ? answer["rr"] : answer);
}

void DebuggerView::take_memory(const Json& answer) {
  memory_.clear();
  for (const Json& row : answer.value("memory", Json::array()))
    memory_.push_back({{row.value("address", "").substr(2) + "  ", look::kPanelDim},
                       {padded(grouped(row.value("bytes", "")), 2 * kMemoryRowBytes + 5), look::kPanel},
                       {row.value("text", ""), look::kPanelTitle}});
  if (answer.contains("note")) memory_.push_back({{answer["note"].get<std::string>(), look::kPanelDim}});
}

void DebuggerView::take_translations(const Json& answer) {
  translations_.clear();
  std::vector<std::string> names;
  std::vector<size_t> widths;
  const Json rows = answer.value("translations", Json::array());
  for (const Json& row : rows)
    for (const auto& [name, value] : row.items()) {
      size_t n = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
      if (n == names.size()) names.push_back(name), widths.push_back(name.size());
      widths[n] = std::max(widths[n], text_of(value).size());
    }
  std::string head;
  for (size_t n = 0; n < names.size(); n++) head += padded(names[n], widths[n] + 1);
  translations_.push_back({{head, look::kPanelTitle}});
  for (const Json& row : rows) {
    std::string line;
    for (size_t n = 0; n < names.size(); n++) line += padded(row.contains(names[n]) ? text_of(row[names[n]]) : "", widths[n] + 1);
    translations_.push_back({{line, look::kPanel}});
  }
}

/// The latest first, each in as many lines as it needs.
void DebuggerView::take_interruptions(const Json& answer) {
  interruptions_.clear();
  const Json rows = answer.value("latest", Json::array());
  interruptions_.push_back({{fmt::format("{} taken since reset; the latest first", answer.value("taken", u64{0})), look::kPanelTitle}});
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    std::string rest = row->value("interruption", "");
    std::string label = fmt::format("{:>8} ", text_of((*row)["number"]));
    const size_t room = columns_ > label.size() + 20 ? columns_ - label.size() - 2 : 20;
    while (!rest.empty()) {
      size_t cut = std::min(rest.find('\n'), rest.size());
      if (cut > room) {
        cut = rest.rfind(' ', room);
        if (cut == std::string::npos || cut == 0) cut = room;
      }
      interruptions_.push_back({{label, look::kPanelDim}, {rest.substr(0, cut), look::kPanel}});
      rest.erase(0, cut);
      rest.erase(0, std::min(rest.find_first_not_of(" \n"), rest.size()));
      label.assign(label.size(), ' ');
    }
  }
}

// --- showing -----------------------------------------------------------------------------------------------------------------

unsigned DebuggerView::per_line() const { return std::max(1u, (columns_ - 2) / kRegisterColumns); }

std::vector<DebuggerView::Line> DebuggerView::lines() const {
  if (!error_.empty()) return {{{error_, look::kPanel}}};
  switch (page_) {
    case Page::Memory:
      if (!has_address_) return {{{"a: which address? A number, a symbol or a register", look::kPanelDim}}};
      return memory_;
    case Page::Translations: return translations_;
    case Page::Interruptions: return interruptions_;
    case Page::System: {
      std::vector<Line> out = application_;
      out.insert(out.end(), control_.begin(), control_.end());
      out.insert(out.end(), regions_.begin(), regions_.end());
      return out;
    }
    case Page::Processor: break;
  }
  std::vector<Line> out;
  if (registers_.is_null()) return out;
  const auto value = [this](const char* name) { return registers_.value(name, ""); };
  const u64 cfm = number_of(value("cfm"));
  out.push_back({{"ip  ", look::kPanelDim}, {fmt::format("{:016x}.{}", number_of(value("ip")), registers_.value("slot", 0)), look::kPanel},
                 {"   psr ", look::kPanelDim}, {psr_text(number_of(value("psr"))), look::kPanel}});
  out.push_back({{"pr  ", look::kPanelDim}, {fmt::format("{:016x}", number_of(value("pr"))), look::kPanel}, {"     cfm ", look::kPanelDim},
                 {fmt::format("sof {} sol {} sor {} rrb {} {} {}", cfm & 127, cfm >> 7 & 127, (cfm >> 14 & 15) * 8, cfm >> 18 & 127, cfm >> 25 & 127, cfm >> 32 & 63),
                  look::kPanel}});
  out.insert(out.end(), code_.begin(), code_.end());
  std::vector<Piece> cells;
  const Json nats = registers_.value("nat", Json::array());
  const auto add = [&](const char* list, const char* prefix) {
    const Json& now = registers_[list];
    const Json old = before_.is_object() ? before_.value(list, Json::array()) : Json::array();
    for (size_t n = 0; n < now.size() && !now[n].is_null(); n++) {
      const bool nat = prefix[0] == 'r' && std::find(nats.begin(), nats.end(), Json(n)) != nats.end();
      const bool changed = n < old.size() && old[n] != now[n];
      cells.push_back({fmt::format("{:<5}", prefix + std::to_string(n)), look::kPanelDim});
      cells.push_back({fmt::format("{:016x}", number_of(text_of(now[n]))) + (nat ? "*" : " "), changed ? kChanged : nat ? kNat : look::kPanel});
    }
  };
  add("gr", "r");
  while (cells.size() % (2 * per_line())) cells.push_back({"", look::kPanel});
  add("br", "b");
  for (size_t at = 0; at < cells.size();) out.push_back(grid_line(cells, at));
  return out;
}

void DebuggerView::draw_line(CellGrid& grid, unsigned row, const Line& line) const {
  unsigned column = 1;
  for (const Piece& piece : line) column = grid.put(row, column, piece.text, piece.style);
}

void DebuggerView::draw(CellGrid& grid) {
  const unsigned rows = grid.rows() - 1;
  const bool other_size = rows_ != rows - 1 || columns_ != grid.columns();
  rows_ = rows - 1;
  columns_ = grid.columns();
  if (other_size) refresh();
  grid.fill(0, 0, rows, columns_, look::kPanel);
  grid.fill(0, 0, 1, columns_, look::kBar);
  unsigned column = 0;
  for (size_t n = 0; n < std::size(kPages); n++)
    column = grid.put(0, column, fmt::format(" {} {} ", n + 1, kPages[n]), n == static_cast<size_t>(page_) ? look::kChosen : look::kBar);
  const std::string keys = fmt::format("g {}  s step  a address  Esc", wires_.paused() ? "go" : "pause");
  if (column + keys.size() + 1 < columns_) grid.put(0, columns_ - static_cast<unsigned>(keys.size()) - 1, keys, look::kBar);
  const auto all = lines();
  top_ = std::min(top_, all.size() > rows_ ? all.size() - rows_ : size_t{0});
  for (unsigned r = 0; r < rows_ && top_ + r < all.size(); r++) draw_line(grid, r + 1, all[top_ + r]);
  if (prompt_) prompt_->draw(grid);
}

// --- keys --------------------------------------------------------------------------------------------------------------------

void DebuggerView::turn_to(Page page) {
  page_ = page;
  top_ = 0;
  error_.clear();
  if (page == Page::Memory && !has_address_) ask_address();
  refresh();
}

/// Memory scrolls by its address, everything else by lines.
void DebuggerView::scroll(long rows) {
  if (page_ == Page::Memory && has_address_) {
    address_ += static_cast<u64>(rows) * kMemoryRowBytes;
    return refresh();
  }
  top_ = static_cast<size_t>(std::max(0L, static_cast<long>(top_) + rows));
}

void DebuggerView::ask_address() {
  Prompt::Actions actions;
  actions.keep = true;
  actions.enter = [this](std::string text) {
    place_ = text;
    wires_.run("symbol '" + text + "'", [this, alive = std::weak_ptr<bool>(alive_)](const Result<Json>& answer) {
      if (alive.expired()) return;
      if (!answer) {
        error_ = answer.error().message;
      } else {
        address_ = number_of(answer->value("address", "0")) & ~(kMemoryRowBytes - 1);
        has_address_ = true;
        page_ = Page::Memory;
        refresh();
      }
      wires_.redraw();
    });
  };
  prompt_ = std::make_unique<Prompt>("Address:", place_, std::move(actions), [](std::function<void()> action) { action(); });
}

bool DebuggerView::key(const KeyPress& press) {
  if (prompt_) {
    const bool enter = press.key == Key::Enter;
    if (!prompt_->key(press) || enter) prompt_.reset();
    return true;
  }
  const long page = std::max(1L, static_cast<long>(rows_) - 1);
  constexpr size_t kPageCount = std::size(kPages);
  if (press.key) {
    switch (*press.key) {
      case Key::Escape: return false;
      case Key::Up: scroll(-1); break;
      case Key::Down: scroll(1); break;
      case Key::PageUp: scroll(-page); break;
      case Key::PageDown: scroll(page); break;
      case Key::Tab:
      case Key::Right: turn_to(static_cast<Page>((static_cast<size_t>(page_) + 1) % kPageCount)); break;
      case Key::Left: turn_to(static_cast<Page>((static_cast<size_t>(page_) + kPageCount - 1) % kPageCount)); break;
      default: break;
    }
    return true;
  }
  if (press.modifiers.ctrl || press.modifiers.alt) return true;
  if (press.character >= U'1' && press.character < U'1' + kPageCount) return turn_to(static_cast<Page>(press.character - U'1')), true;
  switch (press.character) {
    case U'g': wires_.toggle_pause(); break;
    case U's': wires_.step(); break;
    case U'a': ask_address(); break;
    case U'q': return false;
    default: break;
  }
  return true;
}

bool DebuggerView::mouse(const MouseEvent& event) {
  constexpr long kWheelLines = 3;
  if (event.kind == MouseEvent::Kind::Wheel) return scroll(-kWheelLines * event.wheel), true;
  if (event.kind != MouseEvent::Kind::Press || event.row != 0) return true;
  unsigned column = 0;
  for (size_t n = 0; n < std::size(kPages); n++) {
    column += text_columns(fmt::format(" {} {} ", n + 1, kPages[n]));
    if (event.column < column) return turn_to(static_cast<Page>(n)), true;
  }
  return true;
}

}  // namespace ia64::machine::window
