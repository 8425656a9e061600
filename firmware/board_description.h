// What firmware tells the operating system about the board: filled by machine/, turned into EFI, SAL, ACPI and SMBIOS tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address_space.h"
#include "firmware/efi_image.h"

namespace ia64::firmware {

struct MemoryRange {
  GuestPhys base = 0;
  u64 size_bytes = 0;
};

/// One PCI root (host bridge) with the windows it forwards.
struct PciRoot {
  u8 bus = 0;                 ///< first and only bus number behind it; also the ACPI _UID and the EFI device path UID
  MemoryRange mmio;           ///< 32-bit memory window
  u32 port_base = 0;          ///< I/O port window
  u32 port_count = 0;
};

/// A PCI slot's interrupt pins as ACPI _PRT gives them.
struct PciInterruptRoute {
  u8 bus = 0, device = 0, pin = 0;  ///< pin 0..3 = INTA..INTD
  u32 gsi = 0;
};

struct IoSapicInfo {
  u8 id = 0;
  GuestPhys base = 0;
  u32 gsi_base = 0;
  u32 pins = 0;
};

struct UartInfo {
  GuestPhys base = 0;
  u32 gsi = 0;
  u32 clock_hz = 1'843'200;
  u64 baud = 115'200;
};

struct CpuInfo {
  u8 id = 0, eid = 0;  ///< LID{31:24}, LID{23:16}
};

struct SmbiosIdentity {
  std::string manufacturer = "hp";
  std::string product = "server Integrity Virtual Machine";
  std::string serial = "VM01010008";
  u8 uuid[16] = {};
  std::string firmware_version = "04.29";
};

/// The whole board. Addresses are guest physical; every field is fixed before firmware starts.
struct BoardDescription {
  std::string machine_name;                ///< versioned, e.g. "hpvm-1"
  std::vector<MemoryRange> ram;            ///< in address order; ram[0] starts at 0
  std::vector<CpuInfo> cpus;               ///< [0] is the boot processor
  std::vector<PciRoot> pci_roots;
  std::vector<PciInterruptRoute> pci_routes;
  std::vector<IoSapicInfo> io_sapics;
  std::vector<UartInfo> uarts;             ///< [0] is the console
  GuestPhys pci_config_base = 0;           ///< firmware-private configuration window: bus<<20 | dev<<15 | fn<<12 | reg
  GuestPhys port_space_base = 0xfff'fc00'0000;  ///< 64 MiB sparse legacy I/O port space
  GuestPhys interrupt_block_base = 0xfee0'0000;
  GuestPhys acpi_pm_base = 0;              ///< PM_TMR +4 (32 bit), PM1_EVT +8, PM1_CNT +0xc, GPE0 +0x10 (platform reference 1.4)
  u32 sci_gsi = 0;
  u64 itc_hz = 400'000'000;
  u64 base_hz = 200'000'000;
  SmbiosIdentity smbios;
};

/// Host side of firmware: power, wall clock, non-volatile storage. Called on a CPU thread.
class FirmwareHost {
 public:
  virtual ~FirmwareHost() = default;
  virtual void power_off() = 0;
  virtual void reset(bool cold) = 0;
  /// Wall clock as seconds and nanoseconds since 1970-01-01 UTC, the guest's own offset included.
  virtual void wall_clock(i64& seconds, u32& nanoseconds) = 0;
  virtual void set_wall_clock(i64 seconds) = 0;
  /// The NVRAM image of this guest as it was last saved; empty when new.
  virtual std::vector<u8> load_nvram() = 0;
  /// Saves the image so that it survives a crash of the emulator after return. @returns false when the host refused (logged there)
  virtual bool save_nvram(const std::vector<u8>& image) = 0;
  /// The image load_nvram() gave is damaged (`reason` is one line): keep it aside before the next save replaces it.
  virtual void nvram_rejected(const std::string& reason) {}
  /// Code that ran before an operating system took over was interrupted in a way nothing handles; the register dump is on
  /// the console already. The CPU stops.
  virtual void firmware_crashed(const std::string& reason) {}
  /// Boot services end: from now on an operating system has the machine, until the next power-on or reset.
  virtual void operating_system_started() {}
  /// An EFI image lies in memory, relocated; it has not been started.
  virtual void image_loaded(const EfiImage& image) {}
  virtual void image_unloaded(const EfiImage& image) {}
};

/// A kernel that firmware starts itself, as a boot loader would (`--kernel`).
struct DirectBoot {
  std::vector<u8> kernel;   ///< ELF file, already decompressed
  std::vector<u8> initrd;   ///< may be empty
  std::string arguments;
};

}  // namespace ia64::firmware
