"""Journeys that look like a year of marketing, made from a seed: the same arguments give the same bytes.

A few channels get most touches (Zipf), a touch is often followed by the same few others, most journeys are short and a
few are long, and one in five converts. Both files tell of the same journeys:

    paths-N-C.csv   path,conversions,value,nulls                      a row per journey
    events-N-C.csv  journey_id,timestamp,channel,conversion,value     a row per touch, in order of time
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

CHUNK = 100_000
LONGEST = 20
BEGIN = 1_767_225_600  # 1 January 2026
YEAR = 365 * 86_400


def journeys(count, channels, random):
    """Lengths of journeys, and channel by touch in one long row."""
    lengths = np.minimum(random.geometric(0.25, count), LONGEST)
    popularity = 1.0 / np.arange(1, channels + 1)
    reach = np.cumsum(popularity) / popularity.sum()
    touches = np.zeros((count, LONGEST), dtype=np.int64)
    for place in range(LONGEST):
        fresh = np.minimum(np.searchsorted(reach, random.random(count)), channels - 1)
        follows = (touches[:, place - 1] * 7 + 3 + random.integers(0, 3, count)) % channels
        touches[:, place] = np.where((random.random(count) < 0.3) & (place > 0), follows, fresh)
    return lengths, touches[np.arange(LONGEST) < lengths[:, None]]


def chunk(first, count, names, random):
    """One chunk as two tables: paths and events."""
    lengths, flat = journeys(count, len(names), random)
    converts = random.random(count) < 0.2
    cents = np.where(converts, np.exp(random.normal(9.5, 1.0, count)).astype(np.int64) + 1, 0)
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    owner = np.repeat(np.arange(count), lengths)
    last = np.zeros(len(flat), dtype=bool)
    last[begins + lengths - 1] = True

    # Days between touches, an hour at least, so that two touches of a journey never fall on one second.
    pauses = random.integers(3_600, 7 * 86_400, len(flat))
    since = np.cumsum(pauses)
    since = since - np.repeat(since[begins], lengths)
    times = BEGIN + np.repeat(random.integers(0, YEAR, count), lengths) + since

    touches = pl.DataFrame({"journey": owner, "channel": names.gather(flat)})
    paths = touches.group_by("journey", maintain_order=True).agg(pl.col("channel").str.join(" > ").alias("path"))
    value = pl.Series("value", cents / 100)
    paths = paths.with_columns(
        conversions=pl.Series(converts.astype(np.int8)), value=value, nulls=pl.Series((~converts).astype(np.int8))
    ).drop("journey")

    events = pl.DataFrame(
        {
            "journey_id": pl.Series(owner + first).cast(pl.String).str.zfill(8),
            "timestamp": times,
            "channel": touches["channel"],
            "conversion": (last & converts[owner]).astype(np.int8),
            "value": np.where(last, cents[owner] / 100, 0.0),
        }
    )
    return paths, events.sort("timestamp", maintain_order=True)


def generate(folder, count, channels, seed=1):
    """Write both files if they are not there yet; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{kind}-{count}-{channels}-{seed}.csv" for kind in ("paths", "events")]
    if all(file.exists() for file in files):
        return files
    random = np.random.default_rng([seed, channels])
    names = pl.Series([f"channel-{number:04d}" for number in range(channels)])
    unfinished = [file.with_suffix(".part") for file in files]
    outputs = [file.open("wb") for file in unfinished]
    for first in range(0, count, CHUNK):
        tables = chunk(first, min(CHUNK, count - first), names, random)
        for table, output in zip(tables, outputs):
            table.write_csv(output, include_header=first == 0)
    for output, part, file in zip(outputs, unfinished, files):
        output.close()
        part.rename(file)
    return files


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journeys", type=int, default=100_000)
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "data")
    asked = parser.parse_args()
    for made in generate(asked.folder, asked.journeys, asked.channels, asked.seed):
        print(made)
