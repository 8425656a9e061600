// The configuration pages of the adapter: what drivers read about it and set in it.
#pragma once

#include <span>
#include <vector>

#include "base/state_archive.h"
#include "devices/mpt/mpi.h"

namespace ia64::devices::mpt {

/// Who is asked for, as a configuration request says it.
struct PageName {
  u8 type = 0;  ///< PageType, without attributes
  u8 number = 0;
  u32 address = 0;  ///< port for SCSI port pages, target | bus << 8 for SCSI device pages, else ignored
};

/// One page in its three versions. Bytes include the four-byte header.
struct Page {
  PageName name;
  u8 attributes = kPageReadOnly;
  std::vector<u8> current, nvram, defaults;
};

/// All pages of one adapter. NVRAM lasts as long as the object. Takes no lock.
/// @source MPI 1.2, ch. 4 (Configuration)
class ConfigPages {
 public:
  /// @param own_id  SCSI identifier of the adapter, 0..15
  explicit ConfigPages(u8 own_id);

  /// @returns the page, or nullptr with `why` set
  const Page* find(const PageName& name, IocStatus& why) const;
  /// Changes the current version, and NVRAM too when `nvram`. The header stays. `data` includes the header.
  IocStatus write(const PageName& name, std::span<const u8> data, bool nvram);
  /// Current values back to the factory's.
  IocStatus restore_defaults(const PageName& name);
  /// Current values back to those in NVRAM, as after a reset.
  void reset();
  /// The versions that change, of the pages there are.
  void visit_state(StateArchive& a);
  /// Tells whether a target answers at `id`; page SCSI device 0 shows an agreement only then.
  void set_present(u8 id, bool present);
  /// A 32-bit field of a current page that exists.
  u32 value(PageType type, u8 number, unsigned offset) const;

 private:
  void add(PageType type, u8 number, u8 version, u8 attributes, std::vector<u8> body, u32 address = 0);
  void add_unit_pages();
  void add_manufacturing_pages();
  void add_port_pages();
  void add_device_pages(u8 id);
  const Page* find_page(const PageName& name) const;
  Page* find_page(const PageName& name);
  void negotiate(u8 id);

  const u8 own_id_;
  std::vector<Page> pages_;
  u32 present_ = 0;  // bit per target
};

}  // namespace ia64::devices::mpt
