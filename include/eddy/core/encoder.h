// SPDX-License-Identifier: Apache-2.0
#pragma once
/* encoder: a sentence encoder of BERT's architecture (Devlin et al. 2019), run as sentence-transformers runs it
 * (Reimers & Gurevych 2019): WordPiece tokens, the transformer, the mean over the tokens, length 1. all-MiniLM-L6-v2 is
 * one. Products are OpenBLAS's and take turns where they must (model.h); all else is plain C.
 *
 *   texts -> tokens -> packed into batches of rows, without padding -> layers -> mean -> vectors
 *
 * What it is made of are the files of a folder in the format of sentence-transformers: weights as safetensors (F32, F16
 * or BF16; computed with as F32), vocab.txt, config.json, and, where the folder has them, what says how sentences are
 * made of it. What cannot be honoured is refused: another architecture, activation, pooling or tokenizer. modules.json
 * may lack the normalisation; vectors have length 1 all the same. */
#include <eddy/core/embedder.h>

enum encoder_file {
    ENCODER_WEIGHTS,
    ENCODER_VOCABULARY,
    ENCODER_CONFIG,
    ENCODER_NEEDED, /* those behind may be missing */
    ENCODER_SENTENCE = ENCODER_NEEDED,
    ENCODER_POOLING,
    ENCODER_TOKENIZER,
    ENCODER_MODULES,
    ENCODER_FILE_COUNT
};

/* "model.safetensors" and so on, below the folder. */
extern const char *const encoder_file_names[ENCODER_FILE_COUNT];

struct encoder_files {
    struct bytes content[ENCODER_FILE_COUNT]; /* data NULL: there is no such file */
};

struct encoder;

/* Copies what it needs of the files. Complaints name the file. `name` of the embedder is "encoder:" and the beginning
 * of the SHA-256 of all files. BAD_INPUT: the files are damaged, do not fit together, or ask for what is not there;
 * LIMIT: sizes that no such model has; MEMORY. */
MUST_CHECK struct status encoder_open(const struct encoder_files *files, struct encoder **ret_encoder,
                                      struct complaint *complaint);
void encoder_close(struct encoder *encoder);
/* Closing this closes the encoder. */
struct embedder encoder_embedder(struct encoder *encoder);

/* Tokens that it sees of a text, [CLS] and [SEP] among them. */
uint32_t encoder_length_max(const struct encoder *encoder);
/* A text's tokens, at most encoder_length_max(); returns how many. */
uint32_t encoder_tokens(const struct encoder *encoder, struct bytes text, uint32_t *tokens);
