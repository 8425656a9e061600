// Boot manager: the boot option maintenance menu.
#include <fmt/format.h>

#include <algorithm>

#include "firmware/efi/boot_manager.h"
#include "firmware/efi/guest_data.h"

namespace ia64::firmware {
namespace {

using How = Menu::Answer::How;

bool is_program(std::u16string_view name) {
  if (name.size() < 4) return false;
  std::u16string tail(name.substr(name.size() - 4));
  for (auto& c : tail)
    if (c >= u'A' && c <= u'Z') c = static_cast<char16_t>(c - u'A' + u'a');
  return tail == u".efi";
}

/// `path` without its last component.
std::u16string parent_of(std::u16string path) {
  if (!path.empty()) path.pop_back();
  const auto slash = path.rfind(u'\\');
  return slash == std::u16string::npos ? std::u16string(u"\\") : path.substr(0, slash + 1);
}

std::string uuid_text(const u8* b) {
  Guid g;
  std::copy_n(b, sizeof g, reinterpret_cast<u8*>(&g));
  return to_text(g);
}

}  // namespace

std::vector<std::string> BootManager::footer() const {
  const auto& s = p_.efi.board.smbios;
  return {
      fmt::format("Timeout-->[{}] sec SystemGuid-->[{}]", options_.timeout().value_or(10), uuid_text(s.uuid)),
      fmt::format("SerialNumber-->[{:<20.20}]", s.serial)};
}

void BootManager::maintenance(GateCall& call) {
  Menu::Page page{
      "Main Menu. Select an Operation",
      {"Boot from a File", "Add a Boot Option", "Delete Boot Option(s)", "Change Boot Order",
       "Manage BootNext setting", "Set Auto Boot TimeOut", "Select Active Console Output Devices",
       "Select Active Console Input Devices", "Select Active Standard Error Devices", "Cold Reset", "Exit"},
      {},
      0};
  while (!done_ && p_.efi.boot_services) {
    page.footer = footer();
    const auto answer = menu_.choose(call, page);
    if (answer.how != How::Chosen) return;
    page.selected = answer.item;
    switch (answer.item) {
      case 0: boot_from_file(call); break;
      case 1: add_option(call); break;
      case 2: delete_option(call); break;
      case 3: change_order(call); break;
      case 4: manage_boot_next(call); break;
      case 5: set_timeout(call); break;
      case 6: show_console_devices(call, "Console Output devices"); break;
      case 7: show_console_devices(call, "Console Input devices"); break;
      case 8: show_console_devices(call, "Standard Error devices"); break;
      case 9:
        (void)p_.runtime.save_variables();
        p_.efi.host.reset(true);
        done_ = true;
        break;
      default: return;
    }
    (void)p_.runtime.save_variables();
  }
}

bool BootManager::confirm_save(GateCall& call) {
  const auto answer = menu_.ask(call, "\nSave changes to NVRAM [Y-Yes N-No]: ", 1);
  return answer && (*answer == "y" || *answer == "Y");
}

std::optional<DevicePath> BootManager::browse(GateCall& call, EfiHandle volume, const char* title) {
  std::u16string folder = u"\\";
  for (;;) {
    std::vector<std::u16string> names, shown;
    (void)list_directory(p_.efi, call, volume, folder, names);
    std::sort(names.begin(), names.end());
    for (auto& n : names)
      if (n.back() == u'\\' || is_program(n)) shown.push_back(std::move(n));
    Menu::Page page{fmt::format("{}: {}", title, ascii_text(folder)), {}, {}, 0};
    for (const auto& n : shown)
      page.items.push_back(n.back() == u'\\' ? fmt::format("<DIR> {}", ascii_text(n)) : ascii_text(n));
    page.items.push_back("Exit");
    const auto answer = menu_.choose(call, page);
    if (answer.how != How::Chosen || answer.item == shown.size()) return {};
    const auto& name = shown[answer.item];
    if (name.back() != u'\\') return device_path_of(p_.efi, volume).file16(folder + name);
    folder = name == u"..\\" ? parent_of(folder) : folder + name;
  }
}

std::optional<DevicePath> BootManager::pick_file(GateCall& call, const char* title) {
  Menu::Page page{title, {}, {}, 0};
  const auto volumes = p_.efi.handles.with(guid::kSimpleFileSystem),
             loaders = p_.efi.handles.with(guid::kLoadFile);
  for (const auto h : volumes)
    page.items.push_back(fmt::format("Volume [{}]", device_path_of(p_.efi, h).to_text()));
  for (const auto h : loaders)
    page.items.push_back(fmt::format("Load File [{}]", device_path_of(p_.efi, h).to_text()));
  page.items.push_back("Exit");
  const auto answer = menu_.choose(call, page);
  if (answer.how != How::Chosen || answer.item + 1 == page.items.size()) return {};
  if (answer.item < volumes.size()) return browse(call, volumes[answer.item], title);
  return device_path_of(p_.efi, loaders[answer.item - volumes.size()]);
}

void BootManager::boot_from_file(GateCall& call) {
  const auto path = pick_file(call, "Boot From a File. Select a Volume");
  if (!path) return;
  BootOption option;
  option.path = *path;
  const std::string text = path->to_text();
  option.description = std::u16string(text.begin(), text.end());
  (void)boot(call, option, false);
  if (p_.efi.boot_services) menu_.wait_any_key(call);
}

void BootManager::add_option(GateCall& call) {
  const auto path = pick_file(call, "Add a Boot Option. Select a Volume");
  if (!path) return;
  p_.console.terminal().clear();
  menu_.say(fmt::format("Device path: {}\n", path->to_text()));
  const auto name = menu_.ask(call, "\nEnter New Description:  ", 60);
  if (!name || name->empty()) return;
  const auto data = menu_.ask(call, "\nNew BootOption Data (text, empty for none):  ", 120);
  if (!data || !confirm_save(call)) return;
  BootOption option;
  option.path = *path;
  option.description = std::u16string(name->begin(), name->end());
  if (!data->empty())
    for (const char16_t c : std::u16string(data->begin(), data->end()) + u'\0')
      option.optional_data.push_back(static_cast<u8>(c)),
          option.optional_data.push_back(static_cast<u8>(c >> 8));
  if (!options_.add(std::move(option))) {
    menu_.say("The option does not fit into NVRAM\n");
    menu_.wait_any_key(call);
  }
}

std::optional<u16> BootManager::pick_option(GateCall& call, const char* title) {
  const auto list = options_.in_order();
  Menu::Page page{title, {}, {}, 0};
  for (const auto& o : list)
    page.items.push_back(fmt::format("{} {}", ascii_text(BootOptions::variable_name(u"Boot", o.number)),
                                     ascii_text(o.description)));
  page.items.push_back("Exit");
  const auto answer = menu_.choose(call, page);
  if (answer.how != How::Chosen || answer.item == list.size()) return {};
  return list[answer.item].number;
}

void BootManager::delete_option(GateCall& call) {
  const auto number = pick_option(call, "Delete Boot Option(s). Select an Option");
  if (number && confirm_save(call)) options_.remove(*number);
}

void BootManager::change_order(GateCall& call) {
  auto list = options_.in_order();
  if (list.size() < 2) return;
  size_t selected = 0;
  for (;;) {
    Menu::Page page{"Change Boot Order. Select an Option",
                    {},
                    {"U moves the option up, D moves it down, Enter ends"},
                    selected};
    for (const auto& o : list) page.items.push_back(ascii_text(o.description));
    const auto answer = menu_.choose(call, page, {}, u"uUdD");
    if (answer.how == How::Escape) return;
    if (answer.how == How::Chosen) break;
    const bool up = answer.key.character == u'u' || answer.key.character == u'U';
    selected = answer.item;
    const size_t other = up ? selected - 1 : selected + 1;
    if ((up && selected == 0) || other >= list.size()) continue;
    std::swap(list[selected], list[other]);
    selected = other;
  }
  if (!confirm_save(call)) return;
  std::vector<u16> order;
  for (const auto& o : list) order.push_back(o.number);
  options_.set_order(order);
}

void BootManager::manage_boot_next(GateCall& call) {
  const auto number = pick_option(call, "Manage BootNext setting. Select an Option");
  if (number && confirm_save(call)) options_.set_next(*number);
}

void BootManager::set_timeout(GateCall& call) {
  Menu::Page page{"Set Auto Boot Timeout. Select an Option",
                  {"Set Timeout Value", "Delete/Disable Timeout", "Exit"},
                  footer(),
                  0};
  const auto answer = menu_.choose(call, page);
  if (answer.how != How::Chosen || answer.item == 2) return;
  u16 seconds = 0xffff;
  if (answer.item == 0) {
    const auto text = menu_.ask(call, "\nTimeout in seconds (0-65534): ", 5);
    if (!text || text->empty() ||
        !std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '9'; }))
      return;
    const unsigned long value = std::stoul(*text);
    if (value > 0xfffe) return;
    seconds = static_cast<u16>(value);
  }
  if (confirm_save(call)) options_.set_timeout(seconds);
}

void BootManager::show_console_devices(GateCall& call, const char* title) {
  // The board has one console; it is always active.
  (void)menu_.choose(
      call,
      {fmt::format("Select the {}", title), {"* " + p_.console.device_path().to_text(), "Exit"}, {}, 0});
}

}  // namespace ia64::firmware
