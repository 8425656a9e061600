"""Attached tapes and media changers: a tape library of tgtd, used from Linux with mt, mtx and dd."""
import pathlib
import re
import subprocess
import threading
import time

from guest import MIB, PROMPT, Guest, Skipped, check_kernel_log, command, cross_compiler, direct_boot, make_initrd, require, sparse
from tape_library import ADDRESSES, tape_library

# What guest/tape_check must say. The order of blocks and marks on the tape: three of a, mark, seven of b, mark, mark, mark.
TAPE_CHECK = """\
wrote a: 0
wrote b: 0
filemarks: 0
read a: 3+0 same
read b: 0+7 same
between marks: 0+0
after fsf: same
after fsr and bsr: same
after bsfm: same
end of data: error: /dev/nst0: Input/output error
block larger than the buffer: error: /dev/nst0: Cannot allocate memory
write of more than 1 MiB: 1
read a again: 3+0 same
"""


def tape_and_changer(args, adapter):
    initrd = make_initrd(args)
    with tape_library(args) as library:
        devices = [f"tape:{adapter}:0,2,0:attach:{library.url(1)}", f"tape:{adapter}:0,2,1:attach:{library.url(2)}",
                   f"changer:{adapter}:0,2,2:attach:{library.url(library.changer)}"]
        boot = direct_boot(args, "console", devices, initrd)
        boot.shell("dmesg -n 1; units").shell("mtx -f /dev/sg2 status").shell("mtx -f /dev/sg2 load 1 0; mtx -f /dev/sg2 transfer 4 5; mtx -f /dev/sg2 status")
        boot.shell("tape_check /dev/nst0").shell("mt -f /dev/nst0 offline; mtx -f /dev/sg2 unload 1 0; mtx -f /dev/sg2 load 4 0; mtx -f /dev/sg2 status")
        boot.shell("multi_volume /dev/sg2 /dev/nst1")
        boot.shell("dmesg -r").send("poweroff\\r")
        text = boot.run()
    for number, device_type, product in ((0, 1, "VIRTUAL-TAPE"), (1, 1, "VIRTUAL-TAPE"), (2, 8, "VIRTUAL-CHANGER")):
        require(re.search(rf"^unit 00.02 {number} {device_type} \[IET     \] \[{product:16}\]", text, re.M), f"unit {number} is not {product}", text)
    require("Data Transfer Element 0:Full (Storage Element 1 Loaded):VolumeTag = TAPE0001" in text, "nothing was loaded", text)
    require(re.search(r"Storage Element 5:Full :VolumeTag=TAPE0004", text), "nothing was moved between slots", text)
    said = "".join(line + "\n" for line in TAPE_CHECK.splitlines() if re.search(rf"^{re.escape(line)} *$", text, re.M))
    require(said == TAPE_CHECK, f"the tape check said only\n{said}", text)
    volumes = [int(n) for n in re.findall(r"^volume from slot \d: (\d+) blocks$", text, re.M)]
    require(len(volumes) == 2 and sum(volumes) == 200 and all(volumes), f"blocks per volume: {volumes}", text)
    require("both volumes: same" in text, "the volumes do not hold the file", text)
    check_kernel_log(text)


def attached_avio(args):
    """Two drives and a changer on AVIO: 1 MiB and odd blocks, filemarks, spacing, loading, a file over two volumes."""
    tape_and_changer(args, "avio_stor")


def attached_vio(args):
    """The same on VIO."""
    tape_and_changer(args, "scsi")


def device_lost(args):
    """The iSCSI target dies: the guest hears of a communication failure on both adapters and lives on."""
    initrd = make_initrd(args)
    with tape_library(args) as library:
        boot = direct_boot(args, "console", [f"tape:avio_stor:0,2,0:attach:{library.url(1)}", f"tape:scsi:0,3,0:attach:{library.url(2)}",
                                             f"changer:avio_stor:0,2,1:attach:{library.url(library.changer)}"], initrd)
        for drive, unit in ((0, "sg0"), (1, "sg2")):
            boot.shell(f"mtx -f /dev/sg1 load {drive + 1} {drive}; sg_turs /dev/{unit}; sg_turs /dev/{unit} && echo {unit} ready")
        boot.shell("echo END$((40 + 2)); while sg_turs /dev/sg0 2>/dev/null; do :; done; for s in sg0 sg1 sg2; do sg_turs -v /dev/$s 2>&1; done")
        boot.shell("echo still $((40 + 2))").send("poweroff\\r")

        def end_target():
            while "END42" not in (boot.log.read_text(errors="replace") if boot.log.exists() else ""):
                if library.server.poll() is not None:
                    return
                time.sleep(0.1)
            library.server.kill()

        threading.Thread(target=end_target, daemon=True).start()
        text = boot.run()
    require("sg0 ready" in text and "sg2 ready" in text, "the tapes were not ready before", text)
    lost = re.findall(r"Sense key: Hardware Error\s+Additional sense: Logical unit communication failure", text)
    require(len(lost) == 3 and "still 42" in text, f"{len(lost)} of 3 units report the loss", text)


