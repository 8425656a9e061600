"""Attached tapes and media changers: a tape library of tgtd, used from Linux with mt, mtx and dd."""
import pathlib
import re
import threading
import time

from guest import MIB, Skipped, check_kernel_log, command, cross_compiler, direct_boot, make_initrd, require, sparse
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
        disk = sparse(args, "disk.img", MIB)
        library.unit("new", 7, "-b", str(disk), "--device-type", "disk")
        devices = [f"tape:{adapter}:0,2,0:attach:{library.url(1)}", f"tape:{adapter}:0,2,1:attach:{library.url(2)}",
                   f"changer:{adapter}:0,2,2:attach:{library.url(library.changer)}",
                   *(f"burner:{adapter}:0,2,{3 + n}:attach:{library.url(7, address)}" for n, address in enumerate(ADDRESSES))]
        boot = direct_boot(args, "console", devices, initrd)
        boot.shell("dmesg -n 1; units").shell("mtx -f /dev/sg2 status").shell("mtx -f /dev/sg2 load 1 0; mtx -f /dev/sg2 transfer 4 5; mtx -f /dev/sg2 status")
        boot.shell("tape_check /dev/nst0").shell("mt -f /dev/nst0 offline; mtx -f /dev/sg2 unload 1 0; mtx -f /dev/sg2 load 4 0; mtx -f /dev/sg2 status")
        boot.shell("multi_volume /dev/sg2 /dev/nst1")
        reserve, release, ready = "16 00 00 00 00 00", "17 00 00 00 00 00", "00 00 00 00 00 00"
        boot.shell("conflict() { sg_raw $1 $2 2>&1 | sed -n 's/^SCSI Status: /'$3': /p'; }; sg_turs /dev/sg3; sg_turs /dev/sg4")
        for unit, cdb, name in (("sg3", reserve, "reserve"), ("sg4", "28 00 00 00 00 00 00 00 00 00", "other"), ("sg4", reserve, "both"),
                                ("sg3", release, "release"), ("sg4", reserve, "after")):
            boot.shell(f"conflict /dev/{unit} '{cdb}' {name}")
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
    answers = dict(re.findall(r"^(reserve|other|both|release|after): (.*?) *$", text, re.M))
    require(answers == {"reserve": "Good", "other": "Reservation Conflict", "both": "Reservation Conflict", "release": "Good", "after": "Good"},
            f"reservations: {answers}", text)
    check_kernel_log(text)


def attached_avio(args):
    """Two drives and a changer on AVIO: 1 MiB and odd blocks, filemarks, spacing, loading, a file over two volumes, reservations."""
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
            pathlib.Path(__file__).parent / "sg_end.cpp", root / "storage/attached/sg_device.cpp", "-o", program)
    initrd = make_initrd(args, [program])
    with tape_library(args) as library:
        boot = direct_boot(args, "console", [f"tape:avio_stor::attach:{library.url(1)}", f"changer:avio_stor::attach:{library.url(library.changer)}"], initrd)
        boot.shell("mtx -f /dev/sg1 load 1 0; sg_end /dev/sg0; echo status $?").send("poweroff\\r")
        text = boot.run()
    require("WRONG" not in text and text.count("as it must") == 16 and re.search("^status 0$", text, re.M), "a step went wrong", text)


CASES = (attached_avio, attached_vio, device_lost, sg_end)
