#!/usr/bin/env python3
"""Turns a fully linked IA-64 ELF file (image base 0) into a PE32+ EFI application.

  elf_to_pe.py IN.elf OUT.efi

The symbol `entry_descriptor` becomes the entry point; its two words are the only base relocations. @source PE/COFF 8.0
"""
import struct
import sys

PAGE = 0x1000
FILE_ALIGN = 0x200
MACHINE_IA64, SUBSYSTEM_EFI_APPLICATION = 0x200, 10
CODE, READ_ONLY, DATA, RELOC = 0x60000020, 0x40000040, 0xC0000040, 0x42000040


def align(value, unit):
    return (value + unit - 1) // unit * unit


def read_elf(path):
    data = open(path, "rb").read()
    if data[:4] != b"\x7fELF" or struct.unpack_from("<H", data, 18)[0] != 50:
        sys.exit(f"{path}: not an IA-64 ELF file")
    table, entry, count, names = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * entry) for i in range(count)]
    return data, headers


def symbol(data, headers, name):
    for h in headers:
        if h[1] != 2:  # SHT_SYMTAB
            continue
        strings = headers[h[6]][4]
        for at in range(h[4], h[4] + h[5], 24):
            start = strings + struct.unpack_from("<I", data, at)[0]
            if data[start:data.index(b"\0", start)].decode() == name:
                return struct.unpack_from("<Q", data, at + 8)[0]
    sys.exit(f"no symbol {name}")


def sections_of(data, headers):
    """(name, characteristics, rva, virtual size, bytes) of everything that is loaded."""
    out = []
    for h in headers:
        kind, flags, address, offset, size = h[1], h[2], h[3], h[4], h[5]
        if not flags & 2 or size == 0:
            continue
        content = b"" if kind == 8 else data[offset:offset + size]
        look = CODE if flags & 4 else DATA if flags & 1 else READ_ONLY
        out.append((b".text" if flags & 4 else b".data" if flags & 1 else b".rdata", look, address, size, content))
    return out


def relocation_block(rva):
    page = rva & ~(PAGE - 1)
    entries = [0xA000 | (rva - page), 0xA000 | (rva + 8 - page)]  # IMAGE_REL_BASED_DIR64
    return struct.pack("<II", page, 8 + 2 * len(entries)) + struct.pack("<2H", *entries)


def main(source, target):
    data, headers = read_elf(source)
    entry = symbol(data, headers, "entry_descriptor")
    sections = sections_of(data, headers)
    end = max(s[2] + s[3] for s in sections)
    reloc = relocation_block(entry)
    reloc_rva = align(end, PAGE)
    sections.append((b".reloc", RELOC, reloc_rva, len(reloc), reloc))
    header_size = align(0x40 + 24 + 240 + 40 * len(sections), FILE_ALIGN)
    image_size = align(reloc_rva + len(reloc), PAGE)

    body, table, at = b"", b"", header_size
    for name, look, rva, size, content in sections:
        raw = align(len(content), FILE_ALIGN)
        table += struct.pack("<8sIIIIIIHHI", name, size, rva, raw, at if raw else 0, 0, 0, 0, 0, look)
        body += content.ljust(raw, b"\0")
        at += raw

    coff = struct.pack("<HHIIIHH", MACHINE_IA64, len(sections), 0, 0, 0, 240, 0x020E)
    optional = struct.pack("<HBBIIIII", 0x20B, 2, 40, 0, 0, 0, entry, PAGE)
    optional += struct.pack("<QIIHHHHHHIIIIHH", 0, PAGE, FILE_ALIGN, 0, 0, 0, 0, 1, 0, 0, image_size, header_size, 0,
                            SUBSYSTEM_EFI_APPLICATION, 0)
    optional += struct.pack("<QQQQII", 0x10000, 0x10000, 0x10000, 0, 0, 16)
    directories = [(0, 0)] * 16
    directories[5] = (reloc_rva, len(reloc))
    optional += b"".join(struct.pack("<II", *d) for d in directories)
    dos = b"MZ" + bytes(58) + struct.pack("<I", 0x40)
    with open(target, "wb") as out:
        out.write((dos + b"PE\0\0" + coff + optional + table).ljust(header_size, b"\0") + body)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
