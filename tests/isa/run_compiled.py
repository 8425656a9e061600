#!/usr/bin/env python3
"""Compiles freestanding C programs for IA-64, both byte orders and two optimisation levels, runs them through `ivm bare` and
compares what they compute with a native build.

    run_compiled.py --ivm BINARY [--engine jit] --toolchain ARCHIVE --work FOLDER      status 77: skipped, with the reason
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import toolchain  # noqa: E402

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compiled")
RESULTS = 64
LEVELS = ("-O1", "-O2")


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def command(*words, **options):
    result = subprocess.run(words, capture_output=True, text=True, **options)
    if result.returncode:
        sys.exit(f"{' '.join(words)}\n{result.stderr}")
    return result.stdout


def native_results(work, source):
    binary = os.path.join(work, "native_" + os.path.basename(source)[:-2])
    command("gcc", "-O1", "-ffp-contract=off", "-std=gnu11", "-I", HERE, "-o", binary, source, os.path.join(HERE, "native_main.c"))
    return [int(line, 16) for line in command(binary).split()]


def cross_build(gcc, work, source, big, level):
    """@returns (ELF path, {symbol: address})"""
    elf = os.path.join(work, f"{os.path.basename(source)[:-2]}{level}{'.be' if big else '.le'}.elf")
    order = ["-mbig-endian"] if big else []
    objects = []
    for part in (os.path.join(HERE, "start.S"), source, os.path.join(HERE, "results.c")):
        objects.append(f"{elf}.{os.path.basename(part)}.o")
        assembler = ["-Wa,-mbe"] if big else []
        store_order = f"-DBACKING_STORE_ORDER={0x10 if big else 0}"
        command(gcc, *order, *assembler, level, "-std=gnu11", "-ffreestanding", "-fno-builtin", "-fno-pic", "-ffp-contract=off",
                "-minline-int-divide-max-throughput", "-minline-float-divide-min-latency", "-fno-asynchronous-unwind-tables", store_order, "-I", HERE, "-c", "-o", objects[-1], part)
    command("ia64-linux-gnu-ld", *(["-EB", "--oformat=elf64-ia64-big"] if big else []), "-static", "-Ttext=0x10000", "-Tdata=0x100000", "-e",
            "_start", "-o", elf, *objects)
    symbols = {}
    for line in command("ia64-linux-gnu-nm", elf).splitlines():
        fields = line.split()
        if len(fields) == 3:
            symbols[fields[2]] = int(fields[0], 16)
    return elf, symbols


def program(name, elf, symbols, big):
    psr = 1 << 44 | 1 << 13 | (2 if big else 0)
    return {"id": name, "elf": elf, "memory": 4 << 20, "entry": hex(symbols["_start"]), "stop_at": [symbols["done"]], "max_insns": 50000000,
            "stop_on_interruption": True, "set": {"psr": hex(psr)}, "dump_mem": [f"{symbols['results']:#x}:{8 * RESULTS}"]}


def check(report, want, big):
    if report.get("stop") != "stop-address":
        taken = report.get("cpus", [{}])[0].get("interruptions", [])[-1:]
        yield f"stopped: {report.get('error') or report.get('stop')} {taken}"
        return
    data = bytes.fromhex(report["memory"][0]["hex"])
    for n, value in enumerate(want):
        got = int.from_bytes(data[8 * n:8 * n + 8], "big" if big else "little")
        if got != value:
            yield f"results[{n}]: expected {value:#x}, got {got:#x}"


def main():
    parser = argparse.ArgumentParser()
    for name in ("--ivm", "--toolchain", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--engine", default="interp")
    options = parser.parse_args()
    if not os.path.exists(options.toolchain):
        skip(f"no compiler archive {options.toolchain}")
    if not shutil.which("ia64-linux-gnu-ld") or not shutil.which("gcc"):
        skip("binutils-ia64-linux-gnu or gcc is not installed")
    os.makedirs(options.work, exist_ok=True)
    gcc = toolchain.compiler(options.toolchain, options.work)
    plan = []
    for source in sorted(glob.glob(os.path.join(HERE, "*.c"))):
        if os.path.basename(source) in ("native_main.c", "results.c"):
            continue
        want = native_results(options.work, source)
        for big in (False, True):
            for level in LEVELS:
                name = f"{os.path.basename(source)} {level} {'big' if big else 'little'}-endian"
                plan.append((name, big, want, program(name, *cross_build(gcc, options.work, source, big, level), big)))
    lines = "".join(json.dumps(p) + "\n" for _, _, _, p in plan)
    answers = command(options.ivm, "bare", "--engine", options.engine, "--batch", "-", input=lines, timeout=300).splitlines()
    bad = 0
    for (name, big, want, _), line in zip(plan, answers):
        problems = list(check(json.loads(line), want, big))
        bad += bool(problems)
        for problem in problems[:8]:
            print(f"FAIL {name}: {problem}")
    print(f"isa_compiled: {len(plan)} programs, {bad} failed")
    return 1 if bad or len(answers) != len(plan) else 0


if __name__ == "__main__":
    sys.exit(main())
