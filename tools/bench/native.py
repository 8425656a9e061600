"""guestbench compiled for the host: the yardstick."""
import os
import subprocess
import tempfile
from dataclasses import dataclass

CFLAGS = ["-O2", "-ffp-contract=off"]


def build(source, folder):
    program = os.path.join(folder, "guestbench")
    subprocess.run(["gcc", *CFLAGS, "-o", program, source, "-lm"], check=True)
    return program


@dataclass
class Native:
    """The host's side of one kernel."""
    checksum: str
    wall_s: float
    cpu_s: float


def run_once(program, name, scale):
    """Runs one kernel in a process of its own; name None runs nothing. The clock of the host can be trusted."""
    process = subprocess.Popen([program, "-s", str(scale), name or "no_such_kernel"], stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = used.ru_utime + used.ru_stime
    if name is None:
        return Native("", 0, cpu_s)
    words = next(line.split() for line in text.splitlines() if line.startswith(f"BENCH {name} "))
    return Native(words[2], float(words[3]), cpu_s)


def measure(source, names, scale, repeat):
    """{kernel: Native}: the checksum of the work asked for, and the quickest of `repeat` runs. Kernels that take less than 50 ms are
    timed over ten times the work, because clocks show milliseconds. Processor time is without that of starting a process."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        program = build(source, folder)
        starting_s = min(run_once(program, None, 1).cpu_s for _ in range(5))
        for name in names:
            first = run_once(program, name, scale)
            times = 10 if first.wall_s < 0.05 else 1
            runs = [run_once(program, name, times * scale) for _ in range(repeat)]
            results[name] = Native(first.checksum, max(min(r.wall_s for r in runs) / times, 1e-4),
                                   max(min(r.cpu_s for r in runs) - starting_s, 1e-3) / times)
    return results
