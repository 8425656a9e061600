"""A Linux guest with storage tools: the initrd of the guest images with the tools of its root file system beside them.

Boots kernel and initrd directly, so that every disk of a test is a device under test.
"""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "boot"))
from boot_test import PROMPT, Boot, Failure, Skipped, argument_parser, check_kernel_log, conclude, require, toolchain  # noqa: E402,F401
from control_boot_test import Guest  # noqa: E402,F401

TOOLS = ("bin/sg_*", "bin/mtx", "bin/tapeinfo", "sbin/mke2fs", "sbin/e2fsck")
SCRIPTS = pathlib.Path(__file__).resolve().parent / "guest"
MIB = 1 << 20


def command(*words, **options):
    """Runs a program of the host; its standard output."""
    result = subprocess.run([str(w) for w in words], capture_output=True, text=True, **options)
    if result.returncode:
        raise Failure(f"{' '.join(str(w) for w in words)}\n{result.stdout}{result.stderr}")
    return result.stdout


def cross_compiler(args):
    """The IA-64 compiler; None without its archive."""
    archive = pathlib.Path(args.guests, "..", toolchain.ARCHIVE)
    return toolchain.compiler(str(archive), args.cache) if archive.exists() else None


def make_initrd(args, programs=()):
    """The initrd with tools, with the scripts of guest/ and with `programs` (host paths) in /bin."""
    work = pathlib.Path(args.work)
    tree = work / "tree"
    (tree / "bin").mkdir(parents=True)
    command("tar", "-xJf", f"{args.guests}/linux/rootfs.tar.xz", "-C", tree, "--wildcards", *(f"./{t}" for t in TOOLS))
    for program in (*SCRIPTS.iterdir(), *programs):
        shutil.copy(program, tree / "bin")
    initrd = work / "initrd"
    with open(initrd, "wb") as out:
        out.write(pathlib.Path(args.guests, "linux", "initrd.gz").read_bytes())
        out.flush()
        subprocess.run("find . | cpio --quiet -o -H newc -R 0:0 | gzip -1", shell=True, cwd=tree, stdout=out, check=True)
    shutil.rmtree(tree)
    return initrd


def direct_boot(args, name, devices, initrd, append=""):
    """A run of ivm up to the prompt, with resource statements `devices`."""
    options = ["--kernel", f"{args.guests}/linux/vmlinuz", "--initrd", str(initrd), "--append", f"console=ttyS0,115200 {append}".strip()]
    for device in devices:
        options += ["-a", device]
    return Boot(args, name, options).expect("GUEST READY").expect(PROMPT)


def sparse(args, name, size_bytes):
    path = pathlib.Path(args.work) / name
    with open(path, "wb") as f:
        f.truncate(size_bytes)
    return path
