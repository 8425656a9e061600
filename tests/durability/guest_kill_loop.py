#!/usr/bin/env python3
"""Kills ivm at random moments under a Linux guest that writes records, and checks that nothing a flush acknowledged is lost, that
images are sound and file systems recover.

usage: guest_kill_loop.py --ivm IVM --guests DIR --cache DIR --work DIR [--rounds N] [--seed N] [--faults]

Rounds go through every pairing of workload (records on the raw disk, files on ext4), adapter and image format. With --faults the
host's storage fails now and then as well (errors, torn writes, short transfers, full host file system); the guest goes on writing
where it can, and is killed all the same. Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import collections
import itertools
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "guest_storage"))
from guest import MIB, Failure, command, cross_compiler, make_initrd  # noqa: E402
from guest_records import check_files, check_raw  # noqa: E402

SIZE = 32 * MIB
WRITERS = {"raw": 3, "file": 2}
FORMATS = {"raw": "file", "qcow2": "qcow2", "vhd": "vhd", "overlay": "overlay"}
# Words before the store: what fails, and how often. Files stop at the first error that reaches their journal, so theirs is rarer.
FAULTS = {"raw": ("fault:write=io/31,flush=io/19:", "fault:write=torn/29,write=nospace/37:", "short:"),
          "file": ("fault:write=io/701:", "fault:flush=io/97,read=io/211:", "short:")}
FULL_HOST = "full host"  # the image file may not grow beyond what a host limit allows
PATIENCE_SECONDS = 240

Round = collections.namedtuple("Round", "number work adapter format fault")


class Loop:
    def __init__(self, args):
        self.args, self.work = args, pathlib.Path(args.work)
        self.dice = random.Random(args.seed)
        self.totals = collections.Counter()
        program = self.work / "guest_journal"
        command(cross_compiler(args), "-O2", "-static", "-o", program, HERE / "guest_journal.c")
        self.initrd = make_initrd(args, [program])
        self.blank, self.ext4 = self.work / "blank.img", self.work / "ext4.img"
        for path in (self.blank, self.ext4):
            with open(path, "wb") as f:
                f.truncate(SIZE)
        command("mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum_seed,^orphan_file", self.ext4)

    def rounds(self):
        pairings = list(itertools.product(FORMATS, ("avio_stor", "scsi"), ("raw", "file")))
        self.dice.shuffle(pairings)
        for number, (format_, adapter, work) in zip(range(self.args.rounds), itertools.cycle(pairings)):
            fault = ""
            if self.args.faults:
                fault = self.dice.choice(FAULTS[work] + ((FULL_HOST,) if format_ in ("qcow2", "vhd", "overlay") else ()))
            yield Round(number, work, adapter, format_, fault)

    def ivm(self, *words):
        return command(self.args.ivm, *words)

    def make_image(self, r):
        base = self.blank if r.work == "raw" else self.ext4
        image = self.work / f"disk.{r.format}"
        image.unlink(missing_ok=True)
        if r.format == "overlay":
            self.ivm("image", "create", "--format", "overlay", "--base", base, image)
        else:
            self.ivm("image", "convert", "--format", r.format, base, image)
        return image

    def start(self, r, image, seed):
        workload = (f"guest_journal,raw,/dev/sda,{SIZE},{seed},{WRITERS['raw']}" if r.work == "raw" else
                    f"mount,-t,ext4,/dev/sda,/mnt,&&,guest_journal,file,/mnt,0,{seed},{WRITERS['file']}")
        words = "" if r.fault == FULL_HOST else r.fault
        limit = image.stat().st_size + self.dice.randrange(1, 4 * MIB) if r.fault == FULL_HOST else None

        def limits():
            if limit:
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        guests = f"{self.args.guests}/linux"
        # A limit of file sizes would hit a log, a pipe it does not.
        return subprocess.Popen([self.args.ivm, "run", "--engine", self.args.engine, "--kernel", f"{guests}/vmlinuz", "--initrd", self.initrd,
                                 "--append", f"console=ttyS0,115200 loglevel=1 ivm.cmd={workload}",
                                 "-a", f"disk:{r.adapter}::{words}{FORMATS[r.format]}:{image}"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limits)

    def run_and_kill(self, r, image, seed):
        """@returns what each writer had acknowledged when ivm was killed"""
        process = self.start(r, image, seed)
        acknowledged, faults, stopped, console = {}, 0, 0, []
        timer = threading.Timer(PATIENCE_SECONDS, process.kill)
        timer.start()
        errors = []
        drain = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        drain.start()
        for line in process.stdout:
            console.append(line)
            found = re.match(rb"(ACK|FAULT|STOP) (\d+) ?(\d*)\r?\n$", line)
            if not found:
                continue
            what, writer, number = found[1], int(found[2]), int(found[3] or 0)
            if not acknowledged and not faults and not stopped:  # the work has begun
                timer.cancel()
                timer = threading.Timer(self.dice.uniform(0, 2), process.kill)
                timer.start()
            if what == b"ACK":
                acknowledged[writer] = number
            faults += what == b"FAULT"
            stopped += what == b"STOP"
        status = process.wait()
        timer.cancel()
        drain.join()
        if status != -signal.SIGKILL or not (acknowledged or faults or stopped):
            raise Failure(f"{r}: ivm ended with {status}: {errors[0].decode()}\n" + b"".join(console[-30:]).decode(errors="replace"))
        self.totals["faults seen by the guest"] += faults
        self.totals["writers that gave up"] += stopped
        return acknowledged

    def check(self, r, image, seed, acknowledged):
        result = subprocess.run([self.args.ivm, "image", "check", image], capture_output=True, text=True)
        if result.returncode not in (0, 1) or any("space only" not in s and "no problems" not in s for s in result.stdout.splitlines()):
            raise Failure(f"{r}: the image is damaged\n{result.stdout}{result.stderr}")
        disk = image
        if r.format != "raw":
            disk = self.work / "disk.out"
            disk.unlink(missing_ok=True)
            self.ivm("image", "convert", f"{FORMATS[r.format]}:{image}", disk)
        if r.work == "raw":
            return check_raw(disk, SIZE, seed, WRITERS["raw"], acknowledged, tears_blocks=r.fault == "short:")
        recovered = subprocess.run(["e2fsck", "-fy", disk], capture_output=True, text=True)
        if recovered.returncode not in (0, 1):
            raise Failure(f"{r}: {recovered.stdout}")
        command("e2fsck", "-fn", disk)
        files = self.work / "files"
        command("rm", "-rf", files)
        files.mkdir()
        command("debugfs", "-R", f"rdump / {files}", disk)
        return check_files(files, seed, WRITERS["file"], acknowledged)

    def one_round(self, r):
        image = self.make_image(r)
        seed = self.args.seed * 1000000 + r.number
        acknowledged = self.run_and_kill(r, image, seed)
        wrong = self.check(r, image, seed, acknowledged)
        if wrong:
            raise Failure(f"{r}: lost, of {acknowledged} acknowledged:\n" + "\n".join(wrong[:10]))
        self.totals["rounds"] += 1
        self.totals["records acknowledged"] += sum(acknowledged.values())


def main():
    parser = argparse.ArgumentParser()
    for option in ("ivm", "guests", "cache", "work"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", default="jit")
    parser.add_argument("--faults", action="store_true")
    args = parser.parse_args()
    if not pathlib.Path(args.guests, "linux", "vmlinuz").exists() or not cross_compiler(args):
        print("skipped: no guest images or no IA-64 compiler")
        return 77
    command("rm", "-rf", args.work)
    pathlib.Path(args.work).mkdir(parents=True)
    loop = Loop(args)
    try:
        for r in loop.rounds():
            loop.one_round(r)
            if loop.totals["rounds"] % 20 == 0:
                print(dict(loop.totals), flush=True)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    print("; ".join(f"{count} {what}" for what, count in loop.totals.items()) + "; none lost")
    command("rm", "-rf", args.work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
