#!/usr/bin/env python3
"""Drives gdb-multiarch over the Linux guest: from before the first instruction to the shell's prompt.

  gdb_boot_test.py CASE --ivm PATH --guests DIR --work DIR [--engine interp|jit]

Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
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


class Guest:
    """One ivm run of Linux that waits for a debugger and ends at the prompt."""

    def __init__(self, args, name):
        self.work, self.limit = pathlib.Path(args.work), args.limit
        self.socket, self.log = self.work / f"{name}.gdb", self.work / f"{name}.log"
        linux = pathlib.Path(args.guests) / "linux"
        self.kernel = self.work / "vmlinux"
        if not self.kernel.exists():
            symbols = kernel_symbols.read_map(kernel_symbols.read(linux / "System.map.gz"))
            self.kernel.write_bytes(kernel_symbols.add_symbols(kernel_symbols.read(linux / "vmlinuz"), symbols))
        self.errors = open(self.work / f"{name}.stderr", "w+")
        self.process = subprocess.Popen(
            [args.ivm, "run", "--engine", args.engine, "--timeout", str(args.limit), "--console", "none", "--log", str(self.log),
             "--kernel", str(linux / "vmlinuz"), "--initrd", str(linux / "initrd.gz"), "--append", "console=ttyS0,115200 rdinit=/bin/sh",
             "--gdb", f"unix:{self.socket}", "--gdb-wait", "--until", r"# $"],
            stdin=subprocess.DEVNULL, stderr=self.errors)

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
                                     f"file {self.kernel}", f"target remote {self.socket}", *lines]) + "\n")
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

    def boots(self):
        require(self.process.wait(self.limit) == 0, "the guest does not come to its prompt", self.log.read_text(errors="replace")[-2000:])


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
    part = dict(re.findall(r"^--- (\w+)\n(.*?)(?=^--- |\Z)", out, re.M | re.S))
    require(set(part) >= {"reset", "start", "steps", "watch", "memory", "end"}, "the session did not get to its end", out)
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
        s.sendall(b"+$?#3f" + b"$g#67" * 400 + b"$c#63")
        with guest.connect() as other:  # takes its place
            other.sendall(b"$QStartNoAckMode#b0+$?#3f$c#63")
            guest.boots()


def main():
    parser = argparse.ArgumentParser()
    cases = {"session": session, "hostile": hostile}
    parser.add_argument("case", choices=cases)
    for name in ("ivm", "guests", "work"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--engine", default="jit")
    parser.add_argument("--limit", type=int, default=500)
    args = parser.parse_args()
    for file in ("vmlinuz", "initrd.gz", "System.map.gz"):
        if not (pathlib.Path(args.guests) / "linux" / file).exists():
            print(f"skipped: there is no {args.guests}/linux/{file}")
            return SKIPPED
    if args.case == "session" and not shutil.which("gdb-multiarch"):
        print("skipped: gdb-multiarch is not installed")
        return SKIPPED
    shutil.rmtree(args.work, ignore_errors=True)
    pathlib.Path(args.work).mkdir(parents=True)
    try:
        with Guest(args, args.case) as guest:
            cases[args.case](guest)
    except Failure as e:
        print(f"FAILED {args.case}: {e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
