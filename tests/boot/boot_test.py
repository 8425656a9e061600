#!/usr/bin/env python3
"""Boots disks with the ivm command and checks what its user would see.

  boot_test.py CASE --ivm PATH --guests DIR --work DIR [--engine interp|jit]

Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import toolchain  # noqa: E402

PROMPT = r"ivm-guest# $"
SKIPPED = 77

TIMER_OOPS = r"Oops: timer tick before it's due \(itc=[0-9a-f]+,itm=[0-9a-f]+\)"

# Kernel messages of level 4 (warning) and below that the guest prints on any machine of this kind, each with its reason.
KNOWN_WARNINGS = [
    # (regular expression, why it is not the emulator's doing)
    (r"^\[ +[0-9.]+\] \+/-\d+ppm$", "tail of the debug line about the ITC; the kernel prints it without a level"),
    (r"Processor Platform Limit event detected, but not handled", "printed for every ACPI processor when CPUfreq is not built in"),
    (r"Consider compiling CPUfreq support into your kernel", "second half of the line above"),
    (r"This architecture does not have kernel memory protection", "true of every ia64 kernel"),
    (r"(sd|sr|st|ch|scsi) \d+:0:\d+:0: Power-on or device reset occurred", "mptspi resets the bus while it starts, and so do the tests"),
    (r"ch \d+:0:\d+:0: \[ch0\] ID/LUN unknown", "tgtd's changer does not say which unit its drive is"),
    (TIMER_OOPS, "the host took the processor away between the kernel's write of ITM and its look at ITC; real firmware does the same"),
]


class Failure(Exception):
    pass


class Skipped(Exception):
    pass


def plain(text):
    """Console text without carriage returns and terminal escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


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
    text = re.sub(TIMER_OOPS, "", text)
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


def find(tree, name):
    """The first subtree of that name."""
    if isinstance(tree, dict):
        if name in tree:
            return tree[name]
        tree = list(tree.values())
    return next((hit for part in tree if isinstance(part, (dict, list)) for hit in [find(part, name)] if hit is not None), None)


def lockstep(args):
    """Both engines agree from power-on to the shell and over a little work there."""
    guests = f"{args.guests}/linux"
    boot = Boot(args, "console", ["--engine", "lockstep", "-m", "256M", "--kernel", f"{guests}/vmlinuz",
                                  "--initrd", f"{guests}/initrd.gz", "--append", "console=ttyS0,115200 panic=5"])
    boot.expect(PROMPT).shell("ls -l /bin | wc -l; cat /proc/interrupts").send("poweroff\\r")
    boot.run()


def lockstep_disk(args, adapter):
    """Both engines agree from power-on through GRUB to the shell, and while a disk is written and read."""
    image = make_disk(args)
    boot = Boot(args, "console", ["--engine", "lockstep", "--boot-timeout", "0", "-a", f"disk:{adapter}::file:{image}"])
    boot.expect("GUEST READY").expect(PROMPT).shell(DISK_LOAD)
    text = boot.send("poweroff\\r").run()
    sums = checksums(text)
    require(len(sums) == 2 and sums[0] == sums[1], f"checksums written and read: {sums}", text)
    check_ext4(args, image)


def lockstep_avio(args):
    """Lockstep from an AVIO disk."""
    lockstep_disk(args, "avio_stor")


def lockstep_vio(args):
    """Lockstep from a VIO disk."""
    lockstep_disk(args, "scsi")


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


def make_demo_disk(args):
    image = pathlib.Path(args.work) / "demo.img"
    subprocess.run([f"{args.source}/tools/demo/mkdemo", str(image)], check=True, stdout=subprocess.DEVNULL)
    return image


def demo_disk(args):
    """The demonstration disk boots as removable media, returns to the boot manager, resets and powers off."""
    image = make_demo_disk(args)
    before = image.read_bytes()
    boot = Boot(args, "console", ["-m", "3G", *disk_options(args, image)])
    boot.expect("DEMO READY").send("x").expect("Exit status code: Success").expect("Please select a boot option")
    boot.send("\\e[A\\r").expect("Cold Reset").send("\\e[A\\e[A\\r").expect("DEMO READY").send("r").expect("DEMO READY").send("p")
    text = boot.run()
    require(text.count("DEMO READY") == 3, "not three starts", text)
    # 3 GiB: 2 below 4 GiB, 1 above, less what firmware keeps.
    require("000100000000 - 00013fffffff  free" in text, "no memory above 4 GiB", text)
    require(re.search(r"disk +139264 blocks of 512 bytes", text), "the disk is missing", text)
    require(image.read_bytes() == before, "reading changed the image")


