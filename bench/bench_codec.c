// SPDX-License-Identifier: Apache-2.0
/* What it costs to decode and encode a record, beside Avro-C on the same bytes in the same run.
 *     bench_codec [ROUNDS]      1,000 unless told; each figure is the best of 200 repeats, for busy machines */
#include <eddy/core/codec.h>
#include <eddy/io/system.h>

#include <avro.h>

#include <stdio.h>

#define ITEMS   20
#define REPEATS 200

/* A click of a site that has a field more, orders them otherwise and writes microseconds. */
static const char other_schema[] =
    "{\"type\":\"record\",\"name\":\"ClickEvent\",\"namespace\":\"eddy\",\"fields\":["
    "{\"name\":\"timestamp\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
    "{\"name\":\"page\",\"type\":[\"null\",\"string\"]},{\"name\":\"item_id\",\"type\":\"string\"},"
    "{\"name\":\"session_id\",\"type\":\"string\"}]}";
/* The part of the reader's schema that it has: Avro-C's resolution knows no defaults. */
static const char other_reader[] =
    "{\"type\":\"record\",\"name\":\"ClickEvent\",\"namespace\":\"eddy\",\"fields\":["
    "{\"name\":\"session_id\",\"type\":\"string\"},{\"name\":\"item_id\",\"type\":\"string\"},"
    "{\"name\":\"timestamp\",\"type\":\"long\"}]}";

struct bench {
    struct buffer click, other, json_click, recommendation, out;
    struct decoder *avro, *plan, *json, *lists;
    struct catalogue *catalogue;
    struct recommended_item items[ITEMS];
    struct recommendation answer;
    struct arena batch;
    avro_value_t avro_click, avro_other, avro_resolved, avro_recommendation;
};

static void must(struct status status)
{
    char text[256];
    if (!failed(status))
        return;
    fprintf(stderr, "%s\n", status_text(status, text, sizeof text));
    abort();
}

static void avro_must(int failure)
{
    if (!failure)
        return;
    fprintf(stderr, "%s\n", avro_strerror());
    abort();
}

static avro_schema_t parse(const char *text)
{
    avro_schema_t schema;
    avro_must(avro_schema_from_json_length(text, strlen(text), &schema));
    return schema;
}

static avro_value_t new_value(const char *schema)
{
    avro_value_t value;
    avro_must(avro_generic_value_new(avro_generic_class_from_schema(parse(schema)), &value));
    return value;
}

static void read_value(const struct buffer *datum, avro_value_t *value)
{
    avro_reader_t reader = avro_reader_memory((const char *)datum->data, (int64_t)datum->size);
    avro_must(avro_value_read(reader, value));
    avro_reader_free(reader);
}

static void make_answer(struct bench *bench)
{
    struct catalogue_options options = {100, 1 << 20, 100};
    must(catalogue_open(&options, &bench->catalogue));
    for (uint32_t i = 0; i < ITEMS; i++) {
        char id[16];
        uint32_t number;
        snprintf(id, sizeof id, "item-%u", i * 997);
        must(catalogue_intern(bench->catalogue, bytes_of_text(id), &number));
        bench->items[i] = (struct recommended_item){.item = number,
                                                    .score = 0.01f * (float)i,
                                                    .shares = {0.5f, 0.25f, 0.25f, 0},
                                                    .reason = {(enum reason_kind)(i % 2), number / 2, i}};
    }
    bench->answer = (struct recommendation){.session_id = BYTES("7f3a1c9e-session"),
                                            .partition = 3,
                                            .offset = 123456789,
                                            .position = 5,
                                            .click_time_ms = 1600000000000,
                                            .learned_version = 0x0123456789abcdef,
                                            .items = bench->items,
                                            .count = ITEMS};
}

static void bench_open(struct bench *bench)
{
    *bench = (struct bench){0};
    struct click click = {
        .session_id = BYTES("7f3a1c9e-session"), .item_id = BYTES("item-1994"), .time_ms = 1600000000000};
    static const char other[] = "\x80\x80\xa0\xfa\xa0\xcc\xd7\x05"
                                "\x02\x0a"
                                "/shop"
                                "\x12"
                                "item-1994"
                                "\x20"
                                "7f3a1c9e-session";
    make_answer(bench);
    encode_click((struct encoding){RECORD_AVRO, 0}, &click, &bench->click);
    encode_click((struct encoding){RECORD_JSON, 0}, &click, &bench->json_click);
    encode_recommendation((struct encoding){RECORD_AVRO, 0}, &bench->answer, BYTES("clicks"), bench->catalogue,
                          &bench->recommendation);
    buffer_append(&bench->other, other, sizeof other - 1);
    must(decoder_open(RECORD_CLICK, RECORD_AVRO, &bench->avro));
    must(decoder_open(RECORD_CLICK, RECORD_AVRO, &bench->plan));
    must(decoder_set_schema(bench->plan, bytes_of_text(other_schema), NULL));
    must(decoder_open(RECORD_CLICK, RECORD_JSON, &bench->json));
    must(decoder_open(RECORD_RECOMMENDATION, RECORD_AVRO, &bench->lists));
    bench->avro_click = new_value(record_schema(RECORD_CLICK));
    bench->avro_other = new_value(other_schema);
    bench->avro_recommendation = new_value(record_schema(RECORD_RECOMMENDATION));
    read_value(&bench->recommendation, &bench->avro_recommendation);
    read_value(&bench->click, &bench->avro_click);
    avro_value_iface_t *class = avro_resolved_reader_new(parse(other_schema), parse(other_reader));
    avro_must(!class);
    avro_must(avro_resolved_reader_new_value(class, &bench->avro_resolved));
    avro_resolved_reader_set_source(&bench->avro_resolved, &bench->avro_other);
}

