#!/usr/bin/env python3
"""A guest under load with rude clients on its console, control and gdb sockets: garbage, half-open connections, readers that never read,
connections that come and go. It neither stalls nor crashes, its transcript is whole, and good clients are served.

  hostile_boot_test.py --ivm PATH --guests DIR --work DIR

Exit status 0 passed, 1 failed, 77 skipped.
"""
import pathlib
import random
import re
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from boot_test import Failure, argument_parser, conclude, require  # noqa: E402
from ivmctl import Control, ControlError  # noqa: E402

PROMPT = "ivm-guest# "
FLOOD_FIRST, FLOOD_LINES = 100_000_001, 100_000  # of eleven bytes: more than a socket keeps
ROUNDS = 500  # of clients that come and go, on each socket
SOCKETS = ("console", "control", "gdb")


def connected(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    return client


class Rude:
    """Clients that stay, and one thread for each socket whose clients come and go until stop()."""

    def __init__(self, work):
        self.work, self.stopping, self.kept, self.rounds = work, threading.Event(), [], dict.fromkeys(SOCKETS, 0)
        for name in SOCKETS:
            for n in range(3):  # never read, say nothing
                self.kept.append(connected(work / name))
            self.kept[-1].shutdown(socket.SHUT_WR)  # half open
        asks = connected(work / "control")  # asks for more than it will ever read
        asks.setblocking(False)
        self.kept.append(asks)
        try:
            asks.send(b'{"line":"events all"}\n' + b'{"line":"help"}\n{"line":"memory 0 4096 phys"}\n' * 3000)
        except BlockingIOError:
            pass
        self.threads = [threading.Thread(target=self.annoy, args=(name,)) for name in SOCKETS]
        for t in self.threads:
            t.start()

    def annoy(self, name):
        rubbish = random.Random(name)
        while self.rounds[name] < ROUNDS and not self.stopping.is_set():
            try:
                with connected(self.work / name) as client:
                    client.settimeout(1)
                    if name == "console":  # takes whatever it gets for keys: a blank now and then does nothing
                        client.sendall(b" " if rubbish.randrange(50) == 0 else b"")
                        continue
                    data = rubbish.randbytes(rubbish.randrange(1, 70_000))
                    client.sendall(data if rubbish.randrange(4) else b"$" + data + b"\n{")
            except OSError:
                pass  # it may be cut off at any moment
            finally:
                self.rounds[name] += 1

    def stop(self):
        self.stopping.set()
        for t in self.threads:
            t.join()
        for client in self.kept:
            client.close()


def run(args):
    work = pathlib.Path(args.work)
    image = work / "disk.img"
    subprocess.run(["bash", f"{args.guests}/mkdisk.sh", str(image), "-t", "0"], check=True, stdout=subprocess.DEVNULL)
    with open(work / "stderr", "w+") as errors:
        process = subprocess.Popen(
            [args.ivm, "run", "--timeout", str(args.limit), "--kernel", f"{args.guests}/linux/vmlinuz", "--initrd", f"{args.guests}/linux/initrd.gz", "--append",
             "console=ttyS0,115200 root=LABEL=root", "-a", f"disk:avio_stor::file:{image}", "--log", str(work / "log"), "--console", f"unix:{work}/console",
             "--control", f"unix:{work}/control", "--gdb", f"unix:{work}/gdb", "--paused"], stdin=subprocess.DEVNULL, stderr=errors)
        try:
            drive(process, work, args)
        finally:
            process.kill()
            process.wait()
            errors.seek(0)
            print(errors.read(), end="")


def connect_control(process, work, limit):
    while not (work / "control").exists():
        require(process.poll() is None, "ivm ended")
    while True:
        try:
            return Control(f"unix:{work}/control", timeout=limit)
        except OSError:
            require(process.poll() is None, "ivm ended")


def drive(process, work, args):
    control = connect_control(process, work, args.limit)

    def expect(text, line=None):
        control.command("watch", text=text, once=True)
        control.command("type", text=line) if line else control.command("continue")
        control.next_event("match")

    expect(PROMPT)
    expect("ticks 3\n", "stty -echo; dmesg -n 1; (i=0; while [ ! -e /stop ]; do dd if=/dev/urandom of=/data bs=64k count=32 2> /dev/null; sync; "
                        "i=$((i+1)); echo ticks $i; done; echo; echo load ends) &\r")
    rude = Rude(work)
    try:
        control.command("watch", text="ticks 40\n", once=True)
        control.next_event("match")
        expect("flood ends", f"echo; seq {FLOOD_FIRST} {FLOOD_FIRST + FLOOD_LINES - 1}; echo; echo flood end''s\r")
    finally:
        rude.stop()
    require(all(rude.rounds.values()), f"a socket took no connection: {rude.rounds}")
    require(control.command("status")["state"] == "On (OS)", "the guest does not run")
    with connected(work / "gdb") as debugger:
        debugger.settimeout(args.limit)
        debugger.sendall(b"$QStartNoAckMode#b0+$?#3f")
        answer = b""
        while b"$T05" not in answer and b"$S05" not in answer:
            piece = debugger.recv(4096)
            require(piece, f"no debugger is served: {answer}")
            answer += piece
        debugger.sendall(b"$D#44")
    expect(PROMPT, "\x15\r")
    expect("load ends", "touch /stop\r")
    control.command("type", text="poweroff\r")
    require(process.wait(args.limit) == 0, f"ivm ended with {process.returncode}")
    text = re.sub(rb"ticks \d+\n", b"", (work / "log").read_bytes().replace(b"\r", b""))  # they come between any two bytes of the flood
    flood = [int(n) for n in re.findall(rb"^(100\d{6})$", text, re.M)]
    require(flood == list(range(FLOOD_FIRST, FLOOD_FIRST + FLOOD_LINES)), f"{len(flood)} of {FLOOD_LINES} lines are in the transcript")


def main():
    return conclude(argument_parser().parse_args(), run, (Failure, ControlError, EOFError, TimeoutError))


if __name__ == "__main__":
    sys.exit(main())
