// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/chat.h>

#include "core/intent/wire.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* ---- the request */

static bool add_texts(json_t *root, const struct embeddings_request *request)
{
    json_t *texts = json_array();
    bool good = texts != NULL;
    for (size_t i = 0; i < request->count && good; i++)
        good = json_array_append_new(texts, wire_string(request->texts[i])) == 0;
    return json_object_set_new(root, "input", texts) == 0 && good;
}

struct status embeddings_write_request(const struct embeddings_request *request, struct buffer *out,
                                       struct complaint *complaint)
{
    TRY(wire_check_text(request->model, "model's name", complaint));
    for (size_t i = 0; i < request->count; i++)
        TRY(wire_check_text(request->texts[i], "text to be embedded", complaint));
    json_t *root = json_object();
    bool good = json_object_set_new(root, "model", wire_string(request->model)) == 0 && add_texts(root, request);
    good = json_object_set_new(root, "encoding_format", json_string("float")) == 0 && good;
    if (request->width)
        good = json_object_set_new(root, "dimensions", json_integer(request->width)) == 0 && good;
    if (!good) {
        json_decref(root);
        return FAIL(MEMORY, 0, "no memory for a request to a language model");
    }
    return wire_dump(root, out);
}

/* ---- the reply */

struct vectors {
    size_t count, width;
    float *values;  /* (count, width) */
    uint8_t *given; /* (count): 1 when it has come */
};

static enum chat_outcome read_vector(const json_t *embedding, size_t index, struct vectors *vectors,
                                     struct complaint *complaint)
{
    if (!json_is_array(embedding))
        return wire_say(complaint, CHAT_WRONG_SHAPE, "the reply's vector %zu is not an array", index);
    if (json_array_size(embedding) != vectors->width)
        return wire_say(complaint, CHAT_WRONG_WIDTH,
                        "the reply's vector %zu is %zu wide, not %zu: is it the model that is configured?", index,
                        json_array_size(embedding), vectors->width);
    for (size_t i = 0; i < vectors->width; i++) {
        const json_t *number = json_array_get(embedding, i);
        if (!json_is_number(number))
            return wire_say(complaint, CHAT_WRONG_SHAPE, "the reply's vector %zu holds what is no number", index);
        double value = json_number_value(number);
        if (!isfinite(value) || fabs(value) > (double)FLT_MAX)
            return wire_say(complaint, CHAT_NOT_FINITE, "the reply's vector %zu holds a number out of range", index);
        vectors->values[index * vectors->width + i] = (float)value;
    }
    return CHAT_GOOD;
}

/* Some servers leave the index out; then the place says it. */
static enum chat_outcome read_entry(const json_t *entry, size_t place, struct vectors *vectors,
                                    struct complaint *complaint)
{
    const json_t *index = json_object_get(entry, "index");
    json_int_t at = index ? json_integer_value(index) : (json_int_t)place;
    if (!json_is_object(entry) || (index && !json_is_integer(index)))
        return wire_say(complaint, CHAT_WRONG_SHAPE, "the reply's data[%zu] is not an embedding with an index", place);
    if (at < 0 || (uint64_t)at >= vectors->count)
        return wire_say(complaint, CHAT_WRONG_COUNT, "the reply's data[%zu] has the index %lld, of %zu texts", place,
                        (long long)at, vectors->count);
    if (vectors->given[at])
        return wire_say(complaint, CHAT_WRONG_COUNT, "the reply has two vectors with the index %lld", (long long)at);
    vectors->given[at] = 1;
    return read_vector(json_object_get(entry, "embedding"), (size_t)at, vectors, complaint);
}

/* As many as texts, and none twice: so each is there. */
static enum chat_outcome read_data(const json_t *data, struct vectors *vectors, struct complaint *complaint)
{
    if (!json_is_array(data))
        return wire_say(complaint, CHAT_WRONG_SHAPE, "the reply has no data: does it come from /embeddings?");
    if (json_array_size(data) != vectors->count)
        return wire_say(complaint, CHAT_WRONG_COUNT, "the reply has %zu vectors for %zu texts", json_array_size(data),
                        vectors->count);
    enum chat_outcome outcome = CHAT_GOOD;
    for (size_t i = 0; i < vectors->count && outcome == CHAT_GOOD; i++)
        outcome = read_entry(json_array_get(data, i), i, vectors, complaint);
    return outcome;
}

enum chat_outcome embeddings_read_reply(struct bytes body, size_t body_bytes_max, size_t count, size_t width,
                                        float *ret_vectors, struct chat_usage *ret_usage, struct complaint *complaint)
{
    json_t *root = NULL;
    *ret_usage = (struct chat_usage){-1, -1};
    enum chat_outcome outcome = wire_load(body, body_bytes_max, &root, complaint);
    if (outcome != CHAT_GOOD)
        return outcome;
    struct vectors vectors = {count, width, ret_vectors, calloc(count ? count : 1, 1)};
    outcome = vectors.given ? read_data(json_object_get(root, "data"), &vectors, complaint)
                            : wire_say(complaint, CHAT_NO_MEMORY, "there is no memory for %zu vectors", count);
    *ret_usage = wire_usage(root);
    free(vectors.given);
    json_decref(root);
    return outcome;
}
