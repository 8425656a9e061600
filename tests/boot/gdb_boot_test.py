#!/usr/bin/env python3
"""Drives gdb-multiarch over the Linux guest, from before the first instruction to the shell's prompt, and over an EFI program.

  gdb_boot_test.py CASE --ivm PATH --guests DIR --work DIR [--engine interp|jit]

Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import kernel_symbols  # noqa: E402
from boot_test import PROMPT, SKIPPED, Failure, require  # noqa: E402

STEPS = 6


class Run:
    """One ivm run that waits for a debugger."""

    def __init__(self, args, name):
        self.work, self.limit = pathlib.Path(args.work), args.limit
        self.socket, self.log = self.work / f"{name}.gdb", self.work / f"{name}.log"
        self.ivm, self.kernel = args.ivm, ""

    def start(self, args, name, options):
        self.errors = open(self.work / f"{name}.stderr", "w+")
        self.process = subprocess.Popen(
            [args.ivm, "run", "--engine", args.engine, "--timeout", str(args.limit), "--console", "none", "--log", str(self.log),
             "--gdb", f"unix:{self.socket}", "--gdb-wait", *options], stdin=subprocess.DEVNULL, stderr=self.errors)

    def connect(self):
        """A connection of our own, once the guest listens."""
        end = time.monotonic() + 60
        while True:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(self.limit)
            try:
                s.connect(str(self.socket))
                return s
            except OSError:
                s.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    self.errors.seek(0)
                    raise Failure(f"ivm does not listen: {self.errors.read()}") from None
                time.sleep(0.02)

    def gdb(self, lines):
        """What a session of gdb shows."""
        self.connect().close()
        script = self.work / "session"
        script.write_text("\n".join(["set pagination off", "set confirm off", "set width 0", "set remotetimeout 60",
                                     f"file {self.kernel}" if self.kernel else "set architecture ia64-elf64", f"target remote {self.socket}", *lines]) + "\n")
        done = subprocess.run(["gdb-multiarch", "-nx", "-batch", "-x", str(script)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=self.limit, check=False)
        (self.work / "gdb.log").write_text(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.errors.close()


def kernel_with_symbols(work, linux):
    path = work / "vmlinux"
    symbols = kernel_symbols.read_map(kernel_symbols.read(linux / "System.map.gz"))
    path.write_bytes(kernel_symbols.add_symbols(kernel_symbols.read(linux / "vmlinuz"), symbols))
    return path


class Guest(Run):
    """Linux, ending at its prompt."""

    OPTIONS = []

    def __init__(self, args, name):
        super().__init__(args, name)
        linux = pathlib.Path(args.guests) / "linux"
        self.kernel = kernel_with_symbols(self.work, linux)
        self.start(args, name, [*self.OPTIONS, "--kernel", str(linux / "vmlinuz"), "--initrd", str(linux / "initrd.gz"), "--append",
                                "console=ttyS0,115200 rdinit=/bin/sh", "--until", r"# $"])

    def boots(self):
        require(self.process.wait(self.limit) == 0, "the guest does not come to its prompt", self.log.read_text(errors="replace")[-2000:])


class CountedGuest(Guest):
    """The same in a run of counted time."""

    OPTIONS = ["--icount", "--state-hash"]

    def hash(self):
        self.errors.seek(0)
        return re.search(r"state hash (\w+)", self.errors.read())[1]


class CountedDiskGuest(CountedGuest):
    """Linux from a disk through GRUB, with a typed load on the disk."""

    def __init__(self, args, name):
        Run.__init__(self, args, name)
        self.guests, self.image = args.guests, self.work / "disk.img"
        self.kernel = kernel_with_symbols(self.work, pathlib.Path(args.guests) / "linux")
        self.fresh_disk()
        self.start(args, name, [*self.OPTIONS, "--boot-timeout", "0", "-a", f"disk:{args.adapter}::file:{self.image}", "--expect", PROMPT, "--send", LOAD,
                                "--expect", "END42"])

    def fresh_disk(self):
        master = self.work / "master.img"
        if not master.exists():
            subprocess.run(["bash", f"{self.guests}/mkdisk.sh", str(master), "-t", "0"], check=True, stdout=subprocess.DEVNULL)
        shutil.copyfile(master, self.image)


class EfiProgram(Run):
    """The demonstration disk, whose program ends by switching the power off."""

    def __init__(self, args, name):
        super().__init__(args, name)
        image, self.elf = self.work / "demo.img", self.work / "demo.elf"
        source = pathlib.Path(__file__).resolve().parents[2]
        subprocess.run([f"{source}/tools/demo/mkdemo", str(image), str(self.elf)], check=True, stdout=subprocess.DEVNULL)
        self.control = self.work / "control"
        self.start(args, name, ["-m", "256M", "-a", f"disk:avio_stor::file:{image}", "--symbols", f"{self.elf}@BOOTIA64.EFI", "--boot-timeout", "0",
                                "--control", f"unix:{self.control}", "--expect", "DEMO READY", "--send", "p"])


def word(out, name):
    match = re.search(rf"^{name}=0x([0-9a-f]+)", out, re.M)
    require(match, f"gdb did not print {name}", out)
    return int(match[1], 16)


def session(guest):
    """Break, backtrace, registers, steps, a watched variable, memory, detach."""
    step = ['printf "pc=0x%lx\\n", (unsigned long)$pc', "stepi"]
    out = guest.gdb([
        "echo \\n--- reset\\n", "info threads", "break *start_kernel", "break *rest_init", "continue",
        "echo \\n--- start\\n", "x/3i $pc", "monitor registers", 'printf "r32=0x%lx r1=0x%lx\\n", $r32, $r1',
        "echo \\n--- steps\\n", *step * STEPS, step[0],
        "echo \\n--- watch\\n", "delete 1", "watch *(int *) &system_state", "continue", "continue", "backtrace 3",
        "echo \\n--- memory\\n", "output/x *(unsigned long *) start_kernel", "monitor phys 0x5800000 16", "x/s &linux_banner",
        "echo \\n--- end\\n", "delete", "detach"])
    part = parts(out, "reset", "start", "steps", "watch", "memory", "end")
    require("CPU 0" in part["reset"], "the processor is not shown as a thread", out)
    require(re.search(r"Breakpoint 1, 0x[0-9a-f]+ in start_kernel", part["reset"]), "no stop at start_kernel", out)
    require(re.search(r"=> 0x[0-9a-f]+ <start_kernel>:\s+\[MMB\]\s+alloc", part["start"]), "start_kernel is not disassembled", out)
    require(re.search(r"^r32=0x[0-9a-f]+ r1=0xa0000001[0-9a-f]+$", part["start"], re.M), "no registers", out)

    # The first six instructions are three bundles of start_kernel without a branch: slot by slot.
    begin = word(part["steps"], "pc")
    path = [int(pc, 16) - begin for pc in re.findall(r"^pc=0x([0-9a-f]+)", part["steps"], re.M)]
    require(path == [0, 1, 2, 16, 17, 18, 32], f"steps went {path}", out)

    values = re.findall(r"^(Old|New) value = (-?\d+)$", part["watch"], re.M)
    require(values == [("Old", "0"), ("New", "1")], "system_state was not seen to change", out)
    frames = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+)", part["watch"], re.M)
    require(frames == ["rest_init", "arch_call_rest_init", "start_kernel"], f"the backtrace is {frames}", out)
    require("Linux version" in part["memory"], "the banner is not where it should be", out)
    require("[Inferior 1 (Remote target) detached]" in part["end"], "not detached", out)
    guest.boots()


def reverse(guest):
    """Steps there and back; from a variable's value to the instruction that made it, from there to the value before, and to the beginning;
    then on to the prompt, as if nothing had been."""
    place = 'printf "pc=0x%lx value=%d\\n", (unsigned long)$pc, *(int *) &system_state'
    part = parts(guest.gdb([
        "break *start_kernel", "continue", "delete",
        "echo \\n--- there\\n", "info registers", *["stepi"] * STEPS, place,
        "echo \\n--- back\\n", "reverse-stepi 6", "info registers",
        "echo \\n--- written\\n", "break *rest_init", "continue", "watch *(int *) &system_state", "continue", "continue", place,
        "echo \\n--- writer\\n", "reverse-continue", place, "x/i $pc",
        "echo \\n--- before\\n", "reverse-continue", place, "x/i $pc",
        "echo \\n--- call\\n", "reverse-continue", place, "delete", "reverse-stepi", "info symbol $pc",
        "echo \\n--- finish\\n", "stepi", "break *schedule_preempt_disabled", "continue", "delete", "reverse-finish", "info symbol $pc",
        "echo \\n--- begin\\n", "reverse-continue", "reverse-stepi",
        "echo \\n--- end\\n", "break *rest_init", "continue", place, "delete", "detach"]),
        "there", "back", "written", "writer", "before", "call", "finish", "begin", "end")
    out = part["all"]
    require(part["there"].split("0x")[1:60] and part["back"].count("\n") > 100, "no registers", out)
    registers = [re.findall(r"^(\w+ +\S+)", part[name], re.M) for name in ("there", "back")]
    registers = [[line for line in lines if re.match(r"(r\d+|f\d+|p\d+|b\d+|pr|ip|psr|cfm|ar\w*|bsp|bspstore|rsc|unat|lc|ec|pfs|itc|fpsr|ccv|rnat|nat\d+) ", line)] for lines in registers]
    require(len(registers[0]) > 150 and registers[0] == registers[1], "the registers are not those of before the steps",
            str(set(registers[0]) ^ set(registers[1])))
    require(word(part["written"], "pc") and "value=2" in part["written"], "system_state is not 2", out)
    require("Old value = 2\nNew value = 1" in part["writer"] and "value=1" in part["writer"], "not back before the write of 2", out)
    require(re.search(r"=> 0x\w+ <kernel_init\+\d+>:.*st4 \[r\d+\]=", part["writer"]), "not at the writer of 2", out)
    require("Old value = 1\nNew value = 0" in part["before"] and "value=0" in part["before"], "not back before the write of 1", out)
    require(re.search(r"=> 0x\w+ <rest_init\+\d+>:.*st4 \[r\d+\]=", part["before"]), "not at the writer of 1", out)
    require(re.search(r"Breakpoint \d+, 0x\w+ in rest_init", part["call"]), "not back at rest_init", out)
    require("arch_call_rest_init" in part["call"], "not back in the caller", out)
    require("rest_init" in part["finish"], "not back at the call of schedule_preempt_disabled", out)
    require(part["begin"].count("No more reverse-execution history") == 2, "no beginning of the history", out)
    require(word(part["end"], "pc") and "value=0" in part["end"], "not again at rest_init", out)
    guest.boots()
    # Neither the way there nor the ways back have left anything: another run without a debugger ends the same.
    plain = subprocess.run([arg for arg in guest.process.args if not arg.startswith("--gdb") and not arg.startswith("unix:")], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=guest.limit, check=True)
    require(guest.hash() in plain.stderr, f"the states differ: {guest.hash()} and {plain.stderr}")


LOAD = ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); dd if=/dev/urandom of=/data bs=64k count=24 oflag=direct; cp /data /back; sync; "
        "echo 3 > /proc/sys/vm/drop_caches; sha256sum /data /back; cat /proc/interrupts; echo ROUND$i; done; echo END$((40+2))\\r")


def reverse_disk(guest):
    """Back over a load on a disk, and over the typing of its command; then on: state, disk and console end as without a debugger."""
    part = parts(guest.gdb([
        "break *ksys_sync", "continue", "continue", "echo \\n--- second\\n", "monitor state-hash", "echo \\n--- first\\n", "reverse-continue", "delete",
        "echo \\n--- request\\n", "break *scsi_queue_rq", "reverse-continue", "reverse-continue", "backtrace 1", "delete",
        "echo \\n--- again\\n", "break *ksys_sync", "continue", "continue", "monitor state-hash", "delete",
        "echo \\n--- begin\\n", "reverse-continue",
        "echo \\n--- typed\\n", "break *ksys_sync", "continue", "continue", "monitor state-hash",
        "echo \\n--- end\\n", "reverse-continue", "delete", "detach"]), "second", "first", "request", "again", "begin", "typed", "end")
    out = part["all"]
    require("in ksys_sync" in part["first"] and "in scsi_queue_rq" in part["request"], "not back at the breakpoints", out)
    hashes = re.findall(r"^hash : (\w+)", out, re.M)
    require(len(hashes) == 3 and len(set(hashes)) == 1, f"the same place has states {hashes}", out)
    require("No more reverse-execution history" in part["begin"], "no beginning of the history", out)
    guest.boots()
    state, image, log = guest.hash(), guest.image.read_bytes(), guest.log.read_bytes()
    guest.fresh_disk()
    plain = subprocess.run([arg for arg in guest.process.args if not arg.startswith("--gdb") and arg != f"unix:{guest.socket}"], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=guest.limit, check=True)
    require(state in plain.stderr, f"the states differ: {state} and {plain.stderr}")
    require(guest.image.read_bytes() == image, "the disks differ")
    require(guest.log.read_bytes() == log, "the consoles differ", log.decode(errors="replace"))


def parts(out, *names):
    part = dict(re.findall(r"^--- (\w+)\n(.*?)(?=^--- |\Z)", out, re.M | re.S))
    require(set(part) >= set(names), "the session did not get to its end", out)
    return part | {"all": out}


def announced(guest, act):
    """What `act` gives, and the first event about an EFI image meanwhile."""
    guest.connect().close()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(guest.limit)
        s.connect(str(guest.control))
        s.sendall(b'{"line":"events image"}\n')
        lines = s.makefile()
        require("ivm" in json.loads(lines.readline()), "no greeting")
        require("result" in json.loads(lines.readline()), "no events")
        done = act()
        return done, json.loads(lines.readline())


def efi(guest):
    """An EFI program from its first instruction on: symbols by what was announced, steps, callers, a watched variable."""
    out, event = announced(guest, lambda: efi_session(guest))
    require(event["event"] == "image" and event["data"]["action"] == "loaded" and event["data"]["name"] == "BOOTIA64.EFI", f"event {event}", out)
    require(event["data"]["gdb"] in out, "the event and monitor differ", out)


def efi_session(guest):
    symbols = guest.work / "symbols.gdb"
    out = guest.gdb([
        "monitor break-image BOOTIA64.EFI", "continue",
        "echo \\n--- loaded\\n", "monitor images",
        f"shell {guest.ivm} monitor {guest.control} -c images | grep ^add-symbol-file > {symbols}", f"source {symbols}",
        "echo \\n--- start\\n", "info symbol $pc", "x/3i $pc", *['printf "pc=0x%lx\\n", (unsigned long)$pc', "stepi"] * 3,
        "echo \\n--- main\\n", "break *demo_main", "continue", "delete", "info symbol $pc", "backtrace 2",
        "echo \\n--- write\\n", "watch *(long *) &con_out", "continue", "monitor efi images", "delete",
        "echo \\n--- calls\\n", "break *efi_call", "continue", "backtrace 3", "monitor backtrace", "monitor faults", "delete",
        "echo \\n--- end\\n", "detach"])
    part = parts(out, "loaded", "start", "main", "calls", "write", "end")
    # gdb shows what monitor says on its standard error, so not in its place.
    require(out.count(f"add-symbol-file {guest.elf} -o 0x") >= 1 and "\\EFI\\BOOT\\BOOTIA64.EFI" in out, "the image is not announced", out)
    require(re.search(r"^2 +0x[0-9a-f]+ +start\+0x", out, re.M), "monitor backtrace does not find start", out)
    require(part["start"].lstrip().startswith("start in section .text"), "not at the program's first instruction", out)
    steps = [int(pc, 16) for pc in re.findall(r"^pc=0x([0-9a-f]+)", part["start"], re.M)]
    require([pc - steps[0] for pc in steps] == [0, 1, 2], f"steps went {steps}", out)
    require("demo_main in section .text" in part["main"], "not at demo_main", out)
    frames = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+)", part["calls"], re.M)
    require(frames[0] == "efi_call" and "demo_main" in part["calls"], f"the backtrace is {frames}", out)
    require(re.search(r"^New value = [1-9]", part["write"], re.M), "con_out was not seen to change", out)
    require("[Inferior 1 (Remote target) detached]" in part["end"], "not detached", out)
    require(guest.process.wait(guest.limit) == 0, "the program does not end", guest.log.read_text(errors="replace")[-2000:])
    return out


def hostile(guest):
    """Garbage, a connection that only listens and one that ends in the middle: the guest boots all the same."""
    with guest.connect() as s:
        s.sendall(b"\x00\xff garbage $m0,4#00 $" + b"x" * 40000)
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass  # a packet without end was too long
    with guest.connect() as s:
        s.sendall(b"$?#3f$g#67")
        require(s.recv(1) == b"+", "no answer")
    with guest.connect() as s:  # asks for megabytes and reads nothing while the guest boots
        s.sendall(b"+$?#3f" + b"$g#67" * 400 + b"$qRcmd,68656c70#fc" * 400 + b"$c#63")
        with guest.connect() as other:  # takes its place
            other.sendall(b"$QStartNoAckMode#b0+$?#3f$c#63")
            guest.boots()


def main():
    parser = argparse.ArgumentParser()
    cases = {"session": (Guest, session), "reverse": (CountedGuest, reverse), "reverse_disk": (CountedDiskGuest, reverse_disk), "efi": (EfiProgram, efi), "hostile": (Guest, hostile)}
    parser.add_argument("case", choices=cases)
    for name in ("ivm", "guests", "work"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--engine", default="jit")
    parser.add_argument("--adapter", default="avio_stor", help="of the disk of reverse_disk: avio_stor or scsi")
    parser.add_argument("--limit", type=int, default=500)
    args = parser.parse_args()
    kind, case = cases[args.case]
    for file in ("vmlinuz", "initrd.gz", "System.map.gz"):
        if issubclass(kind, Guest) and not (pathlib.Path(args.guests) / "linux" / file).exists():
            print(f"skipped: there is no {args.guests}/linux/{file}")
            return SKIPPED
    if args.case != "hostile" and not shutil.which("gdb-multiarch"):
        print("skipped: gdb-multiarch is not installed")
        return SKIPPED
    shutil.rmtree(args.work, ignore_errors=True)
    pathlib.Path(args.work).mkdir(parents=True)
    try:
        with kind(args, args.case) as guest:
            case(guest)
    except Failure as e:
        print(f"FAILED {args.case}: {e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
