// SPDX-License-Identifier: Apache-2.0
#include "app/saved.h"

#include <eddy/core/frame.h>
#include <eddy/io/file.h>
#include <stdlib.h>

#define VERSION        1
#define PARTITIONS_MAX 100000

static const char saved_magic[FRAME_MAGIC_SIZE] = "eddysav";

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
    size_t start = frame_begin(out, saved_magic, VERSION);
    PUT(out, position_count);
    buffer_append(out, positions, (size_t)position_count * sizeof *positions);
    size_t part = part_begin(out);
    learned_encode(learned, catalogue, out);
    part_end(out, part);
    part = part_begin(out);
    learner_encode(learner, catalogue, out);
    part_end(out, part);
    frame_end(out, start);
}

struct status saved_write(const char *path, const struct buffer *content, struct complaint *complaint)
{
    if (failed(buffer_check(content)))
        return complain(complaint, buffer_check(content), "%s: there is no memory to save the learned state", path);
    return file_write(path, content, complaint);
}

/* ---- reading */

static struct status take_part(struct bytes *rest, struct bytes *ret_part)
{
    uint64_t size;
    TRY(frame_take(rest, &size, sizeof size));
    return frame_take_bytes(rest, size, ret_part);
}

static struct status take_positions(struct bytes *content, struct saved *saved)
{
    int32_t count;
    TRY(frame_take(content, &count, sizeof count));
    if (count < 0 || count > PARTITIONS_MAX || content->size < (size_t)count * sizeof *saved->positions)
        return FAIL(CORRUPT, count, "the saved state is truncated");
    saved->positions = calloc((size_t)count + 1, sizeof *saved->positions);
    if (!saved->positions)
        return FAIL(MEMORY, count, "no memory for positions");
    saved->position_count = count;
    return frame_take(content, saved->positions, (size_t)count * sizeof *saved->positions);
}

static struct status decode(struct bytes content, const struct learned_options *learned_options,
                            const struct learner_options *learner_options, struct catalogue *catalogue,
                            struct saved *saved)
{
    struct bytes learned, learner;
    TRY(frame_open(&content, saved_magic, VERSION));
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
