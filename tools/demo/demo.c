/* The demonstration program: an EFI application that shows what firmware and hardware it finds, and measures processor
 * and disk. Everything comes through EFI, PAL and the tables, as an operating system would see it. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

u64 efi_call(u64 descriptor, ...);
void pal_static(u64 entry, u64 index, u64 results[4]);
u64 read_cpuid(u64 n);
u64 read_itc(void);

/* Fields of EFI tables, as byte offsets (EFI 1.10, 4.3 to 4.6). */
enum {
  kTableVendor = 24, kTableRevision = 32, kTableConIn = 48, kTableConOut = 64, kTableRuntime = 88, kTableBoot = 96,
  kTableEntries = 104, kTableConfig = 112, kHeaderRevision = 8,
  kBootGetMemoryMap = 56, kBootHandleProtocol = 152, kBootLocateHandle = 176, kBootWaitForEvent = 96, kBootSetWatchdog = 256,
  kRuntimeGetTime = 24, kRuntimeReset = 104, kOutString = 8, kInReadKey = 8, kInWaitForKey = 16,
};

static u64 con_out, con_in, boot, runtime;

static u64 get64(u64 at) { return *(u64 *)at; }
static u32 get32(u64 at) { return *(u32 *)at; }

static void put_char(char c) {
  u16 text[3] = {0, 0, 0};
  unsigned n = 0;
  if (c == '\n') text[n++] = '\r';
  text[n] = (u16)c;
  efi_call(get64(con_out + kOutString), con_out, (u64)text);
}
static void put(const char *s) {
  while (*s) put_char(*s++);
}
static void put_number(u64 v, unsigned base, unsigned width) {
  char digits[24];
  unsigned n = 0;
  do {
    digits[n++] = (char)((v % base) < 10 ? '0' + v % base : 'a' + v % base - 10);
    v /= base;
  } while (v);
  while (width > n) put_char(base == 16 ? '0' : ' '), width--;
  while (n) put_char(digits[--n]);
}
static void put_hex(u64 v) { put("0x"), put_number(v, 16, 0); }
static void put_decimal(u64 v) { put_number(v, 10, 0); }
static void put_bytes(u64 at, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    char c = ((char *)at)[i];
    put_char(c >= ' ' && c <= '~' ? c : '.');
  }
}
static int same_guid(u64 at, u64 low, u64 high) { return get64(at) == low && get64(at + 8) == high; }

static u64 itc_hz;

static void show_firmware(u64 table) {
  put("\nFirmware\n  vendor     ");
  for (u16 *v = (u16 *)get64(table + kTableVendor); *v; v++) put_char((char)*v);
  put("\n  EFI        "), put_decimal(get32(table + kHeaderRevision) >> 16), put("."), put_decimal(get32(table + kHeaderRevision) & 0xffff);
  u8 t[16];
  if (efi_call(get64(runtime + kRuntimeGetTime), (u64)t, 0) == 0) {
    put("\n  time       "), put_decimal(*(u16 *)t), put("-"), put_number(t[2], 10, 2), put("-"), put_number(t[3], 10, 2);
    put(" "), put_number(t[4], 10, 2), put(":"), put_number(t[5], 10, 2), put(":"), put_number(t[6], 10, 2);
  }
  put("\n");
}

static void show_processor(u64 pal_proc) {
  u64 base[4] = {0, 0, 0, 0}, ratio[4] = {0, 0, 0, 0};
  u64 vendor[2] = {read_cpuid(0), read_cpuid(1)};
  put("\nProcessor\n  vendor     "), put_bytes((u64)vendor, 12);
  u64 version = read_cpuid(3);
  put("\n  family     "), put_hex(version >> 24 & 0xff), put(" model "), put_hex(version >> 16 & 0xff), put(" revision "), put_hex(version >> 8 & 0xff);
  put("\n  features   "), put_hex(read_cpuid(4));
  if (pal_proc) {
    pal_static(pal_proc, 13, base);   /* PAL_FREQ_BASE */
    pal_static(pal_proc, 14, ratio);  /* PAL_FREQ_RATIOS: processor, bus, ITC */
    u64 itc = ratio[3];
    if (base[0] == 0 && ratio[0] == 0 && (itc & 0xffffffff)) {
      itc_hz = base[1] * (itc >> 32) / (itc & 0xffffffff);
      put("\n  platform   "), put_decimal(base[1] / 1000000), put(" MHz, interval timer "), put_decimal(itc_hz / 1000000), put(" MHz");
    }
  }
  put("\n");
}

static u64 map_buffer[8192];

static void show_memory(void) {
  static const char kNames[14][20] = {"reserved", "loader code", "loader data", "boot code", "boot data", "runtime code", "runtime data",
                                      "free", "unusable", "ACPI reclaim", "ACPI NVS", "device", "I/O port space", "PAL code"};
  u64 size = sizeof map_buffer, key = 0, entry = 0, total = 0;
  u32 version = 0;
  put("\nMemory map\n");
  if (efi_call(get64(boot + kBootGetMemoryMap), (u64)&size, (u64)map_buffer, (u64)&key, (u64)&entry, (u64)&version)) return put("  not available\n");
  for (u64 at = (u64)map_buffer; at < (u64)map_buffer + size; at += entry) {
    u32 type = get32(at);
    u64 start = get64(at + 8), pages = get64(at + 24);
    put("  "), put_number(start, 16, 12), put(" - "), put_number(start + pages * 4096 - 1, 16, 12), put("  ");
    if (type < 14) put(kNames[type]); else put_decimal(type);
    put("\n");
    if (type == 7) total += pages;
  }
  put("  free       "), put_decimal(total / 256), put(" MiB\n");
}

