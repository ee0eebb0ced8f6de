// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as a snapshot of the learned state: as they are, and behind the right start and with a right
 * checksum, so that the fuzzer gets further. What is accepted must come back the same, answer questions and learn on.
 * Input: a snapshot without magic, version, options and checksum. */
#include <eddy/core/fusion.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_SIZE 68 /* magic, version, options */

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

static void must_come_back(const struct learned *learned, struct catalogue *catalogue)
{
    AUTO(buffer) first = {0};
    AUTO(buffer) second = {0};
    struct learned_options options = options_of_fuzzing();
    struct learned *other;
    learned_encode(learned, catalogue, &first);
    must(learned_restore(buffer_bytes(&first), &options, catalogue, &other));
    learned_encode(other, catalogue, &second);
    if (!bytes_equal(buffer_bytes(&first), buffer_bytes(&second)))
        abort();
    learned_close(other);
}

/* Asks for every item, and learns a session of each and the next. */
static void use(struct learned *learned, struct catalogue *catalogue)
{
    struct scoring_scratch *scratch;
    struct fusion_options options = fusion_options_default();
    must(scoring_scratch_open(&scratch));
    uint32_t count = catalogue_count(catalogue) < 20 ? catalogue_count(catalogue) : 20;
    for (uint32_t item = 0; item < count; item++) {
        struct recommended_item list[20];
        uint32_t length, items[2] = {item, (item + 1) % count};
        struct query query = {.items = items, .length = 2, .now_ms = 1600000000000};
        must(fuse(learned, catalogue, &query, &options, scratch, list, &length));
        const int64_t times_ms[2] = {1600000000000, 1600000000001};
        const uint8_t types[2] = {0, 1};
        struct closed_session session = {
            .view = {.items = items, .times_ms = times_ms, .types = types, .length = 2, .total = 2}};
        must(learned_learn(learned, &session));
    }
    scoring_scratch_close(scratch);
}

static void restore(struct bytes snapshot)
{
    struct learned_options options = options_of_fuzzing();
    struct catalogue_options catalogue_options = {1000, 1 << 20, 10};
    struct catalogue *catalogue;
    struct learned *learned;
    must(catalogue_open(&catalogue_options, &catalogue));
    if (!failed(learned_restore(snapshot, &options, catalogue, &learned))) {
        must_come_back(learned, catalogue);
        use(learned, catalogue);
        must_come_back(learned, catalogue);
        learned_close(learned);
    }
    catalogue_close(catalogue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct learned_options options = options_of_fuzzing();
    struct learned *empty;
    AUTO(buffer) sealed = {0};
    restore(bytes_of(data, size));
    must(learned_open(&options, &empty));
    learned_encode(empty, NULL, &sealed);
    learned_close(empty);
    sealed.size = START_SIZE;
    buffer_append(&sealed, data, size);
    uint64_t checksum = bytes_hash(buffer_bytes(&sealed));
    buffer_append(&sealed, &checksum, sizeof checksum);
    restore(buffer_bytes(&sealed));
    return 0;
}
