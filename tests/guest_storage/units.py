"""Units as Linux finds them: INQUIRY strings of every kind, full adapters, partitions and file systems."""
import contextlib
import hashlib
import pathlib
import re
import subprocess

from guest import MIB, PROMPT, SCRIPTS, Boot, check_kernel_log, command, direct_boot, make_initrd, require, sparse

DISK, DVD = 0, 5


def expected_unit(address, device_type, product):
    """The line that guest/units prints for a unit of ours."""
    bus, slot, target = address
    serial = f"IVM{bus:02x}{slot:02x}{target:02x}"
    name = f"HP      {product:16}{serial}".replace(" ", "_")
    return f"unit {bus:02x}.{slot:02x} {target} {device_type} [HP      ] [{product:16}] [0100] {serial} {name}"


def check_units(text, units):
    """`text` has exactly these units, each with a world-wide name of its own."""
    found = dict(re.findall(r"^(unit .*) (naa\.3[0-9a-f]{15})$", text, re.M))
    wanted = {expected_unit(*unit) for unit in units}
    require(not wanted - found.keys(), f"not found: {sorted(wanted - found.keys())[:3]}", text)
    require(not found.keys() - wanted, f"not expected: {sorted(found.keys() - wanted)[:3]}", text)
    require(len(set(found.values())) == len(wanted), "two units have one name")


@contextlib.contextmanager
def loop_device(path):
    """A block device of the host on a file; None where that needs rights we do not have."""
    made = subprocess.run(["losetup", "--find", "--show", str(path)], capture_output=True, text=True)
    name = made.stdout.strip() if made.returncode == 0 else None
    try:
        yield name
    finally:
        if name:
            subprocess.run(["losetup", "--detach", name], check=True)


