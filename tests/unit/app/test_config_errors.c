// SPDX-License-Identifier: Apache-2.0
/* What is wrong in a configuration, and what the user is told. */
#include "support/support.h"

#include "app/config.h"

#include <unistd.h>

struct mistake {
    const char *yaml;
    const char *wanted[3]; /* parts of the complaint */
};

static void assert_parts(const char *input, const struct complaint *complaint, const char *const wanted[3])
{
    for (int i = 0; i < 3 && wanted[i]; i++)
        if (!strstr(complaint->text, wanted[i]))
            fail_msg("%s\ngave: %s\nwanted in it: %s", input, complaint->text, wanted[i]);
}

static struct status load(const char *yaml, struct complaint *complaint)
{
    AUTO(config) config = {0};
    assert_ok(config_defaults(&config, complaint));
    struct status status = config_load_text(&config, "eddy.yaml", bytes_of_text(yaml), complaint);
    return failed(status) ? status : config_check(&config, complaint);
}

static void assert_mistakes(const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct complaint complaint = {""};
        struct status status = load(mistakes[i].yaml, &complaint);
        if (!failed_as(status, FAULT_CONFIG))
            fail_msg("accepted: %s", mistakes[i].yaml);
        assert_parts(mistakes[i].yaml, &complaint, mistakes[i].wanted);
    }
}
#define ASSERT_MISTAKES(mistakes) assert_mistakes(mistakes, sizeof(mistakes) / sizeof *(mistakes))

static void unknown_keys_are_named_with_line_and_suggestion(void **state)
{
    (void)state;
    static const struct mistake mistakes[] = {
        {"\n\nsesion:\n  gap_ms: 1s\n", {"eddy.yaml:4: unknown key 'sesion.gap_ms'", "did you mean 'session.gap_ms'?"}},
        {"gap_ms: 1s\n", {"eddy.yaml:1", "did you mean 'session.gap_ms'?"}},
        {"nonsense_of_all_kinds: 1\n", {"unknown key 'nonsense_of_all_kinds'", "eddy config docs"}},
        {"session: 5\n", {"eddy.yaml:1: 'session' is a section"}},
        {"kafka: 5\n", {"'kafka' is a section"}},
        {"group_id: {a: b}\n", {"unknown key 'group_id.a'", "'group_id'"}},
        {"<<: {group_id: b}\n", {"unknown key '<<.group_id'"}},
        {"schema_ids: {x7: a}\n", {"unknown key 'schema_ids.x7'"}},
    };
    ASSERT_MISTAKES(mistakes);
}

static void what_is_wrong_about_a_registry_is_named_without_its_secrets(void **state)
{
    (void)state;
    static const struct mistake mistakes[] = {
        {"registry: {url: localhost:8081}\n", {"eddy.yaml:1: registry.url: 'localhost:8081' is not a URL"}},
        {"registry: {url: 'http://eddy@a'}\n", {"registry.url", "set registry.user"}},
        {"registry: {url: 'http://a', user: u, password: hunter2}\n", {"registry.password", "a secret must not be"}},
        {"registry: {url: 'http://a', key_password: hunter2}\n", {"registry.key_password", "a secret must not be"}},
        {"registry: {url: 'http://a', password: 'file:/dev/null', key: x}\n", {"registry.key", "registry.certificate"}},
        {"registry: {url: 'http://a', timeout_ms: 1min}\n", {"eddy.yaml:1: registry.timeout_ms: 1min", "100ms .. 30s"}},
        {"registry: {subjects: both}\n", {"'both' is not topic, record or topic_record"}},
        {"formats: {clicks: confluent}\n", {"eddy.yaml:1: formats.clicks", "registry.url", "schema_ids"}},
    };
    ASSERT_MISTAKES(mistakes);
    struct complaint complaint;
    assert_ok(load("{registry: {url: 'http://a:1,https://b'}, formats: {clicks: confluent, sessions: confluent}}\n",
                   &complaint));
}

