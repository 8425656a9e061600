#!/usr/bin/env python3
"""Boots disks with the ivm command and checks what its user would see.

  boot_test.py CASE --ivm PATH --guests DIR --work DIR [--engine interp|jit]

Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import hashlib
import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import toolchain  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from ivmctl import Control  # noqa: E402
from kernel_log import complaint, plain  # noqa: E402

PROMPT = r"ivm-guest# $"
SKIPPED = 77

class Failure(Exception):
    pass


class Skipped(Exception):
    pass


class Boot:
    """One ivm run: a list of console steps and the transcript they leave."""

    def __init__(self, args, name, options):
        self.log = pathlib.Path(args.work) / f"{name}.log"
        self.command = [args.ivm, "run", "--console", "none", "--log", str(self.log), "--timeout", str(args.limit),
                        *([] if "--engine" in options else ["--engine", args.engine]), *options]

    def expect(self, pattern):
        self.command += ["--expect", pattern]
        return self

    def shell(self, line):
        """Types a command at the prompt and waits for the next prompt."""
        self.command += ["--send", line.replace("\\", "\\\\") + "\\r", "--expect", PROMPT]
        return self

    def send(self, text):
        self.command += ["--send", text]
        return self

    def run(self, status=0):
        result = subprocess.run(self.command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.errors = result.stderr
        text = plain(self.log.read_text(errors="replace")) if self.log.exists() else ""
        if result.returncode != status:
            raise Failure(f"ivm ended with {result.returncode}, not {status}: {result.stderr.strip()}\n"
                          f"--- last console lines\n" + "\n".join(text.splitlines()[-40:]))
        return text


def require(condition, message, text=""):
    if not condition:
        raise Failure(message + ("\n--- console\n" + "\n".join(text.splitlines()[-60:]) if text else ""))


def checksums(text):
    return re.findall(r"^([0-9a-f]{64})  /data$", text, re.M)


def make_disk(args, grub_timeout_s=0):
    image = pathlib.Path(args.work) / "disk.img"
    subprocess.run(["bash", f"{args.guests}/mkdisk.sh", str(image), "-t", str(grub_timeout_s)], check=True, stdout=subprocess.DEVNULL)
    return image


def disk_options(args, image):
    return ["--boot-timeout", "0", "--nvram", f"{args.work}/nvram", "-a", f"disk:avio_stor::file:{image}"]


def check_kernel_log(text):
    """No warning, oops or failed probe beyond the known ones."""
    wrong = complaint(text)
    require(not wrong, wrong)


def check_ext4(args, image):
    """The root file system is clean as the host sees it."""
    start_mib = 65
    part = pathlib.Path(args.work) / "root.img"
    with open(image, "rb") as src, open(part, "wb") as dst:
        src.seek(start_mib << 20)
        shutil.copyfileobj(src, dst, 1 << 20)
    result = subprocess.run(["e2fsck", "-fn", str(part)], capture_output=True, text=True)
    part.unlink()
    require(result.returncode == 0, f"e2fsck: {result.stdout}")


def guest_program(args, name):
    """The program guest/NAME.c, compiled, as the content of a disk."""
    archive = pathlib.Path(args.guests, "..", toolchain.ARCHIVE)
    if not archive.exists():
        raise Skipped(f"no toolchain {archive}")
    binary = pathlib.Path(args.work) / name
    toolchain.build_program(str(archive), str(pathlib.Path(args.work).parent / "toolchain"),
                            str(pathlib.Path(__file__).parent / "guest" / f"{name}.c"), str(binary))
    return binary


def fresh_code(args):
    """A program in the guest makes code by stores and by DMA, more than the translator keeps: right results, bounded memory."""
    cache = 4 << 20
    program = guest_program(args, "fresh_code")
    scratch = pathlib.Path(args.work) / "scratch.img"
    scratch.write_bytes(bytes(1 << 20))
    counters = pathlib.Path(args.work) / "counters.json"
    guests = f"{args.guests}/linux"
    boot = Boot(args, "console", ["-m", "256M", "--jit-cache", str(cache), "--inspect-at-exit", str(counters), "--kernel", f"{guests}/vmlinuz",
                                  "--initrd", f"{guests}/initrd.gz", "--append", "console=ttyS0,115200",
                                  "-a", f"disk:avio_stor:0,2,0:file:{program}", "-a", f"disk:avio_stor:0,2,1:file:{scratch}"])
    boot.expect(PROMPT).shell("cat /dev/sda > /fresh_code; chmod +x /fresh_code")
    boot.shell(f"/fresh_code {args.seconds} /dev/sdb").send("poweroff\\r")
    text = boot.run()
    made = re.search(r"^FRESH (\d+) (\d+)$", text, re.M)
    require(made and int(made[1]) > 0 and int(made[2]) == 200, "the program did not end well", text)
    counted = find(json.loads(counters.read_text()), "translator")
    require(counted["flushes_by"]["cache_full"] > 0, f"the code of {made[1]} functions never filled the cache: {counted}")
    require(counted["code_bytes_now"] < cache + (1 << 20), f"more code is kept than the cache may hold: {counted}")
    print(f"{made[1]} functions, {counted['code_bytes'] >> 20} MiB of code in a cache of {cache >> 20}, {counted['flushes']} flushes; "
          f"peak memory of the process {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10} MiB, 256 of them the guest's")


TICKS = 250  # a second, in the guest's kernel


def idle_slack(args):
    """A guest that idles has ticks late, loses none, and its timers still end when they should."""
    def run(slack):
        state = pathlib.Path(args.work) / f"{slack}.json"
        guests = f"{args.guests}/linux"
        boot = Boot(args, slack, ["-m", "256M", "--idle-slack", slack, "--inspect-at-exit", str(state), "--kernel", f"{guests}/vmlinuz",
                                  "--initrd", f"{guests}/initrd.gz", "--append", "console=ttyS0,115200"])
        boot.expect(PROMPT)
        for _ in range(3):
            boot.shell("cat /proc/uptime; sleep 3; cat /proc/uptime; sleep 1; cat /proc/uptime")
        # What the kernel counts by ticks, and what it reads from the ITC.
        boot.shell('show() { X=$(cat /proc/uptime /proc/stat); echo "$X" | head -n 2; }; show; sleep 6; show')
        text = boot.send("poweroff\\r").run()
        times = [float(t) for t in re.findall(r"^(\d+\.\d\d) \d+\.\d\d$", text, re.M)]
        ticks = [sum(map(int, t.split())) for t in re.findall(r"^cpu +([\d ]+)$", text, re.M)]
        require(len(times) == 11 and len(ticks) == 2, "the guest did not show its clocks", text)
        joined = find_number(json.loads(state.read_text()), "joined_ticks")
        naps = [[times[3 * n + k + 1] - times[3 * n + k] for n in range(3)] for k in range(2)]
        return {"naps": naps, "by_ticks": (ticks[1] - ticks[0]) / TICKS, "by_itc": times[10] - times[9], "joined": joined}

    on, off = run("on"), run("off")
    print(f"on {on}\noff {off}")
    require(off["joined"] == 0, f"ticks were joined although that is off: {off}")
    require(on["joined"] > 0, f"no ticks were joined: {on}")
    for clocks in (on, off):
        require(abs(clocks["by_ticks"] - clocks["by_itc"]) < 0.05, f"ticks were lost or made up: {clocks}")
    for nap, seconds in zip(on["naps"], (3, 1)):
        require(all(t > seconds - 0.011 for t in nap), f"a sleep of {seconds} s ended early: {on}")
        require(min(nap) < seconds + 0.25, f"no sleep of {seconds} s ended in time: {on}")


def find_number(tree, name):
    """The first number of that name."""
    if isinstance(tree, dict):
        if isinstance(tree.get(name), (int, float)):
            return tree[name]
        tree = list(tree.values())
    return next((hit for part in tree if isinstance(part, (dict, list)) for hit in [find_number(part, name)] if hit is not None), None)


def find(tree, name):
    """The first subtree of that name."""
    if isinstance(tree, dict):
        if name in tree:
            return tree[name]
        tree = list(tree.values())
    return next((hit for part in tree if isinstance(part, (dict, list)) for hit in [find(part, name)] if hit is not None), None)


DISK_LOAD = ("dd if=/dev/urandom of=/data bs=1M count=2; sync; sha256sum /data; echo 3 > /proc/sys/vm/drop_caches; "
             "sha256sum /data")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def icount_run(args, name, engine, options, image=None):
    """One deterministic run: what must be equal in all of them."""
    boot = Boot(args, name, ["--engine", engine, "--icount", "--state-hash", *options])
    boot.expect(PROMPT).shell("date; cat /proc/interrupts /proc/sys/kernel/random/uuid")
    if image:
        boot.shell(DISK_LOAD)
    boot.send("poweroff\\r").run()
    state = re.search(r"state hash ([0-9a-f]{32})$", boot.errors, re.M)
    require(state, f"no hash in: {boot.errors}")
    return {"transcript": boot.log.read_bytes(), "state": state[1], "disk": digest(image) if image else None}


def require_equal_runs(runs):
    for name, run in runs.items():
        for what, value in run.items():
            first = next(iter(runs.values()))[what]
            require(value == first, f"{what} of {name} differs", run["transcript"].decode(errors="replace"))


def icount(args):
    """Equal scripts give equal runs: console, registers and memory, disk; under either engine and on either adapter."""
    guests = f"{args.guests}/linux"
    kernel = ["-m", "256M", "--kernel", f"{guests}/vmlinuz", "--initrd", f"{guests}/initrd.gz",
              "--append", "console=ttyS0,115200 panic=5"]
    runs = {engine: icount_run(args, engine, engine, kernel) for engine in ("jit", "interp")}
    require_equal_runs(runs)
    require("Fri Jan  1 00:00:0" in plain(runs["jit"]["transcript"].decode()), "the clock does not start where it should")
    original = make_disk(args)
    for adapter in ("avio_stor", "scsi"):
        runs = {}
        for n in range(2):
            image = pathlib.Path(args.work) / f"{adapter}{n}.img"
            shutil.copyfile(original, image)
            runs[f"{adapter} {n}"] = icount_run(args, f"{adapter}{n}", "jit",
                                               ["--boot-timeout", "0", "-a", f"disk:{adapter}::file:{image}"], image)
            image.unlink()
        require_equal_runs(runs)


def counted_typing(args):
    """Ten runs of `ivm test` with counted time, keys and typed commands among its steps, are one run; engine and host load change nothing."""
    work = pathlib.Path(args.work)
    master = make_disk(args, grub_timeout_s=20)
    for adapter, engines in (("avio_stor", ["jit"] * 9 + ["interp"]), ("scsi", ["jit"] * 2)):
        report = work / adapter
        for n, engine in enumerate(engines):
            variables = {"guests": args.guests, "master": master, "report": report, "adapter": adapter, "engine": engine}
            command = [args.ivm, "test", *(word for name, value in variables.items() for word in ("-D", f"{name}={value}"))]
            done = subprocess.run([*command, f"{args.source}/tests/regression/counted_typing.test"], stdout=subprocess.PIPE, text=True, check=False)
            require(done.returncode == 0, f"run {n} on {adapter} ended with {done.returncode}", done.stdout)
        runs = report.read_text().splitlines()
        require(len(runs) == len(engines) and len(set(runs)) == 1, f"the runs on {adapter} differ", report.read_text())


ROUNDS = ("i=0; while [ $i -lt 6 ]; do i=$((i+1)); dd if=/dev/urandom of=/data bs=64k count=24 oflag=direct; cp /data /back; sync; "
          "echo 3 > /proc/sys/vm/drop_caches; sha256sum /data /back; cat /proc/interrupts; echo ROUND$i; done; echo END$((40+2))")


def counted_rounds(args, name, options):
    """A deterministic run up to the end of ROUNDS."""
    boot = Boot(args, name, ["--icount", "--state-hash", *options])
    return boot if "--restore" in options else boot.expect(PROMPT).send(ROUNDS + "\\r")


def state_of(errors):
    state = re.search(r"state hash ([0-9a-f]{32})$", errors, re.M)
    require(state, f"no hash in: {errors}")
    return state[1]


def connect(process, endpoint):
    while True:
        try:
            return Control(endpoint, timeout=300)
        except OSError:
            require(process.poll() is None, "ivm ended before its control socket was there")
            time.sleep(0.02)


def snapshots_on_the_way(args, boot, directory, *acts):
    """The run of `boot` with snapshots saved or loaded when the console shows certain texts: (text, action) in their order. Returns what ivm
    wrote to standard error."""
    endpoint = f"unix:{args.work}/control"
    process = subprocess.Popen([*boot.command, "--control", endpoint, "--paused", "--snapshot-dir", str(directory)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with connect(process, endpoint) as control:
        for text, _ in acts:
            control.command("watch", text=text, once=True)
        control.command("continue")
        for _, action in acts:
            control.next_event("match")
            control.command("snapshot", action=action, name="one", wait=True)
    errors = process.communicate()[1]
    require(process.returncode == 0, f"ivm ended with {process.returncode}: {errors}")
    return errors


def icount_snapshot(args):
    """Saving does not change a deterministic run, and what is restored ends as the run that was never saved: equal registers, memory, console."""
    original = make_disk(args)
    for adapter, engines in (("avio_stor", ("jit", "interp")), ("scsi", ("jit",))):
        disk = ["--boot-timeout", "0", "-a", f"disk:{adapter}:0,2,0:overlay:file:{original}"]
        directory = pathlib.Path(args.work) / f"snapshots-{adapter}"
        whole = counted_rounds(args, f"{adapter}-whole", disk).expect("END42")
        whole.run()
        saved = counted_rounds(args, f"{adapter}-saved", disk).expect("END42")
        state = state_of(whole.errors)
        require(state_of(snapshots_on_the_way(args, saved, directory, ("ROUND2", "save"))) == state, f"{adapter}: saving changed the run")
        transcript = whole.log.read_bytes()
        require(saved.log.read_bytes() == transcript, f"{adapter}: saving changed the console")
        for engine in engines:
            restored = counted_rounds(args, f"{adapter}-{engine}", ["--engine", engine, "--snapshot-dir", str(directory), "--restore", "one"]).expect("END42")
            restored.run()
            rest = restored.log.read_bytes()
            require(b"ROUND6" in rest and transcript.endswith(rest), f"{adapter}: the restored console differs", rest.decode(errors="replace"))
            require(state_of(restored.errors) == state, f"{adapter}: the restored run under {engine} ends in another state")


def save_at_prompt(args, boot, directory, command, text):
    """Boots, has a command done, saves when the console shows a text, and ends."""
    endpoint = f"unix:{args.work}/control"
    process = subprocess.Popen([*boot.command, "--control", endpoint, "--paused", "--snapshot-dir", str(directory)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with connect(process, endpoint) as control:
        control.command("watch", prompt=PROMPT.rstrip("$"), once=True)
        control.command("continue")
        control.next_event("match")
        control.command("watch", text=text, once=True)
        control.command("type", text=command)
        control.next_event("match")
        control.command("snapshot", action="save", name="one", wait=True)
        control.command("quit")
    require(process.wait() == 0, f"ivm ended with {process.returncode}")


def icount_load(args):
    """A run that becomes an earlier moment of itself ends as if it had not; a snapshot of a guest whose time is the host's restores into counted time."""
    original = make_disk(args)
    disk = ["--boot-timeout", "0", "-a", f"disk:avio_stor:0,2,0:overlay:file:{original}"]
    directory = pathlib.Path(args.work) / "snapshots"
    whole = counted_rounds(args, "whole", disk).expect("END42")
    whole.run()
    back = counted_rounds(args, "back", disk).expect("END42")
    errors = snapshots_on_the_way(args, back, directory, ("ROUND2", "save"), ("ROUND4", "load"))
    require(state_of(errors) == state_of(whole.errors), "after the load it went another way")
    require(whole.log.read_bytes().endswith(back.log.read_bytes()[-1000:]), "the end of the console differs", back.log.read_text(errors="replace"))

    directory = pathlib.Path(args.work) / "uncounted"
    save_at_prompt(args, Boot(args, "uncounted", disk), directory, "dd if=/dev/urandom of=/data bs=64k count=24; echo SAVE$((40+2))\r", "SAVE42")
    runs = {}
    for n, engine in enumerate(("jit", "jit", "interp")):
        boot = Boot(args, f"counted{n}", ["--engine", engine, "--icount", "--state-hash", "--snapshot-dir", str(directory), "--restore", "one"])
        boot.send("date; sync; sha256sum /data; cat /proc/interrupts; echo END$((40+2))\\r").expect("END42").run()
        runs[f"restored {n} {engine}"] = {"transcript": boot.log.read_bytes(), "state": state_of(boot.errors)}
    require_equal_runs(runs)


