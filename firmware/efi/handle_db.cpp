// The EFI handle database.
#include "firmware/efi/handle_db.h"

#include <algorithm>

namespace ia64::firmware {

HandleDatabase::Installed* HandleDatabase::lookup(EfiHandle handle, const Guid& protocol) {
  const auto it = handles_.find(handle);
  if (it == handles_.end()) return nullptr;
  for (auto& p : it->second)
    if (p.protocol == protocol) return &p;
  return nullptr;
}

const HandleDatabase::Installed* HandleDatabase::lookup(EfiHandle handle, const Guid& protocol) const {
  return const_cast<HandleDatabase*>(this)->lookup(handle, protocol);
}

void HandleDatabase::notify(EfiHandle handle, const Guid& protocol) {
  for (auto& [cookie, r] : registrations_) {
    if (r.protocol != protocol) continue;
    r.queue.push_back(handle);
    if (signal_) signal_(r.event);
  }
}

EfiStatus HandleDatabase::install(EfiHandle& handle, const Guid& protocol, u64 interface) {
  if (handle == 0) {
    handle = next_handle_;
    next_handle_ += 0x10;
    handles_[handle];
  } else if (!exists(handle) || lookup(handle, protocol)) {
    return efi::kInvalidParameter;
  }
  handles_[handle].push_back({protocol, interface, {}});
  notify(handle, protocol);
  return efi::kSuccess;
}

EfiStatus HandleDatabase::reinstall(EfiHandle handle, const Guid& protocol, u64 old_interface,
                                    u64 new_interface) {
  if (!exists(handle)) return efi::kInvalidParameter;
  Installed* p = lookup(handle, protocol);
  if (!p || p->interface != old_interface) return efi::kNotFound;
  p->interface = new_interface;
  notify(handle, protocol);
  return efi::kSuccess;
}

EfiStatus HandleDatabase::uninstall(EfiHandle handle, const Guid& protocol, u64 interface) {
  if (!exists(handle)) return efi::kInvalidParameter;
  Installed* p = lookup(handle, protocol);
  if (!p || p->interface != interface) return efi::kNotFound;
  for (const auto& o : p->opens)
    if (o.attributes & (open_protocol::kByDriver | open_protocol::kExclusive)) return efi::kAccessDenied;
  auto& list = handles_[handle];
  list.erase(list.begin() + (p - list.data()));
  // A handle without protocols ceases to exist.
  if (list.empty()) handles_.erase(handle);
  return efi::kSuccess;
}

std::optional<u64> HandleDatabase::find(EfiHandle handle, const Guid& protocol) const {
  const Installed* p = lookup(handle, protocol);
  return p ? std::optional(p->interface) : std::nullopt;
}

EfiStatus HandleDatabase::open(EfiHandle handle, const Guid& protocol, EfiHandle agent, EfiHandle controller,
                               u32 attributes, u64& interface) {
  using namespace open_protocol;
  const bool needs_agent = attributes & (kByChild | kByDriver | kExclusive);
  switch (attributes) {
    case kByHandle:
    case kGet:
    case kTest:
    case kExclusive: break;
    case kByChild:
      if (handle == controller) return efi::kInvalidParameter;
      [[fallthrough]];
    case kByDriver:
    case kByDriver | kExclusive:
      if (!exists(controller)) return efi::kInvalidParameter;
      break;
    default: return efi::kInvalidParameter;
  }
  if (!exists(handle) || (needs_agent && !exists(agent))) return efi::kInvalidParameter;
  Installed* p = lookup(handle, protocol);
  if (!p) return efi::kUnsupported;
  if (attributes & (kByDriver | kExclusive)) {
    for (const auto& o : p->opens) {
      const bool driver = o.attributes & kByDriver, exclusive = o.attributes & kExclusive;
      if (driver && o.agent == agent && o.controller == controller && (attributes & kByDriver))
        return efi::kAlreadyStarted;
      if (exclusive || driver) return efi::kAccessDenied;
    }
  }
  if (attributes != kTest) {
    interface = p->interface;
    for (auto& o : p->opens)
      if (o.agent == agent && o.controller == controller && o.attributes == attributes) {
        o.open_count++;
        return efi::kSuccess;
      }
    p->opens.push_back({agent, controller, attributes, 1});
  }
  return efi::kSuccess;
}

EfiStatus HandleDatabase::close(EfiHandle handle, const Guid& protocol, EfiHandle agent,
                                EfiHandle controller) {
  if (!exists(handle) || !exists(agent) || (controller && !exists(controller))) return efi::kInvalidParameter;
  Installed* p = lookup(handle, protocol);
  if (!p) return efi::kNotFound;
  const auto before = p->opens.size();
  std::erase_if(p->opens, [&](const auto& o) { return o.agent == agent && o.controller == controller; });
  return p->opens.size() == before ? efi::kNotFound : efi::kSuccess;
}

void HandleDatabase::close_agent(EfiHandle agent) {
  for (auto& [handle, list] : handles_)
    for (auto& p : list) std::erase_if(p.opens, [&](const auto& o) { return o.agent == agent; });
}

std::optional<std::vector<OpenInformation>> HandleDatabase::open_information(EfiHandle handle,
                                                                             const Guid& protocol) const {
  const Installed* p = lookup(handle, protocol);
  return p ? std::optional(p->opens) : std::nullopt;
}

std::vector<EfiHandle> HandleDatabase::all() const {
  std::vector<EfiHandle> out;
  for (const auto& [handle, list] : handles_) out.push_back(handle);
  return out;
}

std::vector<EfiHandle> HandleDatabase::with(const Guid& protocol) const {
  std::vector<EfiHandle> out;
  for (const auto& [handle, list] : handles_)
    if (lookup(handle, protocol)) out.push_back(handle);
  return out;
}

std::optional<std::vector<Guid>> HandleDatabase::protocols_of(EfiHandle handle) const {
  const auto it = handles_.find(handle);
  if (it == handles_.end()) return {};
  std::vector<Guid> out;
  for (const auto& p : it->second) out.push_back(p.protocol);
  return out;
}

u64 HandleDatabase::add_registration(const Guid& protocol, u64 event) {
  const u64 cookie = next_registration_++;
  registrations_[cookie] = {protocol, event, {}};
  return cookie;
}

std::optional<EfiHandle> HandleDatabase::next_registered(u64 registration) {
  const auto it = registrations_.find(registration);
  if (it == registrations_.end()) return {};
  auto& queue = it->second.queue;
  while (!queue.empty()) {
    const EfiHandle handle = queue.front();
    queue.erase(queue.begin());
    if (lookup(handle, it->second.protocol)) return handle;
  }
  return {};
}

void HandleDatabase::drop_registrations_of_event(u64 event) {
  std::erase_if(registrations_, [&](const auto& r) { return r.second.event == event; });
}

}  // namespace ia64::firmware
