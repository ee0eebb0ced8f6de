// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/config.h"
#include "app/config/options.h"
#include "app/knowledge.h"

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
    assert_ok(config_check(&config, &complaint)); /* makes weights parts of 1 */
    struct learned_options learned = learned_options_default();
    struct fusion_options fusion = fusion_options_default(), *set = &config.engine.fusion;
    assert_same(learned, config.learned, rules_decay_sessions);
    assert_int_equal(learned.popularity_half_life_ms, config.learned.popularity_half_life_ms);
    assert_memory_equal(learned.type_weights, config.learned.type_weights, sizeof learned.type_weights);
    assert_same(fusion, *set, list_size);
    assert_same(learned.mixing, config.learned.mixing, repeat_shifts);
    assert_same(fusion.knn, set->knn, sharpness);
    assert_same(fusion.transition, set->transition, backward_weight);
    assert_same(fusion.walk, set->walk, backward_weight);
    assert_same(fusion.repeat, set->repeat, earlier_prior);
    assert_int_equal(fusion.filters.seen, set->filters.seen);
    assert_int_equal(fusion.filters.available_only, set->filters.available_only);
    assert_int_equal(fusion.filters.catalogue_only, set->filters.catalogue_only);
    assert_int_equal(fusion.filters.per_category_max, set->filters.per_category_max);
}

/* Every number at one end of its range: what is opened with them must take them. */
static void set_bounds(struct config *config, bool highest)
{
    for (size_t i = 0; i < option_count; i++) {
        const struct config_option *option = &option_table[i];
        bool whole = option->kind == OPTION_U32 || option->kind == OPTION_I32 || option->kind == OPTION_I64 ||
                     option->kind == OPTION_SIZE;
        if (option->words || !(whole || option->kind == OPTION_FLOAT))
            continue;
        char number[64];
        snprintf(number, sizeof number, "%.17g", highest ? option->max : option->min);
        char *text = number;
        const struct raw_value value = {&text, 1, false};
        struct complaint complaint = {""};
        if (failed(option_read(option, &value, config, &complaint)))
            fail_msg("%s does not take its own bound: %s", option->key, complaint.text);
    }
}

