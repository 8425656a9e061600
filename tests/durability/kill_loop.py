#!/usr/bin/env python3
"""Kills a writer at random moments and checks that nothing a flush acknowledged is lost and that images stay sound.

usage: kill_loop.py --ivm IVM --writer FLUSH_WRITER --work DIR [--rounds N] [--formats raw,qcow2,vhd,overlay]
"""
import argparse
import os
import pathlib
import random
import subprocess
import sys
import threading

KINDS = {"raw": "file", "qcow2": "qcow2", "vhd": "vhd", "overlay": "overlay"}


def one_round(args, kind, number, dice):
    image = args.work / f"{kind}.img"
    base = args.work / "base.img"
    for path in (image, base):
        path.unlink(missing_ok=True)
    if kind == "overlay":
        subprocess.run([args.ivm, "image", "create", base, "16M"], check=True)
        create = ["--format", kind, "--base", base, image]
    else:
        create = ["--format", kind, image, "16M"]
    subprocess.run([args.ivm, "image", "create", *create], check=True)
    spec = f"{KINDS[kind]}:{image}"
    writer = subprocess.Popen([args.writer, "write", spec, str(number)], stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(dice.uniform(0.02, 0.4), writer.kill)
    timer.start()
    acknowledged = 0
    for line in writer.stdout:
        if line.startswith("ACK ") and line.endswith("\n"):
            acknowledged = int(line.split()[1])
    status = writer.wait()
    timer.cancel()
    if status != -9:
        sys.exit(f"{kind} round {number}: the writer ended by itself with status {status}")
    check = subprocess.run([args.ivm, "image", "check", image], capture_output=True, text=True)
    if check.returncode not in (0, 1) or any("space only" not in l and "no problems" not in l for l in check.stdout.splitlines()):
        sys.exit(f"{kind} round {number}: the image is damaged\n{check.stdout}{check.stderr}")
    verify = subprocess.run([args.writer, "verify", spec, str(number), str(acknowledged)], capture_output=True, text=True)
    if verify.returncode:
        sys.exit(f"{kind} round {number}, {acknowledged} records acknowledged: {verify.stdout}{verify.stderr}")
    return acknowledged


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ivm", required=True)
    parser.add_argument("--writer", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formats", default=",".join(KINDS))
    args = parser.parse_args()
    args.work = args.work.resolve()
    os.makedirs(args.work, exist_ok=True)
    dice = random.Random(args.seed)
    for kind in args.formats.split(","):
        total = sum(one_round(args, kind, args.seed * 100000 + n, dice) for n in range(args.rounds))
        print(f"{kind}: {args.rounds} rounds, {total} records acknowledged, none lost", flush=True)


if __name__ == "__main__":
    main()