def sg_end(args):
    """The SG_IO end of ivm itself, compiled for the guest: Linux's SCSI generic driver there stands for that of a host with a tape."""
    compiler = cross_compiler(args)
    if not compiler:
        raise Skipped("no IA-64 compiler")
    program, root = pathlib.Path(args.work) / "sg_end", pathlib.Path(__file__).resolve().parents[2]
    command(compiler.replace("gcc", "g++"), "-std=c++20", "-O1", "-static", "-DFMT_HEADER_ONLY", "-I", root, "-idirafter", "/usr/include",
            pathlib.Path(__file__).parent / "sg_end.cpp", *(root / "storage/attached" / f"{n}.cpp" for n in ("sg_device", "host_claim")), "-o", program)
    initrd = make_initrd(args, [program])
    with tape_library(args) as library:
        boot = direct_boot(args, "console", [f"tape:avio_stor::attach:{library.url(1)}", f"changer:avio_stor::attach:{library.url(library.changer)}"], initrd)
        boot.shell("mtx -f /dev/sg1 load 1 0; sg_end /dev/sg0 /dev/nst0; echo status $?").send("poweroff\\r")
        text = boot.run()
    require("WRONG" not in text and text.count("as it must") == 17 and re.search("^status 0$", text, re.M), "a step went wrong", text)


class OtherHost:
    """A second initiator on a unit, for as long as the block lasts."""

    def __init__(self, program, url):
        self.process = subprocess.Popen([program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def command(self, cdb):
        self.process.stdin.write(cdb + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


RESERVE, RELEASE, GOOD, CONFLICT = "16 00 00 00 00 00", "17 00 00 00 00 00", "status 0", "status 24"


def reservations(guest, other):
    """What another host reserves is refused to the guest, and the other way round."""
    raw = lambda cdb: guest.shell(f"sg_raw $BURNER {cdb} 2>&1 | grep '^SCSI Status'")  # noqa: E731
    guest.shell("sg_turs $BURNER; sg_turs $BURNER")
    other.command("00 00 00 00 00 00")
    require(other.command(RESERVE) == GOOD, "the other host cannot reserve the unit")
    require("Reservation Conflict" in raw("28 00 00 00 00 00 00 00 00 00"), "the guest reads what another host has reserved")
    require("Reservation Conflict" in raw(RESERVE), "the guest reserves what another host has reserved")
    require(other.command(RELEASE) == GOOD and "Good" in raw(RESERVE), "the guest cannot reserve what is free")
    require(other.command(RESERVE) == CONFLICT, "the other host reserves what the guest has reserved")
    require("Good" in raw(RELEASE) and other.command(RESERVE) == GOOD, "the guest's release does not count")


def attached_hot_plug(args):
    """Attached devices come and go under Linux; one guest alone has a device, by whatever name; no conversion with one attached."""
    if not args.other_host:
        raise Skipped("configured without libiscsi")
    with tape_library(args) as library:
        library.unit("new", 7, "-b", str(sparse(args, "burner.img", MIB)), "--device-type", "disk")
        tape, changer, burner = library.url(1), library.url(library.changer), library.url(7)
        guest = Guest(args, ["-a", f"changer:avio_stor:0,2,0:attach:{changer}", "-a", f"burner:scsi:0,3,1:attach:{burner}"])
        try:
            guest.expect(PROMPT)
            guest.shell("dmesg -n 1; sg() { for d in /sys/bus/pci/devices/0000:00:0$1.0/*host*/target*:$2/*/scsi_generic /sys/bus/pci/devices/0000:00:0$1.0/virtio*/"
                        "host*/target*:$2/*/scsi_generic; do [ -e $d ] && echo /dev/$(ls $d); done; }; BURNER=$(sg 3 1); echo $BURNER")
            guest.control.command("attach", resource=f"tape:avio_stor:0,2,7:attach:{tape}")
            guest.wait("[ -e /sys/bus/scsi/devices/*:0:7:0/scsi_tape ]")
            out = guest.shell("mtx -f $(sg 2 0) load 1 0; T=$(sg 2 7); sg_turs $T; sg_turs $T; echo backup | dd of=/dev/nst0 bs=512 conv=sync; mt -f /dev/nst0 rewind; dd if=/dev/nst0 bs=512 2>/dev/null | head -1")
            require(re.search("^backup", out, re.M), "the hot-added tape does not keep what was written", out)
            for taken in (tape, tape.replace(ADDRESSES[0], ADDRESSES[1])):
                guest.refused(f"attach tape:avio_stor:0,2,8:attach:{taken}", "attached already", "busy")
            guest.refused("change hba:scsi:0,2", "attached changer")
            guest.refused("change hba:avio_stor:0,3", "attached burner")
            with OtherHost(args.other_host, burner) as other:
                reservations(guest, other)
            guest.control.command("detach", address="0,2,7")
            guest.wait("[ ! -e /sys/bus/scsi/devices/*:0:7:0 ]")
            require("scans" in guest.control.command("attach", resource=f"tape:scsi:0,3,2:attach:{tape}")["note"], "no word about the scan")
            guest.shell("H=$(ls -d /sys/bus/pci/devices/0000:00:03.0/host*); echo '- - -' > /sys/class/scsi_host/${H##*/}/scan")
            guest.wait("[ -e /sys/bus/scsi/devices/*:0:2:0/scsi_tape ]")
            out = guest.shell("T=$(sg 3 2); sg_turs $T; sg_turs $T; mt -f /dev/nst0 rewind; dd if=/dev/nst0 bs=512 2>/dev/null | head -1")
            require(re.search("^backup", out, re.M), "the tape reads differently on the other adapter", out)
            check_kernel_log(guest.shell("dmesg -r"))
            guest.off()
        finally:
            guest.stop()


CASES = (attached_avio, attached_vio, device_lost, sg_end, attached_hot_plug)
