// Rates in few characters.
#include "machine/window/activity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ia64::machine::window {
namespace {

u64 grown(u64 now, u64 before) { return now >= before ? now - before : 0; }

/// "950", "1.2K", "80K", "1.5M": three digits at most.
std::string short_number(double n) {
  static constexpr const char* kUnits[] = {"", "K", "M", "G"};
  unsigned unit = 0;
  while (n >= 999.5 && unit + 1 < std::size(kUnits)) n /= 1024, unit++;
  return unit && n < 9.95 ? fmt::format("{:.1f}{}", n, kUnits[unit]) : fmt::format("{:.0f}{}", n, kUnits[unit]);
}

}  // namespace

ActivitySample ActivitySample::from_json(const nlohmann::ordered_json& answer) {
  ActivitySample s;
  s.state = answer.value("state", "");
  s.firmware_or_os = answer.value("runs", "");
  s.virtual_ns = answer.value("virtual_ns", u64{0});
  s.idle_ns = answer.value("idle_ns", u64{0});
  s.instructions = answer.value("instructions", u64{0});
  s.read_bytes = answer.value("read_bytes", u64{0});
  s.written_bytes = answer.value("written_bytes", u64{0});
  s.cpl = answer.value("cpl", 0u);
  s.big_endian = answer.value("big_endian", false);
  s.collects = answer.value("interruption_collection", false);
  s.translates = answer.value("instruction_translation", false);
  return s;
}

void ActivityMeter::add(const ActivitySample& sample) {
  before_ = last_;
  last_ = sample;
}

double ActivityMeter::seconds() const {
  if (!before_ || last_->virtual_ns <= before_->virtual_ns) return 0;
  return static_cast<double>(last_->virtual_ns - before_->virtual_ns) / 1e9;
}

std::string ActivityMeter::mips() const {
  const double s = seconds();
  if (s == 0) return "- MIPS";
  const double m = static_cast<double>(grown(last_->instructions, before_->instructions)) / s / 1e6;
  return m < 9.95 ? fmt::format("{:.1f} MIPS", m) : fmt::format("{:.0f} MIPS", m);
}

std::string ActivityMeter::idle() const {
  const double s = seconds();
  if (s == 0) return "idle -";
  const double share = static_cast<double>(grown(last_->idle_ns, before_->idle_ns)) / 1e9 / s;
  return fmt::format("idle {:.0f}%", 100 * std::clamp(share, 0.0, 1.0));
}

std::string ActivityMeter::disk() const {
  const double s = seconds();
  if (s == 0) return "disk -";
  const u64 read = grown(last_->read_bytes, before_->read_bytes), written = grown(last_->written_bytes, before_->written_bytes);
  std::string out;
  if (read) out += " R " + short_number(static_cast<double>(read) / s);
  if (written) out += " W " + short_number(static_cast<double>(written) / s);
  return "disk" + (out.empty() ? " -" : out);
}

std::string ActivityMeter::mode() const {
  if (!last_) return "";
  return fmt::format("{} {} cpl{} {} {}", last_->firmware_or_os, last_->big_endian ? "BE" : "LE", last_->cpl, last_->collects ? "ic" : "--",
                     last_->translates ? "it" : "--");
}

}  // namespace ia64::machine::window