def make_demo_disk(args):
    image = pathlib.Path(args.work) / "demo.img"
    subprocess.run([f"{args.source}/tools/demo/mkdemo", str(image)], check=True, stdout=subprocess.DEVNULL)
    return image


def bad_loader(args):
    """A truncated program is refused, one that jumps to nowhere shows registers; both leave the image alone."""
    image = make_demo_disk(args)
    program = pathlib.Path(args.work) / "BOOTIA64.EFI"
    on_disk = ["-i", f"{image}@@1M"]
    subprocess.run(["mcopy", *on_disk, "::/EFI/BOOT/BOOTIA64.EFI", str(program)], check=True)
    whole = program.read_bytes()
    # The first bundle of .text becomes zeros: break 0.
    start = int.from_bytes(whole[0x3c:0x40], "little")
    sections = start + 24 + int.from_bytes(whole[start + 20:start + 22], "little")
    code = int.from_bytes(whole[sections + 20:sections + 24], "little")
    for content, says, status in ((whole[:len(whole) // 2], "No bootable device", 0),
                                  (whole[:code] + bytes(64) + whole[code + 64:], "System halted", 4)):
        program.write_bytes(content)
        subprocess.run(["mcopy", "-o", *on_disk, str(program), "::/EFI/BOOT/BOOTIA64.EFI"], check=True)
        before = image.read_bytes()
        boot = Boot(args, "console", disk_options(args, image))
        if status == 0:
            boot.expect(says)
        text = boot.run(status)
        require(says in text, f"no '{says}'", text)
        require(image.read_bytes() == before, "the image changed")


def all_targets(args):
    """Two full VIO adapters and one full AVIO adapter: Linux finds every target and each says who it is."""
    image = make_disk(args)
    options = ["--boot-timeout", "0", "-a", f"disk:scsi:0,2,0:file:{image}"]
    where = [("scsi", 2, t) for t in range(1, 15)] + [("scsi", 4, t) for t in range(15)] + [("avio_stor", 3, t) for t in range(128)]
    for adapter, slot, target in where:
        path = pathlib.Path(args.work) / f"{slot}-{target}.qcow2"  # a guest has 30 file backing stores at most
        subprocess.run([args.ivm, "image", "create", "--format", "qcow2", str(path), str((1 << 20) + 512 * target)], check=True)
        options += ["-a", f"disk:{adapter}:0,{slot},{target}:qcow2:{path}"]
    boot = Boot(args, "console", options)
    boot.expect("GUEST READY").expect(PROMPT).shell("cd /sys/bus/scsi/devices; ls -d *:*:*:*/block/* | wc -l")
    boot.shell("for d in *:*:*:*/block/*; do n=${d##*/}; echo disk $(readlink -f $d | sed 's,.*0000:00:,,;s,/.*,,') ${d%/block*} "
               "$(cat $d/size) $(sg_inq /dev/$n | grep -E 'Vendor|Product id|serial' | sed 's/.*: *//' | tr '\\n' ' '); done")
    boot.shell("dmesg -r").send("poweroff\\r")
    text = boot.run()
    found = {}
    for slot, target, size, serial in re.findall(
            r"^disk 0(\d)\.0 \d+:0:(\d+):0 (\d+) HP Virtual FileDisk IVM00(\w{4})\s*$", text, re.M):
        require(serial == f"{int(slot):02x}{int(target):02x}", f"slot {slot} target {target} has serial number {serial}")
        found[int(slot), int(target)] = int(size)
    for _, slot, target in where:
        require(found.get((slot, target)) == 2048 + target, f"slot {slot} target {target}: {found.get((slot, target))} blocks", text)
    require(len(found) == len(where) + 1, f"{len(found)} disks, not {len(where) + 1}")
    check_kernel_log(text)


ALONE = {f.__name__: f for f in (bad_loader,)}  # need nothing outside the repository
def stop_under_load(args):
    """Ending ivm while disk requests are in flight neither crashes nor damages the file system beyond its journal."""
    image = make_disk(args)
    guests = f"{args.guests}/linux"
    for round in range(3):
        boot = Boot(args, f"round{round}", ["--kernel", f"{guests}/vmlinuz", "--initrd", f"{guests}/initrd.gz", "--append",
                                            "console=ttyS0,115200 root=LABEL=root",
                                            "-a", f"disk:{('scsi', 'avio_stor')[round % 2]}::file:{image}"])
        boot.expect(PROMPT).send("dd if=/dev/zero of=/big bs=64k count=1000 oflag=direct & sleep 1; echo STOP$((40+2))\\r")
        boot.expect("STOP42").run()
    boot = Boot(args, "after", disk_options(args, image))
    boot.expect("GUEST READY").expect(PROMPT).shell("dmesg -r").send("poweroff\\r")
    check_kernel_log(boot.run())
    check_ext4(args, image)


CASES = ALONE | {f.__name__: f for f in (fresh_code, idle_slack, icount, counted_typing, icount_snapshot, icount_load, stop_under_load, all_targets)}


def argument_parser(cases=(), limit_s=500):
    """What all programs of boot tests are given."""
    parser = argparse.ArgumentParser()
    if cases:
        parser.add_argument("case", choices=cases)
    for option in ("ivm", "guests", "work"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--engine", default="jit", help="of cases that do not choose one themselves")
    parser.add_argument("--limit", type=int, default=limit_s, help="seconds of host time for one run")
    return parser


def conclude(args, case, failures=(Failure,), needs_guests=True):
    """Runs a case in an empty folder, which stays when it fails. The exit status for ctest."""
    if needs_guests and not pathlib.Path(args.guests, "linux", "vmlinuz").exists():
        print(f"skipped: no guest images in {args.guests}")
        return SKIPPED
    shutil.rmtree(args.work, ignore_errors=True)
    pathlib.Path(args.work).mkdir(parents=True)
    try:
        case(args)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except failures as failure:
        print(f"FAILED: {failure}")
        return 1
    shutil.rmtree(args.work, ignore_errors=True)
    print("passed")
    return 0


def main():
    parser = argument_parser(CASES)
    parser.add_argument("--source", default=pathlib.Path(__file__).resolve().parents[2], help="root of the repository")
    parser.add_argument("--seconds", type=int, default=10, help="how long fresh_code makes code, in guest time")
    args = parser.parse_args()
    return conclude(args, CASES[args.case], needs_guests=args.case not in ALONE)


if __name__ == "__main__":
    sys.exit(main())
