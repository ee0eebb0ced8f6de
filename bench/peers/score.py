# SPDX-License-Identifier: Apache-2.0
"""HR@20 and MRR@20 of dumped lists (docs/EVALUATION.md says what is in a line), whoever made them.

usage: score.py LISTS...
"""
import sys

from sessions import open_text

CUTOFF = 20


def score(path):
    count, hits, reciprocal = 0, 0, 0.0
    with open_text(path) as lines:
        for line in lines:
            _, _, truth, items = line.rstrip("\n").split("\t")
            listed = items.split(",")[:CUTOFF]
            count += 1
            if truth in listed:
                hits += 1
                reciprocal += 1 / (listed.index(truth) + 1)
    return count, hits / count, reciprocal / count


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        print("%s\t%d predictions\tHR@20 %.4f\tMRR@20 %.4f" % (name, *score(name)))
