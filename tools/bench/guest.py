"""Runs of ivm with marks: what was executed, and how long the host took, when each console pattern matched."""
import os
import re
import subprocess
from dataclasses import dataclass

from kernels import ENGINES

PROMPT = "ivm-guest# $"
MARK = re.compile(r"ivm: (\d+) instructions in ([\d.]+) s: [\d.]+ million/s, ([\d.]+) s of host processor"
                  r"(?: \(([\d.]+) s translating\))? until '(.*)'$")


@dataclass
class Mark:
    """Totals since power-on."""
    slots: int
    wall_s: float
    cpu_s: float
    translating_s: float

    def __sub__(self, earlier):
        return Mark(self.slots - earlier.slots, self.wall_s - earlier.wall_s, self.cpu_s - earlier.cpu_s,
                    self.translating_s - earlier.translating_s)


def linux_arguments(guests, engine, initrd=None):
    return ["--engine", ENGINES[engine], "--kernel", os.path.join(guests, "linux/vmlinuz"),
            "--initrd", initrd or os.path.join(guests, "linux/initrd.gz"),
            "--append", "console=ttyS0,115200"]


def run_script(ivm, arguments, steps, log, timeout_s=1800):
    """Boots a guest and plays `steps`: ("expect", pattern) and ("send", text). Returns a Mark for each expect."""
    command = [ivm, "run", *arguments, "--console", "none", "--speed", "--log", log, "--timeout", str(timeout_s)]
    for kind, text in steps:
        command += ["--" + kind, text]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"ivm ended with status {done.returncode}: {done.stderr.strip()}")
    marks = [MARK.match(line) for line in done.stderr.splitlines()]
    marks = [Mark(int(m[1]), float(m[2]), float(m[3]), float(m[4] or 0)) for m in marks if m]
    expects = sum(kind == "expect" for kind, _ in steps)
    if len(marks) != expects:
        raise RuntimeError(f"{expects} marks expected, {len(marks)} found: {done.stderr.strip()}")
    return marks


def measure(ivm, guests, engine, names, scale, log):
    """One boot under `engine`. Returns the Mark of the boot to the prompt, and {kernel: (checksum, Mark)}."""
    steps = [("expect", PROMPT), ("send", f"guestbench -s {scale} {' '.join(names)}\\r")]
    steps += [("expect", f"^BENCH {name} [0-9a-f]+ ") for name in names]
    marks = run_script(ivm, linux_arguments(guests, engine), steps, log)
    with open(log, errors="replace") as transcript:
        sums = dict(re.findall(r"^BENCH (\w+) ([0-9a-f]{16}) ", transcript.read() + " ", re.MULTILINE))
    taken = [later - earlier for earlier, later in zip(marks, marks[1:])]
    return marks[0], {name: (sums[name], mark) for name, mark in zip(names, taken)}


def measure_quickest(ivm, guests, engine, names, scale, log, runs):
    """As measure(), in a boot of its own each time. Of boots and of each kernel the quickest counts."""
    boots, results = zip(*(measure(ivm, guests, engine, names, scale, log) for _ in range(runs)))
    for name in names:
        sums = {r[name][0] for r in results}
        if len(sums) > 1:
            raise RuntimeError(f"{name} has different checksums in different boots: {', '.join(sorted(sums))}")
    quickest = {name: min((r[name] for r in results), key=lambda result: result[1].wall_s) for name in names}
    return min(boots, key=lambda mark: mark.wall_s), quickest
