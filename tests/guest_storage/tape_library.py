"""A tape library on loopback: tgtd with tape drives and a media changer as iSCSI units."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time

from guest import Failure, Skipped

TARGET = f"iqn.2004-01.test.library-{os.getpid()}"  # unique in the world, as the standard has it: tests run side by side
# The same units under two names: two initiators. Of loopback's 16 million addresses each process has two of its own, so nobody else has the
# port on them: with a port that is taken, tgtd neither serves nor ends.
ADDRESSES = [f"127.{128 + (n >> 16)}.{n >> 8 & 255}.{n & 255}" for n in (2 * os.getpid() + i & 0x7fffff for i in range(2))]
CONTROLS = range(1000, 30000)  # numbers of control sockets
TARGET_ID = 1


class TapeLibrary:
    """`drives` drives at units 1.., then the changer; the cartridges lie in its slots. All drives are empty."""

    def __init__(self, folder, drives, cartridges, cartridge_mib):
        self.folder, self.drives = pathlib.Path(folder), drives
        self.changer = drives + 1
        self.barcodes = [f"TAPE{n:04}" for n in range(1, cartridges + 1)]
        self.port = free_port()
        self.claim, self.control = claim_control()
        self.folder.mkdir()
        for barcode in self.barcodes:
            subprocess.run(["tgtimg", "--op", "new", "--device-type", "tape", "--barcode", barcode, "--size", str(cartridge_mib), "--type", "data",
                            "--file", self.folder / barcode], check=True, capture_output=True)
        (self.folder / "changer").write_bytes(bytes(1024))
        self.server = self.start()

    def start(self):
        """The server, once it answers. One that ends says why not here; one that does neither is a failure."""
        log = open(self.folder / "tgtd.log", "w+")
        server = subprocess.Popen(["tgtd", "-f", "-C", self.control, "--iscsi", ",".join(f"portal={a}:{self.port}" for a in ADDRESSES)],
                                  stdout=subprocess.DEVNULL, stderr=log)
        end = time.monotonic() + 60
        while subprocess.run(["timeout", "10", "tgtadm", "-C", self.control, "--op", "show", "--mode", "sys"], capture_output=True).returncode:
            if server.poll() is not None or time.monotonic() > end:
                server.kill()
                server.wait()
                log.seek(0)
                said = log.read()
                raise Skipped(f"tgtd does not run here: {said}") if time.monotonic() <= end else Failure(f"tgtd does not answer: {said}")
            time.sleep(0.05)
        return server

    def admin(self, *words):
        result = subprocess.run(["tgtadm", "-C", self.control, "--lld", "iscsi", *words], capture_output=True, text=True)
        if result.returncode:
            raise Failure(f"tgtadm {' '.join(words)}: {result.stderr}")

    def unit(self, op, unit, *words):
        self.admin("--mode", "logicalunit", "--op", op, "--tid", str(TARGET_ID), "--lun", str(unit), *words)

    def change(self, parameters):
        self.unit("update", self.changer, "--params", parameters)

    def build(self):
        self.admin("--op", "new", "--mode", "target", "--tid", str(TARGET_ID), "-T", TARGET)
        for drive in range(1, self.drives + 1):
            self.unit("new", drive, "-b", str(self.folder / self.barcodes[0]), "--device-type", "tape")
            self.unit("update", drive, "--params", "online=0")
        self.unit("new", self.changer, "-b", str(self.folder / "changer"), "--device-type", "changer")
        self.change(f"media_home={self.folder}")
        self.change(f"element_type=4,start_address=1,quantity={self.drives}")
        for drive in range(1, self.drives + 1):
            self.change(f"element_type=4,address={drive},tid={TARGET_ID},lun={drive}")
        self.change("element_type=1,start_address=100,quantity=1")
        self.change(f"element_type=2,start_address=200,quantity={len(self.barcodes) + 1}")
        for slot, barcode in enumerate(self.barcodes):
            self.change(f"element_type=2,address={200 + slot},barcode={barcode},sides=1")
        self.admin("--op", "bind", "--mode", "target", "--tid", str(TARGET_ID), "-I", "ALL")

    def url(self, unit, address=ADDRESSES[0]):
        return f"iscsi://{address}:{self.port}/{TARGET}/{unit}"

    def close(self):
        self.server.kill()
        self.server.wait()
        self.claim.close()


def claim_control():
    """A number for a control socket that no other test has while the socket returned lives."""
    for attempt in range(len(CONTROLS)):
        number = CONTROLS[(os.getpid() + attempt) % len(CONTROLS)]
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0ivm-test-tgtd-{number}")
            return claim, str(number)
        except OSError:
            claim.close()
    raise Failure("no control socket is free")


def free_port():
    with socket.socket() as s:
        s.bind((ADDRESSES[0], 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def tape_library(args, drives=2, cartridges=4, cartridge_mib=8):
    if not shutil.which("tgtd") or not shutil.which("tgtimg"):
        raise Skipped("tgtd is not installed")
    library = TapeLibrary(os.path.join(args.work, "library"), drives, cartridges, cartridge_mib)
    try:
        library.build()
        yield library
    finally:
        library.close()
