#!/usr/bin/env python3
"""Rewrites the encoded part of ISA tests from their assembly.  encode.py [NAME-PART...]"""
import sys

import isa_format


def rewrite(path):
    test = isa_format.parse(path)
    bundles, labels, texts, warnings = isa_format.assemble(test, texts=True)
    warnings = [w for w in warnings.split("\n") if "Warning" in w and "Explicit stops are ignored" not in w]
    if warnings:
        print(f"{test.name}: " + "; ".join(warnings))
    with open(path, encoding="utf-8") as old:
        head = old.read().split("\nencoded:\n")[0].rstrip("\n")
    lines = [f"label {name} {address:x}" for name, address in sorted(labels.items(), key=lambda item: (item[1], item[0]))]
    for address, data in sorted(bundles.items()):
        lines.append(f"{address:x}: {data.hex()} | " + " ; ".join(texts.get(address, [])))
    with open(path, "w", encoding="utf-8") as out:
        out.write(head + "\n\nencoded:\n" + "\n".join(lines) + "\n")


def main():
    bad = 0
    for path in isa_format.all_paths(sys.argv[1:]):
        try:
            rewrite(path)
        except isa_format.FormatError as error:
            bad += 1
            print(f"{path}: {error}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
