#!/usr/bin/env python3
"""What a Linux guest sees of its storage, checked from inside with its own tools and from the host.

  storage_test.py CASE --ivm PATH --guests DIR --cache DIR --work DIR [--engine interp|jit]

Exit status 0 passed, 1 failed, 77 skipped with the reason.
"""
import os
import sys

import attached
import dvd
import faults
import units
from guest import argument_parser, conclude

CASES = {f.__name__: f for module in (units, dvd, faults, attached) for f in module.CASES}


def main():
    parser = argument_parser(CASES)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--other-host", default="", help="the program other_host; empty without libiscsi")
    args = parser.parse_args()
    args.work = os.path.abspath(args.work)
    return conclude(args, CASES[args.case])


if __name__ == "__main__":
    sys.exit(main())
