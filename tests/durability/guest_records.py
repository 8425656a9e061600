"""What guest_journal.c must have left on a disk, and whether it has."""
import struct

BLOCK, MAX_BLOCKS, MAX_BATCH, RECORDS_PER_FILE = 512, 32, 8, 64
MAGIC = 0x6c616e72756f6a21
MASK = (1 << 64) - 1


class Writer:
    """The records of one writer, in order, made when they are asked for."""

    def __init__(self, seed, writer, area_blocks, raw):
        self.seed = seed * 16 + writer
        self.state = (self.seed * 0x9e3779b97f4a7c15 + 1) & MASK
        self.area_blocks, self.raw = area_blocks, raw
        self.records = []  # (block, blocks), record n at n - 1

    def random(self):
        s = self.state
        s ^= s >> 12
        s ^= s << 25 & MASK
        s ^= s >> 27
        self.state = s
        return s * 0x2545f4914f6cdd1d & MASK

    def record(self, number):
        """(first block, count of blocks) of record `number`, from 1 on."""
        while len(self.records) < number:
            count = 1 + (self.random() >> 40) % MAX_BATCH
            while count:
                blocks = 1 + (self.random() >> 33) % MAX_BLOCKS
                block = (self.random() >> 11) % (self.area_blocks - MAX_BLOCKS)
                self.records.append((block, blocks))
                count -= 1
                if not self.raw and len(self.records) % RECORDS_PER_FILE == 0:
                    count = 0
        return self.records[number - 1]

    def content(self, number, index):
        value = (self.seed * 0x9e3779b97f4a7c15 + number * 0xc2b2ae3d27d4eb4f + index * 0x165667b19e3779f9) & MASK
        return struct.pack("<4Q", MAGIC, self.seed, number, index) + struct.pack("<Q", value) * (BLOCK // 8 - 4)


def check_raw(image, size_bytes, seed, writers, acknowledged, tears_blocks=False):
    """Blocks of the raw `image` that do not hold the newest acknowledged record or a later one of their place.

    tears_blocks: the store moves parts of blocks one after the other, so the end of ivm may have left the beginning of one that was not acknowledged.
    """
    wrong = []
    area_blocks = size_bytes // BLOCK // writers
    with open(image, "rb") as f:
        for w in range(writers):
            writer = Writer(seed, w, area_blocks, True)
            newest = {}  # block: (record, index)
            for number in range(1, acknowledged.get(w, 0) + 1):
                first, count = writer.record(number)
                newest.update((first + i, (number, i)) for i in range(count))
            for block, (number, index) in newest.items():
                f.seek((w * area_blocks + block) * BLOCK)
                found = f.read(BLOCK)
                durable = writer.content(number, index)
                if found == durable or later_record(writer, found, block, number):
                    continue
                if tears_blocks and torn(writer, found, block, durable, acknowledged[w]):
                    continue
                wrong.append(f"writer {w} block {block}: not record {number} but {found[:32].hex()}")
    return wrong


def later_record(writer, found, block, number):
    """True when `found` is the block of a record after `number` that belongs there."""
    magic, seed, later, index = struct.unpack("<4Q", found[:32])
    if magic != MAGIC or seed != writer.seed or not number < later < number + (1 << 16):
        return False
    first, count = writer.record(later)
    return block - first == index < count and found == writer.content(later, index)


def torn(writer, found, block, durable, acknowledged):
    """True when `found` begins as the block of a record that was being written and ends as `durable`."""
    for number in range(acknowledged + 1, acknowledged + 8 * MAX_BATCH + 1):  # the last words of a guest may not have come through
        first, count = writer.record(number)
        if not 0 <= block - first < count:
            continue
        new = writer.content(number, block - first)
        same = next((i for i in range(BLOCK) if found[i] != new[i]), BLOCK)
        if found[same:] == durable[same:]:
            return True
    return False


def check_files(folder, seed, writers, acknowledged):
    """Acknowledged records that the files in `folder` do not hold."""
    wrong = []
    for w in range(writers):
        writer = Writer(seed, w, 1 << 20, False)
        count = acknowledged.get(w, 0)
        for start in range(1, count + 1, RECORDS_PER_FILE):
            path = folder / str(w) / f"{(start - 1) // RECORDS_PER_FILE:06}"
            data = path.read_bytes() if path.exists() else b""
            at = 0
            for number in range(start, min(start + RECORDS_PER_FILE, count + 1)):
                blocks = writer.record(number)[1]
                good = all(data[at + i * BLOCK:at + (i + 1) * BLOCK] == writer.content(number, i) for i in range(blocks))
                at += blocks * BLOCK
                if not good:
                    wrong.append(f"writer {w} record {number} is not in {path.name}")
    return wrong
