"""Tables of a measurement in Markdown."""
import math
import os
import platform
import subprocess
import time

from kernels import GROUPS


def _host_cpu():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def _commit(root):
    def git(*arguments):
        return subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "cpu", "machine", "base", "devices", "firmware")
    return git("rev-parse", "--short", "HEAD") + (" with local changes" if changed else "")


def _geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def heading(root, arguments):
    load = os.getloadavg()[0]
    return [f"## {time.strftime('%Y-%m-%d %H:%M')}, commit {_commit(root)}", "",
            f"Host: {_host_cpu()}, {os.cpu_count()} processors, load average {load:.1f} at the end. "
            f"Repeat: `python3 tools/bench {' '.join(arguments)}`", ""]


def kernel_table(native, guest):
    lines = ["| kernel | native s | guest s | host CPU s | ratio | ratio by CPU | million slots | million slots/s |",
             "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for name, (_, mark) in guest.items():
        seconds = native[name][1]
        lines.append(f"| {name} | {seconds:.4f} | {mark.wall_s:.3f} | {mark.cpu_s:.3f} | {mark.wall_s / seconds:.1f} | "
                     f"{mark.cpu_s / seconds:.1f} | {mark.slots / 1e6:.1f} | {mark.slots / mark.cpu_s / 1e6:.0f} |")
    return lines + [""]


def group_table(native, guest):
    lines = ["| group | ratio (geometric mean) | ratio by CPU | million slots/s (geometric mean) |", "|---|--:|--:|--:|"]
    for group, names in GROUPS.items():
        marks = [(guest[name][1], native[name][1]) for name in names if name in guest]
        if not marks:
            continue
        wall = _geometric_mean([m.wall_s / s for m, s in marks])
        cpu = _geometric_mean([m.cpu_s / s for m, s in marks])
        rate = _geometric_mean([m.slots / m.cpu_s / 1e6 for m, _ in marks])
        lines.append(f"| {group} | {wall:.1f} | {cpu:.1f} | {rate:.0f} |")
    return lines + [""]


def boot_line(mark):
    return [f"Boot to the prompt in the same run: {mark.wall_s:.2f} s, {mark.cpu_s:.2f} s of host processor, "
            f"{mark.slots / 1e6:.0f} million slots.", ""]


def startup_table(times, idle):
    lines = ["| from power-on to | s | host CPU s | million slots |", "|---|--:|--:|--:|"]
    for name, mark in times.items():
        lines.append(f"| {name} | {mark.wall_s:.2f} | {mark.cpu_s:.2f} | {mark.slots / 1e6:.0f} |")
    share, total, ram = idle
    return lines + ["", f"Idle at the prompt: {share:.1f} % of a host core. Resident: {total:.0f} MiB, of which guest RAM "
                    f"{ram:.0f} MiB and everything else {total - ram:.0f} MiB.", ""]
