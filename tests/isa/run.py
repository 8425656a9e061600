#!/usr/bin/env python3
"""Runs the ISA tests through one `ivm bare --batch` process.

    run.py --ivm BINARY [--engine jit] [--known FILE] [--no-assembler] [NAME-PART...]
"""
import argparse
import json
import subprocess
import sys

import isa_format
from isa_format import BASE, CFM_FIELDS, MASK, PSR, PSR_FIELDS, FormatError

SLICES = (0, 1, 3, 7)  # instructions per turn; 0: straight through


def memory_bytes(test, entry, big):
    address, size, values = entry
    data = b"".join((test.value(v) & ((1 << 8 * size) - 1)).to_bytes(size, "big" if big else "little") for v in values)
    return test.value(address), data


def chunks(bundles):
    """Consecutive bundles joined: [(address, bytes)]."""
    out = []
    for address, data in sorted(bundles.items()):
        if out and out[-1][0] + len(out[-1][1]) == address:
            out[-1][1].extend(data)
        else:
            out.append((address, bytearray(data)))
    return out


def settings(test, case, big):
    out = {"psr": test.value("psr.ic|psr.bn")}
    for name, text in test.settings + case:
        is_fp = name[0] == "f" and name[1:].isdigit()
        out[name] = isa_format.fp_setting(text) if is_fp else hex(test.value(text))
    if big:
        out["psr"] = hex(int(str(out["psr"]), 0) | 2)
        if "both-endian-dcr" in test.flags:
            out["cr.dcr"] = hex(int(str(out.get("cr.dcr", "0")), 0) | 2)
    first = {name: out[name] for name in ("cfm",) if name in out}
    return {**first, **out}


def program(test, case, big, turn):
    handlers = any(name == "cr.iva" for name, _ in test.settings + case)
    out = {"memory": 2 << 20, "cpus": test.cpus, "entry": hex(test.value(test.entry) if test.entry else BASE), "max_insns": test.limit,
           "stop_at": [test.labels["end"]], "stop_on_interruption": not handlers or test.stop == "interruption",
           "set": settings(test, case, big),
           "load": [{"addr": a, "hex": bytes(d).hex()} for a, d in chunks(test.bundles)]}
    for entry in test.memory:
        address, data = memory_bytes(test, entry, big)
        out["load"].append({"addr": address, "hex": data.hex()})
    for entry in test.expected_memory:
        address, data = memory_bytes(test, entry, big)
        out.setdefault("dump_mem", []).append(f"{address:#x}:{len(data)}")
    if turn:
        out["slice"] = turn
    return out


def got_register(cpu, name):
    """Value of a register in the report, as an integer or, for floating point, a tuple."""
    group, _, rest = name.partition(".")
    if name[0] == "r" and name[1:].isdigit():
        text = cpu["gr"][int(name[1:])]
        return None if text is None else int(text, 16)
    if rest == "nat":
        return int(int(group[1:]) in cpu["nat"])
    if name[0] == "f" and name[1:].isdigit():
        fr = cpu["fr"][int(name[1:])]
        return fr["sign"], int(fr["exponent"], 16), int(fr["significand"], 16)
    if name[0] == "p" and name[1:].isdigit():
        return int(cpu["pr"], 16) >> int(name[1:]) & 1
    if name[0] == "b" and name[1:].isdigit():
        return int(cpu["br"][int(name[1:])], 16)
    if group in ("psr", "cr", "ar", "cfm") and rest:
        return got_field(cpu, group, rest)
    if name in ("slot", "insns", "interruptions_taken"):
        return cpu[name]
    digits = name.rstrip("0123456789")
    if digits in ("rr", "pkr", "ibr", "dbr", "pmc", "pmd"):
        return int(cpu[digits][int(name[len(digits):])], 16)
    return int(cpu[name], 16)


def got_field(cpu, group, rest):
    if group in ("cr", "ar"):
        return int(cpu[group][rest], 16)
    at, width = (CFM_FIELDS if group == "cfm" else {**{k: (v, 1) for k, v in PSR.items()}, **PSR_FIELDS})[rest]
    return int(cpu[group], 16) >> at & ((1 << width) - 1)


def show(value):
    return "(no such register)" if value is None else f"{value:#x}" if isinstance(value, int) else "%d:%#x:%#x" % value


def compare_registers(test, report, expectations):
    for name, text in expectations:
        cpu, plain = report["cpus"][0], name
        if name.startswith("cpu") and name[3].isdigit():
            cpu, plain = report["cpus"][int(name[3])], name.split(".", 1)[1]
        got = got_register(cpu, plain)
        is_fp = plain[0] == "f" and plain[1:].isdigit()
        want = isa_format.fp_register(text) if is_fp else test.value(text)
        if (got & MASK if isinstance(got, int) else got) != want:
            yield f"{name}: expected {show(want)}, got {show(got)}"


