"""fio on the images, on the host: the yardstick."""
import json
import os
import subprocess

from cases import BLOCKS, STORES, Sample, image


def run(job):
    """(bytes moved, seconds, processor seconds of the whole process) of one fio job."""
    command = ["fio", "--name=job", "--thread", "--invalidate=0", "--output-format=json", *job]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"fio ended with status {process.returncode}: {text.strip()}")
    job = json.loads(text)["jobs"][0]
    moved = [job[d] for d in ("read", "write") if job[d]["io_bytes"]]
    return sum(m["io_bytes"] for m in moved), max(m["runtime"] for m in moved) / 1000, used.ru_utime + used.ru_stime


def job_of(case, folder, seconds):
    words = [f"--rw={case.workload}", f"--bs={BLOCKS[case.block]}", f"--iodepth={case.depth}", "--time_based", f"--runtime={round(seconds * 1000)}ms"]
    if "%s" not in STORES[case.store]:
        return words + ["--ioengine=null", "--size=1G"]
    # One thread, a ring and registered buffers, as the guest's reader has.
    return words + ["--ioengine=io_uring", "--fixedbufs=1", f"--filename={image(folder, case.store)}", f"--direct={int(case.store == 'direct')}",
                    "--end_fsync=1"]  # part of the time, as in iobench


def starting_cpu_s(folder):
    """What fio takes to start and to end."""
    return min(run(["--ioengine=null", "--rw=read", "--size=4k"])[2] for _ in range(3))


def measure(cases, folder, options):
    """{case: Sample}; no samples for stores that hold nothing, which no host program could read."""
    starting_s = starting_cpu_s(folder)
    samples = {}
    for case in cases:
        if "%s" not in STORES[case.store]:
            continue
        moved, seconds, cpu_s = run(job_of(case, folder, options.seconds))
        samples[case] = Sample(moved / seconds / (1 << 20), max(cpu_s - starting_s, 0) / (moved / (1 << 30)))
    return samples
