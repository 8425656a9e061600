#!/usr/bin/env python3
"""What a Linux guest sees of its storage, checked from inside with its own tools and from the host.

  storage_test.py CASE --ivm PATH --guests DIR --cache DIR --work DIR [--engine interp|jit]

Exit status 0 passed, 1 failed, 77 skipped with the reason.
"""
import argparse
import os
import pathlib
import sys

import attached
import dvd
import faults
import units
from guest import SKIPPED, conclude

CASES = {f.__name__: f for module in (units, dvd, faults, attached) for f in module.CASES}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    for option in ("ivm", "guests", "cache", "work"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--other-host", default="", help="the program other_host; empty without libiscsi")
    parser.add_argument("--engine", default="jit")
    parser.add_argument("--limit", type=int, default=500, help="seconds of host time for one run")
    args = parser.parse_args()
    if not pathlib.Path(args.guests, "linux", "vmlinuz").exists():
        print(f"skipped: no guest images in {args.guests}")
        return SKIPPED
    args.work = os.path.abspath(args.work)
    return conclude(args, CASES[args.case])


if __name__ == "__main__":
    sys.exit(main())
