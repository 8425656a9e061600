"""Tables of a measurement in Markdown."""
import math
import os
import platform
import subprocess
import time

from kernels import GOALS, GROUPS


def _host_cpu():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def _commit(root):
    def git(*arguments):
        return subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "cpu", "machine", "base", "devices", "firmware", "storage")
    return git("rev-parse", "--short", "HEAD") + (" with local changes" if changed else "")


def _geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def heading(root, arguments, tool="tools/bench"):
    load = os.getloadavg()[0]
    command = " ".join([f"python3 {tool}", *arguments])
    return [f"## {time.strftime('%Y-%m-%d %H:%M')}, commit {_commit(root)}", "",
            f"Host: {platform.node()}, {_host_cpu()}, {os.cpu_count()} processors, load average {load:.1f} at the end. "
            f"Repeat: `{command}`", ""]


def _table_head(columns):
    return ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def kernel_table(native, guests):
    """@param guests  {engine: {kernel: (checksum, Mark)}}"""
    columns = ["kernel", "native s"]
    for engine in guests:
        columns += [f"{engine} s", "ratio", "by CPU"]
    lines = _table_head(columns + ["million slots"] + [f"{engine} million/s" for engine in guests])
    for name in next(iter(guests.values())):
        host = native[name]
        marks = [results[name][1] for results in guests.values()]
        cells = [name, f"{host.wall_s:.4f}"]
        for mark in marks:
            cells += [f"{mark.wall_s:.3f}", f"{mark.wall_s / host.wall_s:.1f}", f"{mark.cpu_s / host.cpu_s:.1f}"]
        cells += [f"{marks[-1].slots / 1e6:.1f}"] + [f"{mark.slots / mark.cpu_s / 1e6:.0f}" for mark in marks]
        lines.append(_row(cells))
    return lines + [""]


def group_table(native, guests):
    """Geometric means of the ratios to native."""
    columns = ["group", "goal"]
    for engine in guests:
        columns += [engine, "by CPU"]
    lines = _table_head(columns)
    for group, names in GROUPS.items():
        names = [name for name in names if name in next(iter(guests.values()))]
        if not names:
            continue
        cells = [group, f"{GOALS[group]:g}"]
        for results in guests.values():
            pairs = [(results[name][1], native[name]) for name in names]
            cells.append(f"{_geometric_mean([m.wall_s / n.wall_s for m, n in pairs]):.1f}")
            cells.append(f"{_geometric_mean([m.cpu_s / n.cpu_s for m, n in pairs]):.1f}")
        lines.append(_row(cells))
    return lines + [""]


def boot_lines(boots):
    lines = [f"Direct boot to the prompt in the same run, {engine}: {mark.wall_s:.2f} s, {mark.cpu_s:.2f} s of host processor, "
             f"{mark.slots / 1e6:.0f} million slots." for engine, mark in boots.items()]
    return lines + [""]


def startup_table(engine, times, idle):
    lines = _table_head([f"{engine}: from power-on to", "s", "host CPU s", "translating s", "million slots"])
    for name, mark in times.items():
        lines.append(f"| {name} | {mark.wall_s:.2f} | {mark.cpu_s:.2f} | {mark.translating_s:.2f} | {mark.slots / 1e6:.0f} |")
    share, total, ram = idle
    return lines + ["", f"Idle at the prompt: {share:.1f} % of a host core. Resident: {total:.0f} MiB, of which guest RAM "
                    f"{ram:.0f} MiB and everything else {total - ram:.0f} MiB.", ""]