def boot_manager(args):
    """Boot options, BootNext and the timeout are made in the menus and outlast the run."""
    image = make_demo_disk(args)
    options = ["--nvram", f"{args.work}/nvram", "-m", "128M", "-a", f"disk:avio_stor::file:{image}"]
    down, page, save = "\\e[B", "Use Enter to select", "Save changes to NVRAM"
    boot = Boot(args, "first", options)

    def menu(keys):
        boot.expect(page).send(keys + "\\r")

    menu("")  # the only entry: maintenance
    for name, to_add in (("First", down), ("Second", "")):
        for keys in (to_add, "", "", down, down):  # Add, volume, EFI, BOOT, BOOTIA64.EFI
            menu(keys)
        boot.expect("New Description").send(name + "\\r").expect("BootOption Data").send("\\r").expect(save).send("y\\r")
    menu(down * 3)  # Manage BootNext setting
    menu(down)
    boot.expect(save).send("y\\r")
    menu(down)  # Set Auto Boot TimeOut
    menu("")
    boot.expect("Timeout in seconds").send("1\\r").expect(save).send("y\\r")
    boot.expect(r"Timeout-->\[1\]").send(down * 4 + "\\r")  # Cold Reset
    boot.expect("Starting: Second").expect("DEMO READY").send("p")
    boot.run()

    again = Boot(args, "second", options)
    again.expect("booted in +1 seconds").expect("Starting: First").expect("DEMO READY").send("x")
    again.expect(r"Exit status code: Success \(First\)").run()


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


def many_disks(args):
    """Disks on several adapters have their addresses and keep data; EFI variables and time from Linux."""
    image = make_disk(args)
    extra = []
    for name, address, mib in (("b", "0,2,5", 48), ("c", "7,6,127", 1)):
        path = pathlib.Path(args.work) / f"{name}.img"
        path.write_bytes(b"")
        os.truncate(path, mib << 20)
        extra += ["-a", f"disk:avio_stor:{address}:file:{path}"]
    variable = "/sys/firmware/efi/efivars/IvmTest-12345678-1234-1234-1234-123456789abc"
    mount = "mount -t efivarfs none /sys/firmware/efi/efivars"
    options = ["-m", "2G", "--boot-timeout", "0", "--nvram", f"{args.work}/nvram",
               "-a", f"disk:avio_stor:0,2,0:file:{image}", *extra]
    boot = Boot(args, "console", options)
    boot.expect("GUEST READY").expect(PROMPT).shell("ls /sys/bus/scsi/devices /sys/bus/pci/devices | cat; head -1 /proc/meminfo")
    boot.shell("mkfs.ext4 -q /dev/sdb && mkdir -p /m && mount -o discard /dev/sdb /m && dd if=/dev/urandom of=/m/a bs=1M count=8")
    boot.shell("sync; sha256sum < /m/a; rm /m/x; fstrim -v /m; umount /m; e2fsck -fn /dev/sdb; mount /dev/sdb /m; sha256sum < /m/a")
    boot.shell(f"umount /m; {mount}; printf '\\x07\\x00\\x00\\x00kept' > {variable}; echo set=$?")
    boot.shell("date -s '2031-05-06 07:08:09'; hwclock -w -u; hwclock -r -u; dd if=/dev/zero of=/dev/sdc bs=64k").send("poweroff\\r")
    text = boot.run()
    for device in ("0:0:0:0", "0:0:5:0", "1:0:127:0", "0000:00:02.0", "0000:07:06.0"):
        require(re.search(f"^{re.escape(device)}$", text, re.M), f"{device} is missing", text)
    sums = re.findall(r"^([0-9a-f]{64})  -$", text, re.M)
    require(len(sums) == 2 and sums[0] == sums[1], f"checksums on the second disk: {sums}", text)
    require(re.search(r"^/m: \d+ bytes trimmed|/m: .* trimmed", text, re.M), "fstrim failed", text)
    require("set=0" in text, "the EFI variable was not written", text)
    require(re.search(r"^Tue May +6 07:08:\d\d 2031", text, re.M), "the clock was not set", text)
    total = re.search(r"MemTotal: +(\d+) kB", text)
    require(total and 1900 << 10 < int(total.group(1)) < 2048 << 10, "wrong MemTotal for 2 GiB", text)
    again = Boot(args, "again", [*options, ])
    again.expect("GUEST READY").expect(PROMPT).shell(f"{mount}; cat {variable}").send("poweroff\\r")
    require("kept" in again.run(), "the EFI variable is gone in the next run")


