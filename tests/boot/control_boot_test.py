#!/usr/bin/env python3
"""Changes the storage of a running Linux guest through the control socket and looks at what Linux makes of it.

  control_boot_test.py CASE --ivm PATH --guests DIR --work DIR [--engine interp|jit]

Exit status 0 passed, 1 failed, 77 skipped.
"""
import pathlib
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from boot_test import PROMPT, Failure, argument_parser, check_kernel_log, conclude, make_disk, plain, require  # noqa: E402
from ivmctl import Control, ControlError  # noqa: E402

# What Linux says, at the level of a warning, when a disk goes (its cache cannot be flushed any more) and when one grows.
EXPECTED = r"sd \d+:0:\d+:0: (\[sd[a-z]+\] Synchroniz(e|ing) (Cache\(10\) failed|SCSI cache)|Capacity data has changed)"


class Guest:
    """One ivm run with a console socket, driven like a person at the console, and its control connection."""

    def __init__(self, args, options, control=None):
        self.work, self.limit = pathlib.Path(args.work), args.limit
        control = control or f"unix:{self.work}/control"
        guests = f"{args.guests}/linux"
        self.errors = open(self.work / "stderr", "w+")
        self.process = subprocess.Popen(
            [args.ivm, "run", "--engine", args.engine, "--timeout", str(args.limit), "--log", str(self.work / "console.log"),
             "--console", f"unix:{self.work}/console", "--control", control,
             "--kernel", f"{guests}/vmlinuz", "--initrd", f"{guests}/initrd.gz", "--append", "console=ttyS0,115200 root=LABEL=root",
             "-a", f"disk:avio_stor:0,1,0:file:{make_disk(args)}", *options],
            stdin=subprocess.DEVNULL, stderr=self.errors)
        self.control = self._connect(lambda: Control(control))
        self.console = self._connect(self._open_console)
        self.seen = ""

    def _connect(self, attempt):
        end = time.monotonic() + 60
        while True:
            try:
                return attempt()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.errors.seek(0)
                    raise Failure(f"ivm does not listen: {self.errors.read()}")
                time.sleep(0.02)

    def _open_console(self):
        console = socket.socket(socket.AF_UNIX)
        console.connect(str(self.work / "console"))
        console.settimeout(self.limit)
        return console

    def expect(self, pattern):
        """Reads the console up to a match; returns what came before it."""
        while not (match := re.search(pattern, plain(self.seen), re.M)):
            part = self.console.recv(4096)
            require(part, "the console is gone", plain(self.seen))
            self.seen += part.decode(errors="replace")
        before, self.seen = plain(self.seen)[:match.start()], plain(self.seen)[match.end():]
        return before

    def shell(self, line):
        """Output of a command, without the echo of the command itself."""
        self.console.sendall(line.encode() + b"\r")
        return self.expect(PROMPT).partition("\n")[2]

    def wait(self, condition):
        """Lets the guest poll until a shell condition holds; it decides in its own time that it never will."""
        out = self.shell(f"i=0; until {condition}; do i=$((i+1)); [ $i = 200 ] && break; sleep 0.1; done; [ $i != 200 ]; echo wait=$?")
        require("wait=0" in out, f"never in the guest: {condition}", out + self.shell("dmesg | tail -20"))

    def refused(self, line, because, kind=None):
        try:
            self.control.line(line)
        except ControlError as error:
            require(because in str(error), f"'{line}' was refused because: {error}, not: {because}")
            require(kind in (None, error.kind), f"'{line}': error kind {error.kind}, not {kind}")
        else:
            raise Failure(f"'{line}' was not refused")

    def off(self):
        self.console.sendall(b"poweroff\r")
        require(self.process.wait(self.limit) == 0, f"ivm ended with {self.process.returncode}")

    def stop(self):
        self.process.kill()
        self.process.wait()


def image(args, name, mib, content=None):
    path = pathlib.Path(args.work) / name
    with open(path, "wb") as file:
        file.write(content or b"")
        file.truncate(mib << 20)
    path.chmod(0o600)
    return path


