#!/usr/bin/env python3
"""What a Linux guest sees of its storage, checked from inside with its own tools and from the host.

  storage_test.py CASE --ivm PATH --guests DIR --cache DIR --work DIR [--engine interp|jit]

Exit status 0 passed, 1 failed, 77 skipped with the reason.
"""
import argparse
import os
import pathlib
import shutil
import sys

import attached
import dvd
import faults
import units
from guest import Failure, Skipped

SKIPPED = 77
CASES = {f.__name__: f for module in (units, dvd, faults, attached) for f in module.CASES}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    for option in ("ivm", "guests", "cache", "work"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--other-host", default="", help="the program other_host")
    parser.add_argument("--engine", default="jit")
    parser.add_argument("--limit", type=int, default=500, help="seconds of host time for one run")
    args = parser.parse_args()
    if not pathlib.Path(args.guests, "linux", "vmlinuz").exists():
        print(f"skipped: no guest images in {args.guests}")
        return SKIPPED
    args.work = os.path.abspath(args.work)
    shutil.rmtree(args.work, ignore_errors=True)
    pathlib.Path(args.work).mkdir(parents=True)
    try:
        CASES[args.case](args)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    shutil.rmtree(args.work, ignore_errors=True)
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
