#!/usr/bin/env python3
"""Bad usage and bad input of the ivm command, as a user meets them."""
import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

ARGS = None


def ivm(*arguments, **kwargs):
    return subprocess.run([ARGS.ivm, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, **kwargs)


def wait_for(condition, seconds=60):
    """Polls; false when it never came true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(ARGS.work)
        self.work.mkdir(parents=True, exist_ok=True)

    def file(self, name, content=b""):
        path = self.work / name
        path.write_bytes(content)
        return path

    def refused(self, *arguments, says):
        result = ivm(*arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
        for word in says:
            self.assertIn(word, result.stderr)
        return result


class UsageTest(CommandTest):
    def test_no_command(self):
        self.assertEqual(ivm().returncode, 2)

    def test_unknown_option_is_named(self):
        self.refused("run", "--frobnicate", says=["--frobnicate"])

    def test_unknown_command_is_named(self):
        self.refused("frobnicate", says=["frobnicate", "--help"])

    def test_version_and_help_succeed(self):
        self.assertEqual(ivm("--version").returncode, 0)
        self.assertIn("--boot-timeout", ivm("run", "--help").stdout)

    def test_bad_resource_statement(self):
        self.refused("run", "-a", "disk:avio_stor:9,0,0:file:x", says=["bus '9'"])
        self.refused("run", "-a", "disk:ide::file:x", says=["'ide'", "avio_stor"])

    def test_missing_image_is_named(self):
        self.refused("run", "-a", f"disk:avio_stor::file:{self.work}/nowhere.img", says=["nowhere.img", "no such file"])

    def test_folder_as_image(self):
        self.refused("run", "-a", f"disk:avio_stor::file:{self.work}", says=[str(self.work)])

    def test_empty_image(self):
        self.refused("run", "-a", f"disk:avio_stor::file:{self.file('empty.img')}", says=["empty.img"])

    def test_image_of_odd_size_is_refused_and_unchanged(self):
        image = self.file("odd.img", b"x" * 1000)
        self.refused("run", "-a", f"disk:avio_stor::file:{image}", says=["odd.img"])
        self.assertEqual(image.read_bytes(), b"x" * 1000)

    def test_a_limit_on_file_sizes_is_an_error_and_no_death(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

        source = self.file("source.img", b"x" * (2 << 20))
        result = ivm("image", "convert", source, self.work / "copy.img", preexec_fn=limit)
        self.assertGreater(result.returncode, 0, result.stderr)
        self.assertIn("File too large", result.stderr)

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_unreadable_image(self):
        image = self.file("secret.img", b"\0" * 4096)
        image.chmod(0)
        self.refused("run", "-a", f"disk:avio_stor::file:{image}", says=["secret.img", "Permission"])

    def test_same_image_twice_is_refused(self):
        image = self.file("twice.img", b"\0" * (1 << 20))
        self.refused("run", "-a", f"disk:avio_stor::file:{image}", "-a", f"disk:avio_stor::file:{image}", says=["twice.img"])

    def test_same_disc_twice_is_refused(self):
        disc = self.file("twice.iso", b"\0" * (1 << 20))
        (self.work / "again.iso").unlink(missing_ok=True)
        (self.work / "again.iso").symlink_to(disc)
        first, second = f"dvd:scsi:0,2,0:file:{disc}", f"dvd:scsi:0,2,1:file:{self.work / 'again.iso'}"
        self.refused("run", "-a", first, "-a", second, says=[f"resource '{second}'", f"by resource '{first}'"])

    def said_at_start(self, *arguments):
        """Warnings of a guest that is ended in its boot manager."""
        result = ivm("run", "--console", "none", "--boot-timeout", "0", *arguments, "--until", "EFI Boot Manager")
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stderr

    def test_image_as_raw_bytes_is_said(self):
        image = self.work / "format.qcow2"
        image.unlink(missing_ok=True)
        self.assertEqual(ivm("image", "create", "--format", "qcow2", image, "1M").returncode, 0)
        self.assertIn(f"qcow2:{image} is the disk in it", self.said_at_start("-a", f"disk:scsi::file:{image}"))
        self.assertNotIn("raw bytes", self.said_at_start("-a", f"disk:scsi::qcow2:{image}"))

    def test_disc_that_everybody_may_write_is_said(self):
        disc = self.file("open.iso", b"\0" * (1 << 20))
        for mode in (0o666, 0o644):
            disc.chmod(mode)
            self.assertEqual(mode == 0o666, "not offered again" in self.said_at_start("-a", f"dvd:scsi::file:{disc}"))

    def test_image_of_another_ivm_is_refused(self):
        image = self.file("held.img", b"\0" * (1 << 20))
        log = self.work / "held.log"
        log.unlink(missing_ok=True)
        holder = subprocess.Popen([ARGS.ivm, "run", "--console", "none", "--timeout", "60", "--log", log,
                                   "-a", f"disk:avio_stor::file:{image}"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            self.assertTrue(wait_for(lambda: log.exists() and log.stat().st_size))
            self.refused("run", "-a", f"disk:avio_stor::file:{image}", says=["held.img", str(holder.pid)])
        finally:
            holder.terminate()
            holder.communicate()

    def test_bad_memory_sizes(self):
        for size in ("0", "12Q", "-1", "1X", "lots"):
            self.refused("run", "-m", size, says=["-m"])

    def test_unknown_machine(self):
        self.refused("run", "--machine", "rx9999", says=["rx9999", "hpvm-1"])

    def test_too_many_processors(self):
        self.refused("run", "-c", "99", says=["-c 99"])

    def test_kernel_of_another_machine(self):
        elf = b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little") + (62).to_bytes(2, "little") + bytes(44)
        self.refused("run", "--kernel", self.file("vmlinux.x86", elf), says=["vmlinux.x86", "x86-64", "IA-64"])

    def test_kernel_that_is_no_kernel(self):
        self.refused("run", "--kernel", self.file("text", b"hello"), says=["text", "ELF"])
        self.refused("run", "--kernel", self.file("broken.gz", b"\x1f\x8b\x08garbage-that-is-not-gzip"), says=["broken.gz", "gzip"])
        self.refused("run", "--initrd", "x", says=["--kernel"])

    def test_bad_script(self):
        self.refused("run", "--expect", "(", says=["--expect"])
        self.refused("run", "--expect", "x", "--send", "\\q", says=["--send"])

    def test_unknown_trace_channel(self):
        self.refused("run", "--trace", "nosuch", says=["nosuch", "unknown"])

    def test_bad_console(self):
        self.refused("run", "--console", "tcp:80", says=["tcp:80"])

    def test_log_in_missing_folder(self):
        self.refused("run", "--log", "/nonexistent/folder/log", says=["/nonexistent/folder/log"])

    def test_nvram_that_cannot_be_kept(self):
        self.refused("run", "--nvram", "/nonexistent/folder/nvram", says=["--nvram", "/nonexistent/folder/nvram"])
        self.refused("run", "--nvram", self.work, says=["--nvram", str(self.work)])

    def test_damaged_nvram_is_put_aside(self):
        nvram = self.file("damaged", b"not an NVRAM image")
        result = ivm("run", "--console", "none", "--nvram", nvram, "--timeout", "60", "--until", "select a boot option")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("damaged", result.stderr)
        self.assertEqual((self.work / "damaged.bad").read_bytes(), b"not an NVRAM image")

    def test_kernel_larger_than_memory(self):
        header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 50, 1, 0x10000000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
        segment = struct.pack("<IIQQQQQQ", 1, 7, 0x1000, 0x10000000, 0x10000000, 16, 16, 16)
        kernel = self.file("large", (header + segment).ljust(0x1010, b"\0"))
        result = ivm("run", "--console", "none", "-m", "64M", "--timeout", "60", "--kernel", kernel)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("0x10000000", result.stderr)

    def test_signal_gives_the_status_shells_expect(self):
        log = self.work / "signal.log"
        for number in (signal.SIGTERM, signal.SIGHUP):
            log.unlink(missing_ok=True)
            run = subprocess.Popen([ARGS.ivm, "run", "--console", "none", "--log", log, "--timeout", "60", "--expect", "never printed"],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            self.assertTrue(wait_for(lambda: log.exists() and log.stat().st_size))
            run.send_signal(number)
            self.assertIn("signal", run.communicate(timeout=60)[1])
            self.assertEqual(run.returncode, 128 + number)

    def test_closed_standard_output_ends_the_run(self):
        run = subprocess.Popen([ARGS.ivm, "run", "--timeout", "60"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        run.stdout.close()
        self.assertEqual(run.wait(timeout=90), 128 + signal.SIGPIPE, run.stderr.read())
        run.stderr.close()

    def test_timeout_has_its_own_status(self):
        result = ivm("run", "--console", "none", "--timeout", "2", "--expect", "never printed")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("never printed", result.stderr)

    def test_unbootable_disk_shows_what_firmware_shows(self):
        image = self.file("blank.img", b"\0" * (1 << 20))
        result = ivm("run", "--console", "none", "--timeout", "60", "--boot-timeout", "0", "--log", self.work / "blank.log",
                     "-a", f"disk:avio_stor::file:{image}", "--until", "EFI Boot Manager")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(image.read_bytes(), b"\0" * (1 << 20))


class ImportTest(CommandTest):
    """`ivm image import` tells what is on a disk and leaves it as it is."""

    def imported(self, path, spec=None):
        before, stamp = path.read_bytes(), path.stat().st_mtime_ns
        result = ivm("image", "import", spec or path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(path.stat().st_mtime_ns, stamp)
        return result.stdout

    @unittest.skipUnless(shutil.which("sgdisk") and shutil.which("mformat"), "no sgdisk or mtools")
    def test_gpt_disk(self):
        disk, loader = self.file("gpt.img", b"\0" * (24 << 20)), self.file("loader", b"x" * 4321)
        auto = self.file("AUTO", b"boot vmunix -lm\n")
        for command in (("sgdisk", "-n", "1:2048:+16M", "-t", "1:ef00", "-n", "2:0:0", "-t", "2:75894C1E-3AEB-11D3-B7C1-7B03A0000000", disk),
                        ("mformat", "-i", f"{disk}@@1M", "-T", "32768", "-v", "ESP", "::"), ("mmd", "-i", f"{disk}@@1M", "::/EFI", "::/EFI/HPUX"),
                        ("mcopy", "-i", f"{disk}@@1M", loader, "::/EFI/HPUX/HPUX.EFI"), ("mcopy", "-i", f"{disk}@@1M", auto, "::/EFI/HPUX/AUTO")):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for spec in (None, f"ro:file:{disk}"):
            text = self.imported(disk, spec)
            self.assertIn("size 25165824 bytes, GPT, 2 partitions", text)
            self.assertIn("partition 1: blocks 2048..34815, 16 MiB, EFI system", text)
            self.assertIn("file system 'ESP'", text)
            self.assertIn("loader \\EFI\\HPUX\\HPUX.EFI (4321 bytes)", text)
            self.assertRegex(text, r"boot text \\EFI\\HPUX\\AUTO:\n +boot vmunix -lm\n")
            self.assertRegex(text, r"partition 2: .*HP-UX data")

    def test_mbr_disk(self):
        entries = b"".join(struct.pack("<B3sB3sII", 0, bytes(3), kind, bytes(3), first, count) for kind, first, count in ((0xef, 63, 1000), (0x83, 2048, 2048)))
        text = self.imported(self.file("mbr.img", (bytes(446) + entries + bytes(32) + b"\x55\xaa").ljust(2 << 20, b"\0")))
        self.assertIn("MBR, 2 partitions", text)
        self.assertIn("partition 1: blocks 63..1062, 0 MiB, MBR type 0xef (EFI system)", text)
        self.assertIn("partition 2: blocks 2048..4095, 1 MiB, MBR type 0x83", text)

    def test_disk_without_partitions(self):
        self.assertIn("no partition table", self.imported(self.file("none.img", b"\0" * 4096)))

    def test_what_is_no_disk(self):
        self.refused("image", "import", self.work / "no-such-disk", says=["no-such-disk"])
        self.refused("image", "import", f"qcow2:{self.file('raw.img', bytes(4096))}", says=["not a qcow2 image"])


class ConsoleSocketTest(unittest.TestCase):
    def setUp(self):
        self.path = pathlib.Path(ARGS.work, "console")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.run_ = subprocess.Popen([ARGS.ivm, "run", "--console", f"unix:{self.path}", "--timeout", "100"], stdin=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, text=True)
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.run_.kill()
        self.run_.communicate()

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(60)
        self.clients.append(client)

        def attempt():
            try:
                client.connect(str(self.path))
            except OSError:
                return False
            return True
        self.assertTrue(wait_for(attempt))
        return client

    def read_until(self, client, text):
        seen = b""
        while text not in seen:
            part = client.recv(4096)
            self.assertTrue(part, f"closed after {seen!r}")
            seen += part

    def test_several_clients_share_it(self):
        first, second = self.connect(), self.connect()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        result = ivm("run", "--console", f"unix:{self.path}")  # looks whether somebody listens, and goes
        self.assertEqual(result.returncode, 2)
        first.send(b"\x1d?")
        for client in (first, second):
            self.read_until(client, b"send a serial break")
        second.close()
        first.send(b"\x1dr")
        self.read_until(first, b"select a boot option")
        first.send(b"\x1dq")
        self.assertIn("stopped from the console", self.run_.communicate(timeout=60)[1])
        self.assertEqual(self.run_.returncode, 0)
        self.assertFalse(self.path.exists())

    def test_a_file_that_is_no_socket_stays(self):
        file = pathlib.Path(ARGS.work, "plain")
        file.write_text("mine")
        result = ivm("run", "--console", f"unix:{file}")
        self.assertEqual((result.returncode, file.read_text()), (2, "mine"))


class ControlTest(unittest.TestCase):
    """ivm monitor and tools/ivmctl.py in front of a machine at its boot manager."""

    def setUp(self):
        self.work = pathlib.Path(ARGS.work, "control")
        self.work.mkdir(parents=True, exist_ok=True)
        for name in ("one.iso", "two.iso", "disk.img"):
            (self.work / name).write_bytes(bytes(1 << 20))
            (self.work / name).chmod(0o600)
        self.path = self.work / "socket"
        for name in ("socket", "console"):
            (self.work / name).unlink(missing_ok=True)
        self.run_ = subprocess.Popen([ARGS.ivm, "run", "--name", "web1", "--console", f"unix:{self.work}/console", "--control",
                                      f"unix:{self.path}", "--timeout", "100",
                                      "-a", f"dvd:avio_stor::file:{self.work}/one.iso", "-a", f"disk:avio_stor::file:{self.work}/disk.img"],
                                     stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.assertTrue(wait_for(lambda: self.path.exists() and (self.work / "console").exists()))

    def tearDown(self):
        self.run_.kill()
        self.run_.communicate()

    def monitor(self, *arguments, **kwargs):
        return ivm("monitor", self.path, *arguments, **kwargs)

    def test_commands_have_a_status_for_scripts(self):
        done = self.monitor("-c", "eject", "-c", "insert two.iso", "-c", "media")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"0,2,0 +file:\S+one.iso +closed +file:\S+two.iso")
        refused = self.monitor("-c", "insert two.iso", "-c", "quit")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("eject it first", refused.stderr)
        self.assertIsNone(self.run_.poll(), "what follows a refused command ran")

    def test_json_for_scripts(self):
        result = json.loads(self.monitor("--json", "-c", "status").stdout)
        self.assertEqual((result["name"], result["state"]), ("web1", "On (EFI)"))
        error = json.loads(self.monitor("--json", "-c", "nosuch").stdout)
        self.assertEqual(error["error"]["kind"], "not-found")

    def test_lines_of_standard_input(self):
        done = subprocess.run([ARGS.ivm, "monitor", self.path], input="pause\n\nstatus\ncontinue\n", capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Paused", done.stdout)

    def test_a_live_socket_is_refused_and_a_dead_one_is_named(self):
        result = ivm("run", "--console", "none", "--control", f"unix:{self.path}")
        self.assertEqual(result.returncode, 2)
        self.assertIn("another process listens there", result.stderr)
        self.assertEqual(self.monitor("-c", "status").returncode, 0)
        self.run_.kill()
        self.run_.wait()
        result = self.monitor("-c", "status")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (2, 1))
        self.assertIn("no guest listens", result.stderr)

    def test_the_python_client(self):
        client = pathlib.Path(__file__).resolve().parents[2] / "tools" / "ivmctl.py"

        def ivmctl(*words):
            return subprocess.run([sys.executable, client, f"unix:{self.path}", *words], capture_output=True, text=True, timeout=60)
        self.assertEqual(json.loads(ivmctl("storage", "0,2,1").stdout)["size_bytes"], 1 << 20)
        self.assertEqual(json.loads(ivmctl("resize", "0,2,1", "2M").stdout)["new_bytes"], 2 << 20)
        refused = ivmctl("detach", "0,2,1")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("at EFI", refused.stderr)
        watcher = subprocess.Popen([sys.executable, client, f"unix:{self.path}", "--events", "state"], stdout=subprocess.PIPE, text=True)
        self.assertEqual(json.loads(watcher.stdout.readline())["events"], ["state"])
        self.assertEqual(ivmctl("reset").returncode, 0)
        self.assertEqual(json.loads(watcher.stdout.readline())["data"]["cause"], "reset")
        self.assertEqual(ivmctl("quit").returncode, 0)
        self.assertEqual(json.loads(watcher.stdout.readline())["data"]["state"], "Off")
        self.assertEqual(watcher.wait(60), 0)
        watcher.stdout.close()
        self.assertEqual(self.run_.wait(60), 0)
        self.assertFalse(self.path.exists())

    def test_virtual_console_commands_at_the_console(self):
        console = socket.socket(socket.AF_UNIX)
        console.settimeout(60)
        self.addCleanup(console.close)
        console.connect(f"{self.work}/console")
        console.sendall(b"\x1dcEJ\r\x1dcIN two.iso\r\x1dcnosuch\r")
        seen = b""
        while b"no command 'nosuch'" not in seen or seen.count(b"medium") < 2:
            seen += console.recv(4096)
        self.assertIn(b"[web1] vMP> EJ\r\n", seen)
        self.assertIn(b"two.iso", seen)


class BareTest(unittest.TestCase):
    def test_errors_name_the_argument(self):
        for arguments in (["--poke", "1:3=4"], ["--set", "r0=1"], ["--set", "zz=1"], ["--entry", "0x11"], ["--load", "0=/nonexistent"],
                          ["--set", "r40=1", "--set", "cfm=0", "--set", "r33=1"]):
            result = ivm("bare", "--max-insns", "1", *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stderr))
            self.assertEqual(len(result.stderr.strip().splitlines()), 1)

    def test_a_program_that_only_faults_ends(self):
        result = ivm("bare", "--entry", "0x10000000", "--max-insns", "10")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('"stop":"interruption-loop"', result.stdout)

    def test_batch_answers_bad_lines_and_goes_on(self):
        batch = pathlib.Path(ARGS.work, "batch.jsonl")
        batch.parent.mkdir(parents=True, exist_ok=True)
        batch.write_text('nonsense\n{"id":1,"what":2}\n{"id":2,"max_insns":1,"entry":"0x1000",'
                         '"poke":["0x1000:8=0x100000000","0x1008:8=0x4000000000200"]}\n')
        lines = ivm("bare", "--batch", batch).stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn('"error"', lines[0])
        self.assertIn("what", lines[1])
        self.assertIn('"stop":"max-insns"', lines[2])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--ivm", required=True)
    parser.add_argument("--work", required=True)
    ARGS, rest = parser.parse_known_args()
    unittest.main(argv=["cli_test", *rest])
