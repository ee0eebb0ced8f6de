# SPDX-License-Identifier: Apache-2.0
"""A sentence encoder of a few KB, random, in the folder format of sentence-transformers, and what transformers makes of
some texts with it: tokens, and vectors in double. tests/golden/test_encoder.c holds eddy against it.

usage: golden_encoder.py FOLDER    (./dev golden encoder makes the environment and writes tests/golden/encoder)

The first layer is stored as F16, the second as BF16, the rest as F32; a number is the same in all three.
"""
import json
import os
import struct
import sys

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

SEED = 20181011
WIDTH, HEADS, LAYERS, INNER, POSITIONS, LENGTH = 24, 3, 2, 40, 20, 18
PIECES = ("[PAD] [unused0] [UNK] [CLS] [SEP] [MASK] a b c d e g h i n o r s t u the of and river boat moon ( ) : , . - "
          "! 1 2 9 ' & 山 水 ##a ##b ##e ##g ##h ##i ##n ##o ##r ##s ##t ##u ##at ##oat ##on ##ing ##er ##9 ##1 ß ##ß и "
          "##н ᄀ ##ᅡ ##ᆨ").split()
TEXTS = ["The river and the boat", "moon", "Böat: RIVERÉ (1991)", "the boat-moon, and\tthe river!", "山水 of the moon",
         "", "   ", "[MASK] of the [SEP] moon[CLS]", "zzz qqq", "a" * 100, "a" * 101, "ing ##ing rivering", "각 ß ИН",
         "e\u0301a \u0300\u0323 b\u0000\u200bc \ufffd", "≠ don't & 1.9",
         "the river and the boat of the moon and the river and the boat and the moon of the river",
         "\U0001f600 the\u00a0boat\u3000moon", "boat"]
TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def type_of(name):
    return "F16" if ".layer.0." in name else "BF16" if ".layer.1." in name else "F32"


def make_model():
    torch.manual_seed(SEED)
    config = BertConfig(vocab_size=len(PIECES), hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                        intermediate_size=INNER, max_position_embeddings=POSITIONS, layer_norm_eps=1e-9)
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape) * (0.5 if weight.dim() > 1 else 0.25)
            noise += 1 if name.endswith("LayerNorm.weight") else 0
            weight.copy_(noise.bfloat16())
    return model


def write_weights(model, path):
    header, data = {}, b""
    for name, weight in sorted(model.named_parameters()):
        kind = type_of(name)
        numbers = weight.detach().to(TYPES[kind]).contiguous().view(torch.uint8).reshape(-1).tolist()
        header[name] = {"dtype": kind, "shape": list(weight.shape),
                        "data_offsets": [len(data), len(data) + len(numbers)]}
        data += bytes(numbers)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def write_json(path, **values):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        json.dump(values, file, indent=1)
        file.write("\n")


def write_folder(model, folder):
    write_json(f"{folder}/config.json", model_type="bert", hidden_act="gelu", hidden_size=WIDTH,
               num_attention_heads=HEADS, num_hidden_layers=LAYERS, intermediate_size=INNER, layer_norm_eps=1e-9,
               vocab_size=len(PIECES), max_position_embeddings=POSITIONS, type_vocab_size=2,
               position_embedding_type="absolute")
    write_json(f"{folder}/sentence_bert_config.json", max_seq_length=LENGTH, do_lower_case=False)
    write_json(f"{folder}/tokenizer_config.json", do_lower_case=True, strip_accents=None, tokenize_chinese_chars=True,
               tokenizer_class="BertTokenizer", model_max_length=POSITIONS)
    write_json(f"{folder}/1_Pooling/config.json", word_embedding_dimension=WIDTH, pooling_mode_mean_tokens=True,
               pooling_mode_cls_token=False)
    with open(f"{folder}/vocab.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(PIECES) + "\n")
    with open(f"{folder}/texts.txt", "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(TEXTS) + "\n")
    write_weights(model, f"{folder}/model.safetensors")


def vector_of(model, tokens):
    if len(tokens) == 2:  # nothing between [CLS] and [SEP]: eddy says zeros
        return torch.zeros(WIDTH, dtype=torch.float64)
    rows = model(input_ids=torch.tensor([tokens])).last_hidden_state[0]
    return torch.nn.functional.normalize(rows.mean(0), dim=0)


def main(folder):
    model = make_model()
    write_folder(model, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = [tokenizer(text, truncation=True, max_length=LENGTH)["input_ids"] for text in TEXTS]
    model.double()
    lines = [f"# transformers, in double, seed {SEED}; written by: ./dev golden encoder", "# name rows columns"]
    with torch.no_grad():
        for i, row in enumerate(tokens):
            lines += [f"tokens.{i} 1 {len(row)}", " ".join(map(str, row)), f"vector.{i} 1 {WIDTH}",
                      " ".join(f"{number:.9g}" for number in vector_of(model, row).tolist())]
    with open(f"{folder}/expected.txt", "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


main(sys.argv[1])
