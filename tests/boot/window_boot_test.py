#!/usr/bin/env python3
"""Sits in front of `ivm run --console window` on a display of its own (Xvfb): real keys, the window's own screenshots.

  window_boot_test.py CASE --ivm PATH --guests DIR --work DIR [--shots DIR] [--engine interp|jit]

With --shots the pictures stay there. Exit status 0 passed, 1 failed, 77 skipped.
"""
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from boot_test import Failure, Skipped, argument_parser, conclude, make_demo_disk, require  # noqa: E402
from ivmctl import Control, ControlError  # noqa: E402

PROMPT = "ivm-guest# "
CELL_ROWS, CELL_COLUMNS = 26, 80  # a terminal of 80x25 and the status bar


class Picture:
    """A PNG file of 8 bits for each of red, green and blue."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        require(data[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is no PNG file")
        at, pixels = 8, b""
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at:at + 8])
            body = data[at + 8:at + 8 + length]
            require(zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0], "bad checksum in the PNG file")
            if kind == b"IHDR":
                self.width, self.height, depth, colour = struct.unpack(">IIBB", body[:10])
                require((depth, colour) == (8, 2), f"the PNG file has depth {depth} and colour type {colour}")
            if kind == b"IDAT":
                pixels += body
            at += 12 + length
        self.rows = self._rows(zlib.decompress(pixels))

    def _rows(self, data):
        """Undoes the filters. @source PNG specification, 9.2"""
        stride, before, rows = 3 * self.width, bytes(3 * self.width), []
        for y in range(self.height):
            kind, line = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
            if kind == 2:
                line = bytearray((a + b) & 255 for a, b in zip(line, before))
            elif kind:
                for x in range(stride):
                    left, up, corner = (line[x - 3] if x >= 3 else 0), before[x], (before[x - 3] if x >= 3 else 0)
                    if kind == 1:
                        guess = left
                    elif kind == 3:
                        guess = (left + up) // 2
                    else:
                        guess = min((left, up, corner), key=lambda v: (abs(left + up - corner - v), (left, up, corner).index(v)))
                    line[x] = (line[x] + guess) & 255
            rows.append(bytes(line))
            before = line
        return rows

    def colours(self):
        """Pixels of each colour."""
        out = {}
        for row in self.rows:
            for x in range(0, len(row), 3):
                out[row[x:x + 3]] = out.get(row[x:x + 3], 0) + 1
        return out


class Display:
    """An X server without a screen."""

    def __init__(self):
        for program in ("Xvfb", "xdotool"):
            if not shutil.which(program):
                raise Skipped(f"{program} is not installed")
        reader, writer = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"], pass_fds=[writer],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            number = pipe.readline().strip()
        require(number, "Xvfb does not start")
        self.environment = {**os.environ, "DISPLAY": f":{number}"}
        self.environment.pop("WAYLAND_DISPLAY", None)
        self.environment.pop("SDL_VIDEODRIVER", None)

    def run(self, *command, text=None):
        done = subprocess.run(command, env=self.environment, input=text, stdout=subprocess.PIPE, text=True, check=False)
        require(done.returncode == 0, f"{' '.join(command)} failed")
        return done.stdout

    def stop(self):
        self.server.terminate()
        self.server.wait()


class Guest:
    """One ivm run in a window. `--paused` lets the first watch see everything."""

    def __init__(self, args, display, options):
        self.work, self.limit, self.display = pathlib.Path(args.work), args.limit, display
        self.shots = pathlib.Path(args.shots or args.work)
        self.errors = open(self.work / "stderr", "w+")
        self.process = subprocess.Popen(
            [args.ivm, "run", "--engine", args.engine, "--timeout", str(args.limit), "--name", "web1", "--console", "window", "--log",
             str(self.work / "console.log"), "--control", f"unix:{self.work}/control", "--paused", *options],
            stdin=subprocess.DEVNULL, stderr=self.errors, env=display.environment)
        end = time.monotonic() + 60
        while True:
            try:
                self.control = Control(f"unix:{self.work}/control", timeout=args.limit)
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.errors.seek(0)
                    said = self.errors.read()
                    if "was built without" in said:
                        raise Skipped(said.strip()) from None
                    raise Failure(f"ivm does not listen: {said}") from None
                time.sleep(0.02)
        self.window = self.take_focus(display)

    def take_focus(self, display):
        """X answers with an error while windows come and go, and until the window is ready for the focus: until it is."""
        end = time.monotonic() + 60
        while True:
            try:
                window = display.run("xdotool", "search", "--sync", "--onlyvisible", "--name", "^web1 - ivm$").split()[0]
                display.run("xdotool", "windowfocus", "--sync", window)
                return window
            except Failure:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def expect(self, pattern, action):
        """Does something and waits until the guest prints what matches."""
        self.control.command("watch", prompt=pattern, once=True)
        action()
        self.control.next_event("match")

    def keys(self, *names):
        self.display.run("xdotool", "key", "--delay", "30", *names)

    def type(self, text):
        self.display.run("xdotool", "type", "--delay", "5", text)

    def shell(self, line, prompt=PROMPT):
        self.expect(prompt, lambda: (self.type(line), self.keys("Return")))

    def shot(self, name):
        path = self.shots / f"{name}.png"
        answer = self.control.command("screenshot", file=str(path))
        picture = Picture(path)
        require((picture.width, picture.height) == (answer["width"], answer["height"]), f"{path} is {picture.width}x{picture.height}, not {answer}")
        require(picture.width % answer["columns"] == 0 and picture.height % answer["rows"] == 0, f"{path} is not made of cells: {answer}")
        colours = picture.colours()
        background = max(colours.values())
        require(len(colours) > 10 and background < 0.99 * picture.width * picture.height, f"{path} is blank: {len(colours)} colours")
        return picture

    def steady(self, *others):
        """What the window shows, but for the status bar, once that is none of the others and stays the same for two pictures.
        What changes it is under way in other processes, so this looks again and again."""
        path, before, end = self.shots / "steady.png", None, time.monotonic() + 60
        while True:
            self.control.command("screenshot", file=str(path))
            picture = Picture(path)
            rows = picture.rows[:-(picture.height // CELL_ROWS)]
            if rows == before and all(rows != o.rows[:-(o.height // CELL_ROWS)] for o in others):
                path.unlink()
                return picture
            require(time.monotonic() < end, "the window does not change")
            before = rows

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.errors.close()


def direct_linux(args, display, *options):
    kernel = f"{args.guests}/linux"
    return Guest(args, display, ["--kernel", f"{kernel}/vmlinuz", "--initrd", f"{kernel}/initrd.gz", "--append", "console=ttyS0,115200", *options])


def need_xclip():
    if not shutil.which("xclip"):
        raise Skipped("xclip is not installed")


def disk(args, grub_timeout_s):
    image = pathlib.Path(args.work) / "disk.img"
    subprocess.run(["bash", f"{args.guests}/mkdisk.sh", str(image), "-t", str(grub_timeout_s)], check=True, stdout=subprocess.DEVNULL)
    return image


def demo(args, display):
    """The demonstration disk in a window: keys reach it, screenshots show it, menu and zoom work, power-off ends it with 0."""
    guest = Guest(args, display, ["--boot-timeout", "0", "-a", f"disk:avio_stor::file:{make_demo_disk(args)}"])
    try:
        guest.expect("DEMO READY", lambda: guest.control.command("continue"))
        plain = guest.shot("demo")
        require((plain.width % CELL_COLUMNS, plain.height % CELL_ROWS) == (0, 0), f"{plain.width}x{plain.height} is no 80x26 cells")
        again = guest.shot("demo-again")
        bar = plain.height // CELL_ROWS
        require(again.rows[:-bar] == plain.rows[:-bar], "two pictures of a guest that does nothing differ")
        guest.keys("ctrl+bracketright")
        guest.control.command("status")
        require(guest.shot("menu").rows[:-bar] != plain.rows[:-bar], "Ctrl-] opens no menu")
        guest.keys("Escape")
        require(guest.shot("demo-behind-menu").rows[:-bar] == plain.rows[:-bar], "the menu left something behind")
        guest.keys("ctrl+equal")
        larger = guest.shot("demo-larger")
        require(larger.width > plain.width and larger.width % CELL_COLUMNS == 0, f"Ctrl-+ makes {plain.width} pixels {larger.width}")
        guest.expect("DEMO READY", lambda: guest.keys("r"))
        guest.keys("p")
        require(guest.process.wait(guest.limit) == 0, f"ivm ended with {guest.process.returncode}")
    finally:
        guest.stop()


def linux(args, display):
    """Boot menu, GRUB, a coloured listing, vi, top and the debugger view, as a user sees them."""
    guest = Guest(args, display, ["--boot-timeout", "3", "--nvram", f"{args.work}/nvram", "-a", f"disk:avio_stor::file:{disk(args, 20)}"])
    try:
        guest.expect("booted in", lambda: guest.control.command("continue"))
        guest.expect("GNU GRUB", lambda: guest.shot("efi-boot-menu"))
        guest.keys("Down", "Up")  # stops the countdown
        guest.expect("initrd only", lambda: guest.keys("Down"))
        guest.shot("grub")
        guest.keys("Up")
        guest.expect(PROMPT, lambda: guest.keys("Return"))
        guest.shell("clear; ls --color=always -la /")
        guest.shot("linux-ls")
        guest.shell("cat /proc/cpuinfo > /tmp/c; clear")
        guest.expect("itc MHz", lambda: (guest.type("vi /tmp/c"), guest.keys("Return")))
        guest.keys("Down", "Down", "End")
        guest.shot("linux-vi")
        guest.shell(":q!")
        guest.expect("COMMAND", lambda: (guest.type("top"), guest.keys("Return")))
        guest.shot("linux-top")
        guest.expect(PROMPT, lambda: guest.keys("q"))
        guest.keys("ctrl+shift+p", "ctrl+shift+d")
        require(guest.control.command("status")["state"] == "Paused", "Ctrl-Shift-P does not pause")
        guest.keys("s", "s", "s")
        guest.shot("debugger")
        for page, name in (("2", "system"), ("4", "tlb"), ("5", "faults"), ("3", "memory")):
            guest.keys(page)
            if page == "3":
                guest.type("r12")
                guest.keys("Return")
            guest.control.command("registers")  # goes the way of the view's own questions, behind them
            guest.shot(f"debugger-{name}")
        guest.keys("Escape")
        guest.control.command("continue")
        guest.type("poweroff")
        guest.keys("Return")
        require(guest.process.wait(guest.limit) == 0, f"ivm ended with {guest.process.returncode}")
    finally:
        guest.stop()


def paste(args, display):
    """A megabyte pasted with Ctrl-Shift-V arrives in a file of the guest, every byte of it."""
    need_xclip()
    guest = direct_linux(args, display)
    text = "".join(hashlib.sha256(str(n).encode()).hexdigest() + f" {n} äöü€\n" for n in range((1 << 20) // 76))
    owner = None
    try:
        guest.expect(PROMPT, lambda: guest.control.command("continue"))
        owner = subprocess.Popen(["xclip", "-quiet", "-selection", "clipboard"], env=display.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        owner.stdin.write(text.encode())
        owner.stdin.close()
        guest.shell("stty -echo")
        guest.control.command("watch", prompt="got [0-9a-f]{64}", once=True)
        guest.type(f"head -c {len(text.encode())} > /pasted; echo got $(sha256sum < /pasted)")
        guest.keys("Return", "ctrl+shift+v")
        event = guest.control.next_event("match")
        wanted = hashlib.sha256(text.encode()).hexdigest()
        require(wanted in event["data"]["groups"][0], f"the guest has {event['data']['groups'][0]}, not {wanted}")
        guest.control.command("power-off", force=True)
        guest.process.wait(guest.limit)
    finally:
        guest.stop()
        if owner:
            owner.kill()
            owner.wait()


def make_disc(folder, name):
    content = folder / f"{name}.d"
    content.mkdir()
    (content / "name.txt").write_text(f"this is disc {name}\n")
    subprocess.run(["genisoimage", "-quiet", "-r", "-V", name, "-o", str(folder / f"{name}.iso"), str(content)], check=True, stderr=subprocess.DEVNULL)
    (folder / f"{name}.iso").chmod(0o600)


def media(args, display):
    """Discs are changed from the window's menu while Linux runs; one that is mounted stays, and its guest is asked for it."""
    if not shutil.which("genisoimage"):
        raise Skipped("genisoimage is not installed")
    discs = pathlib.Path(args.work) / "discs"
    discs.mkdir()
    for name in ("ONE", "TWO"):
        make_disc(discs, name)
    guest = direct_linux(args, display, "-a", f"dvd:avio_stor:0,2,1:file:{discs}/ONE.iso")
    try:
        guest.expect(PROMPT, lambda: guest.control.command("continue"))
        guest.control.command("events", kinds="media")
        guest.shell("clear; dmesg -n 1; mkdir -p /d")
        read = "mount -t iso9660 -o ro /dev/sr0 /d && cat /d/name.txt"
        guest.expect("this is disc ONE", lambda: (guest.type(read), guest.keys("Return")))

        def choose(letter, keep=None):
            terminal = guest.steady()
            guest.keys("ctrl+bracketright")
            menu = guest.steady(terminal)
            guest.keys("m")
            guest.steady(terminal, menu)
            if keep:
                guest.shot(keep)
            guest.keys(letter)
            guest.steady(menu)

        choose("a", "media-menu")  # eject: the mounted disc stays
        drive = guest.control.command("media")["drives"][0]
        require(drive["medium"].endswith("ONE.iso"), f"a mounted disc was taken: {drive}")
        guest.shot("media-locked")  # what the administrator is to do is longer than the status bar: a box
        guest.keys("Escape")
        guest.shell("cat /d/name.txt && umount /d")
        choose("a")
        event = guest.control.next_event("media")["data"]
        while event["action"] != "eject":  # the guest may have opened the tray, asked before
            event = guest.control.next_event("media")["data"]
        guest.expect("No medium|no medium|No such", lambda: (guest.type("mount -t iso9660 -o ro /dev/sr0 /d"), guest.keys("Return")))
        choose("c")  # a: eject, b: ONE, c: TWO
        require(guest.control.next_event("media")["data"]["action"] == "insert", "no insert")
        guest.expect("this is disc TWO", lambda: (guest.type(f"clear; {read}"), guest.keys("Return")))
        guest.control.command("power-off", force=True)
        require(guest.process.wait(guest.limit) == 0, f"ivm ended with {guest.process.returncode}")
    finally:
        guest.stop()


