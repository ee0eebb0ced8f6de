// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/topics.h"

static struct topic_need need_of(const struct config *config, enum topic topic)
{
    struct topic_need needs[TOPIC_COUNT];
    size_t count = topics_needed(config, needs);
    for (size_t i = 0; i < count; i++)
        if (needs[i].topic == topic)
            return needs[i];
    fail_msg("the topic is not needed");
    return needs[0];
}

static struct config config_with_defaults(void)
{
    static const char *const assignments[] = {"kafka.bootstrap.servers=shop:9092", "topics.prefix=eu."};
    struct config config;
    struct complaint complaint = {""};
    assert_ok(config_make(&config, NULL, assignments, 2, &complaint));
    return config;
}

/* What is said about a topic with that cleanup.policy; "" nothing. Returns how much of it is more than a remark. */
static int judge(const struct config *config, enum topic topic, const char *policy, bool stamped_by_broker,
                 struct buffer *out)
{
    struct kafka_topic_settings settings = {.stamped_by_broker = stamped_by_broker};
    struct topic_advice advices[TOPIC_ADVICES_MAX];
    struct topic_need need = need_of(config, topic);
    snprintf(settings.cleanup_policy, sizeof settings.cleanup_policy, "%s", policy);
    size_t count = topic_judge(&need, &settings, advices);
    int wrong = 0;
    buffer_clear(out);
    for (size_t i = 0; i < count; i++) {
        topic_advice_write(config, topic, &advices[i], out);
        wrong += !advices[i].remark;
    }
    return wrong;
}

static void items_that_retention_would_take_are_told_with_the_command_that_keeps_them(void **state)
{
    (void)state;
    AUTO(config) config = config_with_defaults();
    AUTO(buffer) text = {0};
    assert_int_equal(judge(&config, TOPIC_ITEMS, "delete", false, &text), 1);
    assert_non_null(strstr(buffer_text(&text), "cleanup.policy is delete and should be compact"));
    assert_non_null(strstr(buffer_text(&text), "--bootstrap-server shop:9092"));
    assert_non_null(strstr(buffer_text(&text), "--entity-name eu.items --add-config cleanup.policy=compact"));
    assert_int_equal(judge(&config, TOPIC_ITEMS, "compact,delete", false, &text), 1);
    assert_non_null(strstr(buffer_text(&text), "cleanup.policy is compact,delete"));
    assert_int_equal(judge(&config, TOPIC_ITEMS, "compact", false, &text), 0);
    assert_int_equal(text.size, 0);
}

static void streams_that_compaction_would_thin_are_told(void **state)
{
    (void)state;
    AUTO(config) config = config_with_defaults();
    AUTO(buffer) text = {0};
    assert_int_equal(judge(&config, TOPIC_SESSIONS, "compact,delete", false, &text), 1);
    assert_non_null(strstr(buffer_text(&text), "should be delete"));
    assert_int_equal(judge(&config, TOPIC_SESSIONS, "delete", false, &text), 0);
    assert_int_equal(text.size, 0);
}

static void clicks_that_producers_stamp_are_worth_a_remark(void **state)
{
    (void)state;
    AUTO(config) config = config_with_defaults();
    AUTO(buffer) text = {0};
    assert_int_equal(judge(&config, TOPIC_CLICKS, "delete", false, &text), 0);
    assert_non_null(strstr(buffer_text(&text), "message.timestamp.type is CreateTime and should be LogAppendTime"));
    assert_non_null(strstr(buffer_text(&text), "late until time has caught up"));
    assert_non_null(strstr(buffer_text(&text), "--entity-name eu.clicks "
                                               "--add-config message.timestamp.type=LogAppendTime"));
    assert_int_equal(judge(&config, TOPIC_CLICKS, "compact", false, &text), 1);
    assert_non_null(strstr(buffer_text(&text), "should be delete"));
    assert_non_null(strstr(buffer_text(&text), "should be LogAppendTime"));
    assert_int_equal(judge(&config, TOPIC_CLICKS, "delete", true, &text), 0);
    assert_int_equal(text.size, 0);
}

static void a_number_of_partitions_that_was_set_is_compared_and_one_that_was_not_is_not(void **state)
{
    (void)state;
    AUTO(config) config = config_with_defaults();
    AUTO(buffer) text = {0};
    topic_write_partitions(&config, TOPIC_CLICKS, 3, &text);
    assert_int_equal(text.size, 0);
    assert_ok(config_set(&config, "topics.partitions=8", NULL));
    topic_write_partitions(&config, TOPIC_CLICKS, 8, &text);
    topic_write_partitions(&config, TOPIC_LATE_CLICKS, 3, &text); /* has as many as the clicks */
    assert_int_equal(text.size, 0);
    topic_write_partitions(&config, TOPIC_CLICKS, 3, &text);
    assert_non_null(strstr(buffer_text(&text), "3 partitions, and topics.partitions is 8"));
    assert_non_null(
        strstr(buffer_text(&text), "--bootstrap-server shop:9092 --alter --topic eu.clicks --partitions 8"));
    assert_non_null(strstr(buffer_text(&text), "eddy topics create --grow"));
    buffer_clear(&text);
    topic_write_partitions(&config, TOPIC_ITEMS, 12, &text);
    assert_non_null(strstr(buffer_text(&text), "set topics.partitions to 12"));
    assert_null(strstr(buffer_text(&text), "--alter")); /* there is no taking away */
}