static void values_of_the_wrong_kind_or_size_are_named_with_what_is_allowed(void **state)
{
    (void)state;
    static const struct mistake mistakes[] = {
        {"session: {gap_ms: soon}\n", {"eddy.yaml:1: session.gap_ms: 'soon'", "ms, s, min, h, d"}},
        {"session: {gap_ms: 1.5h}\n", {"'1.5h' is not"}},
        {"session: {gap_ms: 3d}\n", {"3d is out of range", "1ms .. 2d"}},
        {"session: {gap_ms: 0}\n", {"0 is out of range"}},
        {"session: {gap_ms: -5}\n", {"-5 is out of range"}},
        {"session: {gap_ms: }\n", {"eddy.yaml:1: session.gap_ms: ''"}},
        {"session: {gap_ms: 9223372036854775807d}\n", {"out of range"}},
        {"session: {gap_ms: 99999999999999999999}\n", {"not a whole number"}},
        {"session: {gap_ms: 5MiB}\n", {"'5MiB' is not"}},
        {"session: {gap_ms: [1, 2]}\n", {"one value, not a list"}},
        {"session: {clicks_max: 1}\n", {"2 .. 4000"}},
        {"session: {clicks_max: 4001}\n", {"eddy.yaml:1: session.clicks_max: 4001 is out of range"}},
        {"update: {held_share: 0.5}\n", {"update.held_share: 0.5 is out of range", "0 .. 0.4"}},
        {"items: {max: 536870912}\n", {"eddy.yaml:1: items.max: 536870912 is out of range"}},
        {"session: {clicks_max: 2h}\n", {"'2h' is not a whole number"}},
        {"items: {memory_max_bytes: 1h}\n", {"KiB, MiB, GiB, TiB"}},
        {"session: {key: user}\n", {"'user' is not session_id or user_id"}},
        {"formats: {clicks: AVRO}\n", {"'AVRO' is not avro, confluent or json"}},
        {"session: {infer_duplicates: yes}\n", {"'yes' is not true or false"}},
        {"learn: {weights: {view: x}}\n", {"learn.weights.view: 'x' is not a number"}},
        {"learn: {weights: {view: nan}}\n", {"'nan' is not a number"}},
        {"learn: {weights: {view: 101}}\n", {"0 .. 100"}},
        {"fusion: {repeat_shifts: [1, 0, 1]}\n", {"list of 12 numbers", "there are 3"}},
        {"fusion: {repeat_shifts: 1}\n", {"there are 1"}},
        {"fusion: {repeat_shifts: [1, 0, 0, x, 0, 0, 0, 0, 0, 0, 0, 0]}\n", {"'x' is not a number"}},
        {"fusion: {knn_weights: [1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0]}\n", {"-1 is out of range"}},
        {"start: yesterday\n", {"start: 'yesterday'", "earliest", "2024-05-01T00:00:00Z"}},
        {"start: 2024-02-30T00:00:00Z\n", {"start: '2024-02-30"}},
        {"start: -5\n", {"start: '-5'"}},
        {"schema_ids: {99999999999: a}\n", {"2147483647"}},
        {"schema_ids: {7: }\n", {"path of one .avsc"}},
        {"schema_ids: {7: [a]}\n", {"path of one .avsc"}},
        {"kafka: {linger.ms: [1]}\n", {"kafka.linger.ms", "one text each"}},
        {"kafka: {'a b': 1}\n", {"kafka.a b"}},
    };
    ASSERT_MISTAKES(mistakes);
}

static void what_is_not_plain_yaml_is_refused(void **state)
{
    (void)state;
    static const struct mistake mistakes[] = {
        {"a: [1\n", {"eddy.yaml:2: not YAML"}},
        {"\tgroup_id: a\n", {"eddy.yaml:1: not YAML"}},
        {"group_id: a\xff\n", {"not YAML"}},
        {"- a\n", {"eddy.yaml:1", "key: value"}},
        {"hello\n", {"key: value"}},
        {"group_id: &x a\n", {"group_id: anchors"}},
        {"session: &x {gap_ms: 1s}\n", {"session: anchors"}},
        {"group_id: *x\n", {"aliases"}},
        {"filters: {categories_excluded: &x [a]}\n", {"anchors"}},
        {"filters: {categories_excluded: [[a]]}\n", {"single values"}},
        {"filters: {categories_excluded: [*a]}\n", {"single values"}},
        {"? [a]\n: b\n", {"plain word"}},
        {"'': b\n", {"empty or too long"}},
        {"group_id: \"a\\0b\"\n", {"NUL"}},
        {"group_id: a\n---\ngroup_id: b\n", {"eddy.yaml:2", "one YAML document"}},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n", {"too deeply"}},
        {"group_id: a\ngroup_id: b\n", {"eddy.yaml:2: group_id is already set in line 1"}},
        {"session.gap_ms: 1s\nsession:\n  gap_ms: 1s\n", {"eddy.yaml:3", "in line 1"}},
        {"kafka: {linger.ms: 1, linger: {ms: 2}}\n", {"kafka.linger.ms is already set"}},
        {"schema_ids: {7: a, 07: b}\n", {"already set"}},
    };
    ASSERT_MISTAKES(mistakes);
}

