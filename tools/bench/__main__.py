"""Measures ivm's interpreter and translator with guestbench in a Linux guest against the same source on the host, and start-up
costs.

Prints the tables; --append adds them, dated, to BENCHMARKS.md. Wrong checksums are an error, slowness never is."""
import argparse
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import guest
import kernels
import native
import report
import startup

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def parse_arguments():
    p = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    p.add_argument("kernels", nargs="*", metavar="KERNEL", help="default: all")
    p.add_argument("--ivm", default=os.path.join(ROOT, "build/release/ivm"))
    p.add_argument("--shared", default=os.path.join(ROOT, "../shared"), help="folder with guests/ and bench/")
    p.add_argument("--only", choices=kernels.ENGINES, help="leave the other engine out")
    p.add_argument("--group", action="append", choices=kernels.GROUPS, default=[], help="the kernels of a group; repeatable")
    p.add_argument("--scale", type=int, default=1, help="amount of work")
    p.add_argument("--repeat", type=int, default=3, help="native runs and boots under the translator, of which the quickest counts for each kernel")
    p.add_argument("--startup", action="store_true", help="also measure boot times, idle cost and memory")
    p.add_argument("--append", action="store_true", help="append to BENCHMARKS.md")
    a = p.parse_args()
    unknown = set(a.kernels) - set(kernels.RUN_ORDER)
    if unknown:
        p.error(f"no such kernel: {', '.join(sorted(unknown))}")
    a.kernels += [name for group in a.group for name in kernels.GROUPS[group]]
    a.engines = [a.only] if a.only else list(kernels.ENGINES)
    return a


def differing_checksums(native_results, guest_results):
    return [f"{name}: native {native_results[name].checksum}, {engine} {checksum}"
            for engine, results in guest_results.items() for name, (checksum, _) in results.items()
            if checksum != native_results[name].checksum]


def shown_arguments():
    """The command line without what only this host understands."""
    words, skip = [], False
    for word in sys.argv[1:]:
        if not skip and word not in ("--append", "--ivm", "--shared"):
            words.append(word)
        skip = not skip and word in ("--ivm", "--shared")
    return words


def main():
    a = parse_arguments()
    names = kernels.in_run_order(a.kernels or kernels.RUN_ORDER)
    guests = os.path.join(a.shared, "guests")
    in_native = native.measure(os.path.join(a.shared, "bench/guestbench.c"), names, a.scale, a.repeat)
    boots, in_guest = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for engine in a.engines:
            runs = 1 if engine == kernels.SLOW_ENGINE else a.repeat
            boots[engine], in_guest[engine] = guest.measure_quickest(a.ivm, guests, engine, names, a.scale, os.path.join(folder, engine), runs)
    lines = report.kernel_table(in_native, in_guest) + report.group_table(in_native, in_guest) + report.boot_lines(boots)
    if a.startup:
        for engine in a.engines:
            lines += report.startup_table(engine, *startup.measure(a.ivm, guests, engine))
    text = "\n".join(report.heading(ROOT, shown_arguments()) + lines)
    print(text)
    if a.append:
        with open(os.path.join(ROOT, "BENCHMARKS.md"), "a") as file:
            file.write("\n" + text)
    wrong = differing_checksums(in_native, in_guest)
    for line in wrong:
        print("checksum differs: " + line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
