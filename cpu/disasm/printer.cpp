// The disassembler: fills the text templates of the rows.
#include "cpu/disasm/printer.h"

#include <fmt/format.h>

#include <cctype>
#include <cstring>
#include <iterator>
#include <vector>

#include "base/invariant.h"
#include "cpu/disasm/aliases.h"
#include "cpu/disasm/operand_text.h"

namespace ia64::cpu {
namespace {

/// A template cut into literal text and fields, alternating.
class Template {
 public:
  explicit Template(std::string_view text) {
    while (!text.empty()) {
      const size_t percent = text.find('%');
      Piece piece{text.substr(0, percent), nullptr};
      if (percent != text.npos) {
        size_t end = percent + 1;
        while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end]))) ++end;
        piece.field = operand_printer(text.substr(percent + 1, end - percent - 1));
        INVARIANT(piece.field != nullptr);
        text.remove_prefix(end);
      } else {
        text = {};
      }
      pieces_.push_back(piece);
    }
  }

  void print(std::string& out, const Insn& insn, u64 ip) const {
    for (const Piece& p : pieces_) {
      out += p.literal;
      if (p.field != nullptr) p.field(out, insn, ip);
    }
  }

 private:
  struct Piece {
    std::string_view literal;
    OperandPrinter field;
  };
  std::vector<Piece> pieces_;
};

/// Everything needed to print one row.
struct RowText {
  explicit RowText(const OpInfo& op) : plain(op.text) {
    for (const Alias* a = alias_begin(); a != alias_end(); ++a)
      if (std::strcmp(a->row, op.name) == 0) aliases.push_back({a->applies, Template(a->text)});
  }
  struct Special {
    bool (*applies)(const Insn&);
    Template text;
  };
  Template plain;
  std::vector<Special> aliases;
};

const std::vector<RowText>& row_texts() {
  static const std::vector<RowText> rows = [] {
    std::vector<RowText> all;
    for (u16 op = 0; op < op_count(); ++op) all.emplace_back(op_info(op));
    return all;
  }();
  return rows;
}

std::string data_text(u64 slot) {
  return fmt::format("data8 {:#011x}", slot);
}

/// "(p06) " as wide as objdump's column, or blanks.
std::string predicate_column(const Insn& i) {
  if (i.op == kReservedOp || i.qp == 0 || (op_info(i.op).flags & op_flag::kNoQp)) return "      ";
  return fmt::format("(p{:02}) ", i.qp);
}

std::string template_column(unsigned bits) {
  const BundleTemplate& t = bundle_template(bits);
  return t.reserved ? fmt::format("[-{:x}-] ", bits >> 1) : fmt::format("[{}] ", t.name);
}

}  // namespace

std::string instruction_text(const Insn& insn, u64 ip) {
  if (insn.op == kReservedOp) return data_text(insn.imm);
  const RowText& row = row_texts()[insn.op];
  std::string out;
  for (const RowText::Special& special : row.aliases) {
    if (!special.applies(insn)) continue;
    special.text.print(out, insn, ip);
    return out;
  }
  row.plain.print(out, insn, ip);
  return out;
}

std::string insn_text(const Insn& insn, u64 ip) {
  std::string text = predicate_column(insn);
  if (text[0] == ' ') text.clear();
  text += instruction_text(insn, ip);
  if (insn.flags & kGroupEnd) text += ";;";
  return text;
}

void bundle_text(const u8* bytes, u64 ip, std::string lines[3]) {
  const RawBundle raw = split_bundle(bytes);
  const BundleTemplate& t = bundle_template(raw.template_bits);
  Insn insns[3];
  const unsigned count = decode_bundle(bytes, insns);
  for (unsigned n = 0; n < 3; ++n) {
    lines[n].clear();
    if (n >= count) continue;
    lines[n] = n == 0 ? template_column(raw.template_bits) : "      ";
    if (t.reserved) {
      lines[n] += "      " + data_text(raw.slots[n]);
      continue;
    }
    lines[n] += predicate_column(insns[n]) + instruction_text(insns[n], ip);
    if ((insns[n].flags & kGroupEnd) && insns[n].op != kReservedOp) lines[n] += ";;";
  }
}

}  // namespace ia64::cpu
