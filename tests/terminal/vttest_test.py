#!/usr/bin/env python3
"""Runs vttest in front of the window's terminal and compares its screens with those that xterm shows of the same bytes.

  vttest_test.py --terminal terminal_host             compare with the screens in vttest/
  vttest_test.py --terminal terminal_host --record    make them anew: needs xterm and Xvfb

vttest/NAME-NN.txt is what xterm shows. Where the window's terminal is known to show something
else, vttest/NAME-NN.differs begins with a line that says why, and goes on with what it shows. Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
ROWS, COLUMNS = 24, 80
PATIENCE_S = 60
SCREENS = pathlib.Path(__file__).resolve().parent / "vttest"
MENU = re.compile(rb"Enter choice number \(\d+ - \d+\): $")
PUSH = re.compile(rb"(Push <RETURN>|Push <RETURN>\.?|<RETURN>)\s*$")
SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;?!\"$' -]*[@-~]|[()*+#%][0-9A-Za-z<>=]|[0-9A-Za-z<>=])|[\x00\x0e\x0f]")

# What is chosen in which menu; within a choice everything asks for Return until its menu is back.
WALK = [("cursor", ["1"]), ("screen", ["2"]), ("sets", ["3"]), ("sizes", ["4"]), ("vt102", ["8"]), ("reports-dsr", ["6", "3"]),
        ("reports-da", ["6", "4"]), ("vt220-cursor", ["11", "1", "2", "2"]), ("vt220-erase", ["11", "1", "2", "3"]), ("colours", ["11", "6", "2"]),
        ("colours-reset", ["11", "6", "3"]), ("iso-cht", ["11", "5", "3"]), ("iso-cnl", ["11", "5", "4"]), ("iso-vpa", ["11", "5", "8"]),
        ("xterm-screens", ["11", "8", "7", "1"])]


class Failure(Exception):
    pass


class Terminal:
    """The window's terminal."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, str(ROWS), str(COLUMNS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, word, data=b""):
        self.process.stdin.write(f"{word} {data.hex()}\n".encode())
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            raise Failure("terminal_host has ended")
        return bytes.fromhex(answer[1].decode()) if len(answer) > 1 else b""

    def feed(self, data):
        return self.ask("feed", data)

    def screen(self):
        return self.ask("screen").decode()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Xterm:
    """An xterm on a display of its own, which prints its screen on demand (MC, ECMA-48)."""

    def __init__(self, work):
        self.work = pathlib.Path(work)
        reader, writer = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp"], pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            display = f":{pipe.readline().strip()}"
        self.fifo, self.printed = self.work / "bytes", self.work / "printed"
        os.mkfifo(self.fifo)
        settings = {"printerCommand": f"cat > {self.printed}.new && mv {self.printed}.new {self.printed}", "printerAutoClose": "true", "printAttributes": "1",
                    "printerFormFeed": "false", "printerNewLine": "false", "decTerminalID": "100", "utf8": "1", "allowWindowOps": "false"}
        resources = [word for name, value in settings.items() for word in ("-xrm", f"XTerm*{name}: {value}")] + ["-fa", "DejaVu Sans Mono", "-fs", "8"]
        environment = {**os.environ, "DISPLAY": display, "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(["xterm", "-geometry", f"{COLUMNS}x{ROWS}", *resources, "-e", "sh", "-c", f"stty raw -echo; cat {self.fifo}"], env=environment)
        self.pipe = open(self.fifo, "wb", buffering=0)

    def feed(self, data):
        self.pipe.write(data.replace(b"\x1b[?40h", b""))  # without leave to switch to 132 columns, which the window does not do

    def screen(self):
        self.printed.unlink(missing_ok=True)
        self.pipe.write(b"\x1b[?19h\x1b[i")  # all of the screen, not the scroll region alone
        end = time.monotonic() + PATIENCE_S
        while not self.printed.exists():
            if time.monotonic() > end:
                raise Failure("xterm does not print")
            time.sleep(0.01)
        # Its own number for the pound sign of the British set comes out as it is.
        # A row that goes on in the next one has no newline, but each that is not empty begins with its size.
        rows = re.sub(rb"(?<=[^\n])(?=\x1b#[3-6])", b"\n", self.printed.read_bytes().replace(b"\r", b""))
        printed = SEQUENCE.sub(b"", rows).decode(errors="replace").replace("\x1e", "£")
        lines = [line.rstrip() for line in printed.split("\n")]
        if len(lines) == ROWS + 1 and not lines[-1]:
            lines.pop()  # the newline of the last row, which it has not always
        if len(lines) != ROWS:
            raise Failure(f"xterm prints {len(lines)} rows: {self.printed.read_bytes()}")
        return "\n".join(lines) + "\n"

    def stop(self):
        self.pipe.close()
        self.process.terminate()
        self.process.wait()
        self.server.terminate()
        self.server.wait()


class Vttest:
    """vttest at the other end of a terminal line; what it prints goes to every terminal, what the first one answers comes back."""

    def __init__(self, terminals):
        self.terminals, self.tail = terminals, b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="vt220", LC_ALL="C", LINES=str(ROWS), COLUMNS=str(COLUMNS))
            os.execvp("vttest", ["vttest", f"{ROWS}x{COLUMNS}.{COLUMNS}"])

    def until_asked(self):
        """@returns whether it asks for a choice (and not for Return alone)"""
        end = time.monotonic() + PATIENCE_S
        while True:
            seen = SEQUENCE.sub(b"", self.tail)
            if MENU.search(seen) or PUSH.search(seen):
                return bool(MENU.search(seen))
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise Failure(f"vttest asks for nothing; it printed last: {self.tail[-300:]!r}")
            data = os.read(self.fd, 4096)
            self.tail = (self.tail + data)[-4000:]
            answers = [t.feed(data) for t in self.terminals]
            if answers[0]:
                os.write(self.fd, answers[0])

    def type(self, text):
        self.tail = b""
        os.write(self.fd, text.encode())

    def stop(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def walk(vttest, take):
    """Everything in WALK; calls take(name) at each screen but menus."""
    vttest.until_asked()
    for name, choices in WALK:
        for choice in choices[:-1]:
            vttest.type(choice + "\r")
            vttest.until_asked()
        vttest.type(choices[-1] + "\r")
        count = 0
        while not vttest.until_asked():
            count += 1
            take(f"{name}-{count:02}")
            vttest.type("\r")
        for _ in choices[:-1]:
            vttest.type("0\r")
            vttest.until_asked()
    vttest.type("0\r")


def first_difference(ours, wanted):
    for n, (a, b) in enumerate(zip(ours.split("\n"), wanted.split("\n"))):
        if a != b:
            return f"row {n + 1} shows {a!r}, not {b!r}"
    return "the number of rows"


def compare(name, ours):
    known = SCREENS / f"{name}.differs"
    wanted = known.read_text().split("\n", 1)[1] if known.exists() else (SCREENS / f"{name}.txt").read_text()
    return None if ours == wanted else f"{name}: {first_difference(ours, wanted)}"


def record(name, ours, xterms):
    (SCREENS / f"{name}.txt").write_text(xterms)
    known = SCREENS / f"{name}.differs"
    if ours == xterms:
        known.unlink(missing_ok=True)
        return None
    reason = known.read_text().split("\n", 1)[0] if known.exists() else "UNEXPLAINED"
    known.write_text(reason + "\n" + ours)
    return f"{name}: {first_difference(ours, xterms)}: {reason}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--terminal", required=True)
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    if not shutil.which("vttest"):
        print("skipped: vttest is not installed")
        return SKIPPED
    SCREENS.mkdir(exist_ok=True)
    complaints, taken = [], 0
    with tempfile.TemporaryDirectory() as work:
        terminal = Terminal(args.terminal)
        terminals = [terminal] + ([Xterm(work)] if args.record else [])
        vttest = Vttest(terminals)

        def take(name):
            nonlocal taken
            taken += 1
            complaints.append(record(name, terminal.screen(), terminals[1].screen()) if args.record else compare(name, terminal.screen()))

        try:
            walk(vttest, take)
        except Failure as failure:
            complaints.append(str(failure))
        finally:
            vttest.stop()
            for t in terminals:
                t.stop()
    complaints = [c for c in complaints if c]
    print("\n".join(complaints + [f"{taken} screens, {len(complaints)} " + ("differ" if args.record else "wrong")]))
    return 0 if args.record or not complaints else 1


if __name__ == "__main__":
    sys.exit(main())