static void the_bounds_of_options_are_those_of_the_code_behind_them(void **state)
{
    (void)state;
    for (int highest = 0; highest <= 1; highest++) {
        AUTO(config) config = {0};
        struct complaint complaint = {""};
        assert_ok(config_defaults(&config, &complaint));
        set_bounds(&config, highest);
        const struct knowledge_options options = {
            .catalogue = config.catalogue, .learned = config.learned, .learner = config.learner};
        struct knowledge *knowledge;
        struct engine *engine;
        assert_ok(knowledge_open(&options, &knowledge, &complaint));
        assert_ok(engine_open(&config.engine, knowledge_catalogue(knowledge), knowledge_learned(knowledge), &engine));
        engine_close(engine);
        knowledge_close(knowledge);
        const struct fusion_options *fusion = &config.engine.fusion;
        assert_in_range(fusion->list_size, 1, LIST_SIZE_MAX);
        assert_in_range(fusion->knn.query_items_max, 1, QUERY_ITEMS_MAX);
        assert_in_range(fusion->transition.query_items_max, 1, QUERY_ITEMS_MAX);
        assert_in_range(fusion->walk.starts_max, 0, WALK_STARTS_MAX);
        assert_in_range(config.catalogue.items_max, 1, LEARNED_ITEMS_MAX);
    }
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
                              "  repeat_shifts: [1, 0.5, 0.25, 0, 0, 0, 0, 0, 0, 0, 0, -4]\n"
                              "  knn_weights: [2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]\n"
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
    assert_true(config.learned.mixing.repeat_shifts[2] == 0.25f);
    for (int cell = 0; cell < MIX_CELLS; cell++) { /* parts of 1 */
        float sum = 0;
        for (int s = 0; s < MIX_SCORERS; s++)
            sum += config.learned.mixing.weights[s][cell];
        assert_true(sum > 0.999999f && sum < 1.000001f && config.learned.mixing.weights[MIX_KNN][cell] > 0.5f);
    }
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

/* ---- sources */

static void set(struct config *config, const char *assignment)
{
    struct complaint complaint = {""};
    if (failed(config_set(config, assignment, &complaint)))
        fail_msg("%s", complaint.text);
}

static void later_sources_win(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    setenv("EDDY_SESSION_GAP_MS", "2min", 1);
    setenv("EDDY_SESSION_GRACE_MS", "2s", 1);
    setenv("EDDY_KAFKA_SSL_CA_LOCATION", "/ca", 1);
    setenv("EDDY_SCHEMA_IDS_12", "b.avsc", 1);
    setenv("EDDY_FILTERS_CATEGORIES_EXCLUDED", "a, b", 1);
    assert_ok(config_defaults(&config, &complaint));
    struct bytes yaml = BYTES("session: {gap_ms: 1min, grace_ms: 1s, max_duration_ms: 1h}\n");
    assert_ok(config_load_text(&config, "f", yaml, &complaint));
    assert_ok(config_load_environment(&config, &complaint));
    set(&config, "session.gap_ms=3min");
    set(&config, "session.gap_ms=4min"); /* --set may be repeated: the last wins */
    set(&config, "fusion.repeat_shifts=[0.5,1, 0.75 ,0,0,0,0,0,0,0,0,0]");
    assert_int_equal(config.engine.session.gap_ms, 4 * 60000);
    assert_int_equal(config.engine.session.grace_ms, 2000);
    assert_int_equal(config.engine.session.max_duration_ms, 3600000);
    assert_string_equal(config_kafka(&config, "ssl.ca.location"), "/ca");
    assert_int_equal(config.schemas[0].id, 12);
    assert_int_equal(config.categories_excluded.count, 2);
    assert_string_equal(config.categories_excluded.texts[1], "b");
    assert_true(config.learned.mixing.repeat_shifts[2] == 0.75f);
    unsetenv("EDDY_SESSION_GAP_MS");
    unsetenv("EDDY_SESSION_GRACE_MS");
    unsetenv("EDDY_KAFKA_SSL_CA_LOCATION");
    unsetenv("EDDY_SCHEMA_IDS_12");
    unsetenv("EDDY_FILTERS_CATEGORIES_EXCLUDED");
}

static void assert_variable(const char *name, const char *value, const char *wanted)
{
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    setenv(name, value, 1);
    assert_ok(config_defaults(&config, &complaint));
    struct status status = config_load_environment(&config, &complaint);
    unsetenv(name);
    if (failed(status) != (wanted != NULL) || (wanted && !strstr(complaint.text, wanted)))
        fail_msg("%s=%s gave: %s", name, value, complaint.text);
}

static void variables_that_name_nothing_are_refused(void **state)
{
    (void)state;
    assert_variable("EDDY_SESION_GAP_MS", "1", "did you mean EDDY_SESSION_GAP_MS?");
    assert_variable("EDDY_XYZ_ABCDEF_GHIJKL", "1", "EDDY_XYZ_ABCDEF_GHIJKL names no option");
    assert_variable("EDDY_", "1", "names no option");
    assert_variable("EDDY_KAFKA_", "1", "names no option");
    assert_variable("EDDY_SCHEMA_IDS_", "1", "names no option");
    assert_variable("EDDY_SCHEMA_IDS_99999999999999999999999", "1", "names no option");
    assert_variable("EDDY_SESSION_GAP_MS", "x", "EDDY_SESSION_GAP_MS: session.gap_ms: 'x'");
    assert_variable("EDDY_GROUP_ID", "\xff", "UTF-8");
    char longest[300] = "EDDY_";
    memset(longest + 5, 'X', 290);
    assert_variable(longest, "1", "names no option");
}

static void variables_of_others_are_left_alone(void **state)
{
    (void)state;
    assert_variable("EDDY_SEED", "7", NULL);
    assert_variable("EDDY_KAFKA", "127.0.0.1:9092", NULL);
    assert_variable("EDDY_TEST_BROKER", "x", NULL);
    assert_variable("EDDY_SERVICE_HOST", "10.0.0.1", NULL);
    assert_variable("EDDY_SERVICE_PORT_HTTP", "9464", NULL);
    assert_variable("EDDY_PORT", "tcp://10.0.0.1:9464", NULL);
    assert_variable("EDDY_PORT_9464_TCP_ADDR", "10.0.0.1", NULL);
    assert_variable("EDDYSON", "x", NULL);
}

static void set_wants_a_key_and_a_value(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    assert_ok(config_defaults(&config, &complaint));
    assert_fails(CONFIG, config_set(&config, "session.gap_ms", &complaint));
    assert_non_null(strstr(complaint.text, "--set key=value"));
    assert_fails(CONFIG, config_set(&config, "=1", &complaint));
    assert_fails(CONFIG, config_set(&config, "session.gap=1min", &complaint));
    assert_non_null(strstr(complaint.text, "--set: unknown key 'session.gap'; did you mean 'session.gap_ms'?"));
    set(&config, "group_id=a=b"); /* the first = separates */
    assert_string_equal(config.group_id, "a=b");
}

/* ---- secrets */

static void secrets_come_from_the_environment_or_a_file(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(config) config = {0};
    AUTO(buffer) dump = {0};
    struct complaint complaint = {""};
    char path[300], yaml[600];
    snprintf(path, sizeof path, "%s/password", folder.path);
    FILE *file = fopen(path, "w");
    fputs("from the file\r\n", file);
    fclose(file);
    setenv("EDDY_TEST_SECRET", "hunter2 ${HOME}", 1);
    setenv("EDDY_TEST_FOLDER", folder.path, 1);
    setenv("EDDY_KAFKA_SSL_KEY_PASSWORD", "from the variable", 1);
    setenv("EDDY_REGISTRY_PASSWORD", "from the variable too", 1);
    snprintf(yaml, sizeof yaml,
             "kafka:\n  sasl.password: ${EDDY_TEST_SECRET}\n  ssl.keystore.password: file:%s\n"
             "  ssl.key.pem: file:${EDDY_TEST_FOLDER}/password\n  sasl.username: a-${EDDY_TEST_SECRET}\n",
             path);
    assert_ok(config_defaults(&config, &complaint));
    assert_ok(config_load_text(&config, "f", bytes_of_text(yaml), &complaint));
    assert_ok(config_load_environment(&config, &complaint));
    assert_string_equal(config_kafka(&config, "sasl.password"), "hunter2 ${HOME}");
    assert_string_equal(config_kafka(&config, "ssl.keystore.password"), "from the file");
    assert_string_equal(config_kafka(&config, "ssl.key.pem"), "from the file");
    assert_string_equal(config_kafka(&config, "ssl.key.password"), "from the variable");
    assert_string_equal(config_kafka(&config, "sasl.username"), "a-hunter2 ${HOME}");
    set(&config, "kafka.sasl.username=x");
    config_dump(&config, &dump);
    assert_null(strstr(buffer_text(&dump), "hunter2"));
    assert_null(strstr(buffer_text(&dump), "from the"));
    assert_non_null(strstr(buffer_text(&dump), "kafka.sasl.password: \"***\"  # f:2\n"));
    assert_string_equal(config.registry.password, "from the variable too");
    assert_non_null(strstr(buffer_text(&dump), "registry.password: \"***\"  # environment\n"));
    unsetenv("EDDY_REGISTRY_PASSWORD");
    unsetenv("EDDY_TEST_SECRET");
    unsetenv("EDDY_TEST_FOLDER");
    unsetenv("EDDY_KAFKA_SSL_KEY_PASSWORD");
    temporary_folder_remove(&folder);
}

static void secrets_written_out_are_refused_and_never_repeated(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "kafka.sasl.password=hunter2",
        "kafka.ssl.key.password=x${EDDY_TEST_SECRET}hunter2",
        "kafka.sasl.oauthbearer.client.secret=hunter2",
        "kafka.ssl.key.pem=-----BEGIN hunter2",
        "kafka.ssl.keystore.password=${hunter2",
        "kafka.sasl.password=",
        "kafka.SASL.PASSWORD=hunter2",
        "kafka.sasl.password=$${EDDY_TEST_SECRET}hunter2",
    };
    setenv("EDDY_TEST_SECRET", "hunter2", 1);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        AUTO(config) config = {0};
        struct complaint complaint = {""};
        assert_ok(config_defaults(&config, &complaint));
        assert_fails(CONFIG, config_set(&config, lines[i], &complaint));
        assert_null(strstr(complaint.text, "hunter2"));
        assert_non_null(strstr(complaint.text, "file:/path"));
    }
    unsetenv("EDDY_TEST_SECRET");
}

