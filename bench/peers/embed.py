# SPDX-License-Identifier: Apache-2.0
"""eddy's sentence encoder beside sentence-transformers, on the same folder and the same titles:

  tokens   of every title, and of random texts (scripts of all kinds, marks, controls, emoji, bytes that are no UTF-8):
           equal to those of Hugging Face's tokenizer
  cosine   of eddy's vector of each title with sentence-transformers'
  speed    titles a second on one thread, in turns: eddy's median, and sentence-transformers' at its best batch size

usage: embed.py --folder FOLDER [--items ITEMS.tsv.gz]... [--texts N] [--rounds N] [--eddy FILE] [--bench FILE]

FOLDER holds the model (./dev setup --encoder); ITEMS have a column "title". Needs sentence-transformers (6.2.0 was
measured); ends with 1 when a token differs or a cosine is below 0.9999.
"""
import argparse
import gzip
import json
import random
import re
import statistics
import subprocess
import sys
import time

COSINE_MIN = 0.9999
BATCHES = (32, 64, 128)

# First and last code point of what random texts take letters from.
BLOCKS = [(0x20, 0x7e), (0xa0, 0x24f), (0x250, 0x36f), (0x300, 0x36f), (0x370, 0x52f), (0x531, 0x5ff), (0x600, 0x8ff),
          (0x900, 0xdff), (0xe00, 0x109f), (0x10a0, 0x13ff), (0x1400, 0x1cff), (0x1d00, 0x1fff), (0x2000, 0x206f),
          (0x2070, 0x2bff), (0x2c00, 0x2fff), (0x3000, 0x30ff), (0x3100, 0x33ff), (0x3400, 0x4dff), (0x4e00, 0x9fff),
          (0xa000, 0xabff), (0xac00, 0xd7ff), (0xe000, 0xe0ff), (0xf900, 0xfaff), (0xfb00, 0xfdff), (0xfe00, 0xffff),
          (0x10000, 0x10fff), (0x11000, 0x11fff), (0x13000, 0x16fff), (0x1b000, 0x1bfff), (0x1d000, 0x1d7ff),
          (0x1e000, 0x1efff), (0x1f000, 0x1faff), (0x20000, 0x2a6df), (0x2a700, 0x2ceb0), (0x2f800, 0x2fa1f),
          (0x30000, 0x3134f), (0xe0000, 0xe01ff), (0, 0x10ffff)]
MARKS = [0x300, 0x301, 0x308, 0x323, 0x327, 0x345, 0x302e, 0x302f, 0x1d165, 0x1d16d, 0x94d, 0x5b0, 0x64b, 0xe38, 0x93e]
PIECES = ["[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "[cls]", "[", "]", "##ing", "ﬁ", "İ", "ẞ", "Ǆ", "ΑΣ", "가각", "ё",
          "👩‍👩‍👧", "🇩🇪", "e\u0301\u0323", "≠", "\u212b", "\u0340", "\u1fef", "\u037e", "\r", "\t", "\x0b", "\x85", "\0",
          "\u2028", "\u200b", "\u00ad", "\ufeff", "\ufffd", "don't", "rock'n'roll", "C++", "www.example.com/a?b=c"]


def titles_of(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as file:
        column = file.readline().rstrip("\n").split("\t").index("title")
        titles = [line.rstrip("\n").split("\t")[column] for line in file]
    return [title for title in titles if title]


def random_piece(chance, vocabulary):
    kind = chance.randrange(10)
    if kind < 3:
        return chance.choice(vocabulary).removeprefix("##").encode()
    if kind == 3:
        return chance.choice(PIECES).encode()
    if kind == 4:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(1, 6)))
    if kind == 5:
        marks = "".join(chr(chance.choice(MARKS)) for _ in range(chance.randrange(1, 5)))
        return (chr(chance.choice([0x61, 0xe9, 0x1d157, 0x4e00, 0x20, 0x2e, 0xac00])) + marks).encode()
    low, high = chance.choice(BLOCKS)
    letters = (chr(chance.randint(low, high)) for _ in range(chance.randrange(1, 12)))
    return "".join(letters).encode("utf-8", "surrogatepass")


