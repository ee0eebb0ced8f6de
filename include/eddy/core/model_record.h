// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model_record: the two kinds of records by which versions of session models travel, and their keys.
 *
 *   <name>/<slot>/<chunk>     ModelChunk     a piece of a version
 *   <name>/<slot>/manifest    ModelManifest  what the pieces are to give together
 *   <name>/current            ModelManifest  a copy of the manifest of the version in use
 *   <name>/pinned             ModelManifest  of the one that stays in use, whatever is current
 *
 * Decoded records borrow from their bytes; arrays live in the arena. Nothing about them is to be believed but their
 * form: texts are checked UTF-8, numbers are within the limits below, reals are finite. */
#include <eddy/core/codec.h>
#include <eddy/core/model.h>

#define MODEL_NAME_MAX    64
#define MODEL_SLOTS_MAX   128
#define MODEL_CHUNKS_MAX  65536
#define MODEL_CHUNK_SIZE  (900u << 10) /* of payload, but for a version's last chunk */
#define MODEL_TEXT_MAX    512          /* bytes of a note */
#define MODEL_DIGITS      64           /* of a SHA-256 */
#define MODEL_OFFSETS_MAX 10000        /* partitions of the sessions topic */

/* The characters of a model's name. */
#define MODEL_NAME_LEGAL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

enum model_key_kind { MODEL_KEY_CHUNK, MODEL_KEY_MANIFEST, MODEL_KEY_CURRENT, MODEL_KEY_PINNED };

struct model_key {
    struct bytes name;
    enum model_key_kind kind;
    uint32_t slot, chunk; /* where the kind has them */
};

/* False: it is no key of ours. */
bool model_key_parse(struct bytes text, struct model_key *ret_key);
void model_key_write(const struct model_key *key, struct buffer *out);

struct model_chunk {
    struct bytes name, payload;
    int64_t version;
    uint32_t slot, chunk;
};

struct sessions_read {
    int32_t partition;
    int64_t offset; /* the first one that was not learned from */
};

/* How a version was measured against the one before it; {0}: it was not. */
struct model_gate {
    int64_t predictions;
    uint32_t cutoff;
    double mrr, mrr_before, hit_rate, hit_rate_before;
};

struct model_training {
    int64_t sessions, clicks, ms;
    double loss;
};

struct model_manifest {
    struct bytes name;
    int64_t version, created_ms;
    uint32_t slot, chunk_count;
    int64_t size;
    enum model_precision precision;
    struct bytes sha256; /* MODEL_DIGITS digits */
    struct bytes backbone;
    uint32_t width, length_max, item_count;
    int64_t parameters;
    const struct sessions_read *sessions;
    uint32_t session_count;
    struct model_gate gate;
    struct model_training training;
    struct bytes note;
};

/* BAD_INPUT with a complaint that names the field; a decoder's other failures (codec.h). Decoders are of RECORD_AVRO or
 * RECORD_CONFLUENT: there is no JSON of models. */
MUST_CHECK struct status decode_model_chunk(struct decoder *decoder, struct bytes record, struct model_chunk *ret_chunk,
                                            struct complaint *complaint);
MUST_CHECK struct status decode_model_manifest(struct decoder *decoder, struct bytes record, struct arena *batch,
                                               struct model_manifest *ret_manifest, struct complaint *complaint);
void encode_model_chunk(struct encoding encoding, const struct model_chunk *chunk, struct buffer *out);
void encode_model_manifest(struct encoding encoding, const struct model_manifest *manifest, struct buffer *out);