static void broken_references_are_refused(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    assert_ok(config_defaults(&config, &complaint));
    assert_fails(CONFIG, config_set(&config, "group_id=a${EDDY_TEST_NOT_SET}", &complaint));
    assert_non_null(strstr(complaint.text, "EDDY_TEST_NOT_SET is not set"));
    assert_fails(CONFIG, config_set(&config, "group_id=a${", &complaint));
    assert_fails(CONFIG, config_set(&config, "group_id=${}", &complaint));
    assert_fails(CONFIG, config_set(&config, "group_id=${a b}", &complaint));
    assert_fails(IO, config_set(&config, "kafka.sasl.password=file:/nowhere/at/all", &complaint));
    assert_non_null(strstr(complaint.text, "/nowhere/at/all"));
    assert_fails(CONFIG, config_set(&config, "kafka.sasl.password=file:/dev/zero", &complaint));
    set(&config, "group_id=$a{b}$");
    assert_string_equal(config.group_id, "$a{b}$");
}

/* ---- the whole */

static void a_dump_loads_again_to_the_same_dump(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    AUTO(config) again = {0};
    AUTO(buffer) first = {0};
    AUTO(buffer) second = {0};
    struct complaint complaint = {""};
    assert_ok(config_defaults(&config, &complaint));
    set(&config, "group_id=quote\" back\\ tab\t \xc3\xa4 \xe2\x80\xa8 \xc2\x85 end");
    set(&config, "filters.categories_excluded=a,b c,#d");
    set(&config, "kafka.ssl.ca.location=/a: b # c");
    set(&config, "learn.weights.view=0.1");
    set(&config, "start=2024-05-01T00:00:00.123Z");
    set(&config, "schema_ids.5=x.avsc");
    config_dump(&config, &first);
    assert_ok(config_defaults(&again, &complaint));
    if (failed(config_load_text(&again, "dump", buffer_bytes(&first), &complaint)))
        fail_msg("%s", complaint.text);
    assert_string_equal(again.group_id, config.group_id);
    assert_true(again.learned.type_weights[0] == 0.1f);
    assert_memory_equal(&again.learned.mixing, &config.learned.mixing, sizeof again.learned.mixing);
    /* All places are the dump's now: those of a second round of it are the same. */
    config_dump(&again, &second);
    AUTO(config) third = {0};
    AUTO(buffer) last = {0};
    assert_ok(config_defaults(&third, &complaint));
    assert_ok(config_load_text(&third, "dump", buffer_bytes(&second), &complaint));
    config_dump(&third, &last);
    assert_string_equal(buffer_text(&second), buffer_text(&last));
}