def debug(args):
    """Breakpoints, steps, symbols, the fault log and branches of a Linux guest; afterwards it goes on as if nothing had been."""
    guest = Guest(args, ["--symbols", f"{args.guests}/linux/System.map.gz"])
    try:
        guest.expect(PROMPT)
        control = guest.control
        control.command("events", kinds="state")
        where = control.line("symbol hrtimer_nanosleep")["address"]
        require(control.line(f"symbol {where}")["symbol"] == "hrtimer_nanosleep", "the symbol is not found by its address")
        number = str(control.line("break hrtimer_nanosleep")["number"])
        guest.console.sendall(b"sleep 0.2; echo slept=$?\r")
        event = control.next_event("state")
        require(event["data"] == {"state": "Paused", "cause": f"breakpoint {number} at hrtimer_nanosleep"}, f"event {event}")
        require(control.command("registers")["ip"] == where, "not at the breakpoint")
        frames = [row["symbol"] for row in control.command("backtrace")["frames"]]
        require(frames[0] == "hrtimer_nanosleep" and any(re.search(r"sys_(clock_)?nanosleep|nsleep", f) for f in frames[1:]), f"callers {frames}")
        code = control.command("disassemble", count="2")["code"]
        require(code[0]["next"] == "=>" and code[0]["symbol"] == "hrtimer_nanosleep", f"code {code}")
        stepped = control.command("step", count="3")
        require(stepped["steps"] == 3 and stepped["symbol"].startswith("hrtimer_nanosleep"), f"step {stepped}")
        sides = control.command("translate", address="linux_banner")["sides"]
        require(sides[0]["by"] == "TLB" and sides[0]["physical"].startswith("0x"), f"translate {sides}")
        banner = control.command("memory", address="linux_banner", length="16")["memory"][0]["text"]
        physical = control.line(f"memory {sides[0]['physical']} 16 phys")["memory"][0]["text"]
        require(banner == physical == "Linux version 6.", f"memory {banner} {physical}")
        require(any(row["kind"] == "itr" for row in control.command("tlb", kind="tr")["translations"]), "no translation registers")
        require("region 5" in control.command("vhpt", address=where)["lines"][0], "no walk")
        latest = control.command("faults")["latest"]
        require(len(latest) == 10 and all(" fault at 0x" in row["interruption"] and "; ISR 0x" in row["interruption"] for row in latest), f"faults {latest}")
        guest.refused("break 0x1003", "slots 0 to 2", "invalid")
        guest.refused("disassemble no_such_name", "no number, symbol or register", "not-found")
        guest.refused("branches", "not recorded")
        control.line("branches on")
        control.command("continue")
        guest.expect(r"slept=0")
        guest.expect(PROMPT)
        guest.console.sendall(b"sleep 0.2; echo again=$?\r")
        while "breakpoint" not in (event := control.next_event("state"))["data"].get("cause", ""):
            pass
        branches = control.command("branches")["latest"]
        require(len(branches) == 32 and any(row["at"].startswith("hrtimer_nanosleep") for row in branches), f"branches {branches}")
        control.line("branches off")
        control.line("delete all")
        # A tick that finds the guest idle: the unwind table leads through the interruption to where every processor's idle loop begins.
        control.line("break update_process_times")
        callers = []
        for _ in range(200):
            control.command("continue")
            while "breakpoint" not in control.next_event("state")["data"].get("cause", ""):
                pass
            callers = control.command("backtrace")
            if any(row["symbol"].startswith("do_idle") for row in callers["frames"]):
                break
        names = [row["symbol"].split("+")[0] for row in callers["frames"]]
        interrupted = [n for n, row in enumerate(callers["frames"]) if row["how"] == "interrupted"]
        require(len(interrupted) == 1 and names[interrupted[0] - 1] == "ia64_leave_kernel", f"interrupted {interrupted}: {callers}")
        require("do_idle" in names[interrupted[0]:] and "start_kernel" in names[names.index("do_idle"):], f"callers {names}: {callers}")
        require(callers["note"] == "the outermost function", f"it ends with: {callers['note']}")
        control.line("delete all")
        control.line("watchpoint jiffies 8 write")
        control.command("continue")
        while "watchpoint" not in (event := control.next_event("state"))["data"].get("cause", ""):
            pass
        control.line("delete all")
        control.command("continue")
        guest.refused("step", "pause it first", "busy")
        guest.expect(r"again=0")
        guest.expect(PROMPT)
        require("42" in guest.shell("echo $((40+2))"), "the guest did not go on")
        check_kernel_log(guest.shell("dmesg -r"))
        guest.off()
    finally:
        guest.stop()


