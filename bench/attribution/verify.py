"""Fundloop's credit against results computed by others.

- first, last and linear: ChannelAttribution's heuristic_models, to the last printed digit;
- Markov chains of order 1 to 4: numpy's linear solver on the whole chain and on the chain without each channel, to 1e-9
  of the total;
- every model, in both formats: reference.py, in fractions, to the last digit asked for, on small files of all shapes.

On journeys made from a seed, and on a file of paths you name: a peer's own published data, for example.
"""

import argparse
import csv
import io
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import ChannelAttribution
import numpy as np
import pandas

import reference
from generate import generate

HERE = Path(__file__).parent
RECORDED = HERE / "../../crates/attribution/tests/kernel/recorded"
MOST_STATES = 2_000


def fundloop(source, model, precision, order=1):
    """Conversions and value by channel."""
    command = [os.environ["FUNDLOOP"], "attribute", "--input", source, "--model", model]
    command += ["--order", str(order), "--precision", str(precision)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = csv.DictReader(io.StringIO(output))
    return {row["channel"]: (float(row["conversions"]), float(row["value"])) for row in rows}


def read(source):
    """Rows of path, conversions, value and nulls."""
    with open(source, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            path = tuple(step for step in row["path"].split(" > ") if step)
            yield path, *(float(row.get(name) or 0) for name in ("conversions", "value", "nulls"))


def heuristics(source):
    """ChannelAttribution's three models, under Fundloop's names."""
    data = pandas.read_csv(source)
    found = ChannelAttribution.heuristic_models(data, "path", "conversions", var_value="value", flg_pro=False)
    names = {"first": "first_touch", "last": "last_touch", "linear": "linear_touch"}
    return {
        model: {
            row["channel_name"]: (row[f"{name}_conversions"], row[f"{name}_value"]) for row in found.to_dict("records")
        }
        for model, name in names.items()
    }


def markov(source, order):
    """Credit by removal effects. A state is the last touches, none at the start; without a channel, every step into a
    state that holds it is gone. Nothing of Fundloop's way to the answer is used: the whole system is solved each time."""
    steps, conversions, value, leaving = (defaultdict(float) for _ in range(4))
    for path, converted, worth, nulls in read(source):
        state = ()
        for touch in path:
            following = (*state, touch)[-order:]
            steps[state, following] += converted + nulls
            leaving[state] += converted + nulls
            state = following
        if path:
            conversions[state] += converted
            value[state] += worth
            leaving[state] += converted + nulls
    states = sorted(state for state in leaving if state)
    if len(states) > MOST_STATES:
        return None
    place = {state: number for number, state in enumerate(states)}
    system = np.identity(len(states))
    start = np.zeros(len(states))
    for (state, following), count in steps.items():
        chance = count / leaving[state] if leaving[state] else 0.0
        if state:
            system[place[state], place[following]] -= chance
        else:
            start[place[following]] = chance
    rewards = np.array([[conversions[s] / leaving[s], value[s] / leaving[s]] if leaving[s] else [0.0, 0.0] for s in states])
    whole = start @ np.linalg.solve(system, rewards)
    channels = sorted({touch for state in states for touch in state})
    effects = np.zeros((len(channels), 2))
    for number, channel in enumerate(channels):
        keep = [place[state] for state in states if channel not in state]
        left = start[keep] @ np.linalg.solve(system[np.ix_(keep, keep)], rewards[keep]) if keep else np.zeros(2)
        effects[number] = 1.0 - left / whole
    totals = np.array([sum(conversions.values()), sum(value.values())])
    return dict(zip(channels, map(tuple, effects / effects.sum(axis=0) * totals)))


def furthest(ours, theirs):
    """The largest difference, for conversions and for value, as a part of the total."""
    assert set(ours) - {"(unattributed)"} == set(theirs), "not the same channels"
    differences = []
    for quantity in (0, 1):
        total = sum(abs(amounts[quantity]) for amounts in theirs.values()) or 1.0
        differences.append(max(abs(ours[name][quantity] - theirs[name][quantity]) for name in theirs) / total)
    return max(differences)


def last_digit(ours, theirs, precision):
    """The largest difference in units of the last digit printed: rounding so that a column adds up may move one."""
    return max(abs(ours[name][q] - theirs[name][q]) for name in theirs for q in (0, 1)) * 10**precision


def check(source):
    """Prints a line per comparison; returns whether all agree."""
    good = True

    def say(name, difference, bound, unit):
        nonlocal good
        verdict = "agrees" if difference <= bound else "DIFFERS"
        good = good and difference <= bound
        print(f"  {verdict}  {name}: {difference:.2g} {unit}, at most {bound:g}")

    print(Path(source).name)
    for model, theirs in heuristics(source).items():
        # A float of their sums has fewer digits than our whole numbers have: allow for its last ones.
        largest = max(amount for amounts in theirs.values() for amount in amounts)
        bound = 1.0 + 10**6 * largest * 1e-12
        say(f"{model}, ChannelAttribution", last_digit(fundloop(source, model, 6), theirs, 6), bound, "units of the last digit")
    for order in range(1, 5):
        theirs = markov(source, order)
        if theirs is None:
            print(f"  left out  Markov order {order}: more than {MOST_STATES} states are too many for a dense solver")
        else:
            say(f"Markov order {order}, numpy", furthest(fundloop(source, "markov", 12, order), theirs), 1e-9, "of the total")
    return good


def check_all_models(cases):
    """Small files of all shapes, through standard input; returns whether all agree."""

    def run(arguments, text):
        command = [os.environ["FUNDLOOP"], "attribute", "--input", "-", *map(str, arguments)]
        return subprocess.run(command, input=text, check=True, capture_output=True).stdout.decode()

    print(f"{cases} small files, {len(reference.MODELS)} models, in fractions")
    differing = reference.check(run, cases, HERE / "data")
    print(f"  {'DIFFERS' if differing else 'agrees'}  {cases - differing} of {cases} to the last digit")
    return differing == 0


def record(source):
    """Write what the others say of a small file, for the kernel's own test to compare itself with."""
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / "paths.csv").write_bytes(Path(source).read_bytes())
    results = heuristics(source) | {f"markov:{order}": markov(source, order) for order in range(1, 5)}
    with open(RECORDED / "credit.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", "channel", "conversions", "value"])
        for model, credit in results.items():
            for channel, amounts in sorted(credit.items()):
                writer.writerow([model, channel, *(f"{amount:.12f}" for amount in amounts)])


def main():
    parser = argparse.ArgumentParser(prog="bench/attribution/verify", description=__doc__.splitlines()[0])
    parser.add_argument("--file", action="append", default=[], help="CSV with path, conversions, value, nulls")
    parser.add_argument("--cases", type=int, default=200, help="so many small files for every model")
    parser.add_argument("--record", action="store_true", help="renew what the kernel's test compares itself with")
    asked = parser.parse_args()
    data = HERE / "data"
    sizes = [(300, 6), (20_000, 6), (1_000, 12), (20_000, 50), (20_000, 1_000)]
    files = asked.file or [generate(data, journeys, channels)[0] for journeys, channels in sizes]
    if asked.record:
        return record(generate(data, 300, 6)[0])
    results = [check_all_models(asked.cases), *map(check, files)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