def every_kind(args):
    """Disks, DVDs and empty drives on both adapters: every INQUIRY string and vital product data page as Integrity VM has them."""
    folder = pathlib.Path(args.work) / "isos"
    folder.mkdir()
    initrd = make_initrd(args)
    disk = sparse(args, "disk.img", 8 * MIB)
    isos = {adapter: sparse(args, f"{adapter}.iso", 2 * MIB) for adapter in ("scsi", "avio_stor")}  # a disc is shared by one kind of adapter only
    backing = [sparse(args, f"loop{n}.img", 4 * MIB) for n in range(6)]
    with contextlib.ExitStack() as stack:
        loops = [stack.enter_context(loop_device(path)) for path in backing]
        devices, units = [], []
        for adapter, slot in (("scsi", 2), ("avio_stor", 3)):
            kinds = [("disk", f"overlay:file:{disk}", DISK, "Virtual FileDisk"), ("dvd", f"file:{isos[adapter]}", DVD, "Virtual FileDVD"),
                     ("dvd", f"null:{folder}", DVD, "Virtual NullDVD")]
            if all(loops):
                mine = loops[:3] if slot == 2 else loops[3:]
                kinds += [("disk", f"disk:{mine[0]}", DISK, "Virtual Disk"), ("disk", f"lv:{mine[1]}", DISK, "Virtual LvDisk"),
                          ("dvd", f"disk:{mine[2]}", DVD, "Virtual DVD")]
            for target, (device, where, device_type, product) in enumerate(kinds):
                devices.append(f"{device}:{adapter}:0,{slot},{target}:{where}")
                units.append(((0, slot, target), device_type, product))
        boot = direct_boot(args, "console", devices, initrd)
        boot.shell("units").shell("for s in /dev/sg*; do sg_inq $s; sg_vpd $s; done").shell("dmesg -r").send("poweroff\\r")
        text = boot.run()
    check_units(text, units)
    wide = len(re.findall(r"WBus16=1 +Sync=1", text))
    require(wide == len(units) // 2, f"{wide} units say that they sit on a parallel bus", text)
    for page, count in (("Block limits", DISK), ("Logical block provisioning", DISK), ("Device identification", None)):
        n = sum(1 for unit in units if count is None or unit[1] == count)
        require(len(re.findall(rf"^ +{page}.*\[", text, re.M)) == n, f"the page {page} is not with {n} units", text)
    check_kernel_log(text)


def full_adapter(args, adapter, count):
    """Every target of one adapter is there once, as what it is, at its address and with its size."""
    initrd = make_initrd(args)
    devices = [f"disk:{adapter}:0,2,{t}:overlay:null:{2048 + 4 * t}K" for t in range(count)]
    boot = direct_boot(args, "console", devices, initrd)
    boot.shell("units").shell("cd /sys/bus/scsi/devices; for d in *:*:*:*; do echo size ${d%:0} $(cat $d/block/*/size); done")
    boot.shell("dmesg -r").send("poweroff\\r")
    text = boot.run()
    check_units(text, [((0, 2, t), DISK, "Virtual FileDisk") for t in range(count)])
    sizes = {int(t): int(size) for t, size in re.findall(r"^size \d+:0:(\d+) (\d+)$", text, re.M)}
    require(sizes == {t: 4096 + 8 * t for t in range(count)}, f"sizes: {sizes}", text)
    check_kernel_log(text)


def full_vio(args):
    """All 15 targets of a VIO adapter."""
    full_adapter(args, "scsi", 15)


def full_avio(args):
    """All 128 targets of an AVIO adapter."""
    full_adapter(args, "avio_stor", 128)


def check_partitions(args, disk):
    """The host reads the same partition table and a clean file system in the first partition."""
    table = disk.read_bytes()[:512]
    require(table[510:] == b"\x55\xaa", "no partition table")
    entries = [table[446 + 16 * n:462 + 16 * n] for n in range(2)]
    start, size = (int.from_bytes(entries[0][at:at + 4], "little") * 512 for at in (8, 12))
    require(entries[0][4] == 0x83 and entries[1][4] == 0x0c and size > 30 * MIB, "wrong partition table")
    part = pathlib.Path(args.work) / "part.img"
    with open(disk, "rb") as f:
        f.seek(start)
        part.write_bytes(f.read(size))
    command("e2fsck", "-fn", part)


def root_and_data(args, root_adapter, data_adapter):
    image, data = pathlib.Path(args.work) / "root.img", sparse(args, "data.img", 100 * MIB)
    into = [f"-f{script}=/bin/{script.name}" for script in SCRIPTS.iterdir()]
    command("bash", f"{args.guests}/mkdisk.sh", image, "-t", "0", *into)
    boot = Boot(args, "console", ["--boot-timeout", "0", "-a", f"disk:{root_adapter}:0,2,0:file:{image}",
                                  "-a", f"disk:{data_adapter}:0,4,9:file:{data}"])
    boot.expect("GUEST READY").expect(PROMPT).shell("echo root on $(mount | grep ' / ') of $(disk_in 02)")
    boot.shell("partition_and_copy $(disk_in 04)").shell("dmesg -r").send("poweroff\\r")
    text = boot.run()
    require(re.search(r"^root on (/dev/sd.)2 on / type ext4.* of \1$", text, re.M), "the root is not on the first adapter", text)
    sums = re.search(r"^sums ([0-9a-f]{64}) ([0-9a-f]{64}) ([0-9a-f]{64})$", text, re.M)
    require(sums and len(set(sums.groups())) == 1, "the copies differ", text)
    require("fsck=0" in text, "the file system is not clean", text)
    check_kernel_log(text)
    check_partitions(args, data)


def root_on_avio(args):
    """Root on AVIO, data on VIO: GRUB, partitioning, two file systems, copies read back, clean from inside and outside."""
    root_and_data(args, "avio_stor", "scsi")


def root_on_vio(args):
    """Root on VIO, data on AVIO: the same."""
    root_and_data(args, "scsi", "avio_stor")


def large(args):
    """Disks beyond 2 TiB on both adapters, used at their ends; the longest transfer of AVIO is 1 MiB and works."""
    initrd, size = make_initrd(args), 3 << 40
    disks = [sparse(args, f"{adapter}.img", size) for adapter in ("scsi", "avio_stor")]
    boot = direct_boot(args, "console", [f"disk:scsi:0,2,0:file:{disks[0]}", f"disk:avio_stor:0,3,0:file:{disks[1]}"], initrd)
    last = size // MIB - 1
    for slot in ("02", "03"):
        boot.shell(f"d=$(disk_in {slot}); echo {slot} size $(cat /sys/block/${{d#/dev/}}/size) longest $(cat /sys/block/${{d#/dev/}}/queue/max_hw_sectors_kb)")
        boot.shell(f"echo 1024 > /sys/block/${{d#/dev/}}/queue/max_sectors_kb; dd if=/dev/urandom of=/a bs=1M count=1; dd if=/a of=$d bs=1M seek={last} oflag=direct; "
                   f"dd if=$d of=/b bs=1M skip={last} iflag=direct; cmp /a /b && echo {slot} same $(sha256sum < /a); dd if=$d bs=512 count=1 skip={size // 512}")
    text = boot.shell("dmesg -r").send("poweroff\\r").run()
    for slot, disk in zip(("02", "03"), disks):
        found = re.search(rf"^{slot} size (\d+) longest (\d+)$", text, re.M)
        require(found and int(found[1]) * 512 == size, f"slot {slot}: wrong size", text)
        require(slot == "02" or int(found[2]) == 1024, f"AVIO takes {found[2]} KiB at once", text)
        sum_ = re.search(rf"^{slot} same ([0-9a-f]{{64}}) ", text, re.M)
        with open(disk, "rb") as f:
            f.seek(size - MIB)
            require(sum_ and hashlib.sha256(f.read()).hexdigest() == sum_[1], f"slot {slot}: the end of the disk differs", text)
    check_kernel_log(text)


CASES = (large, every_kind, full_vio, full_avio, root_on_avio, root_on_vio)
