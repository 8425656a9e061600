"""The text format of ISA tests (docs/isa-tests.md): parsing, expressions, assembling."""
import math
import os
import re
import shutil
import struct
import subprocess
import tempfile

BASE = 0x10000  # physical address of the first bundle
HERE = os.path.dirname(os.path.abspath(__file__))
MASK = (1 << 64) - 1

PSR = dict(be=1, up=2, ac=3, mfl=4, mfh=5, ic=13, i=14, pk=15, dt=17, dfl=18, dfh=19, sp=20, pp=21, di=22, si=23, db=24, lp=25,
           tb=26, rt=27, it=36, id=37, da=38, dd=39, ss=40, ed=43, bn=44, ia=45)
PSR_FIELDS = dict(cpl=(32, 2), ri=(41, 2))
ISR = dict(x=32, w=33, r=34, na=35, sp=36, rs=37, ir=38, ni=39, so=40, ed=43)
CFM_FIELDS = dict(sof=(0, 7), sol=(7, 7), sor=(14, 4), rrb_gr=(18, 7), rrb_fr=(25, 7), rrb_pr=(32, 6))

NAMES = {f"psr_{k}": 1 << v for k, v in PSR.items()}
NAMES.update({f"psr_{k}{n}": n << at for k, (at, _) in PSR_FIELDS.items() for n in range(4)})
NAMES.update({f"isr_{k}": 1 << v for k, v in ISR.items()})
NAMES.update({f"isr_ei{n}": n << 41 for n in range(3)})


class FormatError(Exception):
    pass


class Test:
    """One test file. `cases` are pairs of register settings and expectations on top of the common ones."""

    def __init__(self, path):
        self.path, self.name = path, os.path.relpath(path, HERE)[:-5].replace(os.sep, "/")
        self.title = ""
        self.settings, self.expectations, self.cases = [], [], []
        self.memory, self.expected_memory, self.interruptions = [], [], []
        self.flags, self.stop, self.cpus, self.limit, self.entry = set(), None, 1, 100000, None
        self.code, self.bundles, self.labels = "", {}, {}

    def value(self, text):
        """An integer expression over psr.x, isr.x and labels. @raises FormatError"""
        plain = re.sub(r"\b(psr|isr)\.(\w+)", r"\1_\2", text.strip())
        try:
            return int(eval(plain, {"__builtins__": {}}, {**NAMES, **self.labels})) & MASK
        except Exception as error:
            raise FormatError(f"{self.name}: cannot evaluate '{text}': {error}")


def pairs(text, name):
    """"r4=1, r5=2" as a list of pairs."""
    out = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        if "=" not in item:
            raise FormatError(f"{name}: expected NAME=VALUE, not '{item}'")
        key, value = item.split("=", 1)
        out.append((key.strip(), value.strip()))
    return out


def header_line(test, key, text):
    if key == "set":
        test.settings += pairs(text, test.name)
    elif key == "expect":
        test.expectations += pairs(text, test.name)
    elif key == "case":
        before, arrow, after = text.partition("->")
        if not arrow:
            raise FormatError(f"{test.name}: a case needs '->'")
        test.cases.append((pairs(before, test.name), pairs(after, test.name)))
    elif key in ("memory", "expect-memory"):
        where, _, values = text.partition("=")
        address, size = where.split(":")
        (test.memory if key == "memory" else test.expected_memory).append((address, int(size), values.split()))
    elif key == "interruption":
        test.interruptions.append(pairs(text, test.name))
    elif key in ("stop", "entry"):
        setattr(test, key, text.strip())
    elif key in ("cpus", "limit"):
        setattr(test, key, int(text, 0))
    elif key == "flags":
        test.flags |= set(text.split())
    else:
        raise FormatError(f"{test.name}: unknown header '{key}'")


def encoded_line(test, line):
    if line.startswith("label "):
        _, label, address = line.split()
        test.labels[label] = int(address, 16)
        return
    address, _, rest = line.partition(":")
    test.bundles[int(address, 16)] = bytes.fromhex(rest.split("|")[0])


def parse(path):
    """Reads one test file. @raises FormatError with the file's name"""
    test, part = Test(path), "header"
    for number, line in enumerate(open(path, encoding="utf-8").read().split("\n"), 1):
        if line.rstrip() in ("code:", "encoded:"):
            part = line.strip()[:-1]
        elif part == "code":
            test.code += line + "\n"
        elif not line.strip():
            continue
        elif line.startswith("#"):
            test.title = test.title or line[1:].strip()
        elif part == "encoded":
            encoded_line(test, line.strip())
        else:
            key, colon, text = line.partition(":")
            if not colon:
                raise FormatError(f"{path}:{number}: expected KEY: VALUE")
            header_line(test, key.strip(), text)
    return test


