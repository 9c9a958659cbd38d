"""One peer, one task, one process: CSV in, CSV out. `peer.py NAME TASK INPUT OUTPUT`; TASK `start` only imports."""

import sys
from pathlib import Path

HALF_LIFE = 7 * 86_400


def channelattribution(task, source, output):
    import ChannelAttribution
    import pandas

    if task == "start":
        return
    data = pandas.read_csv(source, engine="pyarrow")
    if task == "rules":
        credit = ChannelAttribution.heuristic_models(data, "path", "conversions", var_value="value", flg_pro=False)
    else:
        credit = ChannelAttribution.markov_model(
            data, "path", "conversions", var_value="value", var_null="nulls", ncore=2, verbose=False, flg_pro=False
        )
    credit.to_csv(output, index=False)


def marketing_attribution_models(task, source, output):
    import mam
    import polars as pl

    if task == "start":
        return
    # The package knows one outcome per row; every row of the generated file is one journey.
    data = pl.read_csv(source).with_columns(converts=pl.col("conversions") > 0, occurrences=pl.lit(1))
    journeys = mam.MAM(
        data,
        format_type="grouped_journey",
        channels_colname="path",
        journey_with_conv_colname="converts",
        occurrences_colname="occurrences",
        conversion_value_colname="value",
    )
    results = [journeys.run_markov()] if task == "markov" else [
        journeys.run_first_click(), journeys.run_last_click(), journeys.run_linear()
    ]
    pl.concat([result.to_polars().select(pl.nth(0).cast(pl.String), pl.nth(1)) for result in results]).write_csv(output)


def duckdb(task, source, output):
    import duckdb

    if task == "start":
        return
    touches = {
        "rules": """
            SELECT journey, unnest(steps) AS channel, generate_subscripts(steps, 1) AS place, len(steps) AS touches,
                   conversions, value, NULL AS age
            FROM (SELECT row_number() OVER () AS journey, string_split(path, ' > ') AS steps, conversions, value
                  FROM input WHERE conversions > 0)""",
        "timed": """
            SELECT channel, row_number() OVER journey AS place, count(*) OVER whole AS touches,
                   max(conversion) OVER whole AS conversions, max(value) OVER whole AS value,
                   max(timestamp) OVER whole - timestamp AS age, journey_id AS journey
            FROM input WINDOW whole AS (PARTITION BY journey_id), journey AS (PARTITION BY journey_id ORDER BY timestamp)""",
    }[task]
    decay = f", pow(2.0, -age / {HALF_LIFE}) AS decay" if task == "timed" else ""
    total = ", sum(pow(2.0, -age / %d)) OVER (PARTITION BY journey) AS decays" % HALF_LIFE if task == "timed" else ""
    weights = {"first": "(place = 1)::INT", "last": "(place = touches)::INT", "linear": "1.0 / touches"}
    if task == "timed":
        weights["time-decay"] = "decay / decays"
    columns = ", ".join(
        f"sum({amount} * {weight}) AS \"{model} {amount}\""
        for model, weight in weights.items()
        for amount in ("conversions", "value")
    )
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(
        f"""COPY (WITH input AS (FROM read_csv('{source}')), touches AS ({touches}),
                  weighed AS (SELECT *{decay}{total} FROM touches WHERE conversions > 0)
                  SELECT channel, {columns} FROM weighed GROUP BY channel) TO '{output}'"""
    )


def polars(task, source, output):
    import polars as pl

    if task == "start":
        return
    rows = pl.scan_csv(source)
    if task == "rules":
        rows = rows.filter(pl.col("conversions") > 0).with_columns(channel=pl.col("path").str.split(" > "))
        rows = rows.with_columns(touches=pl.col("channel").list.len(), place=pl.int_ranges(pl.col("channel").list.len()))
        rows = rows.explode("channel", "place")
        weights = {}
    else:
        rows = rows.sort("journey_id", "timestamp").group_by("journey_id", maintain_order=True).agg(
            pl.col("channel"),
            pl.col("conversion").max().alias("conversions"),
            pl.col("value").max(),
            pl.len().alias("touches"),
            pl.int_range(pl.len()).alias("place"),
            decay=0.5 ** ((pl.col("timestamp").max() - pl.col("timestamp")) / HALF_LIFE),
        )
        rows = rows.filter(pl.col("conversions") > 0).with_columns(decays=pl.col("decay").list.sum())
        rows = rows.explode("channel", "place", "decay")
        weights = {"time-decay": pl.col("decay") / pl.col("decays")}
    weights |= {
        "first": pl.col("place") == 0,
        "last": pl.col("place") + 1 == pl.col("touches"),
        "linear": 1 / pl.col("touches"),
    }
    sums = [
        (pl.col(amount) * weight).sum().alias(f"{model} {amount}")
        for model, weight in weights.items()
        for amount in ("conversions", "value")
    ]
    rows.group_by("channel").agg(sums).collect().write_csv(output)


PEERS = {
    "ChannelAttribution": channelattribution,
    "marketing-attribution-models": marketing_attribution_models,
    "DuckDB": duckdb,
    "Polars": polars,
}

if __name__ == "__main__":
    name, task, source, output = sys.argv[1:]
    # The file's own name for a library must not hide the library.
    sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).parent]
    PEERS[name](task, source, output)
