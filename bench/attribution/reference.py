"""Every model once more, from its published definition, in fractions: nothing is rounded, nothing is fast, nothing of
Fundloop's own way is used. `check` makes small files of all shapes from a seed and compares what `fundloop attribute` says.
"""

import csv
import io
import random
from collections import defaultdict
from decimal import Decimal, localcontext
from fractions import Fraction

MODELS = [
    "first", "last", "last-non-direct", "linear", "time-decay", "position-40-20-40", "u-shaped", "u-marketo",
    "u-hubspot", "j-shaped", "inverse-j", "custom-position", "w-shaped", "full-path", "milestones", "shapley", "markov",
    "participation",
]  # fmt: skip
POSITIONS = {
    "position-40-20-40": (40, 20, 40),
    "u-shaped": (40, 20, 40),
    "j-shaped": (20, 20, 60),
    "inverse-j": (60, 20, 20),
    "custom-position": (Fraction("22.5"), 55, Fraction("12.25")),
}
MILESTONES = {
    "u-marketo": ({"first touch": 50, "lead creation": 50}, 0),
    "u-hubspot": ({"first touch": 40, "lead creation": 40}, 20),
    "w-shaped": ({"first touch": 30, "lead creation": 30, "opportunity creation": 30}, 10),
    "full-path": ({name: Fraction("22.5") for name in ("first touch", "lead creation", "opportunity creation", "close")}, 10),
    "milestones": ({"registered deal": 30, "demo": 25, "workshop": Fraction("20.5")}, Fraction("24.5")),
}
WEIGHTS = """[custom-position]
first = 22.5
middle = 55
last = "12.25"

[milestones]
"Registered Deal" = 30
demo = 25
workshop = 20.5
others = 24.5
"""
# The order of touches of one moment, by the stage they reached.
STAGES = ["first touch", "lead creation", "registered deal", "opportunity creation", "demo", "proposal"]
UNATTRIBUTED = "(unattributed)"


def positions(n, first, middle, last):
    if n == 1:
        return [Fraction(1)]
    if n == 2:
        return [Fraction(first, first + last), Fraction(last, first + last)]
    whole = Fraction(first + middle + last)
    return [first / whole, *[middle / whole / (n - 2)] * (n - 2), last / whole]


def by_milestones(stages, wanted, others):
    """Stages by touch, in order of time."""
    n = len(stages)
    if n == 1:
        return [Fraction(1)]
    holders = {}
    for name in wanted:
        places = [place for place, stage in enumerate(stages) if stage == name]
        if places:
            holders[name] = places[-1] if name in ("opportunity creation", "close") else places[0]
        elif name == "first touch":
            holders[name] = 0
        elif name == "close":
            holders[name] = n - 1
    if not holders:
        return [Fraction(1, n)] * n
    whole = Fraction(sum(wanted.values()) + others)
    reached = sum(wanted[name] for name in holders)
    weights = [Fraction(0)] * n
    middle = [place for place in range(n) if place not in holders.values()]
    for name, place in holders.items():
        # What milestones nobody reached would have earned goes to the others in proportion.
        weights[place] += Fraction(wanted[name]) * sum(wanted.values()) / reached / whole
        if not middle:
            weights[place] += others / whole / len(holders)
    for place in middle:
        weights[place] = others / whole / len(middle)
    return weights