def compare_interruptions(test, report):
    taken = report["cpus"][0]["interruptions"]
    if len(taken) != len(test.interruptions):
        yield f"interruptions: expected {len(test.interruptions)}, got {len(taken)}: " + ", ".join(
            f"{i['name']} isr={i['isr']} ifa={i['ifa']} iip={i['iip']}" for i in taken[:4])
    for n, (want, got) in enumerate(zip(test.interruptions, taken)):
        for name, text in want:
            if int(got[name], 16) != test.value(text):
                yield f"interruption {n} ({got['name']}) {name}: expected {test.value(text):#x}, got {got[name]}"


def compare(test, report, expectations, big):
    if "error" in report:
        yield "refused: " + report["error"]
        return
    handlers = any(name == "cr.iva" for name, _ in test.settings)
    stop = test.stop or ("interruption" if test.interruptions and not handlers else "stop-address")
    if report["stop"] != stop:
        yield f"stop: expected {stop}, got {report['stop']} at {report['cpus'][0]['ip']}"
    yield from compare_interruptions(test, report)
    yield from compare_registers(test, report, expectations)
    for entry, dump in zip(test.expected_memory, report["memory"]):
        _, data = memory_bytes(test, entry, big)
        if dump["hex"] != data.hex():
            yield f"memory {entry[0]}: expected {data.hex()}, got {dump['hex']}"


def variants(test):
    orders = (False, True) if test.flags & {"both-endian", "both-endian-dcr"} else (False,)
    for case, (inputs, outputs) in enumerate(test.cases or [([], [])], 1):
        for big in orders:
            for turn in (0,) if "no-slices" in test.flags else SLICES:
                label = (f"case {case} " if test.cases else "") + ("big-endian " if big else "") + (f"slice {turn}" if turn else "whole")
                yield label, big, turn, inputs, test.expectations + outputs


def encoding_differs(test):
    bundles, labels, _, _ = isa_format.assemble(test)
    return bundles != test.bundles or labels != test.labels


def read_known(path):
    """isa/NAME lines of the list of known failures."""
    try:
        with open(path, encoding="utf-8") as known:
            words = (line.split("#")[0].split() for line in known)
            return {w[0][4:] for w in words if w and w[0].startswith("isa/")}
    except FileNotFoundError:
        return set()


def run_batch(ivm, engine, programs):
    lines = "".join(json.dumps(p) + "\n" for p in programs)
    result = subprocess.run([ivm, "bare", "--engine", engine, "--jit-threshold", "1", "--batch", "-"], input=lines, capture_output=True, text=True, timeout=300)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    if len(answers) != len(programs):
        sys.exit(f"ivm answered {len(answers)} of {len(programs)} programs, status {result.returncode}: {result.stderr.strip()[-400:]}")
    return answers


def load(options):
    tests, failures = [], {}
    assembler = not options.no_assembler and isa_format.have_assembler()
    for path in isa_format.all_paths(options.names):
        try:
            test = isa_format.parse(path)
            if not test.bundles:
                raise FormatError(f"{test.name}: no encoded part; run tests/isa/encode.py")
            if assembler and encoding_differs(test):
                failures.setdefault(test.name, []).append("the encoded part differs from the assembly; run tests/isa/encode.py")
            tests.append(test)
        except FormatError as error:
            failures.setdefault(path, []).append(str(error))
    return tests, failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ivm", required=True)
    parser.add_argument("--engine", default="interp", help="jit: every block is translated at its first execution")
    parser.add_argument("--known", default="")
    parser.add_argument("--no-assembler", action="store_true", help="do not check that encodings match the assembly")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    tests, failures = load(options)
    plan = [(test, *variant) for test in tests for variant in variants(test)]
    answers = run_batch(options.ivm, options.engine, [program(test, inputs, big, turn) for test, _, big, turn, inputs, _ in plan])
    for (test, label, big, _, _, expectations), report in zip(plan, answers):
        for problem in compare(test, report, expectations, big):
            failures.setdefault(test.name, []).append(f"[{label}] {problem}")
    known = read_known(options.known)
    for name, problems in sorted(failures.items()):
        print(f"{'known failure' if name in known else 'FAIL'} {name}.test")
        for problem in problems[:12]:
            print("   ", problem)
    names = {test.name for test in tests}
    unexpected = sorted((known & names) - failures.keys())
    for name in unexpected:
        print(f"FAIL {name}.test: passes, but is listed in {options.known}")
    bad = len(failures.keys() - known) + len(unexpected)
    print(f"isa: {len(tests)} tests, {len(plan)} runs, {bad} failed, {len(failures.keys() & known)} known failures")
    return 1 if bad or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
