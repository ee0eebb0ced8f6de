// SPDX-License-Identifier: Apache-2.0
/* The records of session models, field by field in their schemas' order; and their keys. */
#include "core/event/fixed.h"

#include <math.h>

#define OFFSET_SIZE_MIN 2 /* least bytes of an entry of sessions */

/* ---- keys */

/* A number without leading zeros, so that a place has one key. */
static bool parse_number(struct bytes text, uint32_t limit, uint32_t *ret_number)
{
    int64_t number;
    bool plain = text.size && text.data[0] >= '0' && text.data[0] <= '9' && (text.size == 1 || text.data[0] != '0');
    if (!plain || !bytes_to_int64(text, &number) || number >= limit)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

/* Takes what stands before the next slash. */
static struct bytes take_part(struct bytes *rest)
{
    const uint8_t *slash = rest->size ? memchr(rest->data, '/', rest->size) : NULL;
    size_t size = slash ? (size_t)(slash - rest->data) : rest->size;
    struct bytes part = bytes_of(rest->data, size);
    *rest = slash ? bytes_of(slash + 1, rest->size - size - 1) : (struct bytes){0};
    return part;
}

static bool name_is_legal(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!name.data[i] || !strchr(MODEL_NAME_LEGAL, name.data[i]))
            return false;
    return name.size >= 1 && name.size <= MODEL_NAME_MAX;
}

/* NAME/current, NAME/pinned */
static bool parse_pointer(struct bytes place, struct model_key *key)
{
    key->kind = bytes_equal_text(place, "pinned") ? MODEL_KEY_PINNED : MODEL_KEY_CURRENT;
    return key->kind == MODEL_KEY_PINNED || bytes_equal_text(place, "current");
}

/* NAME/SLOT/manifest, NAME/SLOT/CHUNK */
static bool parse_slot(struct bytes place, struct bytes rest, struct model_key *key)
{
    bool manifest = bytes_equal_text(rest, "manifest");
    key->kind = manifest ? MODEL_KEY_MANIFEST : MODEL_KEY_CHUNK;
    return parse_number(place, MODEL_SLOTS_MAX, &key->slot) &&
           (manifest || parse_number(rest, MODEL_CHUNKS_MAX, &key->chunk));
}

bool model_key_parse(struct bytes text, struct model_key *ret_key)
{
    struct model_key key = {.name = take_part(&text)};
    struct bytes place = take_part(&text);
    bool good = name_is_legal(key.name) && (text.data ? parse_slot(place, text, &key) : parse_pointer(place, &key));
    if (good)
        *ret_key = key;
    return good;
}

void model_key_write(const struct model_key *key, struct buffer *out)
{
    buffer_append_bytes(out, key->name);
    switch (key->kind) {
    case MODEL_KEY_CHUNK:
        buffer_format(out, "/%u/%u", key->slot, key->chunk);
        break;
    case MODEL_KEY_MANIFEST:
        buffer_format(out, "/%u/manifest", key->slot);
        break;
    case MODEL_KEY_CURRENT:
        buffer_append_text(out, "/current");
        break;
    case MODEL_KEY_PINNED:
        buffer_append_text(out, "/pinned");
        break;
    }
}

/* ---- fields that both have */

static bool read_name(struct reader *reader, struct bytes *ret_name)
{
    if (!read_text(reader, "name", ret_name))
        return false;
    return name_is_legal(*ret_name) || reader_fail(reader, "name", "the text is no name of a model");
}

static bool read_finite(struct reader *reader, const char *field, double *ret_number)
{
    if (!read_double(reader, field, ret_number))
        return false;
    return isfinite(*ret_number) || reader_fail(reader, field, "the number is not finite");
}

/* ---- chunks */

struct status fixed_model_chunk(struct reader reader, struct model_chunk *ret_chunk, struct complaint *complaint)
{
    struct model_chunk chunk = {0};
    if (!(read_name(&reader, &chunk.name) && read_at_least(&reader, "version", 1, &chunk.version) &&
          read_below(&reader, "slot", MODEL_SLOTS_MAX, &chunk.slot) &&
          read_below(&reader, "chunk", MODEL_CHUNKS_MAX, &chunk.chunk) &&
          read_text(&reader, "payload", &chunk.payload) && reader_finish(&reader)))
        return reader_status(&reader, complaint);
    *ret_chunk = chunk;
    return OK;
}

/* ---- manifests */

static bool read_precision(struct reader *reader, enum model_precision *ret_precision)
{
    uint32_t symbol; /* 0: unknown; then those of enum model_precision */
    if (!read_index(reader, "encoding", MODEL_PRECISION_COUNT + 1, &symbol))
        return false;
    if (symbol == 0)
        return reader_fail(reader, "encoding", "it is none that this version of eddy knows");
    *ret_precision = (enum model_precision)(symbol - 1);
    return true;
}

