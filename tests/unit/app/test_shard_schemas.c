// SPDX-License-Identifier: Apache-2.0
/* A shard whose clicks are in schemas that it does not know: it asks for them, waits while they cannot be had, and
 * loses nothing. */
#include "support/support.h"

#include "support/shard_rig.h"

/* Stands in for a registry: it knows ids 1 to 9 as eddy's own schema and 10 as one that is of no use, or is away. */
struct source {
    bool away;
    int asked;
};

static struct status fetch(void *self, const struct schema_name *name, struct buffer *out, struct complaint *complaint)
{
    struct source *source = self;
    source->asked++;
    if (source->away)
        return complain(complaint, FAIL(UNAVAILABLE, 0, "away"), "the registry is away");
    if (name->id > 10)
        return complain(complaint, FAIL(NOT_FOUND, 0, "unknown"), "no such schema");
    buffer_append_text(out, name->id == 10 ? "\"string\"" : record_schema(RECORD_CLICK));
    return buffer_check(out);
}

static const struct schema_source_ops source_ops = {fetch};

static void open_rig(struct shard_rig *rig, struct source *source, int32_t partitions)
{
    shard_rig_open(rig, partitions);
    rig->clicks = RECORD_CONFLUENT;
    rig->schemas = (struct schema_source){&source_ops, source};
}

/* The n-th click of a session of its own, 1 ms after the one before. */
static void click_in(struct shard_rig *rig, int32_t partition, int32_t schema_id, int n)
{
    char session[24];
    snprintf(session, sizeof session, "s%d", n);
    struct click click = {
        .session_id = bytes_of_text(session), .item_id = BYTES("item-1"), .time_ms = SHARD_RIG_TIME + n};
    AUTO(buffer) value = {0};
    encode_click((struct encoding){RECORD_CONFLUENT, schema_id}, &click, &value);
    memory_world_append(rig->world, partition, click.time_ms, click.session_id, buffer_bytes(&value));
}

static void step(struct shard_rig *rig, int times)
{
    size_t count;
    for (int i = 0; i < times; i++) {
        assert_ok(shard_step(rig->shard, 0, &count));
        rig->wall_ms += 10;
        rig->monotonic_us += 10000;
    }
}

static struct bytes header_of(const struct output_record *record, const char *name)
{
    for (size_t i = 0; record && i < record->header_count; i++)
        if (!strcmp(record->headers[i].name, name))
            return record->headers[i].value;
    return (struct bytes){0};
}

static bool dead_letter_says(const struct shard_rig *rig, size_t index, const char *text)
{
    const struct output_record *record = shard_rig_output(rig, OUTPUT_DEAD_LETTERS, index);
    struct bytes message = header_of(record, "__connect.errors.exception.message");
    return memmem(message.data, message.size, text, strlen(text));
}

static void an_unknown_schema_is_asked_for_once(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct source source = {0};
    open_rig(&rig, &source, 1);
    for (int n = 0; n < 6; n++)
        click_in(&rig, 0, 1 + n % 2, n);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(source.asked, 2);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 6);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_DEAD_LETTERS), 0);
    shard_rig_close(&rig);
}

static void clicks_wait_for_a_registry_that_is_away_and_those_before_are_committed(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct source source = {0};
    open_rig(&rig, &source, 2);
    for (int n = 0; n < 4; n++)
        click_in(&rig, 0, n < 2 ? 1 : 2, n);
    assert_ok(shard_rig_start(&rig, NULL));
    step(&rig, 1);
    shard_rig_crash(&rig); /* nothing was committed: all is delivered again */
    source.away = true;
    assert_ok(shard_rig_start(&rig, NULL));
    step(&rig, 5);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 0);
    source.away = false;
    step(&rig, 40); /* id 1 is known then, and id 2 too */
    click_in(&rig, 0, 3, 4);
    click_in(&rig, 1, 1, 5);
    source.away = true;
    step(&rig, 10000); /* 100 s: more than a partition may be idle for */
    assert_int_equal(memory_world_committed(rig.world, 0, NULL), 4);
    assert_in_range(source.asked, 10, 40); /* with pauses that grow to 5 s */
    assert_int_equal(shard_rig_count(&rig, OUTPUT_DEAD_LETTERS), 0);
    assert_true(metric_get(&rig.metrics, METRIC_SCHEMA_WAITS) > 5);
    source.away = false;
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 6);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_LATE_CLICKS), 0);
    assert_int_equal(memory_world_committed(rig.world, 0, NULL), 5);
    assert_int_equal(memory_world_committed(rig.world, 1, NULL), 1);
    shard_rig_close(&rig);
}

