"""What is measured: stores, directions, sizes and depths; the images behind the stores."""
import os
from dataclasses import dataclass

ADAPTERS = {"VIO": "scsi", "AVIO": "avio_stor"}  # as tables call them: word of a storage statement

# A store: its chain of words, %s for the image. The host's cache holds the whole image of "cached". A disk cannot be on null: itself, as that
# word is for drives without a disc; behind another word it is a store like any.
STORES = {"cached": "file:%s", "direct": "direct:file:%s", "null": "direct:null:1G"}

MODES = ["read", "write"]
BLOCKS = {"4k": 4096, "1M": 1 << 20}
DEPTHS = [1, 32]


@dataclass(frozen=True)
class Case:
    store: str
    mode: str   # sequential; 4 KiB requests are spread, for neighbours would be merged into large ones
    block: str
    depth: int

    def __str__(self):
        return f"{self.store} {self.mode} {self.block} depth {self.depth}"

    @property
    def workload(self):
        """As iobench and fio call it."""
        return ("rand" if self.block == "4k" else "") + self.mode


@dataclass
class Sample:
    mib_per_s: float
    cpu_s_per_gib: float  # of the host, all threads
    slots_per_request: float = 0  # guest instructions, nops included
    errors: int = 0


def choose(stores, modes, blocks, depths):
    return [Case(s, m, b, d) for s in STORES if s in (stores or STORES) for m in modes or MODES for b in blocks or BLOCKS
            for d in depths or DEPTHS]


def image(folder, store):
    return os.path.join(folder, store + ".img")


def make_images(folder, mib):
    """Written whole, so that nothing is a hole, and on the medium, so that nothing is left to be written behind our back."""
    for store, chain in STORES.items():
        if "%s" not in chain:
            continue
        with open(image(folder, store), "wb") as file:
            for _ in range(mib):
                file.write(os.urandom(1 << 20))
            file.flush()
            os.fsync(file.fileno())
