#!/usr/bin/env python3
"""What a Linux guest's kernel may say, and what it may not.

  kernel_log.py TRANSCRIPT [--also REGEX]...    status 1, with the line, when `dmesg -r` in the transcript shows a warning that is not known
"""
import argparse
import pathlib
import re
import sys

TIMER_OOPS = r"Oops: timer tick before it's due \(itc=[0-9a-f]+,itm=[0-9a-f]+\)"

# Kernel messages of level 4 (warning) and below that the guest prints on any machine of this kind, each with its reason.
KNOWN_WARNINGS = [
    # (regular expression, why it is not the emulator's doing)
    (r"^\[ +[0-9.]+\] \+/-\d+ppm$", "tail of the debug line about the ITC; the kernel prints it without a level"),
    (r"Processor Platform Limit event detected, but not handled", "printed for every ACPI processor when CPUfreq is not built in"),
    (r"Consider compiling CPUfreq support into your kernel", "second half of the line above"),
    (r"This architecture does not have kernel memory protection", "true of every ia64 kernel"),
    (r"(sd|sr|st|ch|scsi) \d+:0:\d+:0: Power-on or device reset occurred", "mptspi resets the bus while it starts, and so do the tests"),
    (r"ch \d+:0:\d+:0: \[ch0\] ID/LUN unknown", "tgtd's changer does not say which unit its drive is"),
    (TIMER_OOPS, "the host took the processor away between the kernel's write of ITM and its look at ITC; real firmware does the same"),
]


def plain(text):
    """Console text without carriage returns and terminal escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


def complaint(text, also=()):
    """What is wrong with the kernel's messages in a transcript; None when nothing is."""
    known = [p for p, _ in KNOWN_WARNINGS] + list(also)
    lines = re.findall(r"^<(\d+)>(.*)$", text, re.M)
    for number, line in lines:
        level = int(number) & 7
        if level <= 4 and not any(re.search(p, line) for p in known):
            return f"kernel message of level {level}: {line}"
    text = re.sub(TIMER_OOPS, "", text)
    for word in ("Oops", "WARNING:", "Call Trace", "BUG:"):
        if word in text:
            return f"the kernel printed '{word}'"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("transcript", type=pathlib.Path)
    parser.add_argument("--also", action="append", default=[], help="a further message that is expected")
    args = parser.parse_args()
    text = plain(args.transcript.read_text(errors="replace"))
    wrong = complaint(text, args.also) if re.search(r"^<\d+>", text, re.M) else "the transcript has no output of dmesg -r"
    if wrong:
        print(wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
