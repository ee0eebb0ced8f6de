// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model: learned session models. A backbone turns a session's last clicks into vectors, and an item's score is the
 * product of the session's vector with the item's own:
 *
 *   items of the last clicks --item table--> rows --backbone--> local, global, session vector --item table--> scores
 *
 * All backbones share the item table, the loss and the optimiser; a backbone is a row of backbones[]. With `normalise`
 * a score is the cosine of the two vectors over a temperature (NISER, Gupta et al. 2019, eq. 4 and 5), without it their
 * product. Products are symmetrical; with `directed` an item that is scored has the vector that it has as a click and
 * an offset of its own added, so that what follows an item is not what goes before it, least of all itself. Items are
 * rows 0
 * .. item_count - 1 of the model; what they are called is the caller's business.
 *
 * A model is plain data: scoring does not change it, so any number of threads may score with one, each with an arena of
 * its own. Training is trainer.h's. */
#include <eddy/base/arena.h>
#include <eddy/base/random.h>
#include <eddy/base/status.h>
#include <eddy/core/frame.h>

#define MODEL_WIDTH_MAX  1024
#define MODEL_LENGTH_MAX 64

struct model;
struct backbone;

struct model_options {
    const struct backbone *backbone;
    uint32_t width;      /* 1 .. MODEL_WIDTH_MAX: of the item table and of the vectors */
    uint32_t length_max; /* 1 .. MODEL_LENGTH_MAX: it sees so many last clicks of a session */
    bool normalise;
    float temperature; /* > 0, with `normalise` */
    bool directed;
};

/* pw_core, stamp, narm, gru4rec, sr_gnn, sasrec */
#define BACKBONE_COUNT 6
extern const struct backbone *const backbones[BACKBONE_COUNT];
const char *backbone_name(const struct backbone *backbone);
const char *backbone_title(const struct backbone *backbone);
/* NULL when there is none of that name. */
const struct backbone *backbone_named(const char *name);

/* Untrained: item rows and weights are random as is usual for the backbone. Same seed, same model. MEMORY. */
MUST_CHECK struct status model_open(const struct model_options *options, uint32_t item_count, uint64_t seed,
                                    struct model **ret_model);
/* Another one with the same weights. MEMORY. */
MUST_CHECK struct status model_copy(const struct model *model, struct model **ret_model);
/* Rows for more items, random as untrained ones are; no bit of those that are there, or of a session's vector, changes.
 * (A score may, by rounding: OpenBLAS adds up the last columns of a product in another order.) `item_count` is not
 * below that of the model, which nobody trains. MEMORY: it has not changed. */
MUST_CHECK struct status model_grow(struct model *model, uint32_t item_count, uint64_t seed);
void model_close(struct model *model);

const struct model_options *model_options(const struct model *model);
uint32_t model_item_count(const struct model *model);
/* Event time of the last click it has learned from; INT64_MIN when it was not trained. */
int64_t model_trained_to(const struct model *model);
void model_set_trained_to(struct model *model, int64_t time_ms);
/* Numbers that are learned. */
size_t model_parameter_count(const struct model *model);

/* Sessions one behind the other, oldest click first: session i's clicks are items[starts[i]] .. items[starts[i + 1] -
 * 1]; none is empty. Only the last length_max of each are seen. */
struct model_sessions {
    uint32_t count;
    const uint32_t *starts; /* (count + 1) */
    const uint32_t *items;  /* rows of the model */
};

/* The sessions' vectors, ready for scoring: normalised where the model normalises. vectors: (count, width). MEMORY. */
MUST_CHECK struct status model_vectors(const struct model *model, const struct model_sessions *sessions,
                                       struct arena *arena, float *vectors);

/* Matrix products are OpenBLAS's, in a program that has threads of its own: a product takes the calling thread alone.
 * An OpenBLAS that was built without threads has, unless it was asked for, no locks either, and gives two callers the
 * same memory to work in: with such a one products take turns. One that was built with OpenMP can be held to one thread
 * for the thread alone that says so; CONFIG, unless it has but one for all (OMP_NUM_THREADS=1, or a single CPU). For
 * the whole process, once, before it has threads. */
struct matrix_turns {
    void (*begin)(void); /* waits until nobody else is between the two */
    void (*end)(void);
};
MUST_CHECK struct status matrix_begin_threads(const struct matrix_turns *turns);

/* The CPU has AMX for whole numbers, and the system lets the process use it: sums of products.h may be made by it. No
 * bit of a result depends on that. Once, like matrix_begin_threads(). */
void matrix_allow_amx(void);

/* Every item's score for each vector; scores: (count, item_count). The item rows as they are scored with are kept by
 * the caller, (item_count, width): model_item_rows() makes them. */
void model_item_rows(const struct model *model, float *rows);
void model_score(const struct model *model, const float *rows, const float *vectors, uint32_t count, float *scores);

/* In what the item table is written; all other weights are floats in any case (core/model/precision.h). */
enum model_precision { MODEL_FLOAT32, MODEL_FLOAT16, MODEL_INT8, MODEL_PRECISION_COUNT };
/* "float32", "float16", "int8" */
const char *model_precision_name(enum model_precision precision);

/* The model as a frame (core/frame.h), and back. MEMORY, what the sink fails with; CORRUPT, NEWER; NOT_FOUND: there is
 * no such backbone. */
MUST_CHECK struct status model_encode(const struct model *model, struct byte_sink sink);
/* The same with the item table in that precision. */
MUST_CHECK struct status model_encode_as(const struct model *model, enum model_precision precision,
                                         struct byte_sink sink);
MUST_CHECK struct status model_decode(struct bytes frame, struct model **ret_model);
