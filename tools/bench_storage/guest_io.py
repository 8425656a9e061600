"""A reader in the Linux guest, with the processor time that ivm takes for it."""
import os
import re
import shutil
import subprocess

import guest
import toolchain
from cases import ADAPTERS, BLOCKS, STORES, Sample, image

# Programs of the guest, by what keeps requests in flight: one io_uring, as fio has it on the host; or a thread for each.
READERS = {"ring": "ringbench", "threads": "iobench"}
HERE = os.path.dirname(os.path.abspath(__file__))

RESULT = re.compile(r"^IOBENCH (\w+) (\d+) (\d+) ([\d.]+) (\d+) (\d+)", re.MULTILINE)


def make_initrd(shared, cache, folder):
    """The initrd of the guest images with ringbench added. iobench they have."""
    tree = os.path.join(folder, "tree/bin")
    os.makedirs(tree)
    toolchain.build_program(os.path.join(shared, toolchain.ARCHIVE), cache, os.path.join(HERE, "ringbench.c"), os.path.join(tree, "ringbench"))
    initrd = os.path.join(folder, "initrd.gz")
    shutil.copyfile(os.path.join(shared, "guests/linux/initrd.gz"), initrd)
    subprocess.run(f"find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 >> '{initrd}'", shell=True, cwd=os.path.dirname(tree), check=True)
    return initrd


def statements(adapter, stores, folder):
    """A disk for each store: sda is the first, and so on."""
    words = []
    for number, store in enumerate(stores):
        chain = STORES[store] % image(folder, store) if "%s" in STORES[store] else STORES[store]
        words += ["-a", f"disk:{ADAPTERS[adapter]}:0,2,{number}:{chain}"]
    return words


def steps_of(cases, stores, seconds, reader, scheduler):
    steps = [("expect", guest.PROMPT)]
    if scheduler:
        steps += [("send", f"for f in /sys/block/sd*/queue/scheduler; do echo {scheduler} > $f; done\\r"), ("expect", guest.PROMPT)]
    for _ in range(2):  # nothing but starting and ending: the first brings the program into memory, the second tells what that takes
        steps += [("send", f"{reader} /dev/sda read 4096 1 0\\r"), ("expect", guest.PROMPT)]
    for case in cases:
        disk = "/dev/sd" + "abcdefgh"[stores.index(case.store)]
        words = f"{case.workload} {BLOCKS[case.block]} {case.depth}"
        # The prompt comes after the program has gone, so nothing of one measurement falls into the next.
        steps += [("send", f"{reader} {disk} {words} {seconds:g}\\r"), ("expect", guest.PROMPT)]
    return steps


def measure(ivm, initrd, adapter, cases, folder, options):
    """One boot. {case: Sample}"""
    reader = READERS[options.reader]
    stores = list(dict.fromkeys(case.store for case in cases))
    log = os.path.join(folder, "console")
    arguments = guest.linux_arguments(os.path.join(options.shared, "guests"), "translator", initrd) + statements(adapter, stores, folder)
    marks = guest.run_script(ivm, arguments, steps_of(cases, stores, options.seconds, reader, options.scheduler), log)
    if options.scheduler:
        del marks[1]
    with open(log, errors="replace", newline="") as transcript:
        results = RESULT.findall(transcript.read())
    if len(results) != len(cases) + 2:
        raise RuntimeError(f"{len(cases) + 2} results expected, {len(results)} found; is {reader} in the guest?")
    starting = marks[2] - marks[1]
    samples = {}
    for case, result, before, after in zip(cases, results[2:], marks[2:], marks[3:]):
        rate = float(result[3])
        taken = after - before - starting
        gib = max(rate * taken.wall_s / 1024, 1e-9)
        requests = gib * (1 << 30) / BLOCKS[case.block]
        samples[case] = Sample(rate, max(taken.cpu_s, 0) / gib, taken.slots / requests, int(result[5]))
    return samples
