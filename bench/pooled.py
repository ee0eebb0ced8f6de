#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pools pairs of dumped lists (eddy evaluate --dump) of several data sets: what the second of each pair gains over the
first, HR@20 and MRR@20, relative, with 95 % intervals by resampling whole sessions within each set.

  bench/pooled.py BASE,OTHER [BASE,OTHER...]"""
import random
import sys

CUTOFF, RESAMPLES, SEED = 20, 10000, 20150907


def read(path):
    lists = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            parts = line.rstrip("\n").split("\t")
            if len(parts) != 4:
                sys.exit(f"{path}: line {number}: not session, position, item and list, parted by tabs")
            session, position, truth, items = parts
            items = items.split(",")[:CUTOFF]
            rank = items.index(truth) + 1 if truth in items else 0
            lists[session, int(position)] = (float(rank > 0), 1 / rank if rank else 0.0)
    return lists


def sessions_of(base_path, other_path):
    base, other = read(base_path), read(other_path)
    if base.keys() != other.keys():
        sys.exit(f"{base_path} and {other_path} are not about the same predictions")
    sums = {}
    for key, (hit, reciprocal) in base.items():
        row = sums.setdefault(key[0], [0, 0, 0, 0, 0])
        for i, value in enumerate((1, hit, reciprocal, *other[key])):
            row[i] += value
    return list(sums.values())


def totals(rows):
    return [sum(column) for column in zip(*rows)]


def main():
    if len(sys.argv) < 2 or any(pair.count(",") != 1 for pair in sys.argv[1:]):
        sys.exit(__doc__)
    sets = [sessions_of(*pair.split(",")) for pair in sys.argv[1:]]
    count, hits, reciprocals, other_hits, other_reciprocals = totals([totals(rows) for rows in sets])
    draw, drawn = random.Random(SEED), []
    for _ in range(RESAMPLES):
        n, h, r, oh, orr = totals([totals(draw.choices(rows, k=len(rows))) for rows in sets])
        drawn.append(((oh - h) / n, (orr - r) / n))
    for name, before, after, place in (("HR@20", hits, other_hits, 0), ("MRR@20", reciprocals, other_reciprocals, 1)):
        gains = sorted(gain[place] for gain in drawn)
        low, high = gains[int(0.025 * RESAMPLES)], gains[int(0.975 * RESAMPLES) - 1]
        relative = f"{100 * (after / before - 1):+.1f} %" if before else "from nothing"
        print(f"{name:6} {before / count:.4f} -> {after / count:.4f}  {relative}  "
              f"{(after - before) / count:+.4f} [{low:+.4f}, {high:+.4f}]  {count} predictions")


if __name__ == "__main__":
    main()
