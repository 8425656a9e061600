"""Failing storage under a Linux guest: the right sense data, the right error of the system call, and nothing lost."""
import contextlib
import hashlib
import pathlib
import re
import resource
import shutil
import subprocess

from guest import MIB, PROMPT, Guest, Skipped, command, direct_boot, make_initrd, require, sparse

READ_ERROR, WRITE_ERROR = "Check Condition Medium Error Unrecovered read error", "Check Condition Medium Error Write error"
FULL = "Check Condition Data Protect Space allocation failed write protect"
EIO, ENODATA, ENOSPC = "Input/output error", "No data available", "No space left on device"

# name: (words before the store, {command: sense of its failures}, error of the system call)
FAULTS = {
    "reads": ("fault:read=io/2:", {"read": READ_ERROR}, ENODATA),
    "writes": ("fault:write=io/3:", {"write": WRITE_ERROR, "fua": WRITE_ERROR}, EIO),
    "torn": ("fault:write=torn/3:", {"write": WRITE_ERROR, "fua": WRITE_ERROR}, EIO),
    "full": ("fault:write=nospace/3:", {"write": FULL, "fua": FULL}, ENOSPC),
    "flushes": ("fault:flush=io/2:", {"flush": WRITE_ERROR}, EIO),
    "short": ("short:", {}, None),
    "threads": ("fault:write=io/3,read=io/5:threads:", {"write": WRITE_ERROR, "fua": WRITE_ERROR, "read": READ_ERROR}, ENODATA),
}
# Linux tries failed writes and flushes again, so few reach the system call; what it gives up at once are reads, and disks without space.