static void a_partition_goes_while_it_waits_and_comes_back_whole(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct source source = {0};
    open_rig(&rig, &source, 1);
    for (int n = 0; n < 9; n++)
        click_in(&rig, 0, n < 3 ? 1 : 2, n);
    assert_ok(shard_rig_start(&rig, NULL));
    source.away = false;
    const struct schema_name known = {.id = 1};
    assert_ok(decoder_learn_schema(rig.decoder, &known, bytes_of_text(record_schema(RECORD_CLICK)), NULL));
    source.away = true;
    step(&rig, 3);
    const int32_t partition = 0;
    assert_ok(shard_release(rig.shard, &partition, 1, false, 1000));
    assert_int_equal(memory_world_committed(rig.world, 0, NULL), 3);
    step(&rig, 50); /* what was held of it is gone */
    struct assignment assignment = {.partition = 0, .high = 9, .start = 3};
    const char *metadata;
    assignment.committed = memory_world_committed(rig.world, 0, &metadata);
    assignment.metadata = bytes_of_text(metadata);
    assert_ok(shard_accept(rig.shard, &assignment, NULL));
    memory_world_assign(rig.world, 0, assignment.start);
    source.away = false;
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 9);
    shard_rig_close(&rig);
}

static void an_id_that_nobody_knows_is_a_dead_letter(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct source source = {0};
    open_rig(&rig, &source, 1);
    click_in(&rig, 0, 99, 0);
    click_in(&rig, 0, 10, 1);
    click_in(&rig, 0, 10, 2);
    click_in(&rig, 0, 1, 3);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 1);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_DEAD_LETTERS), 3);
    assert_true(dead_letter_says(&rig, 0, "schema id 99 is unknown to the registry: no such schema"));
    assert_true(dead_letter_says(&rig, 1, "schema id 10 cannot be used"));
    assert_true(dead_letter_says(&rig, 2, "schema id 10 cannot be used"));
    assert_int_equal(source.asked, 3); /* one that is of no use is remembered by the decoder */
    shard_rig_close(&rig);
}

static void a_header_names_the_schema_and_goes_along_with_what_is_handed_on(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct source source = {0};
    const struct bytes known = BYTES("\0\0\0\0\1"), unknown = BYTES("\0\0\0\0\x63"), answers = BYTES("\0\0\0\0\7");
    open_rig(&rig, &source, 1);
    rig.options.schema_headers[OUTPUT_RECOMMENDATIONS] = answers;
    shard_rig_click(&rig, 0, "a", "item-1", SHARD_RIG_TIME + 100000); /* bare Avro */
    memory_world_head(rig.world, 0, known);
    shard_rig_click(&rig, 0, "b", "item-1", SHARD_RIG_TIME);
    memory_world_head(rig.world, 0, known);
    shard_rig_click(&rig, 0, "c", "item-1", SHARD_RIG_TIME + 100001);
    memory_world_head(rig.world, 0, unknown);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 1);
    assert_true(bytes_equal(header_of(shard_rig_output(&rig, OUTPUT_RECOMMENDATIONS, 0), SCHEMA_HEADER), answers));
    assert_true(bytes_equal(header_of(shard_rig_output(&rig, OUTPUT_LATE_CLICKS, 0), SCHEMA_HEADER), known));
    assert_true(bytes_equal(header_of(shard_rig_output(&rig, OUTPUT_DEAD_LETTERS, 0), SCHEMA_HEADER), unknown));
    shard_rig_close(&rig);
}

static void without_a_source_an_unknown_id_is_a_dead_letter_too(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_rig(&rig, NULL, 1);
    rig.schemas = (struct schema_source){0};
    click_in(&rig, 0, 1, 0);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_true(dead_letter_says(&rig, 0, "record: its schema id 1 is unknown"));
    shard_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_schema_is_asked_for_once),
        cmocka_unit_test(clicks_wait_for_a_registry_that_is_away_and_those_before_are_committed),
        cmocka_unit_test(a_partition_goes_while_it_waits_and_comes_back_whole),
        cmocka_unit_test(an_id_that_nobody_knows_is_a_dead_letter),
        cmocka_unit_test(a_header_names_the_schema_and_goes_along_with_what_is_handed_on),
        cmocka_unit_test(without_a_source_an_unknown_id_is_a_dead_letter_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
