// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/config.h"
#include "app/config/options.h"

static void defaults_are_within_their_ranges_and_pass_the_check(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    assert_ok(config_defaults(&config, &complaint));
    assert_ok(config_check(&config, &complaint));
    assert_int_equal(config.engine.session.gap_ms, 30 * 60 * 1000);
    assert_int_equal(config.engine.fusion.knn.sample_max, 1000);
    assert_string_equal(config_topic(&config, TOPIC_LATE_CLICKS), "late-clicks");
}

/* From the first byte to the end of the last field: no padding at the end. */
#define assert_same(a, b, last)                                                                                        \
    assert_memory_equal(&(a), &(b), (size_t)((const char *)(&(a).last + 1) - (const char *)&(a)))

static void defaults_are_those_of_the_core(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    assert_ok(config_defaults(&config, &complaint));
    struct learned_options learned = learned_options_default();
    struct fusion_options fusion = fusion_options_default(), *set = &config.engine.fusion;
    assert_same(learned, config.learned, rules_decay_sessions);
    assert_int_equal(learned.popularity_half_life_ms, config.learned.popularity_half_life_ms);
    assert_memory_equal(learned.type_weights, config.learned.type_weights, sizeof learned.type_weights);
    assert_same(fusion, *set, popular_weight);
    assert_same(fusion.knn, set->knn, sharpness);
    assert_same(fusion.transition, set->transition, backward_weight);
    assert_same(fusion.walk, set->walk, weight_later);
    assert_same(fusion.repeat, set->repeat, earlier_prior);
    assert_int_equal(fusion.filters.seen, set->filters.seen);
    assert_int_equal(fusion.filters.available_only, set->filters.available_only);
    assert_int_equal(fusion.filters.catalogue_only, set->filters.catalogue_only);
    assert_int_equal(fusion.filters.per_category_max, set->filters.per_category_max);
}

static void a_file_sets_nested_and_dotted_keys_lists_and_kafka_settings(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    assert_ok(config_defaults(&config, &complaint));
    struct bytes text = BYTES("group_id: shop\n"
                              "session:\n"
                              "  gap_ms: 20min\n"
                              "  key: user_id\n"
                              "session.grace_ms: 500\n"
                              "topics: {prefix: a., partitions: 4}\n"
                              "fusion:\n"
                              "  transition_weights: [1, 0.5, 0.25, 0]\n"
                              "filters:\n"
                              "  categories_excluded: [\"Gifts, cards\", Adult]\n"
                              "kafka:\n"
                              "  bootstrap.servers: a:9092,b:9092\n"
                              "  ssl: {ca.location: /etc/ca.pem}\n"
                              "schema_ids:\n"
                              "  7: clicks_v2.avsc\n"
                              "items:\n"
                              "start: 2024-05-01T00:00:00Z\n");
    struct status status = config_load_text(&config, "eddy.yaml", text, &complaint);
    assert_string_equal(complaint.text, "");
    assert_ok(status);
    assert_ok(config_check(&config, &complaint));
    assert_string_equal(config.group_id, "shop");
    assert_int_equal(config.engine.session.gap_ms, 20 * 60 * 1000);
    assert_true(config.engine.session.by_user);
    assert_true(config.clicks.by_user);
    assert_int_equal(config.engine.session.grace_ms, 500);
    assert_string_equal(config_topic(&config, TOPIC_CLICKS), "a.clicks");
    assert_true(config.engine.fusion.transition_weights[2] == 0.25f);
    assert_int_equal(config.engine.fusion.filters.category_count, 2);
    assert_bytes(config.engine.fusion.filters.categories_excluded[0], "Gifts, cards");
    assert_string_equal(config_kafka(&config, "bootstrap.servers"), "a:9092,b:9092");
    assert_string_equal(config_kafka(&config, "ssl.ca.location"), "/etc/ca.pem");
    assert_null(config_kafka(&config, "ssl.key.location"));
    assert_int_equal(config.schemas[0].id, 7);
    assert_string_equal(config.schemas[0].path, "clicks_v2.avsc");
    assert_int_equal(config.start.kind, START_TIME);
    assert_int_equal(config.start.time_ms, INT64_C(1714521600000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_within_their_ranges_and_pass_the_check),
        cmocka_unit_test(defaults_are_those_of_the_core),
        cmocka_unit_test(a_file_sets_nested_and_dotted_keys_lists_and_kafka_settings),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
