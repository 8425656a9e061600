"""How long a guest takes to reach its boot menu, GRUB and the prompt; what an idle one costs; memory beyond its RAM."""
import os
import subprocess
import tempfile
import time

import guest
from kernels import ENGINES

IDLE_S = 10
GUEST_RAM_MIB = 1024


def boot_direct(ivm, guests, engine, folder):
    marks = guest.run_script(ivm, guest.linux_arguments(guests, engine), [("expect", guest.PROMPT)], os.path.join(folder, "direct"))
    return {"Linux prompt, direct boot": marks[0]}


def _disk(guests, folder, countdown_s):
    image = os.path.join(folder, f"disk{countdown_s}.img")
    subprocess.run(["bash", os.path.join(guests, "mkdisk.sh"), image, "-t", str(countdown_s)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return ["-a", f"disk:avio_stor::file:{image}", "--boot-timeout", str(countdown_s)]


def boot_disk(ivm, guests, engine, folder):
    """Power-on to the prompt through a disk. The countdowns of one second each, of the boot manager and of GRUB, are
    part of the times."""
    steps = [("expect", "Please select a boot option"), ("expect", "GNU GRUB|Welcome to GRUB"), ("expect", "Linux version"),
             ("expect", guest.PROMPT)]
    marks = guest.run_script(ivm, ["--engine", ENGINES[engine], *_disk(guests, folder, 1)], steps, os.path.join(folder, "grub"))
    names = ["EFI boot menu", "GRUB", "Linux's first line, through GRUB", "Linux prompt, through GRUB"]
    return dict(zip(names, marks))


def boot_disk_at_once(ivm, guests, engine, folder):
    """The same without countdowns."""
    arguments = ["--engine", ENGINES[engine], *_disk(guests, folder, 0)]
    marks = guest.run_script(ivm, arguments, [("expect", guest.PROMPT)], os.path.join(folder, "at-once"))
    return {"Linux prompt, through GRUB, no countdowns": marks[0]}


def _process_seconds(pid):
    """Time on a processor of all threads, to the nanosecond: what ticks sample is wrong for work that ticks start."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def _resident_mib(pid):
    """Resident memory, and the part of it that is guest RAM (the one mapping of exactly that size or larger)."""
    total = ram = size = 0
    with open(f"/proc/{pid}/smaps") as maps:
        for line in maps:
            words = line.split()
            if words[0] == "Size:":
                size = int(words[1])
            elif words[0] == "Rss:":
                total += int(words[1])
                if size >= GUEST_RAM_MIB * 1024:
                    ram += int(words[1])
    return total / 1024, ram / 1024


def _wait_for_prompt(log, process):
    while process.poll() is None:
        if os.path.exists(log):
            with open(log, errors="replace") as transcript:
                if "ivm-guest# " in transcript.read():
                    return
        time.sleep(0.2)
    raise RuntimeError("ivm ended before the prompt")


def idle(ivm, guests, engine, folder):
    """Host processor share of a guest at its prompt, in percent of one core, and resident MiB (total, guest RAM)."""
    log = os.path.join(folder, "idle")
    command = [ivm, "run", *guest.linux_arguments(guests, engine), "-m", f"{GUEST_RAM_MIB}M", "--console", "none", "--log", log,
               "--timeout", "300"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for_prompt(log, process)
        time.sleep(2)
        before = _process_seconds(process.pid)
        time.sleep(IDLE_S)
        share = (_process_seconds(process.pid) - before) / IDLE_S * 100
        return share, *_resident_mib(process.pid)
    finally:
        process.terminate()
        process.wait()


def measure(ivm, guests, engine):
    with tempfile.TemporaryDirectory() as folder:
        times = {}
        for boot in (boot_disk, boot_disk_at_once, boot_direct):
            times |= boot(ivm, guests, engine, folder)
        return times, idle(ivm, guests, engine, folder)