def weights(model, touches, end, half_life):
    """A weight for each touch (time, channel, stage)."""
    n = len(touches)
    channels = [channel for _, channel, _ in touches]
    if model == "first":
        return [Fraction(place == 0) for place in range(n)]
    if model == "last":
        return [Fraction(place == n - 1) for place in range(n)]
    if model == "last-non-direct":
        earning = max((place for place in range(n) if channels[place].lower() != "direct"), default=n - 1)
        return [Fraction(place == earning) for place in range(n)]
    if model == "linear":
        return [Fraction(1, n)] * n
    if model == "time-decay":
        with localcontext(prec=60):
            decay = [Decimal(2) ** (Decimal(touches[-1][0] // 1 - time // 1) / -half_life) for time, *_ in touches]
        return [Fraction(part) / sum(map(Fraction, decay)) for part in decay]
    if model in POSITIONS:
        return positions(n, *POSITIONS[model])
    if model in MILESTONES:
        return by_milestones([stage for *_, stage in touches], *MILESTONES[model])
    assert model == "shapley"
    return [Fraction(1, channels.count(channel) * len(set(channels))) for channel in channels]


def solve(system, right):
    """Gauss and Jordan, in fractions."""
    rows = [[*left, value] for left, value in zip(system, right)]
    for pivot in range(len(rows)):
        swap = next(row for row in range(pivot, len(rows)) if rows[row][pivot])
        rows[pivot], rows[swap] = rows[swap], rows[pivot]
        rows[pivot] = [entry / rows[pivot][pivot] for entry in rows[pivot]]
        for row in range(len(rows)):
            if row != pivot and rows[row][pivot]:
                rows[row] = [entry - rows[row][pivot] * above for entry, above in zip(rows[row], rows[pivot])]
    return [row[-1] for row in rows]


def markov(journeys, order):
    """Shares of conversions and of value by channel: removal effects, the chain without the channel solved anew."""
    steps, ends, leaving = defaultdict(Fraction), defaultdict(lambda: [Fraction(0)] * 2), defaultdict(Fraction)
    for touches, _, *amounts, nulls in journeys:
        state, count = (), amounts[0] + nulls
        for _, channel, _ in touches:
            following = (*state, channel)[-order:]
            steps[state, following] += count
            leaving[state] += count
            state = following
        if touches:
            ends[state] = [sum(pair) for pair in zip(ends[state], amounts)]
            leaving[state] += count
    channels = sorted({channel for state in leaving for channel in state})

    def reached(without, quantity):
        states = [state for state in leaving if state and without not in state and leaving[state]]
        chance = lambda one, other: steps[one, other] / leaving[one]
        system = [[Fraction(one == other) - chance(one, other) for other in states] for one in states]
        found = solve(system, [ends[state][quantity] / leaving[state] for state in states])
        return sum(chance((), state) * each for state, each in zip(states, found)) if leaving[()] else Fraction(0)

    shares = []
    for quantity in (0, 1):
        whole = reached(None, quantity)
        effects = {channel: whole - reached(channel, quantity) for channel in channels}
        shares.append({channel: effect / sum(effects.values()) for channel, effect in effects.items()} if whole else None)
    shares[1] = shares[1] or shares[0]
    return shares


def credit(model, journeys, order, half_life):
    """[conversions, value] by channel, exactly."""
    sums = defaultdict(lambda: [Fraction(0), Fraction(0)])

    def give(channel, share, amounts):
        sums[channel] = [sum + share * amount for sum, amount in zip(sums[channel], amounts)]

    touched = [Fraction(0), Fraction(0)]
    for touches, end, *amounts, _ in journeys:
        if not touches:
            give(UNATTRIBUTED, 1, amounts)
        elif model == "markov":
            touched = [sum(pair) for pair in zip(touched, amounts)]
        elif model == "participation":
            for channel in {channel for _, channel, _ in touches}:
                give(channel, 1, amounts)
        elif any(amounts):
            for (_, channel, _), weight in zip(touches, weights(model, touches, end, half_life)):
                give(channel, weight, amounts)
    if model == "markov":
        shares = markov(journeys, order)
        for quantity in (0, 1):
            for channel, share in (shares[quantity] or {UNATTRIBUTED: 1}).items():
                give(channel, share, [touched[0] * (quantity == 0), touched[1] * (quantity == 1)])
    return sums


NAMES = ["mail", "Webinar", "direct", "DIRECT", 'say "hi"', "fair, Ulm", "a", "two\nlines", "Messe München Halle 12 Ost", "x" * 40, "a>b"]


def write(header, rows, rng):
    """CSV in one of the dialects people send."""
    output = io.StringIO()
    end = rng.choice(["\n", "\r\n"])
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(output, lineterminator=end, quoting=quoting)
    writer.writerows([[rng.choice([name, name.upper()]) for name in header], *rows])
    text = output.getvalue()
    if rng.random() < 0.3:
        text = text.removesuffix(end)
    return (b"\xef\xbb\xbf" if rng.random() < 0.3 else b"") + text.encode()


def amount(rng):
    return rng.choice(["0", "", "1", "2", "12.5", "1e3", "0.01", "999999.999999", "123456789012.34", str(rng.randrange(10**6) / 1000)])


def paths_case(rng):
    """Bytes of a file of paths, and its journeys: touches, end, conversions, value, nulls."""
    names = rng.sample(NAMES, rng.randint(1, 6))
    rows, journeys = [], []
    for _ in range(rng.randint(1, 30)):
        path = [rng.choice(names) for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4, 5, 9, 70] if rng.random() < 0.2 else [0, 1, 2, 3, 4]))]
        conversions, nulls = (rng.choice(["0", "1", "1", "3", ""]) for _ in range(2))
        value = amount(rng) if conversions not in ("0", "") else rng.choice(["", "0", "0.0"])
        rows.append([" > ".join(path), conversions, value, nulls, "note, of no interest"])
        touches = [(place, channel, "") for place, channel in enumerate(path)]
        journeys.append((touches, len(path), *(Fraction(cell or 0) for cell in (conversions, value, nulls))))
    return write(["path", "conversions", "value", "nulls", "note"], rows, rng), journeys