static u64 show_tables(u64 table) {
  u64 pal_proc = 0;
  put("\nTables\n");
  u64 entries = get64(table + kTableEntries), config = get64(table + kTableConfig);
  for (u64 i = 0; i < entries; i++) {
    u64 at = config + i * 24, target = get64(at + 16);
    if (same_guid(at, 0x11d3e4f18868e871ul, 0x81883cc7800022bcul)) {
      u64 xsdt = get64(target + 24);
      put("  ACPI      ");
      for (u64 p = xsdt + 36; p < xsdt + get32(xsdt + 4); p += 8) put(" "), put_bytes(get64(p), 4);
      put("\n");
    } else if (same_guid(at, 0x11d32d88eb9d2d32ul, 0x4dc13f279000169aul)) {
      put("  SAL        OEM "), put_bytes(target + 32, 32), put("\n");
      for (u64 p = target + 96, n = *(u16 *)(target + 10); n; n--) {
        static const u8 kSizes[6] = {48, 32, 16, 32, 16, 16};
        u8 type = *(u8 *)p;
        if (type == 0) pal_proc = get64(p + 8);
        if (type > 5) break;
        p += kSizes[type];
      }
    } else if (same_guid(at, 0x11d32d88eb9d2d31ul, 0x4dc13f279000169aul)) {
      put("  SMBIOS     at "), put_hex(target), put("\n");
    } else if (same_guid(at, 0x42ef620bf951938dul, 0x9878967ba84a7982ul)) {
      put("  HCDP/PCDP  "), put_bytes(target, 4), put(" revision "), put_decimal(*(u8 *)(target + 8)), put("\n");
    } else {
      put("  other      "), put_hex(get64(at)), put("\n");
    }
  }
  return pal_proc;
}

static u64 first_disk;

static void show_disks(void) {
  static u64 handles[64];
  u64 guid[2] = {0x11d26459964e5b21ul, 0x3b7269c9a000398eul};  /* EFI_BLOCK_IO_PROTOCOL */
  u64 size = sizeof handles;
  put("\nBlock devices\n");
  if (efi_call(get64(boot + kBootLocateHandle), 2, (u64)guid, 0, (u64)&size, (u64)handles)) return put("  none\n");
  for (u64 i = 0; i < size / 8; i++) {
    u64 block_io = 0;
    if (efi_call(get64(boot + kBootHandleProtocol), handles[i], (u64)guid, (u64)&block_io)) continue;
    u64 media = get64(block_io + 8);
    u8 *flags = (u8 *)media + 4;  /* removable, present, partition, read only, caching */
    u64 blocks = get64(media + 24) + 1;
    put("  "), put(flags[2] ? "partition " : "disk      "), put_number(blocks, 10, 10), put(" blocks of "), put_decimal(get32(media + 12));
    put(" bytes, "), put_decimal(blocks * get32(media + 12) >> 20), put(" MiB\n");
    if (!first_disk && !flags[2] && flags[1]) first_disk = block_io;
  }
}

static volatile u64 sink;

static void measure_processor(void) {
  u64 x = 88172645463325252ul, n = 4000000, start = read_itc();
  for (u64 i = 0; i < n; i++) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  u64 ticks = read_itc() - start;
  sink = x;
  put("\nMeasured\n  processor  ");
  if (itc_hz && ticks) put_decimal(n * itc_hz / ticks / 1000), put(" thousand xorshift rounds a second\n");
  else put("no timer frequency\n");
}

static u64 disk_buffer[1 << 17];

static void measure_disk(void) {
  if (!first_disk) return;
  u64 media = get64(first_disk + 8), block = get32(media + 12), blocks = get64(media + 24) + 1;
  u64 step = sizeof disk_buffer / block, done = 0, start = read_itc();
  for (u64 lba = 0; lba + step <= blocks && done < 32; lba += step, done++)
    if (efi_call(get64(first_disk + 24), first_disk, get32(media), lba, sizeof disk_buffer, (u64)disk_buffer)) break;
  u64 ticks = read_itc() - start;
  put("  disk       ");
  if (done && ticks && itc_hz) put_decimal(done * itc_hz / ticks), put(" MiB/s reading "), put_decimal(done), put(" MiB in 1 MiB requests\n");
  else put("could not be read\n");
}

u64 demo_main(u64 handle, u64 table) {
  con_in = get64(table + kTableConIn), con_out = get64(table + kTableConOut);
  boot = get64(table + kTableBoot), runtime = get64(table + kTableRuntime);
  efi_call(get64(boot + kBootSetWatchdog), 0, 0, 0, 0);
  put("\nivm demonstration: what an operating system finds on this machine\n");
  show_firmware(table);
  u64 pal_proc = show_tables(table);
  show_processor(pal_proc);
  show_memory();
  show_disks();
  measure_processor();
  measure_disk();
  put("\nDEMO READY\nPress p to power off, r to reset, x to return to the boot manager.\n");
  for (;;) {
    u64 event = get64(con_in + kInWaitForKey), index;
    u16 key[2];
    efi_call(get64(boot + kBootWaitForEvent), 1, (u64)&event, (u64)&index);
    if (efi_call(get64(con_in + kInReadKey), con_in, (u64)key)) continue;
    if (key[1] == 'p') efi_call(get64(runtime + kRuntimeReset), 2, 0, 0, 0);
    if (key[1] == 'r') efi_call(get64(runtime + kRuntimeReset), 0, 0, 0, 0);
    if (key[1] == 'x') return 0;
  }
}
