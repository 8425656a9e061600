#!/usr/bin/env python3
"""Boots the Linux/ia64 guest with the ivm command and checks what its user would see.

  boot_test.py CASE --ivm PATH --guests DIR --work DIR

Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

PROMPT = r"ivm-guest# $"
SKIPPED = 77

# Kernel messages of level 4 (warning) and below that the guest prints on any machine of this kind, each with its reason.
KNOWN_WARNINGS = [
    # (regular expression, why it is not the emulator's doing)
    (r"^\[ +[0-9.]+\] \+/-\d+ppm$", "tail of the debug line about the ITC; the kernel prints it without a level"),
    (r"Processor Platform Limit event detected, but not handled", "printed for every ACPI processor when CPUfreq is not built in"),
    (r"Consider compiling CPUfreq support into your kernel", "second half of the line above"),
    (r"This architecture does not have kernel memory protection", "true of every ia64 kernel"),
]


class Failure(Exception):
    pass


def plain(text):
    """Console text without carriage returns and terminal escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


class Boot:
    """One ivm run: a list of console steps and the transcript they leave."""

    def __init__(self, args, name, options):
        self.log = pathlib.Path(args.work) / f"{name}.log"
        self.command = [args.ivm, "run", "--console", "none", "--log", str(self.log), "--timeout", str(args.limit), *options]

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


def make_disk(args):
    image = pathlib.Path(args.work) / "disk.img"
    subprocess.run(["bash", f"{args.guests}/mkdisk.sh", str(image), "-t", "0"], check=True, stdout=subprocess.DEVNULL)
    return image


def disk_options(args, image):
    return ["--boot-timeout", "0", "--nvram", f"{args.work}/nvram", "-a", f"disk:avio_stor::file:{image}"]


def check_kernel_log(text):
    """No warning, oops or failed probe beyond the known ones."""
    for line in re.findall(r"^<(\d+)>(.*)$", text, re.M):
        level = int(line[0]) & 7
        if level <= 4 and not any(re.search(p, line[1]) for p, _ in KNOWN_WARNINGS):
            raise Failure(f"kernel message of level {level}: {line[1]}")
    for word in ("Oops", "WARNING:", "Call Trace", "BUG:"):
        require(word not in text, f"the kernel printed '{word}'", text)


def grub_disk(args):
    """GRUB boots Linux from the AVIO disk; data survives a reboot; poweroff ends ivm."""
    image = make_disk(args)
    boot = Boot(args, "console", disk_options(args, image))
    boot.expect("GUEST READY").expect(PROMPT)
    boot.shell("ls /").shell("cat /proc/cpuinfo").shell("mount").shell("dmesg -r")
    boot.shell("dd if=/dev/urandom of=/data bs=1M count=16").shell("sync").shell("sha256sum /data")
    boot.send("reboot\\r").expect("GUEST READY").expect(PROMPT)
    boot.shell("sha256sum /data").send("poweroff\\r")
    text = boot.run()
    sums = checksums(text)
    require(len(sums) == 2 and sums[0] == sums[1], f"checksums before and after the reboot: {sums}", text)
    require("GenuineIntel" in text and "Itanium(R) 2 Processor" in text, "cpuinfo does not show the processor", text)
    require(re.search(r"^/dev/\S+ on / type ext4", text, re.M), "the root is not the ext4 disk", text)
    require(re.search(r"^bin\b.*\bproc\b", text, re.M | re.S), "ls / does not list the root", text)
    check_kernel_log(text)
    subprocess.run(["sgdisk", "-v", str(image)], check=True, stdout=subprocess.DEVNULL)
    check_ext4(args, image)


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


def direct_kernel(args):
    """Kernel and initrd without a boot loader reach the shell."""
    guests = f"{args.guests}/linux"
    boot = Boot(args, "console", ["--kernel", f"{guests}/vmlinuz", "--initrd", f"{guests}/initrd.gz",
                                  "--append", "console=ttyS0,115200 panic=5"])
    boot.expect("GUEST READY").expect(PROMPT).shell("cat /proc/cmdline").shell("dmesg -r").send("poweroff\\r")
    text = boot.run()
    require("console=ttyS0,115200 panic=5" in text, "the command line did not arrive", text)
    check_kernel_log(text)


CASES = {f.__name__: f for f in (grub_disk, direct_kernel)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--ivm", required=True)
    parser.add_argument("--guests", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--limit", type=int, default=500, help="seconds of host time for one run")
    args = parser.parse_args()
    if not pathlib.Path(args.guests, "linux", "vmlinuz").exists():
        print(f"skipped: no guest images in {args.guests}")
        return SKIPPED
    shutil.rmtree(args.work, ignore_errors=True)
    pathlib.Path(args.work).mkdir(parents=True)
    try:
        CASES[args.case](args)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    shutil.rmtree(args.work, ignore_errors=True)
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