static void options_against_each_other_are_named_with_the_line_of_the_one_that_was_set(void **state)
{
    (void)state;
    static const struct mistake mistakes[] = {
        {"\nsession: {max_duration_ms: 1min}\n", {"eddy.yaml:2: session.max_duration_ms", "(30min)", "(1min)"}},
        {"session: {gap_ms: 13h}\n", {"eddy.yaml:1: session.gap_ms", "(13h)", "(12h)"}},
        {"knn: {neighbours_max: 1001}\n", {"knn.neighbours_max", "knn.sample_max (1000)"}},
        {"learn: {sessions_max: 10}\n", {"eddy.yaml:1: learn.sessions_max", "learn.postings_max"}},
        {"commit_interval_ms: 6s\ndelivery: exactly_once\n", {"eddy.yaml:1: commit_interval_ms", "at most 5 s"}},
        {"delivery: exactly_once\nkafka: {isolation.level: read_uncommitted}\n",
         {"kafka.isolation.level", "read_committed"}},
        {"group_id: ''\n", {"eddy.yaml:1: group_id must not be empty"}},
        {"topics: {clicks: items}\n", {"eddy.yaml:1: topics.clicks", "'items'", "topics.items too"}},
        {"topics: {clicks: a b}\n", {"'a b' is no topic name"}},
        {"topics: {prefix: a/}\n", {"eddy.yaml:1: topics.prefix"}},
        {"topics: {clicks: }\n", {"topics.clicks must not be empty"}},
        {"topics: {clicks: ..}\n", {"'..' is no topic name"}},
        {"formats: {clicks: confluent}\n", {"formats.clicks", "schema_ids.<id>"}},
        {"formats: {recommendations: confluent}\n", {"formats.recommendations", "schema_ids.write.recommendations"}},
        {"formats: {sessions: confluent}\nschema_ids: {write: {sessions: 3}}\n", {"schema_ids.<id>"}},
        {"http: {listen: 9464}\n", {"eddy.yaml:1: http.listen: '9464'", "127.0.0.1:9464"}},
        {"kafka: {group.id: a}\n", {"eddy.yaml:1: kafka.group.id cannot be set", "group_id"}},
        {"kafka: {enable.auto.commit: 'true'}\n", {"kafka.enable.auto.commit cannot be set"}},
    };
    ASSERT_MISTAKES(mistakes);
}

static void names_at_the_length_limit_are_accepted_and_past_it_refused(void **state)
{
    (void)state;
    char yaml[400], name[251];
    struct complaint complaint = {""};
    memset(name, 'a', 250);
    snprintf(yaml, sizeof yaml, "topics: {clicks: %.249s}\n", name);
    assert_ok(load(yaml, &complaint));
    snprintf(yaml, sizeof yaml, "topics: {clicks: %.250s}\n", name);
    assert_fails(CONFIG, load(yaml, &complaint));
    snprintf(yaml, sizeof yaml, "%.249s: 1\n%.249s%.20s: 1\n", "x", name, name);
    assert_fails(CONFIG, load(yaml, &complaint));
    snprintf(yaml, sizeof yaml, "%.249s%.20s: 1\n", name, name);
    assert_fails(CONFIG, load(yaml, &complaint));
    assert_non_null(strstr(complaint.text, "too long"));
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    char path[300];
    assert_ok(config_defaults(&config, &complaint));
    snprintf(path, sizeof path, "%s/none.yaml", folder.path);
    assert_fails(IO, config_load_file(&config, path, &complaint));
    assert_non_null(strstr(complaint.text, path));
    assert_fails(IO, config_load_file(&config, folder.path, &complaint)); /* a folder */
    snprintf(path, sizeof path, "%s/big.yaml", folder.path);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 30000; i++)
        fputs("# this file is too big to be a configuration\n", file);
    fclose(file);
    assert_fails(LIMIT, config_load_file(&config, path, &complaint));
    file = fopen(path, "w");
    fputs("group_id: from-a-file\n", file);
    fclose(file);
    assert_ok(config_load_file(&config, path, &complaint));
    assert_string_equal(config.group_id, "from-a-file");
    temporary_folder_remove(&folder);
}