def vio_plug(args):
    """A VIO disk comes and goes on an adapter that is there, found by a scan; it grows; a disk with I/O in flight stays."""
    first, second = image(args, "a.img", 8), image(args, "b.img", 8)
    guest = Guest(args, ["-a", f"disk:scsi:0,3,0:file:{first}"])
    try:
        guest.expect(PROMPT)
        guest.shell("dmesg -n 1; H=$(ls -d /sys/bus/pci/devices/0000:00:03.0/host*); H=${H##*/}; S=/sys/class/scsi_host/$H; D=/sys/bus/scsi/devices/${H#host}:0:5:0")
        control = guest.control
        require("scans" in control.command("attach", resource=f"disk:scsi:0,3,5:file:{second}")["note"], "no word about the scan")
        guest.shell("echo '- - -' > $S/scan")
        guest.wait("[ -e $D/block ]")
        out = guest.shell("B=$(ls $D/block); echo kept > /k; dd if=/k of=/dev/$B bs=512 conv=sync oflag=direct; sg_inq /dev/$B")
        require("IVM000305" in out, "the disk has no serial number of its own", out)
        control.command("resize", address="0,3,5", size="16M")
        guest.shell("echo 1 > $D/rescan")
        guest.wait("[ $(cat /sys/block/$B/size) = 32768 ]")
        guest.shell("echo 1 > $D/delete")
        guest.wait("[ ! -e $D ]")
        control.command("detach", address="0,3,5")
        guest.shell("echo '- - -' > $S/scan; sleep 1")
        require("gone" in guest.shell("[ -e $D ] || echo gone"), "Linux still finds the disk that was taken away")
        require(second.read_bytes()[:4] == b"kept", "the guest's write is not in the image")

        # every request takes three seconds: one is in flight when the disk is to go
        control.command("attach", resource=f"disk:scsi:0,3,5:delay:3000:file:{second}")
        guest.shell("echo '- - -' > $S/scan")
        guest.wait("[ -e $D/block ]")
        guest.shell("B=$(ls $D/block); until dd if=/dev/$B of=/dev/null bs=512 count=1 iflag=direct 2>/dev/null; do sleep 1; done")
        guest.shell("(dd if=/dev/$B of=/dev/null bs=512 count=1 iflag=direct; touch /done) &")
        while control.command("storage", address="0,3,5")["in_flight"] == 0:
            pass
        guest.refused("detach 0,3,5", "in flight", "busy")
        guest.wait("[ -e /done ]")
        check_kernel_log(re.sub(rf"^<\d+>.*{EXPECTED}.*\n", "", guest.shell("dmesg -r"), flags=re.M))
        guest.off()
    finally:
        guest.stop()


def tcp(args):
    """The control socket on TCP: loopback only, a web page that posts to it is a stranger."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for where in (f"0.0.0.0:{port}", "127.0.0.1:0x10", "127.0.0.1:70000"):
        run = subprocess.run([args.ivm, "run", "--control", f"tcp:{where}"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        require(run.returncode == 2 and where in run.stderr, f"tcp:{where} was taken, or not named: {run.stderr}")
    guest = Guest(args, [], f"tcp:127.0.0.1:{port}")
    try:
        browser = socket.create_connection(("127.0.0.1", port), timeout=60)
        browser.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" + b'{"command":"quit"}\n')
        said = browser.makefile().read()
        require("ivm" in said and "result" not in said, f"a browser was answered: {said}")
        guest.expect(PROMPT)
        require(guest.control.command("status")["state"] == "On (OS)", "the client beside the browser is not answered")
        guest.control.command("quit")
        require(guest.process.wait(60) == 0, f"ivm ended with {guest.process.returncode}")
    finally:
        guest.stop()


CASES = {f.__name__: f for f in (debug, tcp, vio_plug)}


def main():
    args = argument_parser(CASES, limit_s=400).parse_args()
    return conclude(args, CASES[args.case], (Failure, ControlError))


if __name__ == "__main__":
    sys.exit(main())
