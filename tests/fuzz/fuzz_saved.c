// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as the saved state of a process: as they are, and as the learner's part of a whole one with right
 * checksums, so that the fuzzer gets further. What is accepted must come back the same. */
#include "app/saved.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LEARNER_START 16 /* of a frame: magic, version */

static const struct learner_options learner_options = {.delay_ms = 1000, .pending_max = 100};

static void must(struct status status)
{
    if (failed(status))
        abort();
}

static struct learned_options options_of_fuzzing(void)
{
    struct learned_options options = learned_options_default();
    options.sessions_max = 8;
    options.postings_max = 4;
    options.session_items_max = 6;
    options.successors_max = 8;
    return options;
}

static void release(struct saved *saved)
{
    learner_close(saved->learner);
    learned_close(saved->learned);
    free(saved->positions);
}

static void must_come_back(const struct saved *saved, struct catalogue *catalogue)
{
    AUTO(buffer) first = {0};
    AUTO(buffer) second = {0};
    struct learned_options options = options_of_fuzzing();
    struct saved other;
    saved_encode(saved->learned, saved->learner, catalogue, saved->positions, saved->position_count, &first);
    must(saved_decode(buffer_bytes(&first), &options, &learner_options, catalogue, &other));
    saved_encode(other.learned, other.learner, catalogue, other.positions, other.position_count, &second);
    if (!bytes_equal(buffer_bytes(&first), buffer_bytes(&second)))
        abort();
    release(&other);
}

static void restore(struct bytes content)
{
    struct learned_options options = options_of_fuzzing();
    struct catalogue_options catalogue_options = {1000, 1 << 20, 10};
    struct catalogue *catalogue;
    struct saved saved;
    must(catalogue_open(&catalogue_options, &catalogue));
    if (!failed(saved_decode(content, &options, &learner_options, catalogue, &saved))) {
        must_come_back(&saved, catalogue);
        must(learner_drain(saved.learner));
        must_come_back(&saved, catalogue);
        release(&saved);
    }
    catalogue_close(catalogue);
}

/* An empty saved state whose learner is `part`. */
static void wrap(struct bytes part, struct buffer *out)
{
    struct learned_options options = options_of_fuzzing();
    struct learned *learned;
    struct learner *learner;
    AUTO(buffer) bare = {0};
    must(learned_open(&options, &learned));
    must(learner_open(&learner_options, learned, &learner));
    saved_encode(learned, learner, NULL, NULL, 0, out);
    learner_encode(learner, NULL, &bare);
    size_t start = out->size - sizeof(uint64_t) - bare.size; /* of the learner, its size before it */
    uint64_t size = LEARNER_START + part.size + sizeof(uint64_t);
    memcpy(out->data + start - sizeof size, &size, sizeof size);
    out->size = start + LEARNER_START;
    buffer_append_bytes(out, part);
    uint64_t checksum = bytes_hash(bytes_of(out->data + start, out->size - start));
    buffer_append(out, &checksum, sizeof checksum);
    checksum = bytes_hash(buffer_bytes(out));
    buffer_append(out, &checksum, sizeof checksum);
    learner_close(learner);
    learned_close(learned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer) whole = {0};
    restore(bytes_of(data, size));
    wrap(bytes_of(data, size), &whole);
    restore(buffer_bytes(&whole));
    return 0;
}
