// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/fusion.h>

#define CLICKS 40

struct stream {
    struct random random;
    uint32_t items, first_item;
    uint32_t numbers[CLICKS];
    int64_t times_ms[CLICKS];
    uint8_t types[CLICKS];
    int64_t now_ms;
    char name[24];
};

static void stream_open(struct stream *stream, uint64_t seed, uint32_t items, uint32_t first_item)
{
    *stream = (struct stream){.items = items, .first_item = first_item, .now_ms = 1600000000000};
    random_seed(&stream->random, seed);
}

static struct closed_session stream_next(struct stream *stream)
{
    uint32_t length = 1 + random_below(&stream->random, 1 + random_below(&stream->random, CLICKS));
    for (uint32_t i = 0; i < length; i++) {
        stream->numbers[i] =
            stream->first_item + random_below(&stream->random, 1 + random_below(&stream->random, stream->items));
        stream->times_ms[i] = stream->now_ms += random_below(&stream->random, 2000);
        stream->types[i] = (uint8_t)random_below(&stream->random, CLICK_TYPE_COUNT);
    }
    snprintf(stream->name, sizeof stream->name, "s%lld", (long long)stream->now_ms);
    return (struct closed_session){.view = {.session_id = bytes_of_text(stream->name),
                                            .items = stream->numbers,
                                            .times_ms = stream->times_ms,
                                            .types = stream->types,
                                            .length = length,
                                            .total = length},
                                   .close_ms = stream->now_ms + 1800000};
}

static struct learned *open_default(void)
{
    struct learned_options options = learned_options_default();
    struct learned *learned;
    assert_ok(learned_open(&options, &learned));
    return learned;
}

static void the_same_sessions_give_the_same_state_whatever_the_catalogues_numbers(void **state)
{
    (void)state;
    struct stream one, other;
    struct learned *first = open_default(), *second = open_default();
    struct catalogue_options catalogue_options = {10000, 1 << 24, 10};
    struct catalogue *catalogue;
    struct scoring_scratch *scratch;
    assert_ok(catalogue_open(&catalogue_options, &catalogue));
    assert_ok(scoring_scratch_open(&scratch));
    for (uint32_t i = 0, number; i < 2000; i++) {
        char id[16];
        snprintf(id, sizeof id, "%u", i);
        assert_ok(catalogue_intern(catalogue, bytes_of_text(id), &number));
    }
    stream_open(&one, 1, 300, 0);
    stream_open(&other, 1, 300, 1000);
    struct fusion_options options = fusion_options_default();
    for (int i = 0; i < 2000; i++) {
        struct closed_session a = stream_next(&one), b = stream_next(&other);
        if (i % 50 == 0) {
            struct query query = {.items = a.view.items, .length = a.view.length, .now_ms = one.now_ms};
            struct recommended_item list[20], shifted[20];
            uint32_t count, shifted_count;
            assert_ok(fuse(first, catalogue, &query, &options, scratch, list, &count));
            query.items = b.view.items;
            assert_ok(fuse(second, catalogue, &query, &options, scratch, shifted, &shifted_count));
            assert_int_equal(count, shifted_count);
            for (uint32_t j = 0; j < count; j++) {
                assert_int_equal(list[j].item + 1000, shifted[j].item);
                assert_memory_equal(&list[j].score, &shifted[j].score, sizeof list[j].score);
                assert_memory_equal(list[j].shares, shifted[j].shares, sizeof list[j].shares);
            }
        }
        assert_ok(learned_learn(first, &a));
        assert_ok(learned_learn(second, &b));
        assert_int_equal(learned_version(first), learned_version(second));
    }
    assert_int_equal(learned_memory(first), learned_memory(first));
    learned_close(first);
    learned_close(second);
    catalogue_close(catalogue);
    scoring_scratch_close(scratch);
}

static void the_version_names_order_and_content(void **state)
{
    (void)state;
    struct stream stream;
    struct learned *first = open_default(), *second = open_default();
    stream_open(&stream, 2, 100, 0);
    assert_int_equal(learned_version(first), learned_version(second));
    struct closed_session session = stream_next(&stream);
    assert_ok(learned_learn(first, &session));
    assert_int_not_equal(learned_version(first), learned_version(second));
    assert_ok(learned_learn(second, &session));
    assert_int_equal(learned_version(first), learned_version(second));
    session = stream_next(&stream);
    uint64_t before = learned_version(first);
    assert_ok(learned_learn(first, &session));
    stream.times_ms[0]++;
    assert_ok(learned_learn(second, &session));
    assert_int_not_equal(learned_version(first), learned_version(second));
    assert_int_not_equal(learned_version(first), before);
    learned_close(first);
    learned_close(second);
}

static void single_clicks_teach_popularity_only(void **state)
{
    (void)state;
    struct stream stream;
    struct learned *learned = open_default();
    stream_open(&stream, 3, 100, 0);
    uint32_t longer = 0;
    for (int i = 0; i < 300; i++) {
        struct closed_session session = stream_next(&stream);
        longer += session.view.length > 1;
        assert_ok(learned_learn(learned, &session));
    }
    assert_int_equal(learned_count(learned), 300);
    assert_int_equal(learned_index_sessions(learned), longer);
    assert_in_range(learned_items(learned), 50, 100);
    struct closed_session empty = {.view = {.session_id = BYTES("none")}};
    assert_ok(learned_learn(learned, &empty));
    assert_int_equal(learned_count(learned), 300);
    learned_close(learned);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    struct learned_options options = learned_options_default();
    struct learned *learned;
    struct stream stream;
    options.sessions_max = 500;
    options.postings_max = 40;
    options.successors_max = 16;
    assert_ok(learned_open(&options, &learned));
    stream_open(&stream, 4, 400, 0);
    size_t half = 0;
    for (int i = 0; i < 20000; i++) {
        struct closed_session session = stream_next(&stream);
        assert_ok(learned_learn(learned, &session));
        if (i == 10000)
            half = learned_memory(learned);
    }
    assert_int_equal(learned_index_sessions(learned), 500);
    assert_true(learned_forgotten(learned) > 10000); /* not all have two clicks */
    assert_true(learned_forgotten(learned) <= 19500);
    assert_true(learned_memory(learned) <= half + (1 << 18)); /* at most one more chunk for late rules */
    assert_true(learned_memory(learned) < 3 << 20);
    learned_close(learned);
}

static void options_out_of_bounds_are_refused(void **state)
{
    (void)state;
    struct learned *learned;
    for (int i = 0; i < 9; i++) {
        struct learned_options options = learned_options_default();
        options.sessions_max = i == 0 ? 0 : options.sessions_max;
        options.sessions_max = i == 1 ? LEARNED_SESSIONS_MAX + 1 : options.sessions_max;
        options.postings_max = i == 2 ? LEARNED_POSTINGS_MAX + 1 : options.postings_max;
        options.session_items_max = i == 3 ? 1 : options.session_items_max;
        options.session_items_max = i == 4 ? LEARNED_SESSION_ITEMS_MAX + 1 : options.session_items_max;
        options.successors_max = i == 5 ? 7 : options.successors_max;
        options.forward_decay = i == 6 ? 0 : options.forward_decay;
        options.popularity_half_life_ms = i == 7 ? 0 : options.popularity_half_life_ms;
        options.type_weights[2] = i == 8 ? -1 : options.type_weights[2];
        assert_fails(CONFIG, learned_open(&options, &learned));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_sessions_give_the_same_state_whatever_the_catalogues_numbers),
        cmocka_unit_test(the_version_names_order_and_content),
        cmocka_unit_test(single_clicks_teach_popularity_only),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(options_out_of_bounds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
