// SPDX-License-Identifier: Apache-2.0
#include "app/saved.h"

#include <eddy/io/file.h>
#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "saved states are little-endian");

#define VERSION        1
#define PARTITIONS_MAX 100000

static const char saved_magic[8] = "eddysav";

#define PUT(out, value) buffer_append((out), &(value), sizeof(value))

/* ---- writing */

/* Begins a part whose size is known at its end. */
static size_t part_begin(struct buffer *out)
{
    uint64_t size = 0;
    PUT(out, size);
    return out->size;
}

static void part_end(struct buffer *out, size_t start)
{
    uint64_t size = out->size - start;
    if (!out->overflow)
        memcpy(out->data + start - sizeof size, &size, sizeof size);
}

void saved_encode(const struct learned *learned, const struct learner *learner, const struct catalogue *catalogue,
                  const int64_t *positions, int32_t position_count, struct buffer *out)
{
    const uint32_t version = VERSION;
    size_t start = out->size;
    PUT(out, saved_magic);
    PUT(out, version);
    PUT(out, position_count);
    buffer_append(out, positions, (size_t)position_count * sizeof *positions);
    size_t part = part_begin(out);
    learned_encode(learned, catalogue, out);
    part_end(out, part);
    part = part_begin(out);
    learner_encode(learner, catalogue, out);
    part_end(out, part);
    if (out->overflow)
        return;
    uint64_t checksum = bytes_hash(bytes_of(out->data + start, out->size - start));
    PUT(out, checksum);
}

struct status saved_write(const char *path, const struct buffer *content, struct complaint *complaint)
{
    if (failed(buffer_check(content)))
        return complain(complaint, buffer_check(content), "%s: there is no memory to save the learned state", path);
    return file_write(path, content, complaint);
}

/* ---- reading */

static struct status take(struct bytes *rest, void *to, size_t size)
{
    if (rest->size < size)
        return FAIL(CORRUPT, size, "the saved state is truncated");
    if (size)
        memcpy(to, rest->data, size);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return OK;
}

static struct status take_part(struct bytes *rest, struct bytes *ret_part)
{
    uint64_t size;
    TRY(take(rest, &size, sizeof size));
    if (size > rest->size)
        return FAIL(CORRUPT, size, "the saved state is truncated");
    *ret_part = bytes_of(rest->data, (size_t)size);
    *rest = bytes_of(rest->data + size, rest->size - (size_t)size);
    return OK;
}

/* Magic, version and checksum; *content is then what lies between. */
static struct status take_frame(struct bytes *content)
{
    char magic[sizeof saved_magic];
    uint32_t version;
    uint64_t checksum;
    struct bytes whole = *content;
    TRY(take(content, magic, sizeof magic));
    TRY(take(content, &version, sizeof version));
    if (memcmp(magic, saved_magic, sizeof magic) != 0)
        return FAIL(CORRUPT, 0, "this is no saved state");
    if (version > VERSION)
        return FAIL(NEWER, version, "the saved state is of a later version");
    if (version != VERSION || content->size < sizeof checksum)
        return FAIL(CORRUPT, version, "the saved state is truncated");
    content->size -= sizeof checksum;
    memcpy(&checksum, content->data + content->size, sizeof checksum);
    if (checksum != bytes_hash(bytes_of(whole.data, whole.size - sizeof checksum)))
        return FAIL(CORRUPT, 0, "the saved state is damaged");
    return OK;
}

static struct status take_positions(struct bytes *content, struct saved *saved)
{
    int32_t count;
    TRY(take(content, &count, sizeof count));
    if (count < 0 || count > PARTITIONS_MAX || content->size < (size_t)count * sizeof *saved->positions)
        return FAIL(CORRUPT, count, "the saved state is truncated");
    saved->positions = calloc((size_t)count + 1, sizeof *saved->positions);
    if (!saved->positions)
        return FAIL(MEMORY, count, "no memory for positions");
    saved->position_count = count;
    return take(content, saved->positions, (size_t)count * sizeof *saved->positions);
}

static struct status decode(struct bytes content, const struct learned_options *learned_options,
                            const struct learner_options *learner_options, struct catalogue *catalogue,
                            struct saved *saved)
{
    struct bytes learned, learner;
    TRY(take_frame(&content));
    TRY(take_positions(&content, saved));
    TRY(take_part(&content, &learned));
    TRY(take_part(&content, &learner));
    if (content.size)
        return FAIL(CORRUPT, content.size, "the saved state has something at its end");
    TRY(learned_restore(learned, learned_options, catalogue, &saved->learned));
    TRY(learner_open(learner_options, saved->learned, &saved->learner));
    return learner_restore(learner, catalogue, saved->learner);
}

struct status saved_decode(struct bytes content, const struct learned_options *learned_options,
                           const struct learner_options *learner_options, struct catalogue *catalogue,
                           struct saved *ret_saved)
{
    struct saved saved = {0};
    struct status status = decode(content, learned_options, learner_options, catalogue, &saved);
    if (failed(status)) {
        learner_close(saved.learner);
        learned_close(saved.learned);
        free(saved.positions);
        return status;
    }
    *ret_saved = saved;
    return OK;
}

struct status saved_read(const char *path, const struct learned_options *learned_options,
                         const struct learner_options *learner_options, struct catalogue *catalogue,
                         struct saved *ret_saved, struct complaint *complaint)
{
    AUTO(buffer) content = {.limit = SAVED_BYTES_MAX};
    TRY(file_read(path, &content, complaint));
    struct status status = saved_decode(buffer_bytes(&content), learned_options, learner_options, catalogue, ret_saved);
    return failed(status) ? complain(complaint, status, "%s: %s", path, status.fault->what) : OK;
}
