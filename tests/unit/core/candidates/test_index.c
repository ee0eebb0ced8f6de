// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/candidates/index.h"

#include <eddy/base/random.h>

#define ENTRIES  40
#define SESSIONS 30000
#define LENGTH   12

struct model {
    uint32_t words[SESSIONS][LENGTH];
    uint32_t lengths[SESSIONS];
    uint32_t count;
};

static struct model model;

static bool has(uint32_t session, uint32_t entry)
{
    for (uint32_t i = 0; i < model.lengths[session]; i++)
        if ((model.words[session][i] & WORD_ENTRY_MASK) == entry)
            return true;
    return false;
}

/* Compares everything with what the model's sessions say. */
static void assert_index(const struct index *index)
{
    uint32_t held = model.count < index->sessions_max ? model.count : index->sessions_max, first = model.count - held;
    uint64_t pairs = 0;
    assert_int_equal(index->count, held);
    assert_int_equal(index->next, model.count);
    for (uint32_t i = first; i < model.count; i++) {
        const uint32_t *words = index_session(index, i);
        assert_int_equal(words[0], model.lengths[i]);
        assert_memory_equal(words + 1, model.words[i], words[0] * sizeof *words);
        assert_int_equal(index->times_s[i & (index->slot_capacity - 1)], i * 7);
    }
    for (uint32_t entry = 0; entry < index->entry_count; entry++) {
        const struct postings *postings = &index->postings[entry];
        const uint32_t *ring = postings->count ? blocks_at(index->blocks, postings->block) : NULL;
        uint32_t mask = (uint32_t)(POSTINGS_FIRST << postings->size_class) - 1, frequency = 0, place = postings->count;
        for (uint32_t i = model.count; i-- > first;) {
            if (!has(i, entry))
                continue;
            if (frequency++ < index->postings_max)
                assert_int_equal(ring[(postings->first + --place) & mask], i);
        }
        assert_int_equal(place, 0);
        assert_int_equal(index->frequencies[entry], frequency);
        pairs += frequency;
    }
    assert_int_equal(index->pair_count, pairs);
}

static void add_random(struct index *index, struct random *random)
{
    uint32_t *words = model.words[model.count], length = 1 + random_below(random, LENGTH);
    size_t growth = 0;
    for (uint32_t i = 0; i < length; i++) {
        uint32_t entry = random_below(random, 1 + random_below(random, ENTRIES));
        words[i] = entry | random_below(random, 4) << WORD_TYPE_SHIFT;
        for (uint32_t j = 0; j < i; j++)
            if ((words[j] & WORD_ENTRY_MASK) == entry)
                words[i] |= WORD_AGAIN;
        growth += index_growth(index, entry);
    }
    assert_ok(index_reserve(index, length));
    assert_ok(blocks_reserve(index->blocks, growth));
    index_add(index, words, length, model.count * 7);
    model.lengths[model.count++] = length;
}

static void run(uint32_t sessions_max, uint32_t postings_max, uint64_t seed, uint32_t sessions)
{
    struct random random;
    struct blocks blocks = {0};
    struct index index;
    struct learned_options options = learned_options_default();
    random_seed(&random, seed);
    options.sessions_max = sessions_max;
    options.postings_max = postings_max;
    model.count = 0;
    index_open(&index, &options, &blocks);
    assert_ok(index_reserve_entries(&index, ENTRIES));
    size_t half = 0;
    for (uint32_t i = 0; i < sessions; i++) {
        add_random(&index, &random);
        if (i % 97 == 0 || i < 20)
            assert_index(&index);
        if (i == sessions / 2)
            half = index_memory(&index) + blocks_memory(&blocks);
    }
    assert_index(&index);
    if (sessions > 4 * sessions_max) /* full since long: nothing may grow any more */
        assert_true(index_memory(&index) + blocks_memory(&blocks) <= half + (1 << 18));
    index_release(&index);
    blocks_release(&blocks);
}

static void the_index_holds_the_newest_sessions_and_postings(void **state)
{
    (void)state;
    uint64_t seed = test_seed(1);
    print_message("seed %llu\n", (unsigned long long)seed);
    run(1, 1, seed, 300);
    run(7, 3, seed + 1, 2000);
    run(64, 1000, seed + 2, 3000);
    run(500, 10, seed + 3, 4000);
    run(100000, 50, seed + 4, 4000);
}

static void memory_stays_where_it_is_over_long_runs(void **state)
{
    (void)state;
    run(300, 40, test_seed(9), SESSIONS);
}

static void session_numbers_may_wrap(void **state)
{
    (void)state;
    struct blocks blocks = {0};
    struct index index;
    struct learned_options options = learned_options_default();
    options.sessions_max = 5;
    index_open(&index, &options, &blocks);
    assert_ok(index_reserve_entries(&index, 2));
    index.next = UINT32_MAX - 7;
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t words[2] = {0, i % 3 ? 1 : 0 | WORD_AGAIN};
        assert_ok(index_reserve(&index, 2));
        assert_ok(blocks_reserve(&blocks, index_growth(&index, 0) + index_growth(&index, 1)));
        index_add(&index, words, 2, i);
        uint32_t held = i < 5 ? i + 1 : 5;
        assert_int_equal(index.count, held);
        assert_int_equal(index.frequencies[0], held);
        assert_int_equal(index.postings[0].count, held);
        assert_int_equal(index_session(&index, index.next - 1)[0], 2);
    }
    index_release(&index);
    blocks_release(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_holds_the_newest_sessions_and_postings),
        cmocka_unit_test(memory_stays_where_it_is_over_long_runs),
        cmocka_unit_test(session_numbers_may_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
