#!/usr/bin/env python3
"""A made-up benchmark as a long Parquet table, one row per item and setting, always the same for a size.

  gen.py S M L XL [--out FOLDER]        S 1,000 items, M 60,000, L 111,112, XL 1,000,000, each × 9 settings
  gen.py --rows 100000000 [--out ...]   complete table of about that many rows, written in parts, for streaming

Items have a hidden quality; every setting sees it through more noise, and the coarse ones shifted. About 16 items share
a cluster, clusters lie in one subgroup. Columns: item_id, cluster_id, subgroup, setting, correct (0/1), score (0..1),
num and den (a ratio's parts, 0/1). Needs numpy and pyarrow.
"""
import argparse, os
import numpy as np, pyarrow as pa, pyarrow.parquet as pq

ITEMS = {"S": 1_000, "M": 60_000, "L": 111_112, "XL": 1_000_000}
SETTINGS = ["baseline", "w8a8", "fp8", "w6", "w5", "w4-gptq", "w4-awq", "w3", "w2"]
NOISE = [0, 0.04, 0.06, 0.1, 0.16, 0.28, 0.24, 0.55, 1.1]
SHIFT = [0, 0, 0, 0, -0.01, -0.03, -0.02, -0.1, -0.45]


def part(rng, items, first_item, first_cluster, subgroups, share=None):
    clusters = max(2, items // 16)
    cluster = np.sort(rng.integers(0, clusters, items))
    share = np.cumsum(rng.lognormal(0, 0.55, subgroups) if share is None else share)
    of_cluster = np.minimum(np.searchsorted(share / share[-1], (np.arange(clusters) + 0.5) / clusters), subgroups - 1)
    group = of_cluster[cluster]
    shared, harm = 0.6 * rng.standard_normal(clusters)[cluster], rng.exponential(1, subgroups)[group]
    quality = 0.7 + 0.25 * rng.standard_normal(subgroups)[group] + shared + rng.standard_normal(items)
    leaning = 0.1 + 0.5 * shared + rng.standard_normal(items)
    answers = 0.2 + 0.5 * shared + rng.standard_normal(items)
    for k, name in enumerate(SETTINGS):
        noisy = lambda x: x + NOISE[k] * rng.standard_normal(items)
        y, den = noisy(quality) + SHIFT[k] * harm, (noisy(answers) > 0).astype(np.uint8)
        coded = lambda codes, names: pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(names))
        yield pa.table({
            "item_id": pa.array(first_item + np.arange(items)),
            "cluster_id": coded(cluster, [f"template-{first_cluster + c:07d}" for c in range(clusters)]),
            "subgroup": coded(group, [f"group-{g:02d}" for g in range(subgroups)]),
            "setting": coded(np.full(items, k), SETTINGS),
            "correct": (y > 0).astype(np.uint8),
            "score": 1 / (1 + np.exp(-y)),
            "num": den * (noisy(leaning) - 0.3 * SHIFT[k] * harm > 0).astype(np.uint8),
            "den": den,
        })


def write(path, parts):
    writer = None
    for table in parts:
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=131_072)
    writer.close()
    print(path, pq.read_metadata(path).num_rows, "rows", os.path.getsize(path) // 1024, "KiB", flush=True)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("sizes", nargs="*")
    args.add_argument("--rows", type=int)
    args.add_argument("--out", default="bench-data")
    args = args.parse_args()
    os.makedirs(args.out, exist_ok=True)
    for size in args.sizes:
        groups = 6 if size == "S" else 60
        write(f"{args.out}/{size}.parquet", part(np.random.default_rng(20_240_501), ITEMS[size], 0, 0, groups))
    if args.rows:
        # 900,000 rows at a time over the same 6,250 clusters in the same subgroups: memory must not grow with rows.
        items = 100_000
        count = max(1, round(args.rows / len(SETTINGS) / items))
        share = np.random.default_rng(20_240_501).lognormal(0, 0.55, 60)
        rounds = (t for i in range(count) for t in part(np.random.default_rng(i), items, i * items, 0, 60, share))
        write(f"{args.out}/rows-{args.rows}.parquet", rounds)


if __name__ == "__main__":
    main()