def vio_disk(args):
    """GRUB boots Linux with its root on VIO and data on AVIO; every reset of the VIO adapter under load; data survive a reboot."""
    image = make_disk(args)
    data = pathlib.Path(args.work) / "data.img"
    data.write_bytes(b"")
    os.truncate(data, 96 << 20)
    boot = Boot(args, "console", ["--boot-timeout", "0", "-a", f"disk:scsi:0,2,0:file:{image}",
                                  "-a", f"disk:avio_stor:0,3,7:file:{data}"])
    boot.expect("GUEST READY").expect(PROMPT).shell("P=/sys/bus/pci/devices; V=/dev/$(ls $P/0000:00:02.0/host*/target*/*/block)")
    boot.shell("A=/dev/$(ls -d $P/0000:00:03.0/*/host*/target*/*/block/* | sed s,.*/,,); mount")
    boot.shell("sg_inq $V; sg_vpd -p sn $V; sg_inq $A; sg_vpd -p sn $A")
    boot.shell("mkfs.ext4 -q $A; mkdir -p /m; mount $A /m; dd if=/dev/urandom of=/data bs=1M count=16; cp /data /m/; sync; "
               "sha256sum /data; sha256sum < /m/data")
    boot.shell("dmesg -n 1; while [ ! -e /stop ]; do dd if=/data of=/load bs=64k oflag=direct conv=fsync && cmp /data /load && echo round; "
               "done > /log 2>&1 & sleep 2")
    for kind in "dbH":
        boot.shell(f"sg_reset -{kind} $V; echo reset-{kind}=$?; sleep 1")
    boot.shell("touch /stop; wait; cat /log; sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum /data; sha256sum < /m/data")
    boot.shell("umount /m; e2fsck -fn $A; echo fsck=$?; dmesg -r").send("reboot\\r").expect("GUEST READY").expect(PROMPT)
    boot.shell("sha256sum /data").send("poweroff\\r")
    text = boot.run()
    require(re.search(r"FAST-160 WIDE SCSI 320.0 MB/s", text), "no Ultra320 transfer agreement", text)
    require(re.search(r"Vendor identification: HP +$", text, re.M), "wrong vendor", text)
    require(text.count("Product identification: Virtual FileDisk") == 2, "wrong product", text)
    require("Unit serial number: IVM000200" in text and "Unit serial number: IVM000307" in text, "wrong serial numbers", text)
    sums = re.findall(r"^([0-9a-f]{64})  (?:/data|-)$", text, re.M)
    require(len(sums) == 5 and len(set(sums)) == 1, f"checksums: {sums}", text)
    for kind in "dbH":
        require(f"reset-{kind}=0" in text, f"sg_reset -{kind} failed", text)
    for what in ("target reset", "bus reset", "host reset"):
        require(re.search(f"{what}: SUCCESS", text), f"no successful {what}", text)
    require("round" in text and "differ" not in text, "the load did not run or read back wrong data", text)
    require("fsck=0" in text, "the data disk is not clean", text)
    check_kernel_log(text)
    check_ext4(args, image)


def vio_timeouts(args):
    """A VIO disk slower than Linux's patience: its error handler aborts, resets, gives up; with more patience the disk is well."""
    image = pathlib.Path(args.work) / "slow.img"
    image.write_bytes(b"")
    os.truncate(image, 4 << 20)
    guests = f"{args.guests}/linux"
    boot = Boot(args, "console", ["--kernel", f"{guests}/vmlinuz", "--initrd", f"{guests}/initrd.gz", "--append", "console=ttyS0,115200",
                                  "-a", f"disk:scsi::delay:3000:file:{image}"])
    read = "dd if=/dev/sda of=/dev/null bs=4k count=1 iflag=direct skip=100"
    boot.expect("GUEST READY").expect(PROMPT).shell("dmesg -n 1; cd /sys/block/sda/device")
    boot.shell(f"echo 1 > timeout; {read}; echo impatient=$?").shell(f"echo 30 > timeout; {read}; echo patient=$?")
    boot.shell("dmesg").send("poweroff\\r")
    text = boot.run()
    require("task abort: SUCCESS" in text, "no command was aborted", text)
    require("target reset: SUCCESS" in text, "the target was not reset", text)
    require("impatient=1" in text, "the read did not fail", text)
    require("patient=0" in text, "the disk is not well afterwards", text)
    require("host reset" not in text, "it took a reset of the adapter", text)


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


ALONE = {f.__name__: f for f in (demo_disk, boot_manager, bad_loader)}  # need nothing outside the repository
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


CASES = ALONE | {f.__name__: f for f in (grub_disk, direct_kernel, fresh_code, lockstep, lockstep_avio, lockstep_vio, icount, stop_under_load, many_disks, vio_disk, vio_timeouts, all_targets)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--ivm", required=True)
    parser.add_argument("--guests", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--source", default=pathlib.Path(__file__).resolve().parents[2], help="root of the repository")
    parser.add_argument("--engine", default="jit", help="of cases that do not choose one themselves")
    parser.add_argument("--seconds", type=int, default=10, help="how long fresh_code makes code, in guest time")
    parser.add_argument("--limit", type=int, default=500, help="seconds of host time for one run")
    args = parser.parse_args()
    if args.case not in ALONE and not pathlib.Path(args.guests, "linux", "vmlinuz").exists():
        print(f"skipped: no guest images in {args.guests}")
        return SKIPPED
    shutil.rmtree(args.work, ignore_errors=True)
    pathlib.Path(args.work).mkdir(parents=True)
    try:
        CASES[args.case](args)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    shutil.rmtree(args.work, ignore_errors=True)
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
