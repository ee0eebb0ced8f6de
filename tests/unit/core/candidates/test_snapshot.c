// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/fusion.h>

#define CLICKS 30

struct shop {
    struct random random;
    struct learned_options options;
    struct catalogue *catalogue;
    struct learned *learned;
    int64_t now_ms;
    uint32_t items[CLICKS];
    int64_t times_ms[CLICKS];
    uint8_t types[CLICKS];
};

static struct catalogue *open_catalogue(uint32_t items, bool backwards)
{
    struct catalogue_options options = {10000, 1 << 24, 10};
    struct catalogue *catalogue;
    assert_ok(catalogue_open(&options, &catalogue));
    for (uint32_t i = 0, number; i < items; i++) {
        char id[16];
        snprintf(id, sizeof id, "item %u", backwards ? items - 1 - i : i);
        assert_ok(catalogue_intern(catalogue, bytes_of_text(id), &number));
    }
    return catalogue;
}

static struct closed_session random_session(struct shop *shop)
{
    uint32_t length = 1 + random_below(&shop->random, random_below(&shop->random, 3) ? 5 : CLICKS);
    for (uint32_t i = 0; i < length; i++) {
        shop->items[i] = random_below(&shop->random, 1 + random_below(&shop->random, 200));
        shop->times_ms[i] = shop->now_ms += random_below(&shop->random, 100000);
        shop->types[i] = (uint8_t)random_below(&shop->random, CLICK_TYPE_COUNT);
    }
    return (struct closed_session){.view = {.session_id = BYTES("s"),
                                            .items = shop->items,
                                            .times_ms = shop->times_ms,
                                            .types = shop->types,
                                            .length = length,
                                            .total = length},
                                   .close_ms = shop->now_ms};
}

static void learn(struct shop *shop, int sessions)
{
    for (int i = 0; i < sessions; i++) {
        struct closed_session session = random_session(shop);
        assert_ok(learned_learn(shop->learned, &session));
    }
}

static void shop_open(struct shop *shop, uint64_t seed)
{
    *shop = (struct shop){.now_ms = 1600000000000, .options = learned_options_default()};
    random_seed(&shop->random, seed);
    shop->options.sessions_max = 150;
    shop->options.postings_max = 30;
    shop->options.successors_max = 24;
    shop->options.rules_decay_sessions = 40;
    shop->catalogue = open_catalogue(200, false);
    assert_ok(learned_open(&shop->options, &shop->learned));
}

static void shop_close(struct shop *shop)
{
    learned_close(shop->learned);
    catalogue_close(shop->catalogue);
}

static void assert_same_bytes(const struct learned *a, const struct catalogue *of_a, const struct learned *b,
                              const struct catalogue *of_b)
{
    AUTO(buffer) first = {0};
    AUTO(buffer) second = {0};
    learned_encode(a, of_a, &first);
    learned_encode(b, of_b, &second);
    assert_ok(buffer_check(&first));
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
}

static void a_restored_state_is_the_same_answers_the_same_and_learns_on_the_same(void **state)
{
    (void)state;
    uint64_t seed = test_seed(1);
    print_message("seed %llu\n", (unsigned long long)seed);
    struct scoring_scratch *scratch;
    assert_ok(scoring_scratch_open(&scratch));
    const int sessions[] = {0, 1, 20, 400, 3000};
    for (int run = 0; run < 5; run++) {
        struct shop shop;
        struct learned *restored;
        AUTO(buffer) snapshot = {0};
        shop_open(&shop, seed + (uint64_t)run);
        learn(&shop, sessions[run]);
        learned_encode(shop.learned, shop.catalogue, &snapshot);
        struct catalogue *other = open_catalogue(200, true); /* numbers the items otherwise */
        assert_ok(learned_restore(buffer_bytes(&snapshot), &shop.options, other, &restored));
        assert_same_bytes(shop.learned, shop.catalogue, restored, other);
        assert_int_equal(learned_version(restored), learned_version(shop.learned));
        assert_int_equal(learned_count(restored), sessions[run]);
        for (int i = 0; i < 300; i++) {
            struct closed_session session = random_session(&shop);
            struct fusion_options options = fusion_options_default();
            struct recommended_item wanted[20], got[20];
            uint32_t wanted_count, got_count, turned[CLICKS];
            for (uint32_t j = 0; j < session.view.length; j++)
                turned[j] = 199 - session.view.items[j];
            struct query query = {.items = session.view.items, .length = session.view.length, .now_ms = shop.now_ms};
            assert_ok(fuse(shop.learned, shop.catalogue, &query, &options, scratch, wanted, &wanted_count));
            query.items = turned;
            assert_ok(fuse(restored, other, &query, &options, scratch, got, &got_count));
            assert_int_equal(got_count, wanted_count);
            for (uint32_t j = 0; j < got_count; j++) {
                assert_int_equal(got[j].item, 199 - wanted[j].item);
                assert_memory_equal(&got[j].score, &wanted[j].score, sizeof got[j].score);
            }
            assert_ok(learned_learn(shop.learned, &session));
            session.view.items = turned;
            assert_ok(learned_learn(restored, &session));
        }
        assert_same_bytes(shop.learned, shop.catalogue, restored, other);
        learned_close(restored);
        catalogue_close(other);
        shop_close(&shop);
    }
    scoring_scratch_close(scratch);
}

