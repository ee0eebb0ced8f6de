// SPDX-License-Identifier: Apache-2.0
/* A replay of a topic, from librdkafka's mock cluster in this process, against the replay of a file. */
#include "support/support.h"

#include "app/replay.h"

#include <eddy/core/generate.h>
#include <eddy/io/kafka_mock.h>
#include <eddy/io/log_writer.h>

#define CLICKS 3000

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got;
    buffer_clear(out);
    do {
        got = fread(buffer_reserve(out, 4096), 1, 4096, file);
        out->size += got;
    } while (got > 0);
    fclose(file);
}

static struct config make_config(const struct kafka_mock *mock)
{
    struct config config;
    struct complaint complaint = {{0}};
    char brokers[200];
    snprintf(brokers, sizeof brokers, "kafka.bootstrap.servers=%s", kafka_mock_bootstrap(mock));
    const char *sets[] = {brokers};
    if (failed(config_make(&config, NULL, sets, 1, &complaint)))
        fail_msg("%s", complaint.text);
    return config;
}

static void publish(struct record_sink sink, int32_t partition, int64_t timestamp_ms, struct bytes value)
{
    struct output_record record = {.output = OUTPUT_RECOMMENDATIONS,
                                   .partition = partition,
                                   .timestamp_ms = timestamp_ms,
                                   .key = BYTES("k"),
                                   .value = value};
    assert_ok(sink.ops->publish(sink.self, &record));
}

static struct kafka_sink *open_sink(const struct kafka_mock *mock, const char *topic)
{
    struct kafka_options kafka = {.bootstrap = kafka_mock_bootstrap(mock), .client_id = "test"};
    struct kafka_sink_options options = {
        .kafka = &kafka, .topics = {topic}, .queue_records_max = 2 * CLICKS, .queue_bytes_max = 1 << 22};
    struct kafka_sink *sink;
    assert_ok(kafka_sink_open(&options, &sink, NULL));
    return sink;
}

/* The same synthetic clicks into a file and a topic of one partition. */
static void make_clicks(const struct kafka_mock *mock, const char *path)
{
    struct generate_options options = generate_defaults();
    struct generator *generator;
    struct log_writer *writer;
    struct kafka_sink *sink = open_sink(mock, "clicks");
    AUTO(buffer) record = {0};
    options.items = 200;
    options.sessions = 30;
    assert_ok(generator_open(&options, NULL, &generator));
    assert_ok(log_writer_open(path, RECORD_CLICK, log_writer_format(path), &writer, NULL));
    for (int i = 0; i < CLICKS; i++) {
        struct click click;
        generator_next(generator, &click);
        assert_ok(log_writer_click(writer, &click, NULL));
        buffer_clear(&record);
        encode_click((struct encoding){.format = RECORD_AVRO}, &click, &record);
        publish(kafka_sink_port(sink), 0, click.time_ms, buffer_bytes(&record));
    }
    assert_ok(kafka_sink_port(sink).ops->flush(kafka_sink_port(sink).self, 10000));
    assert_ok(log_writer_close(writer, NULL));
    kafka_sink_close(sink);
    generator_close(generator);
}

static void a_topic_and_a_file_with_the_same_clicks_give_the_same_bytes(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct kafka_mock *mock;
    AUTO(buffer) from_file = {0}, from_topic = {0};
    char path[320], outputs[2][320];
    const char *files[] = {path};
    static struct replay_result results[2];
    struct complaint complaint = {{0}};
    snprintf(path, sizeof path, "%s/clicks.tsv", folder.path);
    assert_ok(kafka_mock_open(1, &mock));
    assert_ok(kafka_mock_create_topic(mock, "clicks", 1));
    make_clicks(mock, path);
    struct config config = make_config(mock);
    for (size_t i = 0; i < 2; i++) {
        snprintf(outputs[i], sizeof outputs[i], "%s/output-%zu", folder.path, i);
        struct replay_options options = {
            .files = files, .file_count = i == 0, .topic = i == 0 ? NULL : "clicks", .output = outputs[i]};
        if (failed(replay_run(&options, &config, &results[i], &complaint)))
            fail_msg("%s", complaint.text);
        read_file(outputs[i], i == 0 ? &from_file : &from_topic);
    }
    assert_int_equal(results[1].reading.records, CLICKS);
    assert_true(results[1].judged > 1000 && results[1].learner.learned > 20);
    assert_true(from_file.size > 100000 && bytes_equal(buffer_bytes(&from_file), buffer_bytes(&from_topic)));

    /* A part of it. */
    struct replay_options part = {
        .topic = "clicks", .from = {KAFKA_BOUND_OFFSET, 100}, .to = {KAFKA_BOUND_OFFSET, 250}};
    assert_ok(replay_run(&part, &config, &results[1], &complaint));
    assert_int_equal(results[1].reading.records, 150);

    struct replay_options missing = {.topic = "clicsk"};
    assert_fails(NOT_FOUND, replay_run(&missing, &config, &results[1], &complaint));
    assert_string_equal(complaint.text, "there is no topic clicsk");
    config_release(&config);
    kafka_mock_close(mock);
    temporary_folder_remove(&folder);
}

static void broken_records_of_a_topic_are_named_and_skipped(void **state)
{
    (void)state;
    struct kafka_mock *mock;
    AUTO(buffer) record = {0};
    struct click click = {.session_id = BYTES("s"), .item_id = BYTES("a"), .time_ms = INT64_C(1600000000000)};
    struct replay_options options = {.topic = "clicks"};
    static struct replay_result result;
    struct complaint complaint = {{0}};
    assert_ok(kafka_mock_open(1, &mock));
    assert_ok(kafka_mock_create_topic(mock, "clicks", 2));
    struct kafka_sink *sink = open_sink(mock, "clicks");
    encode_click((struct encoding){.format = RECORD_AVRO}, &click, &record);
    publish(kafka_sink_port(sink), 0, click.time_ms, buffer_bytes(&record));
    publish(kafka_sink_port(sink), 1, click.time_ms + 1, BYTES("no click"));
    publish(kafka_sink_port(sink), 1, click.time_ms + 2, buffer_bytes(&record));
    assert_ok(kafka_sink_port(sink).ops->flush(kafka_sink_port(sink).self, 10000));
    kafka_sink_close(sink);
    struct config config = make_config(mock);
    assert_ok(replay_run(&options, &config, &result, &complaint));
    assert_int_equal(result.reading.records, 2);
    assert_int_equal(result.reading.skipped, 1);
    options.strict = true;
    assert_fails(BAD_INPUT, replay_run(&options, &config, &result, &complaint));
    assert_ptr_equal(strstr(complaint.text, "topic clicks, partition 1, offset 0: "), complaint.text);
    config_release(&config);
    kafka_mock_close(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_and_a_file_with_the_same_clicks_give_the_same_bytes),
        cmocka_unit_test(broken_records_of_a_topic_are_named_and_skipped),
    };
    return cmocka_run_group_tests_name("replay_topic", tests, NULL, NULL);
}