def random_text(chance, vocabulary):
    if chance.randrange(200) == 0:  # about as long as the longest word, or longer than is seen
        return chance.choice([b"a", "é".encode(), "가".encode(), b"ab "]) * chance.randrange(30, 300)
    gaps = [b"", b"", b" ", b" ", b"-", "\u3000".encode()]
    text = b"".join(random_piece(chance, vocabulary) + chance.choice(gaps) for _ in range(chance.randrange(1, 9)))
    return text.replace(b"\n", b" ")


def run_eddy(options, lines, *arguments):
    command = [options.eddy, "embed", "--provider", "encoder", "--folder", options.folder, *arguments, "-"]
    result = subprocess.run(command, input=b"".join(line + b"\n" for line in lines), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def compare_tokens(options, model, name, lines):
    ours = run_eddy(options, lines, "--tokens")
    texts = [line.decode("utf-8", "replace") for line in lines]
    theirs = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]
    wrong = [i for i, text in enumerate(texts) if list(theirs[i]) != ours[i]]
    print(f"tokens: {name}: {len(lines)} texts, {len(wrong)} differ", flush=True)
    for i in wrong[:5]:
        print(f"  {lines[i]!r}\n    eddy   {ours[i]}\n    theirs {list(theirs[i])}")
    return not wrong


def compare_vectors(options, model, name, titles):
    ours = run_eddy(options, [title.encode() for title in titles])
    theirs = model.encode(titles, batch_size=32, show_progress_bar=False)
    cosines = [sum(a * float(b) for a, b in zip(x, y)) for x, y in zip(ours, theirs)]
    print(f"cosine: {name}: {len(titles)} titles, smallest {min(cosines):.7f}", flush=True)
    return len(ours) == len(titles) and min(cosines) >= COSINE_MIN


def seconds_of(function):
    begin = time.process_time()
    function()
    return time.process_time() - begin


def speed_of_eddy(options, path):
    output = subprocess.run([options.bench, "encoder", options.folder, path, "1"], stdout=subprocess.PIPE, check=True)
    return float(re.search(rb"([0-9.]+) a second", output.stdout).group(1))


def compare_speed(options, model, path, titles):
    ours, theirs = [], {batch: [] for batch in BATCHES}
    for _ in range(options.rounds):
        ours.append(speed_of_eddy(options, path))
        for batch in BATCHES:
            seconds = seconds_of(lambda size=batch: model.encode(titles, batch_size=size, show_progress_bar=False))
            theirs[batch].append(len(titles) / seconds)
    medians = {batch: statistics.median(speeds) for batch, speeds in theirs.items()}
    best = max(medians, key=medians.get)
    print(f"speed: {path}: eddy {statistics.median(ours):.0f} titles a second; sentence-transformers "
          + ", ".join(f"{speed:.0f} (batch {batch})" for batch, speed in medians.items())
          + f"; ratio to the best {statistics.median(ours) / medians[best]:.2f}", flush=True)


def parse():
    parser = argparse.ArgumentParser(description="eddy's sentence encoder beside sentence-transformers")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--items", action="append", default=[])
    parser.add_argument("--texts", type=int, default=100000, help="random texts whose tokens are compared")
    parser.add_argument("--rounds", type=int, default=3, help="of the speed; 0: it is not measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--eddy", default="build/release/eddy")
    parser.add_argument("--bench", default="build/release/bench/bench_embed")
    return parser.parse_args()


def main():
    options = parse()
    import torch
    from sentence_transformers import SentenceTransformer
    torch.set_num_threads(1)
    model = SentenceTransformer(options.folder, device="cpu")
    model.max_seq_length = 256
    with open(f"{options.folder}/vocab.txt", encoding="utf-8") as file:
        vocabulary = file.read().split("\n")[:-1]
    chance = random.Random(options.seed)
    good = True
    if options.texts:
        lines = [random_text(chance, vocabulary) for _ in range(options.texts)]
        good &= compare_tokens(options, model, "random", lines)
    for path in options.items:
        titles = titles_of(path)
        good &= compare_tokens(options, model, path, [title.encode() for title in titles])
        good &= compare_vectors(options, model, path, titles)
        if options.rounds:
            compare_speed(options, model, path, titles)
    sys.exit(not good)


main()