static void damage_is_found(void **state)
{
    (void)state;
    struct shop shop;
    struct learned *restored;
    AUTO(buffer) snapshot = {0};
    shop_open(&shop, 7);
    learn(&shop, 60);
    learned_encode(shop.learned, shop.catalogue, &snapshot);
    for (size_t size = 0; size < snapshot.size; size += 1 + size / 20)
        assert_fails(CORRUPT, learned_restore(bytes_of(snapshot.data, size), &shop.options, shop.catalogue, &restored));
    for (size_t at = 12; at < snapshot.size; at += 1 + at / 20) {
        snapshot.data[at] ^= 0x10;
        assert_fails(CORRUPT, learned_restore(buffer_bytes(&snapshot), &shop.options, shop.catalogue, &restored));
        snapshot.data[at] ^= 0x10;
    }
    buffer_append_byte(&snapshot, 0);
    assert_fails(CORRUPT, learned_restore(buffer_bytes(&snapshot), &shop.options, shop.catalogue, &restored));
    shop_close(&shop);
}

/* Puts the right checksum behind what was changed. */
static void seal(struct buffer *snapshot)
{
    uint64_t checksum = bytes_hash(bytes_of(snapshot->data, snapshot->size - 8));
    memcpy(snapshot->data + snapshot->size - 8, &checksum, 8);
}

static void other_versions_and_options_are_named(void **state)
{
    (void)state;
    struct shop shop;
    struct learned *restored;
    AUTO(buffer) snapshot = {0};
    shop_open(&shop, 8);
    learn(&shop, 60);
    learned_encode(shop.learned, shop.catalogue, &snapshot);
    struct learned_options options = shop.options;
    options.successors_max++;
    assert_fails(CONFIG, learned_restore(buffer_bytes(&snapshot), &options, shop.catalogue, &restored));
    snapshot.data[8] = 4;
    seal(&snapshot);
    assert_fails(NEWER, learned_restore(buffer_bytes(&snapshot), &shop.options, shop.catalogue, &restored));
    snapshot.data[8] = 3;
    seal(&snapshot);
    assert_ok(learned_restore(buffer_bytes(&snapshot), &shop.options, shop.catalogue, &restored));
    learned_close(restored);
    shop_close(&shop);
}

static void a_full_catalogue_or_a_small_buffer_is_no_snapshot(void **state)
{
    (void)state;
    struct shop shop;
    struct learned *restored;
    AUTO(buffer) snapshot = {0};
    AUTO(buffer) small = {.limit = 1000};
    struct catalogue_options few = {3, 1 << 20, 10};
    struct catalogue *catalogue;
    shop_open(&shop, 9);
    learn(&shop, 60);
    learned_encode(shop.learned, shop.catalogue, &small);
    assert_fails(LIMIT, buffer_check(&small));
    learned_encode(shop.learned, shop.catalogue, &snapshot);
    assert_ok(catalogue_open(&few, &catalogue));
    assert_fails(LIMIT, learned_restore(buffer_bytes(&snapshot), &shop.options, catalogue, &restored));
    catalogue_close(catalogue);
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_state_is_the_same_answers_the_same_and_learns_on_the_same),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(other_versions_and_options_are_named),
        cmocka_unit_test(a_full_catalogue_or_a_small_buffer_is_no_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
