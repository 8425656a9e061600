#!/usr/bin/env python3
"""ivm test against guests that hang, flood, die and never start, bad files, and its own end by signals; nothing is left behind.

  hostile_test.py --ivm PATH --work DIR
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

ARGS = None

KILL = """import os, pathlib, signal, sys
for process in pathlib.Path("/proc").iterdir():
    if process.name.isdigit():
        try:
            words = (process / "cmdline").read_bytes().split(b"\\0")
        except OSError:
            continue
        if sys.argv[1].encode() in words and b"run" in words:
            os.kill(int(process.name), getattr(signal, sys.argv[2]))
"""


class HostileTest(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(ARGS.work)
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="ivm-"))  # short: sockets live there
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)
        (self.work / "kill.py").write_text(KILL)
        self.environment = {**os.environ, "TMPDIR": str(self.tmp)}

    def file(self, name, steps, header=""):
        path = self.work / name
        path.write_text(f"+++\n{header}\n+++\n{steps}\n")
        return path

    def start(self, *arguments):
        return subprocess.Popen([ARGS.ivm, "test", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=self.environment)

    def run_test(self, *arguments, status):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, status, out + err)
        self.assert_nothing_left()
        return out + err

    def guests(self):
        found = []
        for process in pathlib.Path("/proc").iterdir():
            try:
                if process.name.isdigit() and str(self.tmp).encode() in (process / "cmdline").read_bytes():
                    found.append(process.name)
            except OSError:
                pass
        return found

    def assert_nothing_left(self):
        self.assertEqual(self.guests(), [])
        self.assertEqual(list(self.tmp.iterdir()), [])

    def wait_for(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_a_guest_that_never_answers(self):
        out = self.run_test(self.file("never.test", 'start\nexpect "boot option"\nexpect "never printed" within 2s'), status=1)
        for part in ("never.test:6: nothing matched \"never printed\" within 2 s of the guest's time", "step: expect", "console of 'guest'", "On (EFI)", "  ip ",
                     "again: ivm test "):
            self.assertIn(part, out)

    def test_a_guest_that_floods(self):
        out = self.run_test(self.file("flood.test", 'start\nexpect "never printed"', 'max_output = "512"'), status=1)
        self.assertIn("printed more than max_output, 512 bytes", out)

    def test_a_guest_that_dies(self):
        out = self.run_test(self.file("dies.test", 'start\nexpect "boot option"\nhost python3 ${dir}/kill.py ${guest.log} SIGKILL\nexpect "never"'), status=1)
        self.assertRegex(out, "ended with status 137")

    def test_another_guest_that_dies_ends_the_wait(self):
        header = "[guests.a]\n[guests.b]"
        out = self.run_test(self.file("other.test", 'guest b\nstart\nguest a\nstart\nexpect "boot option"\nhost python3 ${dir}/kill.py ${b.log} SIGKILL\nexpect "never"',
                                      header), status=1)
        self.assertIn("guest 'b' ended with status 137", out)

    def test_a_guest_whose_process_stands_still(self):
        out = self.run_test(self.file("still.test", 'start\nexpect "boot option"\nhost python3 ${dir}/kill.py ${guest.log} SIGSTOP\ncontrol "status"',
                                      'host_timeout = "8s"'), status=1)
        self.assertIn("host_timeout of 8 s", out)
        self.assertIn("does not answer", out)

    def test_images_that_cannot_be_read(self):
        out = self.run_test(self.file("image.test", "start", '[images.root]\ncopy = "/nonexistent/image"'), status=1)
        self.assertIn("image 'root': /nonexistent/image: No such file", out)
        out = self.run_test(self.file("image.test", "start", '[guest]\nstorage = ["disk:avio_stor::file:/nonexistent/image"]'), status=1)
        self.assertIn("ended with status 2", out)
        self.assertIn("/nonexistent/image", out)
        out = self.run_test(self.file("image.test", "start", '[images.root]\nmake = ["sh", "-c", "echo broken; exit 3"]'), status=1)
        self.assertIn("sh ended with status 3: broken", out)

    def test_what_must_not_be_printed(self):
        out = self.run_test(self.file("forbidden.test", 'start\nexpect-not "Boot Manager"\nexpect "never printed"'), status=1)
        self.assertIn("printed what line 5 forbids", out)
        self.run_test(self.file("allowed.test", 'start\nexpect-not "never printed" until "Please select"\nexpect "boot option"'), status=0)

    def test_needs_skip_with_the_reason(self):
        out = self.run_test(self.file("needs.test", "start", 'needs = ["/nonexistent/file", "sh"]'), status=0)
        self.assertIn("no file /nonexistent/file", out)
        out = self.run_test("--tap", self.file("needs.test", "start", 'needs = ["no-such-program"]'), status=0)
        self.assertRegex(out, r"(?m)^ok 1 - .*needs.test # SKIP no program 'no-such-program'$")

    def test_bad_files_are_told_all_at_once(self):
        bad = [self.file("one.test", "strat\nexpect /(/"), self.file("two.test", "expect", "taks = 1")]
        out = self.run_test(*bad, self.work / "none.test", status=2)
        for part in ("one.test:4: no verb 'strat'", "    strat\n    ^", "one.test:5: missing )", "two.test:2: unknown key 'taks'", "two.test:4: a pattern", "none.test: No such file"):
            self.assertIn(part, out)
        self.run_test("--check", self.file("good.test", "start"), status=0)
        self.run_test(status=2)
        self.run_test("--filter", "(", bad[0], status=2)
        self.run_test("--tag", "nothing", self.file("good.test", "start"), status=2)

    def test_tap_and_junit_and_logs(self):
        good = self.file("good.test", 'start\nexpect "boot option"\nscreenshot-text screen')
        bad = self.file("bad.test", 'start\nexpect "never <&> printed" within 1s')
        out = self.run_test("--tap", "-j", 4, "--repeat", 2, "--junit", self.work / "junit.xml", "--log-dir", self.work / "logs", good, bad, status=1)
        results = re.findall(r"(?m)^(not ok|ok) (\d) - (\S+) \((\d)\)$", out)
        self.assertEqual([(r[0], r[1], r[3]) for r in results], [("ok", "1", "1"), ("not ok", "2", "1"), ("ok", "3", "2"), ("not ok", "4", "2")])
        self.assertIn("1..4", out)
        suite = xml.etree.ElementTree.parse(self.work / "junit.xml").getroot()[0]
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("4", "2"))
        self.assertIn("never <&> printed", suite.findall("testcase")[1].find("failure").get("message"))
        self.assertIn("boot option", (self.work / "logs" / "good-1" / "screen").read_text())
        self.assertTrue((self.work / "logs" / "bad-2" / "guest.log").exists())
        self.assertIn("never <&> printed", (self.work / "logs" / "bad-2" / "failure").read_text())

    def test_signals_end_all_guests(self):
        test = self.file("long.test", 'start\nexpect "never printed"')
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start("-j", 2, "--repeat", 3, test)
            self.wait_for(lambda: len(self.guests()) == 2)
            process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number)
            self.assert_nothing_left()

    def test_nothing_survives_the_worst_end(self):
        process = self.start(self.file("long.test", 'start\nexpect "never printed"'))
        self.wait_for(self.guests)
        process.kill()
        process.communicate(timeout=60)
        self.wait_for(lambda: not self.guests())
        left = list(self.tmp.iterdir())
        self.assertEqual(len(left), 1)
        os.utime(left[0] / "lock", (1, 1))
        self.run_test(self.file("next.test", "start"), status=0)  # sweeps, and checks that nothing is left

    def test_two_guests_and_their_variables(self):
        header = '[variables]\nwhat = "boot"\n[guests.a]\nboot-timeout = 30\n[guests.b]\n'
        path = self.file("pair.test", 'guest a\nstart\nguest b\nstart "-m" "128M"\nexpect "${what} option"\nguest a\nexpect "${what} option"\n'
                         'control "status"\nassert ${result} =~ /"memory_bytes":(?P<size>\\d+)/\nassert ${size} == 1073741824\n'
                         'guest b\ncontrol "status" gives "\\"memory_bytes\\":134217728"\nrestart\nexpect "${what} option"\nreset\n'
                         'event state "reset"\nexpect "${what} option"\nstop\nwait exit 0', header)
        self.run_test(path, status=0)


def main():
    global ARGS
    parser = argparse.ArgumentParser()
    parser.add_argument("--ivm", required=True)
    parser.add_argument("--work", required=True)
    ARGS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