static void every_option_takes_its_own_default_from_every_source_and_is_documented(void **state)
{
    (void)state;
    AUTO(buffer) docs = {0};
    config_document(&docs);
    assert_ok(buffer_check(&docs));
    for (size_t i = 0; i < option_count; i++) {
        AUTO(config) config = {0};
        struct complaint complaint = {""};
        char line[512];
        assert_ok(config_defaults(&config, &complaint));
        snprintf(line, sizeof line, "%s=%s", option_table[i].key, option_table[i].standard);
        set(&config, line);
        snprintf(line, sizeof line, "%s: %s\n", option_table[i].key, option_table[i].standard);
        if (failed(config_load_text(&config, "f", bytes_of_text(line), &complaint)))
            fail_msg("%s", complaint.text);
        snprintf(line, sizeof line, "| `%s` |", option_table[i].key);
        assert_non_null(strstr(buffer_text(&docs), line));
        assert_true(option_table[i].words || option_table[i].min < option_table[i].max ||
                    option_table[i].kind == OPTION_BOOL || option_table[i].kind >= OPTION_TEXT);
        assert_true(option_table[i].max <= 9007199254740992.0); /* exact in a double */
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(option_table[i].key, option_table[j].key);
            assert_int_not_equal(option_table[i].offset, option_table[j].offset);
        }
    }
}

