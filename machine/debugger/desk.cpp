// Symbols, images, points and fault log of one guest.
#include "machine/debugger/desk.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "base/log.h"
#include "machine/debugger/fault_text.h"

namespace ia64::machine::debugger {
namespace {

std::string module_of(const firmware::EfiImage& image) { return fmt::format("{} {:#x}", image.name, image.handle); }

std::vector<Symbol> placed(const std::vector<firmware::EfiImageSymbol>& symbols, u64 base) {
  std::vector<Symbol> out;
  for (const auto& s : symbols) out.push_back({base + s.rva, 0, s.name, true});
  return out;
}

std::vector<Symbol> moved(std::vector<Symbol> symbols, u64 by) {
  for (Symbol& s : symbols) s.address += by;
  return symbols;
}

}  // namespace

Desk::Desk(Machine& machine) : machine_(machine) {
  machine_.core().set_interruption_observer(this);
  machine_.set_image_observer([this](const ImageEvent& event) { image_event(event); });
}

// --- symbols and images ------------------------------------------------------------------------------------------------------

Result<void> Desk::add_symbols(const std::string& argument) {
  auto file = read_symbol_file(argument);
  if (!file) return file.error();
  if (file->efi_name.empty())
    symbols_.add(file->path, std::move(file->symbols));
  else
    efi_files_.push_back(std::move(*file));
  return {};
}

std::string Desk::Image::gdb_line() const {
  const u64 offset = image.base - image.preferred_base;
  if (symbol_file.empty()) return fmt::format("# {}: no symbol file; add-symbol-file FILE -o {:#x}", image.name, offset);
  return fmt::format("add-symbol-file {} -o {:#x}", symbol_file, offset);
}

void Desk::image_event(const ImageEvent& event) {
  if (event.what == ImageEvent::What::Loaded) return image_loaded(*event.image);
  for (const Image& image : images_) {
    if (event.image && image.image.handle != event.image->handle) continue;
    symbols_.remove(module_of(image.image));
    if (on_image) on_image(image, false);
  }
  std::erase_if(images_, [&](const Image& i) { return !event.image || i.image.handle == event.image->handle; });
}

void Desk::image_loaded(const firmware::EfiImage& image) {
  Image& added = images_.emplace_back(Image{image, {}});
  const auto file = std::find_if(efi_files_.begin(), efi_files_.end(), [&](const SymbolFile& f) { return !strcasecmp(f.efi_name.c_str(), image.name.c_str()); });
  if (file != efi_files_.end()) {
    added.symbol_file = file->path;
    symbols_.add(module_of(image), moved(file->symbols, image.base - image.preferred_base));
  } else {
    symbols_.add(module_of(image), placed(image.symbols, image.base));
  }
  LOG(Machine, "EFI {} {} at {:#x}, {:#x} bytes, entry {}", image.kind, image.path, image.base, image.size_bytes,
      symbols_.name_of(image.entry).empty() ? fmt::format("{:#x}", image.entry) : symbols_.name_of(image.entry));
  if (awaited_image_ && (awaited_image_->empty() || !strcasecmp(awaited_image_->c_str(), image.name.c_str()))) {
    awaited_image_.reset();
    image_entry_ = image.entry;
    apply_points();
  }
  if (on_image) on_image(added, true);
}

// --- points ------------------------------------------------------------------------------------------------------------------

unsigned Desk::add_point(Point point) {
  point.number = ++last_number_;
  points_.push_back(point);
  apply_points();
  return point.number;
}

bool Desk::remove_point(unsigned number) {
  const bool found = std::erase_if(points_, [=](const Point& p) { return p.number == number; }) != 0;
  apply_points();
  return found;
}

void Desk::stop_at_image(const std::string& name) {
  awaited_image_ = name;
  image_entry_.reset();
  apply_points();
}

void Desk::remove_points() {
  points_.clear();
  awaited_image_.reset();
  image_entry_.reset();
  apply_points();
}

void Desk::set_remote_points(std::vector<u64> stops, std::vector<cpu::WatchRange> watches) {
  remote_stops_ = std::move(stops);
  remote_watches_ = std::move(watches);
  apply_points();
}

void Desk::apply_points() {
  std::vector<u64> stops = remote_stops_;
  std::vector<cpu::WatchRange> watches = remote_watches_;
  for (const Point& p : points_)
    p.watch ? watches.push_back({p.address, p.size_bytes, p.read, p.write}) : stops.push_back(p.address);
  if (image_entry_) stops.push_back(*image_entry_);
  machine_.set_points(std::move(stops), std::move(watches));
}

std::string Desk::stopped(const DebugStop& stop) {
  constexpr u64 kLargestAccess = 16;
  if (stop.why == DebugStop::Why::StopAddress && image_entry_ == stop.address) {
    image_entry_.reset();
    apply_points();
    return "an EFI image begins";
  }
  for (const Point& p : points_) {
    if (!p.watch && stop.why == DebugStop::Why::StopAddress && p.address == stop.address)
      return fmt::format("breakpoint {} at {}", p.number, symbols_.name_of(p.address).empty() ? fmt::format("{:#x}", p.address) : symbols_.name_of(p.address));
    const bool counts = (stop.read && p.read) || (stop.write && p.write);
    if (p.watch && stop.why == DebugStop::Why::Watch && counts && stop.address < p.address + p.size_bytes && p.address < stop.address + kLargestAccess)
      return fmt::format("watchpoint {}: {} at {:#x}", p.number, stop.write ? "write" : "read", stop.address);
  }
  return {};
}

// --- fault log ---------------------------------------------------------------------------------------------------------------

void Desk::log_faults(bool routine) { (void)log::enable(routine ? "cpu,break,mmu,irq" : "cpu"); }

/// A machine that went back has not taken them yet. @param taken  how many it has taken since its reset
void Desk::forget_undone_faults(u64 taken) {
  if (!fault_count_ || fault_resets_ != machine_.resets()) return;
  const u64 count = fault_count_;
  while (fault_count_ > first_fault_ && faults_[(fault_count_ - 1) % kFaultsKept].number > taken) fault_count_--;
  if (fault_count_ != count) first_fault_ = std::max(first_fault_, count - std::min<u64>(count, kFaultsKept));
}

std::vector<Desk::Numbered> Desk::faults() {
  forget_undone_faults(machine_.core().interruptions_taken());
  std::vector<Numbered> out;
  for (u64 n = std::max(first_fault_, fault_count_ - std::min<u64>(fault_count_, kFaultsKept)); n < fault_count_; n++) out.push_back(faults_[n % kFaultsKept]);
  return out;
}

void Desk::on_interruption(cpu::Core& core, const cpu::InterruptionRecord& record) {
  static constexpr Channel kChannels[] = {Channel::Cpu, Channel::Break, Channel::Mmu, Channel::Irq};  // by FaultClass
  constexpr u64 kAny = u64{1} << static_cast<unsigned>(Channel::Cpu) | u64{1} << static_cast<unsigned>(Channel::Break) |
                       u64{1} << static_cast<unsigned>(Channel::Mmu) | u64{1} << static_cast<unsigned>(Channel::Irq);
  if (record.vector != cpu::Vector::ExternalInterrupt) {
    const u64 number = core.interruptions_taken();
    if (fault_count_ && faults_[(fault_count_ - 1) % kFaultsKept].number >= number) [[unlikely]]
      forget_undone_faults(number - 1);
    faults_[fault_count_++ % kFaultsKept] = {number, record};
    fault_resets_ = machine_.resets();
  }
  if (!(log::enabled_mask.load(std::memory_order_relaxed) & kAny)) [[likely]]
    return;
  const Channel channel = kChannels[static_cast<unsigned>(class_of(record.vector))];
  if (log::on(channel)) log::write(channel, fault_text(core, symbols_, record));
}

}  // namespace ia64::machine::debugger
