// The EFI memory map and page allocator: which guest physical pages hold what.
#pragma once

#include <map>
#include <vector>

#include "base/state_archive.h"
#include "firmware/efi/status.h"

namespace ia64::firmware {

/// One EFI_MEMORY_DESCRIPTOR without its virtual start.
struct MemoryDescriptor {
  GuestPhys base = 0;
  u64 pages = 0;
  MemoryType type = MemoryType::Reserved;
  u64 attributes = 0;
  u64 end() const { return base + pages * efi::kPageSize; }
  bool operator==(const MemoryDescriptor&) const = default;
};

/// Page allocator over typed, non-overlapping ranges. Only pages that were declared take part.
/// Thread rule: the firmware's lock.
class MemoryMap {
 public:
  enum class Allocate : u32 { Any, MaxAddress, Address };

  /// Declares a range that no other covers. Part of building the map; `base` page aligned.
  void declare(GuestPhys base, u64 pages, MemoryType type, u64 attributes);
  /// Carves `pages` at `base` out of Conventional memory for a fixed purpose, with these attributes.
  /// @returns false when some page is not Conventional
  bool reserve(GuestPhys base, u64 pages, MemoryType type, u64 attributes);

  /// AllocatePages. For MaxAddress `address` is the highest byte allowed; for Any it is ignored on entry.
  /// @source EFI 1.10, 5.2 (AllocatePages)
  EfiStatus allocate(Allocate how, MemoryType type, u64 pages, GuestPhys& address,
                     u64 alignment = efi::kPageSize);
  /// FreePages: any run of pages inside memory that allocate() handed out. @source EFI 1.10, 5.2 (FreePages)
  EfiStatus free(GuestPhys base, u64 pages);

  /// Descriptors in address order, neighbours with equal type and attributes merged.
  std::vector<MemoryDescriptor> descriptors() const;
  /// Changes whenever descriptors() would. ExitBootServices compares it.
  u64 key() const { return key_; }
  /// The descriptor that covers `phys`, or one with 0 pages.
  MemoryDescriptor find(GuestPhys phys) const;
  u64 free_pages() const;
  void visit_state(StateArchive& a) { a(ranges_, key_); }

 private:
  struct Range {
    u64 pages;
    MemoryType type;
    u64 attributes;
    bool allocated;  // free() may return it
    void visit_state(StateArchive& a) { a(pages, type, attributes, allocated); }
  };
  using Map = std::map<GuestPhys, Range>;
  void split(GuestPhys at);
  bool covered(GuestPhys base, u64 pages, bool (*accept)(const Range&)) const;
  GuestPhys highest_fit(u64 pages, u64 limit, u64 alignment) const;
  void retype(GuestPhys base, u64 pages, MemoryType type, u64 attributes, bool allocated);

  Map ranges_;
  u64 key_ = 1;
};

}  // namespace ia64::firmware