static bool read_sha256(struct reader *reader, struct bytes *ret_digits)
{
    if (!read_text(reader, "sha256", ret_digits))
        return false;
    bool right = ret_digits->size == MODEL_DIGITS;
    for (size_t i = 0; right && i < MODEL_DIGITS; i++)
        right = ret_digits->data[i] && strchr("0123456789abcdef", ret_digits->data[i]);
    return right || reader_fail(reader, "sha256", "it is not 64 hexadecimal digits");
}

static bool read_version(struct reader *reader, struct model_manifest *manifest)
{
    return read_name(reader, &manifest->name) && read_at_least(reader, "version", 1, &manifest->version) &&
           read_at_least(reader, "created", 0, &manifest->created_ms) &&
           read_below(reader, "slot", MODEL_SLOTS_MAX, &manifest->slot) &&
           read_below(reader, "chunks", MODEL_CHUNKS_MAX + 1, &manifest->chunk_count) &&
           (manifest->chunk_count > 0 || reader_fail(reader, "chunks", "there are none")) &&
           read_at_least(reader, "size", 1, &manifest->size) && read_precision(reader, &manifest->precision) &&
           read_sha256(reader, &manifest->sha256);
}

static bool read_options(struct reader *reader, struct model_manifest *manifest)
{
    return read_utf8(reader, "backbone", &manifest->backbone) &&
           read_below(reader, "width", MODEL_WIDTH_MAX + 1, &manifest->width) &&
           read_below(reader, "length_max", MODEL_LENGTH_MAX + 1, &manifest->length_max) &&
           read_count(reader, "items", &manifest->item_count) &&
           read_at_least(reader, "parameters", 0, &manifest->parameters);
}

/* With `sessions` NULL it only counts. */
static bool read_sessions(struct reader *reader, struct sessions_read *sessions, uint32_t *ret_count)
{
    uint64_t block;
    uint32_t count = 0;
    do {
        if (!read_block(reader, "sessions", OFFSET_SIZE_MIN, &block))
            return false;
        if (block > MODEL_OFFSETS_MAX - count)
            return reader_fail(reader, "sessions", "there are more than 10000 partitions");
        for (uint64_t i = 0; i < block; i++, count++) {
            struct sessions_read entry;
            if (!(read_int(reader, "sessions.partition", &entry.partition) &&
                  read_at_least(reader, "sessions.offset", 0, &entry.offset)))
                return false;
            if (entry.partition < 0 || entry.partition >= MODEL_OFFSETS_MAX)
                return reader_fail(reader, "sessions.partition", "the number is larger than can be");
            if (sessions)
                sessions[count] = entry;
        }
    } while (block);
    *ret_count = count;
    return true;
}

static bool read_figures(struct reader *reader, struct model_gate *gate, struct model_training *training)
{
    return read_at_least(reader, "gate_predictions", 0, &gate->predictions) &&
           read_count(reader, "gate_cutoff", &gate->cutoff) && read_finite(reader, "gate_mrr", &gate->mrr) &&
           read_finite(reader, "gate_mrr_before", &gate->mrr_before) &&
           read_finite(reader, "gate_hit_rate", &gate->hit_rate) &&
           read_finite(reader, "gate_hit_rate_before", &gate->hit_rate_before) &&
           read_at_least(reader, "trained_sessions", 0, &training->sessions) &&
           read_at_least(reader, "trained_clicks", 0, &training->clicks) &&
           read_at_least(reader, "trained_ms", 0, &training->ms) && read_finite(reader, "loss", &training->loss);
}

static bool read_note(struct reader *reader, struct bytes *ret_note)
{
    if (!read_utf8(reader, "note", ret_note))
        return false;
    return ret_note->size <= MODEL_TEXT_MAX || reader_fail(reader, "note", "the text is longer than 512 bytes");
}

struct status fixed_model_manifest(struct reader reader, struct arena *batch, struct model_manifest *ret_manifest,
                                   struct complaint *complaint)
{
    struct model_manifest manifest = {0};
    if (!(read_version(&reader, &manifest) && read_options(&reader, &manifest)))
        return reader_status(&reader, complaint);
    struct reader ahead = reader;
    if (!read_sessions(&ahead, NULL, &manifest.session_count))
        return reader_status(&ahead, complaint);
    struct sessions_read *sessions = ARENA_ARRAY(batch, struct sessions_read, manifest.session_count + 1);
    if (!sessions)
        return FAIL(MEMORY, manifest.session_count, "no memory for a model's offsets");
    if (!(read_sessions(&reader, sessions, &manifest.session_count) &&
          read_figures(&reader, &manifest.gate, &manifest.training) && read_note(&reader, &manifest.note) &&
          reader_finish(&reader)))
        return reader_status(&reader, complaint);
    manifest.sessions = sessions;
    *ret_manifest = manifest;
    return OK;
}