def mouse(args, display):
    """Dragging selects and the middle button types it; a guest that takes the mouse is told where it is pressed, and gets wheel and keys."""
    need_xclip()
    guest = direct_linux(args, display)
    try:
        guest.expect(PROMPT, lambda: guest.control.command("continue"))
        guest.expect("<END>", lambda: (guest.type("clear; printf '\\033[5;11Hfirst word\\033[6;1H<%s>\\n' END"), guest.keys("Return")))
        picture = guest.steady()
        cell = (picture.width // CELL_COLUMNS, picture.height // CELL_ROWS)

        def to(row, column):
            display.run("xdotool", "mousemove", "--window", guest.window, str((column - 1) * cell[0] + cell[0] // 2), str((row - 1) * cell[1] + cell[1] // 2))

        def selected(which):
            return subprocess.run(["xclip", "-o", "-selection", which], env=display.environment, stdout=subprocess.PIPE, text=True, timeout=60, check=False).stdout

        to(5, 11)
        display.run("xdotool", "mousedown", "1")
        to(5, 15)
        display.run("xdotool", "mouseup", "1")
        guest.steady(picture)
        require(selected("primary") == "first", f"dragged over 'first', selected {selected('primary')!r}")
        to(5, 18)
        display.run("xdotool", "click", "--repeat", "2", "--delay", "50", "1")
        guest.keys("ctrl+shift+c")
        guest.steady(picture)
        require(selected("clipboard") == "word", f"two clicks on 'word' and copy give {selected('clipboard')!r}")
        guest.expect("word: not found|word: command not found", lambda: (display.run("xdotool", "click", "2"), guest.keys("Return")))
        # Ten bytes are a press at column 21, row 7 (SGR form), ten its release; wheel and shift-drag stay the window's.
        guest.expect("READY", lambda: (guest.type("clear; stty raw -echo; printf '\\033[?1000h\\033[?1006hREAD%s' Y; head -c 20 > /m; "
                                                  "printf '\\033[?1006l\\033[?1000l'; stty sane; tr '\\033' E < /m; echo"), guest.keys("Return")))
        guest.steady()
        to(7, 21)
        guest.expect(r"E\[<0;21;7ME\[<0;21;7m", lambda: display.run("xdotool", "click", "1"))
        guest.control.command("power-off", force=True)
        require(guest.process.wait(guest.limit) == 0, f"ivm ended with {guest.process.returncode}")
    finally:
        guest.stop()


CASES = {f.__name__: f for f in (demo, linux, media, mouse, paste)}
NEEDS_LINUX = {"linux", "media", "mouse", "paste"}


def main():
    parser = argument_parser(CASES, limit_s=300)
    parser.add_argument("--source", default=str(pathlib.Path(__file__).resolve().parents[2]))
    parser.add_argument("--shots", help="keep the pictures in this folder")
    args = parser.parse_args()
    if args.shots:
        pathlib.Path(args.shots).mkdir(parents=True, exist_ok=True)

    def case(args):
        display = Display()
        try:
            CASES[args.case](args, display)
        finally:
            display.stop()

    return conclude(args, case, (Failure, ControlError, EOFError), needs_guests=args.case in NEEDS_LINUX)


if __name__ == "__main__":
    sys.exit(main())