static void too_many_entries_are_refused(void **state)
{
    (void)state;
    AUTO(buffer) settings = {0};
    AUTO(buffer) schemas = {0};
    AUTO(buffer) list = {0};
    struct complaint complaint = {""};
    buffer_append_text(&settings, "kafka:\n");
    buffer_append_text(&schemas, "schema_ids:\n");
    buffer_append_text(&list, "filters: {categories_excluded: [");
    for (int i = 0; i < 1001; i++) {
        buffer_format(&settings, "  name.%d: x\n", i);
        buffer_format(&schemas, "  %d: x\n", i);
        buffer_format(&list, "%sx%d", i ? "," : "", i);
    }
    buffer_append_text(&list, "]}\n");
    assert_fails(LIMIT, load(buffer_text(&settings), &complaint));
    assert_non_null(strstr(complaint.text, "eddy.yaml:258: kafka.name.256: too many"));
    assert_fails(LIMIT, load(buffer_text(&schemas), &complaint));
    assert_non_null(strstr(complaint.text, "too many"));
    assert_fails(CONFIG, load(buffer_text(&list), &complaint));
    assert_non_null(strstr(complaint.text, "1000"));
}

static void kafka_settings_are_checked_by_librdkafka_on_demand(void **state)
{
    (void)state;
    static const char *const good = "kafka: {bootstrap.servers: a, linger.ms: 5}\n";
    static const struct mistake bad[] = {
        {"kafka:\n  bootstrap.server: a\n",
         {"eddy.yaml:2: kafka.bootstrap.server:", "no such property; did you mean 'kafka.bootstrap.servers'?"}},
        {"kafka: {linger.msx: 5}\n", {"eddy.yaml:1: kafka.linger.msx:", "; did you mean 'kafka.linger.ms'?"}},
        {"kafka: {acs: all}\n", {"eddy.yaml:1: kafka.acs:", "; did you mean 'kafka.acks'?"}}, /* of a topic */
        {"kafka: {quite.another.thing: 5}\n", {"eddy.yaml:1: kafka.quite.another.thing:", "no such property"}},
        {"kafka:\n  linger.ms: secretive\n", {"eddy.yaml:2: kafka.linger.ms:", "does not accept"}},
    };
    for (int i = -1; i < (int)(sizeof bad / sizeof *bad); i++) {
        AUTO(config) config = {0};
        struct complaint complaint = {""};
        assert_ok(config_defaults(&config, &complaint));
        assert_ok(config_load_text(&config, "eddy.yaml", bytes_of_text(i < 0 ? good : bad[i].yaml), &complaint));
        assert_ok(config_check(&config, &complaint));
        if (i < 0) {
            assert_ok(config_check_kafka(&config, &complaint));
            continue;
        }
        assert_fails(CONFIG, config_check_kafka(&config, &complaint));
        assert_parts(bad[i].yaml, &complaint, bad[i].wanted);
        assert_null(strstr(complaint.text, "secretive"));
        assert_true(!strstr(bad[i].yaml, "quite") || !strstr(complaint.text, "did you mean"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys_are_named_with_line_and_suggestion),
        cmocka_unit_test(what_is_wrong_about_a_registry_is_named_without_its_secrets),
        cmocka_unit_test(values_of_the_wrong_kind_or_size_are_named_with_what_is_allowed),
        cmocka_unit_test(what_is_not_plain_yaml_is_refused),
        cmocka_unit_test(options_against_each_other_are_named_with_the_line_of_the_one_that_was_set),
        cmocka_unit_test(names_at_the_length_limit_are_accepted_and_past_it_refused),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(kafka_settings_are_checked_by_librdkafka_on_demand),
    };
    return cmocka_run_group_tests_name("config errors", tests, NULL, NULL);
}