def all_paths(patterns=()):
    """Every .test file below this folder whose name contains one of the patterns."""
    out = []
    for folder, _, files in os.walk(HERE):
        out += [os.path.join(folder, f) for f in files if f.endswith(".test")]
    return sorted(p for p in out if not patterns or any(x in p for x in patterns))


# --- floating-point values -------------------------------------------------------------------------------------------


def fp_register(text):
    """A floating-point register value as (sign, exponent, significand)."""
    text = text.strip()
    special = {"natval": (0, 0x1fffe, 0), "inf": (0, 0x1ffff, 1 << 63), "-inf": (1, 0x1ffff, 1 << 63), "qnan": (1, 0x1ffff, 3 << 62),
               "-0.0": (1, 0, 0), "snan": (0, 0x1ffff, 0xa << 60)}
    if text in special:
        return special[text]
    if text.startswith("int(") and text.endswith(")"):
        return 0, 0x1003e, int(text[4:-1], 0) & MASK
    if ":" in text:
        sign_exponent, significand = (int(part, 16) for part in text.split(":"))
        return sign_exponent >> 17, sign_exponent & 0x1ffff, significand
    value = float.fromhex(text) if "x" in text else float(text)
    if value == 0:
        return int(math.copysign(1, value) < 0), 0, 0
    mantissa, exponent = math.frexp(abs(value))
    return int(value < 0), exponent - 1 + 0xffff, int(mantissa * (1 << 64))


def fp_setting(text):
    sign, exponent, significand = fp_register(text)
    return f"{sign << 17 | exponent:#x}:{significand:#x}"


# --- assembling ------------------------------------------------------------------------------------------------------


def have_assembler():
    return all(shutil.which("ia64-linux-gnu-" + tool) for tool in ("as", "ld", "objdump"))


def tool(folder, name, *arguments):
    result = subprocess.run(["ia64-linux-gnu-" + name, *arguments], cwd=folder, capture_output=True, text=True)
    if result.returncode:
        raise FormatError(result.stderr.strip())
    return result.stdout, result.stderr


def disassembly(folder):
    """address -> text of the bundle's slots"""
    out = {}
    for line in tool(folder, "objdump", "-d", "t.elf")[0].split("\n"):
        fields = line.split("\t")
        if len(fields) < 3 or not fields[0].strip().endswith(":"):
            continue
        address = int(fields[0].strip()[:-1], 16)
        text = re.sub(r"\s+", " ", re.sub(r"\[[A-Z0-9]{3}\]", "", fields[-1])).strip()
        out.setdefault(address & ~15, []).append(text)
    return out


def elf_parts(path):
    """The .text image and its labels of a linked little-endian ELF file."""
    with open(path, "rb") as elf:
        data = elf.read()
    table, size, count = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + n * size) for n in range(count)]
    image = next(data[s[4]:s[4] + s[5]] for s in sections if s[1] == 1 and s[2] & 4)  # PROGBITS, EXECINSTR
    symbols = next(s for s in sections if s[1] == 2)
    names = sections[symbols[6]][4]
    labels = {}
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        name, _, _, section, value, _ = struct.unpack_from("<IBBHQQ", data, at)
        text = data[names + name:data.index(b"\0", names + name)].decode()
        if text and section not in (0, 0xfff1) and BASE <= value <= BASE + len(image) and sections[section][2] & 4:
            labels[text] = value
    return image, labels


def assemble(test, texts=False):
    """@returns ({address: 16 bytes}, {label: address}, {address: text} when `texts`, warnings). Bundles of zeros are left out."""
    with tempfile.TemporaryDirectory() as folder:
        source = '.include "isa.inc"\n.text\n' + test.code + "\n.explicit\nend:\n{ .mib\nnop.m 0\nnop.i 0\nbr.sptk end\n}\n"
        with open(os.path.join(folder, "t.s"), "w", encoding="utf-8") as out:
            out.write(source)
        _, warnings = tool(folder, "as", "-xauto", "-I", HERE, "-o", "t.o", "t.s")
        tool(folder, "ld", "-e", "0", "-Ttext", hex(BASE), "-o", "t.elf", "t.o")
        image, labels = elf_parts(os.path.join(folder, "t.elf"))
        bundles = {BASE + at: image[at:at + 16] for at in range(0, len(image), 16) if any(image[at:at + 16])}
        return bundles, labels, disassembly(folder) if texts else {}, warnings
