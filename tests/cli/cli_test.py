#!/usr/bin/env python3
"""Bad usage and bad input of the ivm command, as a user meets them."""
import argparse
import fcntl
import os
import pathlib
import subprocess
import unittest

ARGS = None


def ivm(*arguments, **kwargs):
    return subprocess.run([ARGS.ivm, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, **kwargs)


class UsageTest(unittest.TestCase):
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

    def test_no_command(self):
        self.assertEqual(ivm().returncode, 2)

    def test_unknown_option_is_named(self):
        self.refused("run", "--frobnicate", says=["--frobnicate"])

    def test_version_and_help_succeed(self):
        self.assertEqual(ivm("--version").returncode, 0)
        self.assertIn("--boot-timeout", ivm("run", "--help").stdout)

    def test_bad_resource_statement(self):
        self.refused("run", "-a", "disk:avio_stor:9,0,0:file:x", says=["bus '9'"])
        self.refused("run", "-a", "disk:ide::file:x", says=["'ide'", "avio_stor"])

    def test_missing_image_is_named(self):
        self.refused("run", "-a", f"disk:avio_stor::file:{self.work}/nowhere.img", says=["nowhere.img", "No such file"])

    def test_folder_as_image(self):
        self.refused("run", "-a", f"disk:avio_stor::file:{self.work}", says=[str(self.work)])

    def test_empty_image(self):
        self.refused("run", "-a", f"disk:avio_stor::file:{self.file('empty.img')}", says=["empty.img"])

    def test_image_of_odd_size_is_refused_and_unchanged(self):
        image = self.file("odd.img", b"x" * 1000)
        self.refused("run", "-a", f"disk:avio_stor::file:{image}", says=["odd.img"])
        self.assertEqual(image.read_bytes(), b"x" * 1000)

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_unreadable_image(self):
        image = self.file("secret.img", b"\0" * 4096)
        image.chmod(0)
        self.refused("run", "-a", f"disk:avio_stor::file:{image}", says=["secret.img", "Permission"])

    def test_same_image_twice_is_refused(self):
        image = self.file("twice.img", b"\0" * (1 << 20))
        self.refused("run", "-a", f"disk:avio_stor::file:{image}", "-a", f"disk:avio_stor::file:{image}", says=["twice.img"])

    def test_image_of_another_ivm_is_refused(self):
        image = self.file("held.img", b"\0" * (1 << 20))
        holder = subprocess.Popen([ARGS.ivm, "run", "--console", "none", "--timeout", "60", "--log", str(self.work / "held.log"),
                                   "-a", f"disk:avio_stor::file:{image}"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            while holder.poll() is None and not (self.work / "held.log").exists() or not (self.work / "held.log").stat().st_size:
                pass
            self.refused("run", "-a", f"disk:avio_stor::file:{image}", says=["held.img"])
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


class BareTest(unittest.TestCase):
    def test_errors_name_the_argument(self):
        for arguments in (["--poke", "1:3=4"], ["--set", "r0=1"], ["--set", "zz=1"], ["--entry", "0x11"], ["--load", "0=/nonexistent"],
                          ["--set", "r40=1", "--set", "cfm=0", "--set", "r33=1"]):
            result = ivm("bare", "--max-insns", "1", *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stderr))
            self.assertEqual(len(result.stderr.strip().splitlines()), 1)

    def test_batch_answers_bad_lines_and_goes_on(self):
        batch = pathlib.Path(ARGS.work, "batch.jsonl")
        batch.parent.mkdir(parents=True, exist_ok=True)
        batch.write_text('nonsense\n{"id":1,"what":2}\n{"id":2,"max_insns":1}\n')
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
