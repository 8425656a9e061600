#!/usr/bin/env python3
"""Checks that no folder includes another against the dependency direction of the README, and that packages stay in their place."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALLOWED = {
    "base": {"base"},
    "cpu": {"base", "cpu"},
    "storage": {"base", "storage"},
    "devices": {"base", "storage", "devices"},
    "firmware": {"base", "storage", "cpu/arch", "firmware"},
    "machine": {"base", "storage", "cpu", "devices", "firmware", "machine"},
    "tools": {"base", "storage", "cpu", "devices", "firmware", "machine", "tools"},
}
PACKAGES = {  # header prefix -> folders that may include it
    "boost/asio": {"machine/host", "machine/debugger"},
    "boost/context": {"firmware"},
    "catch2/": {"tests/support"},
    "re2/": {"machine/host"},
    "vterm.h": {"machine/window"},
    "SDL": {"machine/window"},
    "png.h": {"machine/window"},
    "X11/": {"machine/window"},
    "CLI/": {"tools/cli"},
    "toml++/": {"machine/regression"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def check_file(path: pathlib.Path) -> list[str]:
    name = path.relative_to(ROOT).as_posix()
    allowed = ALLOWED.get(name.split("/")[0])
    errors = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(2)
        ours = match.group(1) == '"' and target.split("/")[0] in ALLOWED
        if ours and allowed is not None and not any(target.startswith(a + "/") for a in allowed):
            errors.append(f"{name}:{number}: may not include {target}")
        for prefix, places in PACKAGES.items():
            if target.startswith(prefix) and not any(name.startswith(p) for p in places):
                errors.append(f"{name}:{number}: {target} belongs in {', '.join(sorted(places))}")
    return errors


def main() -> int:
    errors = []
    for folder in [*ALLOWED, "tests"]:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".h", ".cpp", ".inc"}:
                errors += check_file(path)
    print("\n".join(errors) if errors else "include directions: ok")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
