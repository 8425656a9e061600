"""The IA-64 cross compiler that lies beside the repository."""
import fcntl
import os
import shutil
import subprocess

ARCHIVE = "toolchain/ia64-gcc-12.2.tar.xz"  # below IVM_SHARED


def compiler(archive, folder):
    """The compiler's path; unpacks the archive into `folder` when that has not been done."""
    gcc = os.path.join(folder, "ia64", "bin", "ia64-linux-gnu-gcc")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:  # tests run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(gcc):
            fresh = os.path.join(folder, "unpacking")  # renamed when complete
            shutil.rmtree(fresh, ignore_errors=True)
            os.makedirs(fresh)
            subprocess.run(["tar", "-xJf", archive, "-C", fresh], check=True)
            os.rename(os.path.join(fresh, "ia64"), os.path.join(folder, "ia64"))
    return gcc


def build_program(archive, folder, source, binary):
    """A static program for the Linux guest from one C file, padded to whole blocks so that it can be a disk's content."""
    subprocess.run([compiler(archive, folder), "-static", "-O2", "-Wall", "-Werror", "-o", binary, source], check=True)
    os.truncate(binary, (os.path.getsize(binary) + 4095) // 4096 * 4096)
