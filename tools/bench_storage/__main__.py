"""Measures block throughput from a Linux guest, on VIO SCSI and on AVIO, against fio on the same store on the host.

Makes its images, boots the guest once for each adapter with one disk for each store, and runs fio between the boots. Everything is
repeated --rounds times, and the quickest of each counts. Prints tables with ratios; --append adds them, dated, to BENCHMARKS.md. A failed
request is an error, slowness never is."""
import argparse
import os
import sys
import tempfile

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TOOLS)
sys.path[:0] = [os.path.join(TOOLS, "bench_storage"), os.path.join(TOOLS, "bench"), os.path.join(ROOT, "tests/support")]

import cases
import host_io
import guest_io
import report
import tables


def parse_arguments():
    p = argparse.ArgumentParser(prog="tools/bench_storage", description=__doc__)
    p.add_argument("--ivm", action="append", help="binary to measure (default: build/release/ivm); repeat it to compare several")
    p.add_argument("--shared", default=os.path.join(ROOT, "../shared"), help="folder with guests/")
    p.add_argument("--folder", help="where images are made; its file system is what file stores run on (default: the temporary folder)")
    p.add_argument("--store", action="append", choices=cases.STORES, help="default: all; repeatable")
    p.add_argument("--adapter", action="append", choices=cases.ADAPTERS, help="default: all; repeatable")
    p.add_argument("--mode", action="append", choices=cases.MODES, help="default: all; repeatable")
    p.add_argument("--block", action="append", choices=cases.BLOCKS, help="default: all; repeatable")
    p.add_argument("--reader", choices=guest_io.READERS, default="ring", help="what keeps requests in flight in the guest: one io_uring, or threads")
    p.add_argument("--scheduler", metavar="NAME", help="scheduler of the guest's disks, such as none (default: what Linux chooses)")
    p.add_argument("--cache", default=os.path.join(ROOT, "build/release/ia64-toolchain"), help="where the compiler of the guest's reader is unpacked")
    p.add_argument("--depth", action="append", type=int, help="requests in flight (default: 1 and 32); repeatable")
    p.add_argument("--seconds", type=float, default=1, help="length of one measurement")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--size", type=int, default=256, metavar="MiB", help="size of an image")
    p.add_argument("--no-fio", action="store_true", help="leave the host out")
    p.add_argument("--append", action="store_true", help="append to BENCHMARKS.md")
    return p.parse_args()


def shown_arguments():
    """The command line without what only this host understands."""
    words, skip = [], False
    for word in sys.argv[1:]:
        hidden = word in ("--ivm", "--shared", "--folder", "--cache")
        if not skip and not hidden and word != "--append":
            words.append(word)
        skip = not skip and hidden
    return words


def measure(a, chosen, folder, initrd):
    """{(column, case): Sample}, the quickest of all rounds."""
    binaries = a.ivm or [os.path.join(ROOT, "build/release/ivm")]
    best = {}
    for _ in range(a.rounds):
        runs = []
        for number, ivm in enumerate(binaries):
            for adapter in a.adapter or cases.ADAPTERS:
                column = adapter if number == 0 else f"{adapter} ({number + 1})"
                runs.append((column, guest_io.measure(ivm, initrd, adapter, chosen, folder, a)))
        if not a.no_fio:
            runs.append(("fio", host_io.measure(chosen, folder, a)))
        for column, samples in runs:
            for case, sample in samples.items():
                if (column, case) not in best or sample.mib_per_s > best[column, case].mib_per_s:
                    best[column, case] = sample
    return best


def main():
    a = parse_arguments()
    chosen = cases.choose(a.store, a.mode, a.block, a.depth)
    with tempfile.TemporaryDirectory(dir=a.folder) as folder:
        cases.make_images(folder, a.size)
        initrd = guest_io.make_initrd(a.shared, a.cache, folder)
        best = measure(a, chosen, folder, initrd)
    text = "\n".join(report.heading(ROOT, shown_arguments(), "tools/bench_storage") + tables.of(best, chosen))
    print(text)
    if a.append:
        with open(os.path.join(ROOT, "BENCHMARKS.md"), "a") as file:
            file.write("\n" + text)
    failed = [f"{column} {case}: {sample.errors} failed requests" for (column, case), sample in best.items() if sample.errors]
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