/* ---- what is measured, one record each */

static void decode_fixed(struct bench *bench)
{
    struct click click;
    must(decode_click(bench->avro, buffer_bytes(&bench->click), &click, NULL));
}

static void decode_other(struct bench *bench)
{
    struct click click;
    must(decode_click(bench->plan, buffer_bytes(&bench->other), &click, NULL));
}

static void decode_json(struct bench *bench)
{
    struct click click;
    must(decode_click(bench->json, buffer_bytes(&bench->json_click), &click, NULL));
}

static void get_fields(avro_value_t *record, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        avro_value_t field;
        const char *text;
        size_t size;
        int64_t time;
        avro_must(avro_value_get_by_index(record, i, &field, NULL));
        if (avro_value_get_type(&field) == AVRO_STRING)
            avro_must(avro_value_get_string(&field, &text, &size));
        else if (avro_value_get_type(&field) == AVRO_INT64)
            avro_must(avro_value_get_long(&field, &time));
    }
}

static void decode_avro_c(struct bench *bench)
{
    read_value(&bench->click, &bench->avro_click);
    get_fields(&bench->avro_click, 6);
}

static void decode_avro_c_resolved(struct bench *bench)
{
    read_value(&bench->other, &bench->avro_other);
    get_fields(&bench->avro_resolved, 3);
}

static void encode_fixed_click(struct bench *bench)
{
    struct click click = {
        .session_id = BYTES("7f3a1c9e-session"), .item_id = BYTES("item-1994"), .time_ms = 1600000000000};
    buffer_clear(&bench->out);
    encode_click((struct encoding){RECORD_AVRO, 0}, &click, &bench->out);
}

static void encode_list(struct bench *bench)
{
    buffer_clear(&bench->out);
    encode_recommendation((struct encoding){RECORD_CONFLUENT, 7}, &bench->answer, BYTES("clicks"), bench->catalogue,
                          &bench->out);
}

static void encode_list_json(struct bench *bench)
{
    buffer_clear(&bench->out);
    encode_recommendation((struct encoding){RECORD_JSON, 0}, &bench->answer, BYTES("clicks"), bench->catalogue,
                          &bench->out);
}

static void decode_list(struct bench *bench)
{
    struct recommendation_record record;
    arena_reset(&bench->batch);
    must(decode_recommendation(bench->lists, buffer_bytes(&bench->recommendation), &bench->batch, &record, NULL));
}

static void decode_list_avro_c(struct bench *bench)
{
    read_value(&bench->recommendation, &bench->avro_recommendation);
}

/* Writing alone: the values are already set. */
static void encode_avro_c(struct bench *bench, avro_value_t *value)
{
    avro_writer_t writer = avro_writer_memory((char *)bench->out.data, (int64_t)bench->out.capacity);
    avro_must(avro_value_write(writer, value));
    avro_writer_free(writer);
}

static void encode_click_avro_c(struct bench *bench)
{
    encode_avro_c(bench, &bench->avro_click);
}

static void encode_list_avro_c(struct bench *bench)
{
    encode_avro_c(bench, &bench->avro_recommendation);
}

static double nanoseconds(struct bench *bench, void (*work)(struct bench *bench), int64_t rounds)
{
    struct time_source time = system_time();
    int64_t best_us = INT64_MAX;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        int64_t start_us = time.ops->monotonic_us(time.self);
        for (int64_t i = 0; i < rounds; i++)
            work(bench);
        int64_t took_us = time.ops->monotonic_us(time.self) - start_us;
        best_us = took_us < best_us ? took_us : best_us;
    }
    return (double)best_us * 1000 / (double)rounds;
}

static void bench_close(struct bench *bench)
{
    decoder_close(bench->avro);
    decoder_close(bench->plan);
    decoder_close(bench->json);
    decoder_close(bench->lists);
    catalogue_close(bench->catalogue);
    arena_release(&bench->batch);
    buffer_release(&bench->click);
    buffer_release(&bench->other);
    buffer_release(&bench->json_click);
    buffer_release(&bench->recommendation);
    buffer_release(&bench->out);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what;
        void (*ours)(struct bench *), (*theirs)(struct bench *);
    } rows[] = {
        {"decode a click in the embedded schema", decode_fixed, decode_avro_c},
        {"decode a click in another schema", decode_other, decode_avro_c_resolved},
        {"decode a click in JSON", decode_json, NULL},
        {"encode a click", encode_fixed_click, encode_click_avro_c},
        {"encode a recommendation of 20", encode_list, encode_list_avro_c},
        {"encode a recommendation of 20 in JSON", encode_list_json, NULL},
        {"decode a recommendation of 20", decode_list, decode_list_avro_c},
    };
    int64_t rounds = 1000;
    if (argc > 1 && (!bytes_to_int64(bytes_of_text(argv[1]), &rounds) || rounds < 1)) {
        fputs("usage: bench_codec [ROUNDS]\n", stderr);
        return 2;
    }
    struct bench bench;
    bench_open(&bench);
    buffer_reserve(&bench.out, 1 << 16);
    printf("%-40s %9s %9s %7s\n", "nanoseconds a record", "eddy", "Avro-C", "ratio");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double ours = nanoseconds(&bench, rows[i].ours, rounds);
        if (rows[i].theirs) {
            double theirs = nanoseconds(&bench, rows[i].theirs, rounds);
            printf("%-40s %9.1f %9.1f %6.1fx\n", rows[i].what, ours, theirs, theirs / ours);
        } else {
            printf("%-40s %9.1f\n", rows[i].what, ours);
        }
    }
    bench_close(&bench);
    return 0;
}
