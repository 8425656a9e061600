// Boot manager: default variables, drivers, main menu, starting boot options.
#include "firmware/efi/boot_manager.h"

#include <fmt/format.h>

#include "base/endian.h"
#include "base/log.h"
#include "firmware/efi/guest_data.h"

namespace ia64::firmware {
namespace {

constexpr u16 kDefaultTimeoutS = 10, kWaitForEver = 0xffff;
constexpr u64 kWatchdogSeconds = 300;
constexpr std::u16string_view kRemovableMediaFile = u"\\EFI\\BOOT\\BOOTIA64.EFI";
constexpr char kNothingBootable[] = "No bootable device: no boot option and no volume could be started";
constexpr char kMaintenance[] = "Boot option maintenance menu";

/// Status names as boot managers of the time print them.
std::string status_text(EfiStatus s) {
  std::string text;
  if (status_name(s) == "error" || status_name(s) == "warning") return fmt::format("{:#x}", s);
  for (const char c : status_name(s)) {
    if (c >= 'A' && c <= 'Z' && !text.empty()) text += ' ';
    text += c;
  }
  return text;
}

}  // namespace

std::string ascii_text(std::u16string_view s) {
  std::string out;
  for (const char16_t c : s) out += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '?';
  return out;
}

BootManager::BootManager(const BootManagerParts& parts)
    : p_(parts), options_(parts.variables), menu_(parts.console, parts.efi.clock) {}

void BootManager::set_default_variables() {
  constexpr u32 kVolatile = efi::kVariableBootServiceAccess | efi::kVariableRuntimeAccess;
  constexpr u32 kStored = kVolatile | efi::kVariableNonVolatile;
  static constexpr u8 kEnglish[] = {'e', 'n', 'g'};
  u8 timeout[2];
  store_le(timeout, kDefaultTimeoutS);
  const auto console = p_.console.device_path().bytes();
  options_.set_default(u"Timeout", kStored, timeout);
  options_.set_default(u"Lang", kStored, kEnglish);
  options_.set_default(u"LangCodes", kVolatile, kEnglish);
  for (const auto name : {u"ConIn", u"ConOut", u"ErrOut"}) options_.set_default(name, kStored, console);
  for (const auto name : {u"ConInDev", u"ConOutDev", u"ErrOutDev"})
    options_.set_default(name, kVolatile, console);
  (void)p_.runtime.save_variables();
}

void BootManager::load_drivers(GateCall& call) {
  for (const auto& option : options_.in_order(u"Driver")) {
    if (!option.active()) continue;
    EfiHandle image = 0;
    u64 exit_size = 0, exit_data = 0;
    auto s = p_.images.load(call, false, p_.images.firmware_image(), option.path, {}, image);
    if (efi_error(s)) {
      LOG(Warn, "driver {} does not load: {}", ascii_text(option.description), status_text(s));
      continue;
    }
    p_.images.set_load_options(image, option.optional_data);
    s = p_.images.start(call, image, exit_size, exit_data);
    LOG(Efi, "driver {}: {}", ascii_text(option.description), status_text(s));
  }
}

u64 BootManager::timeout_s() const {
  if (p_.timeout_override_s) return *p_.timeout_override_s;
  return options_.timeout().value_or(kDefaultTimeoutS);
}

bool BootManager::boot(GateCall& call, const BootOption& option, bool numbered) {
  auto& terminal = p_.console.terminal();
  const std::string name = ascii_text(option.description);
  terminal.set_attribute(0x07);
  terminal.clear();
  terminal.show_cursor(true);
  menu_.say(fmt::format("Loading.: {}\n", name));
  options_.set_current(numbered ? std::optional(option.number) : std::nullopt);
  EfiHandle image = 0;
  auto s = p_.images.load(call, true, p_.images.firmware_image(), option.path, {}, image);
  if (efi_error(s)) {
    last_result_ = fmt::format("Load failed: {} ({})", status_text(s), name);
    menu_.say(fmt::format("Load of {} failed: {}\n", name, status_text(s)));
    return false;
  }
  if (p_.images.kind(image) != ImageKind::Application) LOG(Efi, "{} is a driver, started as one", name);
  p_.images.set_load_options(image, option.optional_data);
  (void)p_.runtime.save_variables();
  p_.watchdog.set(kWatchdogSeconds);
  menu_.say(fmt::format("Starting: {}\n", name));
  u64 exit_size = 0, exit_data = 0;
  s = p_.images.start(call, image, exit_size, exit_data);
  p_.watchdog.set(0);
  options_.set_current({});
  last_result_ = fmt::format("Exit status code: {} ({})", status_text(s), name);
  menu_.say(fmt::format("\nExit status code: {}\n", status_text(s)));
  return true;
}

bool BootManager::boot_removable(GateCall& call) {
  for (const EfiHandle volume : p_.efi.handles.with(guid::kSimpleFileSystem)) {
    if (!file_exists(p_.efi, call, volume, kRemovableMediaFile)) continue;
    BootOption option;
    option.path = device_path_of(p_.efi, volume);
    const std::string text = option.path.to_text();
    option.description = std::u16string(text.begin(), text.end());
    option.path.file16(kRemovableMediaFile);
    if (boot(call, option, false)) return true;
  }
  return false;
}

bool BootManager::boot_automatically(GateCall& call) {
  for (const auto& option : options_.in_order())
    if (option.active() && boot(call, option, true)) return true;
  return boot_removable(call);
}

std::vector<BootManager::Choice> BootManager::choices() const {
  std::vector<Choice> list;
  for (auto& option : options_.in_order())
    if (option.active()) list.push_back({ascii_text(option.description), std::move(option)});
  list.push_back({kMaintenance, {}});
  return list;
}

void BootManager::main_menu(GateCall& call) {
  std::optional<u64> seconds;
  if (timeout_s() != kWaitForEver) seconds = timeout_s();
  while (!done_ && p_.efi.boot_services) {
    const auto list = choices();
    Menu::Page page{"Please select a boot option", {}, {}, 0};
    for (const auto& c : list) page.items.push_back(c.text);
    if (!last_result_.empty()) page.footer.push_back(last_result_);
    if (nothing_bootable_) page.footer.push_back(kNothingBootable);
    const bool at_once = seconds && *seconds == 0;
    const auto answer =
        at_once ? Menu::Answer{Menu::Answer::How::TimedOut, 0, {}} : menu_.choose(call, page, seconds);
    seconds.reset();
    last_result_.clear();
    nothing_bootable_ = false;
    if (answer.how == Menu::Answer::How::TimedOut) {
      nothing_bootable_ = !boot_automatically(call);
      if (nothing_bootable_) LOG(Machine, "firmware found nothing to boot");
    } else if (answer.how == Menu::Answer::How::Chosen) {
      if (!list[answer.item].option) {
        maintenance(call);
        continue;
      }
      if (!boot(call, *list[answer.item].option, true)) menu_.wait_any_key(call);
    }
  }
}

void BootManager::run(GateCall& call) {
  p_.console.terminal().reset();
  load_drivers(call);
  if (const auto next = options_.next()) {
    options_.set_next({});
    (void)p_.runtime.save_variables();
    if (const auto option = options_.get(*next)) (void)boot(call, *option, true);
  }
  main_menu(call);
}

}  // namespace ia64::firmware