static void config_make_releases_on_failure(void **state)
{
    (void)state;
    struct config config;
    struct complaint complaint = {""};
    static const char *const good[] = {"group_id=a"}, *const bad[] = {"group_id=a", "group=b"};
    assert_ok(config_make(&config, "config/eddy.yaml", good, 1, &complaint));
    assert_string_equal(config.group_id, "a");
    config_release(&config);
    config_release(&config);
    assert_fails(CONFIG, config_make(&config, "config/eddy.yaml", bad, 2, &complaint));
    assert_null(config.group_id);
}

static void kafka_options_need_a_broker(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    struct kafka_options options;
    assert_ok(config_defaults(&config, &complaint));
    assert_ok(config_check(&config, &complaint));
    assert_fails(CONFIG, config_kafka_options(&config, &options, &complaint));
    assert_non_null(strstr(complaint.text, "kafka.bootstrap.servers"));
    set(&config, "kafka.bootstrap.servers=a:9092");
    set(&config, "kafka.linger.ms=7");
    assert_ok(config_check(&config, &complaint));
    assert_ok(config_kafka_options(&config, &options, &complaint));
    assert_string_equal(options.bootstrap, "a:9092");
    assert_int_equal(options.property_count, 2);
    assert_string_equal(options.properties[1].value, "7");
}

static void a_mistyped_kafka_setting_is_told_before_what_it_leaves_unset(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    struct kafka_options options;
    assert_ok(config_defaults(&config, &complaint));
    assert_ok(config_load_text(&config, "eddy.yaml", BYTES("kafka:\n  bootstrap.server: a:9092\n"), &complaint));
    assert_ok(config_check(&config, &complaint));
    assert_fails(CONFIG, config_kafka_options(&config, &options, &complaint));
    assert_non_null(strstr(complaint.text, "eddy.yaml:2: kafka.bootstrap.server: "));
    set(&config, "kafka.bootstrap.server=b:9092");
    assert_ok(config_check(&config, &complaint));
    assert_fails(CONFIG, config_kafka_options(&config, &options, &complaint));
    assert_non_null(strstr(complaint.text, "--set: kafka.bootstrap.server: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_within_their_ranges_and_pass_the_check),
        cmocka_unit_test(defaults_are_those_of_the_core),
        cmocka_unit_test(the_bounds_of_options_are_those_of_the_code_behind_them),
        cmocka_unit_test(a_file_sets_nested_and_dotted_keys_lists_and_kafka_settings),
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(variables_that_name_nothing_are_refused),
        cmocka_unit_test(variables_of_others_are_left_alone),
        cmocka_unit_test(set_wants_a_key_and_a_value),
        cmocka_unit_test(secrets_come_from_the_environment_or_a_file),
        cmocka_unit_test(secrets_written_out_are_refused_and_never_repeated),
        cmocka_unit_test(broken_references_are_refused),
        cmocka_unit_test(a_dump_loads_again_to_the_same_dump),
        cmocka_unit_test(every_option_takes_its_own_default_from_every_source_and_is_documented),
        cmocka_unit_test(config_make_releases_on_failure),
        cmocka_unit_test(kafka_options_need_a_broker),
        cmocka_unit_test(a_mistyped_kafka_setting_is_told_before_what_it_leaves_unset),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
