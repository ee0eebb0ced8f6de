// SPDX-License-Identifier: Apache-2.0
#include "bench/listener.h"

#include <eddy/base/arena.h>
#include <eddy/core/codec.h>
#include <eddy/io/kafka.h>
#include <eddy/io/system.h>
#include <stdio.h>
#include <stdlib.h>

static void must(struct status status, const char *what)
{
    char text[256];
    if (!failed(status))
        return;
    fprintf(stderr, "listener: %s: %s\n", what, status_text(status, text, sizeof text));
    exit(1);
}

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

static void hear(struct listener *listener, struct decoder *decoder, struct arena *arena, const struct message *message)
{
    struct complaint complaint;
    int64_t time_ms, heard_us = now_us();
    if (listener->recommendations) {
        struct recommendation_record record;
        must(decode_recommendation(decoder, message->value, arena, &record, &complaint), "recommendation");
        time_ms = record.click_time_ms;
        listener->listed += record.count;
    } else {
        struct click click;
        must(decode_click(decoder, message->value, &click, &complaint), "click");
        time_ms = click.time_ms;
    }
    arena_reset(arena);
    int64_t number = time_ms - listener->base_ms;
    if (number < 0 || number >= listener->count)
        must(FAIL(BAD_INPUT, number, "an answer to nothing"), listener->topic);
    if (number >= listener->warm_up)
        histogram_record(&listener->latency_us, (uint64_t)(heard_us - listener->sent_us[number]));
    listener->heard++;
}

void *listener_run(void *context)
{
    struct listener *listener = context;
    const struct kafka_property isolation = {"isolation.level",
                                             listener->committed ? "read_committed" : "read_uncommitted"};
    const struct kafka_options kafka = {
        .bootstrap = listener->bootstrap, .client_id = "bench", .properties = &isolation, .property_count = 1};
    const struct kafka_reader_options options = {
        .kafka = &kafka,
        .topic = listener->topic,
        .partition_count = listener->partitions,
        .start = {.kind = listener->from_now ? KAFKA_START_LATEST : KAFKA_START_EARLIEST}};
    struct kafka_reader *reader;
    struct decoder *decoder;
    struct complaint complaint = {0};
    struct arena arena = {0};
    must(kafka_reader_open(&options, &reader, &complaint), "reader");
    must(decoder_open(listener->recommendations ? RECORD_RECOMMENDATION : RECORD_CLICK, RECORD_AVRO, &decoder),
         "decoder");
    while (!listener->stop) {
        struct message messages[64];
        size_t count;
        must(kafka_reader_poll(reader, 50, messages, 64, &count), "poll");
        for (size_t i = 0; i < count; i++)
            hear(listener, decoder, &arena, &messages[i]);
        if (kafka_reader_caught_up(reader))
            listener->ready = true;
    }
    kafka_reader_close(reader);
    decoder_close(decoder);
    arena_release(&arena);
    return NULL;
}

double listener_p99_ms(const struct listener *listener)
{
    return (double)histogram_quantile(&listener->latency_us, 0.99) / 1e3;
}

void listener_report(const struct listener *listener, const char *what)
{
    printf("%-28s %lld records, p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms\n", what,
           (long long)listener->latency_us.total, (double)histogram_quantile(&listener->latency_us, 0.5) / 1e3,
           (double)histogram_quantile(&listener->latency_us, 0.9) / 1e3, listener_p99_ms(listener),
           (double)listener->latency_us.max / 1e3);
}
