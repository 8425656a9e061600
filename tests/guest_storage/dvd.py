"""DVDs: booting an install-style disc through the firmware, and reading discs bit for bit."""
import hashlib
import os
import pathlib
import re

from guest import MIB, PROMPT, SCRIPTS, Boot, check_kernel_log, command, require, sparse


def make_disc(args, name, filler_mib, files=()):
    """An El Torito disc with GRUB, kernel and initrd, a file of random bytes, and more `files`. @returns (disc, SHA-256 of disc, of file)"""
    folder = pathlib.Path(args.work)
    filler, disc = folder / f"{name}.bin", folder / f"{name}.iso"
    filler.write_bytes(os.urandom(filler_mib * MIB))
    command("bash", f"{args.guests}/mkiso.sh", disc, "-f", f"{filler}=/install/archive.bin", *(f"-f{file}=/install/{file.name}" for file in files))
    disc.chmod(0o644)
    return disc, hashlib.sha256(disc.read_bytes()).hexdigest(), hashlib.sha256(filler.read_bytes()).hexdigest()


def dvd_boot(args, adapter, other):
    """The firmware starts the first disc's EFI image; Linux reads it and a disc on the other adapter, as devices and as file systems."""
    first, second = make_disc(args, "first", 24), make_disc(args, "second", 9)
    boot = Boot(args, "console", ["--boot-timeout", "0", "-a", f"dvd:{adapter}:0,2,0:file:{first[0]}", "-a", f"dvd:{other}:0,3,4:file:{second[0]}"])
    boot.expect("GUEST READY").expect(PROMPT).shell("for d in 02 03; do for s in /sys/block/sr?; do readlink -f $s | grep -q 00:$d && "
                                                    "ln -s /dev/${s##*/} /tmp/d$d; done; done; cat /proc/cmdline")
    for slot in ("02", "03"):
        boot.shell(f"cat /tmp/d{slot} | sha256sum; mkdir /m{slot}; mount -t iso9660 -o ro /tmp/d{slot} /m{slot}; sha256sum < /m{slot}/install/archive.bin; "
                   f"cmp /m{slot}/vmlinuz /m02/vmlinuz; echo x > /tmp/d{slot}; echo write=$?")
    boot.shell("umount /m02 /m03; dmesg -r").send("poweroff\\r")
    text = boot.run()
    sums = re.findall(r"^([0-9a-f]{64})  -$", text, re.M)
    require(sums == [*first[1:], *second[1:]], f"checksums: {sums}, not {[*first[1:], *second[1:]]}", text)
    require("BOOT_IMAGE=/vmlinuz" in text, "GRUB did not start the kernel", text)
    require(text.count("write=1") == 2, "a disc was written to", text)
    check_kernel_log(text)
    for disc, sum_of_disc, _ in (first, second):
        require(hashlib.sha256(disc.read_bytes()).hexdigest() == sum_of_disc, "a disc image changed")


def dvd_boot_avio(args):
    """Booting from a disc on AVIO."""
    dvd_boot(args, "avio_stor", "scsi")


def dvd_boot_vio(args):
    """Booting from a disc on VIO."""
    dvd_boot(args, "scsi", "avio_stor")


def install(args):
    """Linux starts from a disc on VIO, installs itself on an AVIO disk, and starts from that without the disc."""
    tools, guests = pathlib.Path(args.work) / "tools", pathlib.Path(args.guests, "linux")
    tools.mkdir()
    command("tar", "-xJf", guests / "rootfs.tar.xz", "-C", tools, "./sbin/mke2fs")
    disc, _, sum_ = make_disc(args, "install", 5, (tools / "sbin/mke2fs", guests / "BOOTIA64.EFI", guests / "rootfs.tar.xz", SCRIPTS / "install_from_disc"))
    disk = sparse(args, "disk.img", 160 * MIB)
    boot = Boot(args, "disc", ["--boot-timeout", "0", "-a", f"dvd:scsi:0,2,0:file:{disc}", "-a", f"disk:avio_stor:0,3,0:file:{disk}"])
    boot.expect("GUEST READY").expect(PROMPT).shell("mkdir /d; mount -t iso9660 -o ro /dev/sr0 /d; sh /d/install/install_from_disc /d /dev/sda; dmesg -r")
    text = boot.send("poweroff\\r").run()
    require("installed=0" in text, "the installation failed", text)
    check_kernel_log(text)
    boot = Boot(args, "disk", ["--boot-timeout", "0", "-a", f"disk:avio_stor:0,3,0:file:{disk}"])
    boot.expect("GUEST READY").expect(PROMPT).shell("mount | grep ' / '; sha256sum /archive.bin; dmesg -r")
    text = boot.send("poweroff\\r").run()
    require(re.search(r"^/dev/sda2 on / type ext4", text, re.M), "the root is not the new disk", text)
    require(f"{sum_}  /archive.bin" in text, "the copied file differs", text)
    check_kernel_log(text)


CASES = (dvd_boot_avio, dvd_boot_vio, install)
