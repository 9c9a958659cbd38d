"""Fundloop and its peers on the same files in the same run, taking turns: wall, CPU and peak memory of whole processes."""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
THREE = "first,last,linear"
NINE = "first,last,last-non-direct,linear,position-40-20-40,j-shaped,inverse-j,u-hubspot,shapley"

# A task: what it is called, the file it reads, what Fundloop is asked, and who else can do it.
TASKS = {
    "rules": (
        "first, last, linear from paths",
        "paths",
        {"Fundloop": THREE, "Fundloop, nine models": NINE},
        ["ChannelAttribution", "marketing-attribution-models", "DuckDB", "Polars"],
    ),
    "timed": (
        "first, last, linear, time decay from events",
        "events",
        {"Fundloop": THREE + ",time-decay"},
        ["DuckDB", "Polars"],
    ),
    "markov": (
        "Markov chain of order 1 from paths",
        "paths",
        {"Fundloop": "markov"},
        ["ChannelAttribution", "marketing-attribution-models"],
    ),
}


def generate(asked):
    """Both files, made by a process of its own: a child's peak memory is never below what its parent holds."""
    command = [sys.executable, HERE / "generate.py", "--folder", HERE / "data"]
    for name in ("journeys", "channels", "seed"):
        command += [f"--{name}", str(getattr(asked, name))]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(zip(("paths", "events"), map(Path, made.splitlines())))


def measure(command):
    """Wall seconds, CPU seconds of all its threads, peak MiB. A command that fails ends the comparison."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed with {process.returncode}:\n{errors.decode()[-2000:]}")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def contenders(task, source, output, skip):
    """Names and commands, Fundloop first."""
    _, kind, fundloop, peers = TASKS[task]
    files = ["--input", source, "--format", kind, "--output", output]
    for name, models in fundloop.items():
        yield name, [os.environ["FUNDLOOP"], "attribute", "--model", models, *files]
    for name in peers:
        if name not in skip:
            yield name, [sys.executable, HERE / "peer.py", name, task, source, output]


def touches(paths):
    with open(paths, newline="") as file:
        return sum(row[0].count(" > ") + 1 for row in csv.reader(file)) - 1


def median(runs):
    return [statistics.median(numbers) for numbers in zip(*runs)]


def compare(task, source, asked):
    output = HERE / "data" / "output.csv"
    commands = list(contenders(task, source, output, asked.skip))
    runs = {name: [] for name, _ in commands}
    starts = {name: [] for name, command in commands if command[0] == sys.executable}
    for _ in range(asked.rounds):
        for name, command in commands:
            runs[name].append(measure(command))
            if name in starts:
                starts[name].append(measure([*command[:3], "start", source, output]))
    print(f"\n{TASKS[task][0]}\n", flush=True)
    print("|                              |  wall s |   CPU s |    MiB | CPU ratio | without start-up |")
    print("|------------------------------|--------:|--------:|-------:|----------:|-----------------:|")
    base = median(runs["Fundloop"])[1]
    for name, _ in commands:
        wall, cpu, memory = median(runs[name])
        own = cpu - median(starts[name])[1] if name in starts else cpu
        ratios = f"{cpu / base:9.1f} | {own / base:16.1f}"
        print(f"| {name:28} | {wall:7.3f} | {cpu:7.3f} | {memory:6.0f} | {ratios} |")


def main():
    parser = argparse.ArgumentParser(prog="bench/attribution/run", description=__doc__)
    parser.add_argument("--journeys", type=int, default=100_000)
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="each contender runs so many times; the median is printed")
    parser.add_argument("--tasks", type=lambda names: names.split(","), default=list(TASKS), help=", ".join(TASKS))
    parser.add_argument("--skip", type=lambda names: names.split(","), default=[], help="peers to leave out, by name")
    asked = parser.parse_args()
    files = generate(asked)
    sizes = ", ".join(f"{name} {file.stat().st_size / 2**20:.0f} MiB" for name, file in files.items())
    print(f"{asked.journeys:,} journeys, {touches(files['paths']):,} touches, {asked.channels:,} channels; {sizes}")
    print(f"{os.cpu_count()} processors; the median of {asked.rounds} rounds")
    for task in asked.tasks:
        compare(task, files[TASKS[task][1]], asked)


if __name__ == "__main__":
    main()
