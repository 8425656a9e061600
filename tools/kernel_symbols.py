#!/usr/bin/env python3
"""Makes a kernel that a debugger can read out of a stripped one: adds the symbols of its System.map.

  kernel_symbols.py KERNEL SYSTEM_MAP OUTPUT

KERNEL is a little-endian 64-bit ELF file; both inputs may be compressed with gzip. docs/debugging.md shows its use.
"""
import bisect
import gzip
import struct
import sys

HEADER = "<16sHHIQQQIHHHHHH"
SECTION = "<IIQQQQIIQQ"
SYMBOL = "<IBBHQQ"
SHT_SYMTAB, SHT_STRTAB, SHF_ALLOC, SHF_EXECINSTR, SHN_ABS = 2, 3, 2, 4, 0xFFF1
STT_OBJECT, STT_FUNC, STB_LOCAL, STB_GLOBAL = 1, 2, 0, 1


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def read_map(text):
    """(address, kind, name) in the order of addresses."""
    lines = (line.split() for line in text.decode().splitlines())
    return sorted((int(fields[0], 16), fields[1], fields[2]) for fields in lines if len(fields) == 3)


class Sections:
    """Those that occupy memory, by address."""

    def __init__(self, headers):
        self.of = sorted((h[3], h[3] + h[5], n, h[2]) for n, h in enumerate(headers) if h[2] & SHF_ALLOC and h[5])
        self.starts = [s[0] for s in self.of]

    def find(self, address):
        """(index, end, flags), or None."""
        at = bisect.bisect_right(self.starts, address) - 1
        if at < 0 or address >= self.of[at][1]:
            return None
        return self.of[at][2], self.of[at][1], self.of[at][3]


def symbol_table(symbols, sections):
    """Bytes of .symtab and .strtab, and how many symbols are local. Locals come first, as ELF wants it."""
    strings, entries = bytearray(1), {STB_LOCAL: [], STB_GLOBAL: []}
    for n, (address, kind, name) in enumerate(symbols):
        found = sections.find(address)
        index, end, flags = found or (SHN_ABS, address, 0)
        following = symbols[n + 1][0] if n + 1 < len(symbols) else end
        type_ = STT_FUNC if flags & SHF_EXECINSTR else STT_OBJECT
        bind = STB_GLOBAL if kind.isupper() else STB_LOCAL
        entries[bind].append(struct.pack(SYMBOL, len(strings), bind << 4 | type_, 0, index, address, max(0, min(following, end) - address)))
        strings += name.encode() + b"\0"
    table = bytes(struct.calcsize(SYMBOL)) + b"".join(entries[STB_LOCAL] + entries[STB_GLOBAL])
    return table, bytes(strings), len(entries[STB_LOCAL]) + 1


def add_symbols(elf, symbols):
    header = list(struct.unpack_from(HEADER, elf))
    if header[0][:6] != b"\x7fELF\x02\x01":
        raise SystemExit("kernel_symbols: the kernel is not a little-endian 64-bit ELF file")
    offset, size, count, names = header[6], header[11], header[12], header[13]
    headers = [list(struct.unpack_from(SECTION, elf, offset + n * size)) for n in range(count)]
    table, strings, local = symbol_table(symbols, Sections(headers))
    old_names = elf[headers[names][4]:headers[names][4] + headers[names][5]]
    new_names = old_names + b".symtab\0.strtab\0"
    out = bytearray(elf)

    def append(data):
        out.extend(bytes(-len(out) % 8))
        at = len(out)
        out.extend(data)
        return at

    headers[names][4:6] = append(new_names), len(new_names)
    headers.append([len(old_names), SHT_SYMTAB, 0, 0, append(table), len(table), count + 1, local, 8, struct.calcsize(SYMBOL)])
    headers.append([len(old_names) + 8, SHT_STRTAB, 0, 0, append(strings), len(strings), 0, 0, 1, 0])
    header[6], header[12] = append(b"".join(struct.pack(SECTION, *h) for h in headers)), len(headers)
    struct.pack_into(HEADER, out, 0, *header)
    return out


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__.strip())
    kernel, system_map, output = sys.argv[1:]
    with open(output, "wb") as f:
        f.write(add_symbols(read(kernel), read_map(read(system_map))))


if __name__ == "__main__":
    main()