static void late_clicks_need_as_many_partitions_as_clicks(void **state)
{
    (void)state;
    AUTO(config) config = config_with_defaults();
    struct topic_counts counts;
    struct complaint complaint = {""};
    for (int i = 0; i < TOPIC_COUNT; i++)
        counts.partitions[i] = i == TOPIC_MODELS ? 1 : 4;
    assert_ok(topics_check(&config, &counts, &complaint));
    counts.partitions[TOPIC_LATE_CLICKS] = 3;
    assert_fails(CONFIG, topics_check(&config, &counts, &complaint));
    assert_non_null(strstr(complaint.text, "eu.late-clicks has 3 partitions and topic eu.clicks has 4"));
    assert_non_null(strstr(complaint.text, "'eddy topics create --grow'"));
    counts.partitions[TOPIC_LATE_CLICKS] = 5;
    assert_fails(CONFIG, topics_check(&config, &counts, &complaint));
    assert_non_null(strstr(complaint.text, "Add partitions to the clicks"));
}

static void models_need_one_partition_and_room_for_their_chunks(void **state)
{
    (void)state;
    AUTO(config) config = config_with_defaults();
    struct topic_need need = need_of(&config, TOPIC_MODELS);
    struct topic_counts counts;
    struct complaint complaint = {""};
    for (int i = 0; i < TOPIC_COUNT; i++)
        counts.partitions[i] = 4;
    assert_fails(CONFIG, topics_check(&config, &counts, &complaint));
    assert_non_null(strstr(complaint.text, "eu.models has 4 partitions and needs one"));
    assert_ok(config_set(&config, "models.enabled=false", &complaint));
    assert_ok(topics_check(&config, &counts, &complaint));
    static const struct {
        const char *policy, *bytes, *wanted; /* the setting; NULL: all is well */
    } cases[] = {
        {"compact", "1048588", NULL},
        {"compact", "", NULL}, /* it does not say */
        {"compact", "1000000", NULL},
        {"compact", "999999", "max.message.bytes"},
        {"delete", "1048588", "cleanup.policy"},
        {"compact,delete", "1048588", "cleanup.policy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct kafka_topic_settings settings = {.stamped_by_broker = false};
        struct topic_advice advices[TOPIC_ADVICES_MAX];
        snprintf(settings.cleanup_policy, sizeof settings.cleanup_policy, "%s", cases[i].policy);
        snprintf(settings.max_message_bytes, sizeof settings.max_message_bytes, "%s", cases[i].bytes);
        assert_int_equal(topic_judge(&need, &settings, advices), cases[i].wanted != NULL);
        if (cases[i].wanted) {
            assert_string_equal(advices[0].setting, cases[i].wanted);
            assert_false(advices[0].remark);
        }
    }
}

static void models_are_made_with_one_partition_and_settings_of_their_own(void **state)
{
    (void)state;
    AUTO(config) config = config_with_defaults();
    struct topic_need need = need_of(&config, TOPIC_MODELS);
    struct kafka_property properties[TOPIC_PROPERTIES_MAX];
    assert_int_equal(need.partitions, 1);
    assert_true(need.compacted);
    assert_int_equal(topic_properties(&need, properties), 2);
    assert_string_equal(properties[0].name, "max.message.bytes");
    assert_string_equal(properties[1].name, "segment.ms");
    need = need_of(&config, TOPIC_CLICKS);
    assert_int_equal(topic_properties(&need, properties), 1);
    assert_string_equal(properties[0].name, "message.timestamp.type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_that_retention_would_take_are_told_with_the_command_that_keeps_them),
        cmocka_unit_test(streams_that_compaction_would_thin_are_told),
        cmocka_unit_test(clicks_that_producers_stamp_are_worth_a_remark),
        cmocka_unit_test(a_number_of_partitions_that_was_set_is_compared_and_one_that_was_not_is_not),
        cmocka_unit_test(models_need_one_partition_and_room_for_their_chunks),
        cmocka_unit_test(models_are_made_with_one_partition_and_settings_of_their_own),
        cmocka_unit_test(late_clicks_need_as_many_partitions_as_clicks),
    };
    return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