def events_case(rng, lookback):
    names = rng.sample(NAMES, rng.randint(1, 6))
    stages = [*STAGES, "close", "workshop", "3", "unheard of", *[""] * 9]
    rows, by_journey = [], defaultdict(list)
    for _ in range(rng.randint(1, 60)):
        journey, second = f"j{rng.randrange(8)}", rng.choice([rng.randrange(5), rng.randrange(10**6), rng.randrange(10**8)])
        converts = rng.random() < 0.25
        channel = rng.choice([*names, *names, ""] if converts else names)
        stage, value = rng.choice(stages), amount(rng) if converts else ""
        day, rest = divmod(second, 86_400)
        stamp = rng.choice([str(second), f"{second}.0"])
        if rng.random() < 0.3 and day < 28:
            stamp = f"1970-01-{day + 1:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}" + rng.choice(["Z", "+00:00"])
        rank = STAGES.index(stage) + 1 if stage in STAGES else {"close": 255, "workshop": 7, "3": 3}.get(stage, 0)
        rows.append([journey, stamp, channel, stage, str(int(converts)), value])
        by_journey[journey].append((second, converts, rank, channel.encode(), channel, stage, Fraction(value or 0)))
    journeys = []
    for events in by_journey.values():
        # Conversions of one moment with all else the same differ by value; the smaller comes first.
        begun = []
        for event in sorted(events):
            begun.append(event)
            if event[1]:
                journeys.append((begun, Fraction(1), event[-1], Fraction(0)))
                begun = []
        if begun:
            journeys.append((begun, Fraction(0), Fraction(0), Fraction(1)))
    cut = []
    for events, *outcome in journeys:
        end = events[-1][0]
        inside = [event for event in events if lookback is None or event[0] >= end - lookback]
        cut.append(([(time, channel, stage) for time, _, _, _, channel, stage, _ in inside if channel], end, *outcome))
    return write(["journey_id", "timestamp", "channel", "stage", "conversion", "value"], rows, rng), cut


def compare(output, asked, journeys, precision, order, half_life):
    """Nothing, or what differs."""
    found = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(output, newline="")):
        found[row["model"]][row["channel"]] = [Fraction(row["conversions"]), Fraction(row["value"])]
    unit = Fraction(1, 10**precision)
    totals = [sum(journey[place] for journey in journeys) for place in (2, 3)]
    for model in asked:
        exact = credit(model, journeys, order, half_life)
        for channel in set(exact) | set(found[model]):
            pairs = zip(exact.get(channel, [0, 0]), found[model].get(channel, [0, 0]), totals)
            for theirs, ours, total in pairs:
                # Weights of time decay and of Markov chains are floats.
                slack = total * Fraction(1, 10**13) if model in ("time-decay", "markov") else 0
                if abs(theirs - ours) > unit + slack:
                    return f"{model}, {channel}: {float(ours)} is not {float(theirs)}"
        for quantity, total in enumerate(totals if model != "participation" else []):
            rounded = (abs(total) / unit + Fraction(1, 2)).__floor__() * unit
            if sum(amounts[quantity] for amounts in found[model].values()) != rounded:
                return f"{model} does not add up to {float(rounded)}"
    return None


def check(fundloop, cases, folder):
    """`fundloop(arguments, bytes)` returns what the program prints. Returns how many of so many cases differ."""
    weights_file = folder / "weights.toml"
    weights_file.write_text(WEIGHTS)
    differing = 0
    for seed in range(cases):
        rng = random.Random(seed)
        order, precision, half_life = rng.randint(1, 4), rng.randint(0, 12), rng.choice([1, 3_600, 604_800])
        timed = rng.random() < 0.5
        lookback = rng.choice([None, 3, 100_000]) if timed else None
        asked = [model for model in MODELS if timed or model != "time-decay"]
        rng.shuffle(asked)
        text, journeys = events_case(rng, lookback) if timed else paths_case(rng)
        arguments = ["--format", "events" if timed else "paths", "--model", ",".join(asked), "--order", order]
        arguments += ["--precision", precision, "--half-life", f"{half_life}s", "--weights", weights_file]
        arguments += ["--lookback", f"{lookback}s"] if lookback is not None else []
        difference = compare(fundloop(arguments, text), asked, journeys, precision, order, half_life)
        if difference:
            differing += 1
            print(f"  DIFFERS  case {seed}: {difference}")
    return differing