@contextlib.contextmanager
def file_size_limit(size_bytes):
    """What programs started now may not write beyond: the host's file system as full as it can be made without rights."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def check_answers(text, name, expected):
    """Commands fail now and then as they must, and only those."""
    for command in ("read", "write", "fua", "flush"):
        answers = re.findall(rf"^{name} {command}: (.*)$", text, re.M)
        require(len(answers) == 4, f"{name}: {len(answers)} answers to {command}", text)
        wanted = {"Good", expected[command]} if command in expected else {"Good"}
        require(set(answers) <= wanted, f"{name} {command}: {answers}", text)
    said = re.findall(rf"^{name} \w+: (Check.*)$", text, re.M)
    require(bool(said) == bool(expected), f"{name}: failures {said}", text)


def faults(args, adapter):
    initrd = make_initrd(args)
    images = {name: sparse(args, f"{name}.img", 2 * MIB) for name in FAULTS}
    devices = [f"disk:{adapter}:0,2,{t}:{FAULTS[name][0]}file:{images[name]}" for t, name in enumerate(FAULTS)]
    limit, host_full = 8 * MIB, sparse(args, "limit.img", 16 * MIB)
    devices.append(f"disk:{adapter}:0,2,{len(FAULTS)}:file:{host_full}")
    boot = direct_boot(args, "console", devices, initrd)
    boot.shell("dmesg -n 1; dd if=/dev/urandom of=/pattern bs=64k count=16; sha256sum /pattern")
    for t, name in enumerate(FAULTS):
        boot.shell(f"fault_check {name} /dev/sg{t} /dev/sd{chr(ord('a') + t)}")
    last = f"/dev/sd{chr(ord('a') + len(FAULTS))}"
    boot.shell(f"dd if=/pattern of={last} bs=64k oflag=direct seek=120; dd if={last} of=/back bs=64k skip=120 count=8; cmp -n 524288 /pattern /back && echo before")
    boot.shell("echo still $((40 + 2))").send("poweroff\\r")
    with file_size_limit(limit):
        text = boot.run()
    sum_ = re.search(r"^([0-9a-f]{64})  /pattern$", text, re.M)[1]
    for name, (_, expected, error) in FAULTS.items():
        check_answers(text, name, expected)
        failed, errors = re.search(rf"^{name}: failed (\d+) times, (.*)$", text, re.M).groups()
        require(errors.strip() == (error if int(failed) else "") and (int(failed) > 0) <= bool(error), f"{name}: {failed} failures, {errors}", text)
        require(int(failed) > 0 or name not in ("reads", "full"), f"{name}: no failure reached the system call", text)
        require(f"{name}: content is right" in text, f"{name}: wrong content read back", text)
        check_content(images[name], 0, MIB, sum_, name)
    require(re.search(r"^dd: error writing '/dev/sd\w': No space left on device", text, re.M), "a full host is not told as ENOSPC", text)
    require(re.search(r"^8\+0 records out", text, re.M) and "before" in text, "what fitted the full host is not there", text)
    require("still 42" in text, "the guest does not answer", text)


def check_content(path, start, size, sum_, name):
    data = pathlib.Path(path).read_bytes()[start:start + size]
    require(hashlib.sha256(data).hexdigest() == sum_, f"{name}: the image does not hold what the guest wrote")


def faults_avio(args):
    """Errors of reads, writes and flushes, torn writes, short transfers and a full host on AVIO."""
    faults(args, "avio_stor")


def faults_vio(args):
    """The same on VIO."""
    faults(args, "scsi")


@contextlib.contextmanager
def small_file_system(args):
    """A mounted file system of its own, which can be frozen: whoever writes then waits, as for a medium that hangs."""
    if not shutil.which("fsfreeze"):
        raise Skipped("no fsfreeze")
    image, folder = sparse(args, "file-system.img", 64 * MIB), pathlib.Path(args.work) / "mounted"
    folder.mkdir()
    command("mke2fs", "-q", "-t", "ext4", image)
    if subprocess.run(["mount", "-o", "loop", image, folder], stderr=subprocess.DEVNULL).returncode:
        raise Skipped("may not mount")
    try:
        yield folder
    finally:
        command("umount", folder)


def hung_medium(args, adapter):
    with small_file_system(args) as folder:
        image = folder / "disk.img"
        command(args.ivm, "image", "create", image, "16M")
        guest = Guest(args, ["-a", f"disk:{adapter}:0,2,0:file:{image}"])
        try:
            guest.expect(PROMPT)
            disk = "/dev/" + re.search(r"sd\w", guest.shell("grep -l '^32768$' /sys/block/sd?/size"))[0]
            guest.shell("dmesg -n 1; dd if=/dev/urandom of=/tmp/pattern bs=1M count=8")
            sum_ = guest.shell("sha256sum /tmp/pattern").split()[0]
            write = f"dd if=/tmp/pattern of={disk} bs=1M oflag=direct"
            guest.shell(write)  # the way that is quick is found
            guest.shell(f"(while [ ! -e /tmp/enough ]; do {write} 2>&1; done; echo last=$?) > /tmp/out &")
            command("fsfreeze", "-f", folder)
            guest.wait(f"grep -q ' [1-9]' /sys/block/{disk[5:]}/inflight")
            for _ in range(3):  # a guest that is held would answer nothing
                require("ticks=10" in guest.shell("i=0; while [ $i -lt 10 ]; do sleep 0.1; i=$((i+1)); done; echo ticks=$i"), "the guest stood still")
                require("ip" in guest.control.command("registers"), "the processor does not come to its safe point")
            require(guest.shell(f"cat /sys/block/{disk[5:]}/inflight").split()[1] != "0", "the write does not hang")
            guest.shell("touch /tmp/enough")
            command("fsfreeze", "-u", folder)
            guest.wait("grep -q last=0 /tmp/out")
            guest.off()
        finally:
            subprocess.run(["fsfreeze", "-u", folder], stderr=subprocess.DEVNULL)
            guest.stop()
        check_content(image, 0, 8 * MIB, sum_, "a medium that hung")


def hung_medium_avio(args):
    """A write that hangs on the host holds nothing but itself on AVIO, and ends well when the host goes on."""
    hung_medium(args, "avio_stor")


def hung_medium_vio(args):
    """The same on VIO."""
    hung_medium(args, "scsi")


CASES = (faults_avio, faults_vio, hung_medium_avio, hung_medium_vio)
