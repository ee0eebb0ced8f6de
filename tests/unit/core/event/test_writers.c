// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/event/resolve.h"

#include <eddy/core/codec.h>

/* The fields that a click must have, and around them what a test adds. */
#define CLICK_SCHEMA(fields)                                                                                           \
    "{\"type\":\"record\",\"name\":\"ClickEvent\",\"namespace\":\"eddy\",\"fields\":[" fields "]}"
#define FIELD(name, type)     "{\"name\":\"" name "\",\"type\":" type "}"
#define ITEM_AND_TIME         FIELD("item_id", "\"string\"") "," FIELD("timestamp", "\"long\"")
#define TIME(logical)         "{\"type\":\"long\",\"logicalType\":\"" logical "\"}"
#define CLICK_TYPE(name, ...) "{\"type\":\"enum\",\"name\":\"" name "\",\"symbols\":[" #__VA_ARGS__ "]}"

static struct decoder *open_with(enum record_type type, const char *schema)
{
    struct decoder *decoder;
    struct complaint complaint = {0};
    assert_ok(decoder_open(type, RECORD_AVRO, &decoder));
    if (failed(decoder_set_schema(decoder, bytes_of_text(schema), &complaint)))
        fail_msg("%s", complaint.text);
    return decoder;
}

/* Decodes from memory of exactly the datum's size, so that a sanitizer sees any byte read past it. */
static struct status decode_exact(struct decoder *decoder, struct bytes datum, struct click *ret_click,
                                  struct complaint *complaint)
{
    static uint8_t *exact;
    free(exact);
    exact = malloc(datum.size ? datum.size : 1);
    memcpy(exact, datum.data, datum.size);
    struct status status = decode_click(decoder, bytes_of(exact, datum.size), ret_click, complaint);
    return status;
}

static struct click decode_with(const char *schema, struct bytes datum)
{
    static struct decoder *decoder;
    struct click click;
    decoder_close(decoder); /* the click of the last call is borrowed until now */
    decoder = open_with(RECORD_CLICK, schema);
    struct complaint complaint = {0};
    struct status status = decode_exact(decoder, datum, &click, &complaint);
    if (failed(status))
        fail_msg("%s: %s", schema, complaint.text);
    for (size_t size = 0; size < datum.size; size++) {
        struct click unused;
        assert_fails(BAD_INPUT, decode_exact(decoder, bytes_of(datum.data, size), &unused, &complaint));
    }
    assert_ok(decode_exact(decoder, datum, &click, NULL));
    return click;
}

static void missing_fields_take_the_defaults(void **state)
{
    (void)state;
    struct click click = decode_with(CLICK_SCHEMA(ITEM_AND_TIME), BYTES("\x02"
                                                                        "a"
                                                                        "\x0a"));
    assert_bytes(click.session_id, "");
    assert_bytes(click.user_id, "");
    assert_bytes(click.item_id, "a");
    assert_bytes(click.event_id, "");
    assert_int_equal(click.time_ms, 5);
    assert_int_equal(click.type, CLICK_TYPE_VIEW);
}

static void fields_may_be_reordered_and_others_added(void **state)
{
    (void)state;
    static const char schema[] =
        CLICK_SCHEMA(
            FIELD("weights", "{\"type\":\"array\",\"items\":\"double\"}") "," FIELD("timestamp", "\"long\"") "," FIELD("tags", "{\"type\":\"map\",\"values\":[\"null\",\"int\"]}") "," FIELD(
                "nothing",
                "\"null\"") "," FIELD("item_id",
                                      "\"string\"") "," FIELD("where",
                                                              "{\"type\":\"record\",\"name\":\"Place\","
                                                              "\"fields\":[" FIELD("x", "\"float\"") "," FIELD(
                                                                  "flag",
                                                                  "\"boolean\"") "]}") "," FIELD("elsewhere",
                                                                                                 "[\"null\","
                                                                                                 "\"Place\""
                                                                                                 "]") "," FIELD("hash",
                                                                                                                "{\"typ"
                                                                                                                "e\""
                                                                                                                ":\"fix"
                                                                                                                "ed"
                                                                                                                "\","
                                                                                                                "\"name"
                                                                                                                "\":"
                                                                                                                "\"Hash"
                                                                                                                "\","
                                                                                                                "\"size"
                                                                                                                "\":"
                                                                                                                "3}") "," FIELD("session_id",
                                                                                                                                "\"string\""));
    struct click click = decode_with(schema, BYTES("\x01\x10"
                                                   "12345678"
                                                   "\x00" /* weights, with the block's size */
                                                   "\x0a" /* timestamp */
                                                   "\x04\x02k\x00\x02l\x02\x05"
                                                   "\x00" /* tags */
                                                   "\x02"
                                                   "a" /* item_id */
                                                   "1234\x01"
                                                   "\x02"
                                                   "5678\x00" /* where, elsewhere */
                                                   "abc"
                                                   "\x04s1"));
    assert_bytes(click.item_id, "a");
    assert_bytes(click.session_id, "s1");
    assert_int_equal(click.time_ms, 5);
}

static void an_int_is_promoted_to_a_long(void **state)
{
    (void)state;
    static const char schema[] = CLICK_SCHEMA(FIELD("timestamp", "\"int\"") "," FIELD("item_id", "\"bytes\""));
    struct click click = decode_with(schema, BYTES("\x0a\x02"
                                                   "a"));
    assert_int_equal(click.time_ms, 5);
    assert_bytes(click.item_id, "a");
    struct decoder *decoder = open_with(RECORD_CLICK, schema);
    struct complaint complaint;
    assert_fails(BAD_INPUT, decode_click(decoder,
                                         BYTES("\x80\x80\x80\x80\x20\x02"
                                               "a"),
                                         &click, &complaint));
    assert_string_equal(complaint.text, "timestamp: the number does not fit an int (at byte 5 of 7)");
    decoder_close(decoder);
}

static void finer_times_become_milliseconds_rounding_down(void **state)
{
    (void)state;
    static const char micros[] =
        CLICK_SCHEMA(FIELD("item_id", "\"string\"") "," FIELD("timestamp", TIME("timestamp-micros")));
    static const char nanos[] =
        CLICK_SCHEMA(FIELD("item_id", "\"string\"") "," FIELD("timestamp", TIME("timestamp-nanos")));
    static const char millis[] =
        CLICK_SCHEMA(FIELD("item_id", "\"string\"") "," FIELD("timestamp", TIME("timestamp-millis")));
    assert_int_equal(decode_with(micros, BYTES("\x02"
                                               "a"
                                               "\x9e\x1f"))
                         .time_ms,
                     1); /* 1999 */
    assert_int_equal(decode_with(micros, BYTES("\x02"
                                               "a"
                                               "\x01"))
                         .time_ms,
                     -1); /* -1 */
    assert_int_equal(decode_with(micros, BYTES("\x02"
                                               "a"
                                               "\xcf\x0f"))
                         .time_ms,
                     -1); /* -1000 */
    assert_int_equal(decode_with(micros, BYTES("\x02"
                                               "a"
                                               "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
                         .time_ms,
                     INT64_MIN / 1000 - 1);
    assert_int_equal(decode_with(nanos, BYTES("\x02"
                                              "a"
                                              "\x80\x89\x7a"))
                         .time_ms,
                     1); /* 1000000 */
    assert_int_equal(decode_with(millis, BYTES("\x02"
                                               "a"
                                               "\x0a"))
                         .time_ms,
                     5);
}

static void unions_are_opened(void **state)
{
    (void)state;
    static const char schema[] = CLICK_SCHEMA(
        FIELD("item_id", "[\"null\",\"int\",\"string\"]") "," FIELD("timestamp", "[\"long\",\"null\"]") "," FIELD(
            "user_id", "\"string\"") "," FIELD("event_id", "[\"string\",\"null\"]"));
    struct click click = decode_with(schema, BYTES("\x04\x02"
                                                   "a"
                                                   "\x00\x0a"
                                                   "\x04"
                                                   "u1"
                                                   "\x00\x02"
                                                   "e"));
    assert_bytes(click.item_id, "a");
    assert_int_equal(click.time_ms, 5);
    assert_bytes(click.user_id, "u1");
    assert_bytes(click.event_id, "e");
    click = decode_with(schema, BYTES("\x04\x02"
                                      "a"
                                      "\x00\x0a"
                                      "\x00"
                                      "\x02"));
    assert_bytes(click.user_id, "");
    assert_bytes(click.event_id, "");
    struct decoder *decoder = open_with(RECORD_CLICK, schema);
    struct complaint complaint;
    assert_fails(BAD_INPUT, decode_click(decoder,
                                         BYTES("\x02\x0e"
                                               "\x00\x0a"
                                               "\x00"
                                               "\x02"),
                                         &click, &complaint));
    assert_string_equal(complaint.text, "item_id: the writer's int cannot be read here (at byte 1 of 6)");
    assert_fails(BAD_INPUT, decode_click(decoder,
                                         BYTES("\x06\x02"
                                               "a"
                                               "\x00\x0a"
                                               "\x00"
                                               "\x02"),
                                         &click, &complaint));
    assert_string_equal(complaint.text, "item_id: the enum or union index is out of range (at byte 1 of 7)");
    decoder_close(decoder);
}

static void a_field_that_is_always_null_is_none(void **state)
{
    (void)state;
    static const char schema[] = CLICK_SCHEMA(ITEM_AND_TIME "," FIELD("user_id", "\"null\""));
    assert_bytes(decode_with(schema, BYTES("\x02"
                                           "a"
                                           "\x0a"))
                     .user_id,
                 "");
}

static void enum_symbols_are_matched_by_name(void **state)
{
    (void)state;
    static const char schema[] =
        CLICK_SCHEMA(ITEM_AND_TIME "," FIELD("type", CLICK_TYPE("ClickType", "purchase", "wishlist", "click")));
    assert_int_equal(decode_with(schema, BYTES("\x02"
                                               "a"
                                               "\x0a\x00"))
                         .type,
                     CLICK_TYPE_PURCHASE);
    assert_int_equal(decode_with(schema, BYTES("\x02"
                                               "a"
                                               "\x0a\x02"))
                         .type,
                     CLICK_TYPE_VIEW);
    assert_int_equal(decode_with(schema, BYTES("\x02"
                                               "a"
                                               "\x0a\x04"))
                         .type,
                     CLICK_TYPE_CLICK);
    struct decoder *decoder = open_with(RECORD_CLICK, schema);
    struct click click;
    assert_fails(BAD_INPUT, decode_click(decoder,
                                         BYTES("\x02"
                                               "a"
                                               "\x0a\x06"),
                                         &click, NULL));
    decoder_close(decoder);
}

static void a_type_unknown_to_the_reader_is_noted_in_its_click(void **state)
{
    (void)state;
    /* Of the second, the unknown symbol has the very number of the default. */
    static const char *const schemas[] = {
        CLICK_SCHEMA(ITEM_AND_TIME "," FIELD("type", CLICK_TYPE("ClickType", "wishlist", "purchase"))),
        CLICK_SCHEMA(ITEM_AND_TIME
                     "," FIELD("type", CLICK_TYPE("ClickType", "wishlist", "click", "add_to_cart", "purchase")))};
    for (size_t i = 0; i < 2; i++) {
        struct decoder *decoder = open_with(RECORD_CLICK, schemas[i]);
        struct click click;
        for (uint8_t symbol = 0; symbol < 2; symbol++) {
            const uint8_t datum[] = {2, 'a', 10, (uint8_t)(2 * symbol)};
            assert_ok(decode_click(decoder, bytes_of(datum, sizeof datum), &click, NULL));
            assert_int_equal(click.type == CLICK_TYPE_VIEW, symbol == 0);
            assert_bytes(click.unknown_type, symbol == 0 ? "wishlist" : "");
        }
        decoder_close(decoder);
    }
}

static void a_price_is_promoted_to_a_double(void **state)
{
    (void)state;
#define ITEM_SCHEMA(price)                                                                                             \
    "{\"type\":\"record\",\"name\":\"Item\",\"fields\":[" FIELD("item_id", "\"string\"") "," FIELD("price", price) "]" \
                                                                                                                   "}"
    static const struct {
        const char *schema;
        struct bytes datum;
        double price;
    } cases[] = {
        {ITEM_SCHEMA("\"int\""),
         {(const uint8_t *)"\x02"
                           "a"
                           "\x0a",
          3},
         5},
        {ITEM_SCHEMA("\"long\""),
         {(const uint8_t *)"\x02"
                           "a"
                           "\x09",
          3},
         -5},
        {ITEM_SCHEMA("\"float\""),
         {(const uint8_t *)"\x02"
                           "a"
                           "\0\0\xc0\x3f",
          6},
         1.5},
        {ITEM_SCHEMA("\"double\""),
         {(const uint8_t *)"\x02"
                           "a"
                           "\0\0\0\0\0\0\xf8\x3f",
          10},
         1.5},
        {ITEM_SCHEMA("[\"null\",\"float\"]"),
         {(const uint8_t *)"\x02"
                           "a"
                           "\x02\0\0\xc0\x3f",
          7},
         1.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decoder *decoder = open_with(RECORD_ITEM, cases[i].schema);
        struct item item;
        assert_ok(decode_item(decoder, cases[i].datum, &item, NULL));
        assert_true(item.has_price && item.price == cases[i].price);
        assert_true(item.available && item.category_count == 0);
        decoder_close(decoder);
    }
}

static void entries_of_an_array_are_resolved_too(void **state)
{
    (void)state;
    static const char schema[] = "{\"type\":\"record\",\"name\":\"ClosedSession\",\"fields\":[" FIELD(
        "clicks",
        "{\"type\":\"array\",\"items\":{"
        "\"type\":\"record\",\"name\":"
        "\"SessionClick\",\"fields\":"
        "[" FIELD(
            "timestamp",
            TIME(
                "tim"
                "est"
                "amp"
                "-mi"
                "cro"
                "s")) "," FIELD("item_id",
                                "\"string\"") "]}}") "," FIELD("session_id",
                                                               "\"string\"") "," FIELD("partition",
                                                                                       "\"int\"") "," FIELD("close_"
                                                                                                            "timest"
                                                                                                            "amp",
                                                                                                            "\"long"
                                                                                                            "\"") "," FIELD("close_offset",
                                                                                                                            "\"long\"") "," FIELD("close_sequence",
                                                                                                                                                  "\"int\"") "," FIELD("total_clicks",
                                                                                                                                                                       "\"int\"") "]}";
    struct decoder *decoder = open_with(RECORD_CLOSED_SESSION, schema);
    AUTO(arena) batch = {0};
    struct closed_record session;
    /* Two blocks: two clicks, then one with its size. */
    static const char datum[] = "\x04\xd0\x0f\x02"
                                "a"
                                "\xa0\x1f\x02"
                                "b"
                                "\x01\x08\xf0\x2e\x02"
                                "c"
                                "\x00"
                                "\x02s\x02\x04\x06\x08\x06";
    assert_ok(decode_closed_session(decoder, bytes_of(datum, sizeof datum - 1), &batch, &session, NULL));
    assert_int_equal(session.length, 3);
    assert_bytes(session.item_ids[2], "c");
    assert_int_equal(session.times_ms[0], 1);
    assert_int_equal(session.times_ms[2], 3);
    assert_int_equal(session.types[1], CLICK_TYPE_VIEW);
    assert_false(session.evicted);
    assert_int_equal(session.total, 3);
    decoder_close(decoder);
}

static void schemas_that_cannot_be_read_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {CLICK_SCHEMA(FIELD("item_id", "\"long\"") "," FIELD("timestamp", "\"long\"")),
         "item_id: the writer's long cannot be read as string"},
        {CLICK_SCHEMA(FIELD("item_id", "[\"null\",\"int\"]") "," FIELD("timestamp", "\"long\"")),
         "item_id: the writer's int cannot be read as string"},
        {CLICK_SCHEMA(FIELD("item_id", "\"null\"") "," FIELD("timestamp", "\"long\"")),
         "item_id: the writer's null cannot be read as string"},
        {CLICK_SCHEMA(ITEM_AND_TIME "," FIELD("user_id", "\"int\"")),
         "user_id: the writer's int cannot be read as string"},
        {CLICK_SCHEMA(FIELD("timestamp", "\"long\"")),
         "item_id: the writer's eddy.ClickEvent has no such field, and it has no default"},
        {CLICK_SCHEMA(FIELD("item_id", "\"string\"") "," FIELD("timestamp", "\"double\"")),
         "timestamp: the writer's double cannot be read as long"},
        {CLICK_SCHEMA(FIELD("item_id", "\"string\"") "," FIELD("timestamp", TIME("local-timestamp-millis"))),
         "timestamp: the writer's local-timestamp-millis cannot be read as timestamp-millis"},
        {CLICK_SCHEMA(ITEM_AND_TIME "," FIELD("type", CLICK_TYPE("Kind", "view"))),
         "type: the writer's enum Kind cannot be read as enum ClickType"},
        {CLICK_SCHEMA(ITEM_AND_TIME "," FIELD("type", "\"string\"")),
         "type: the writer's string cannot be read as enum ClickType"},
        {"{\"type\":\"record\",\"name\":\"Other\",\"fields\":[]}",
         "record: the writer's record Other cannot be read as record ClickEvent"},
        {"\"string\"", "record: the writer's string cannot be read as record ClickEvent"},
    };
    struct decoder *decoder;
    assert_ok(decoder_open(RECORD_CLICK, RECORD_CONFLUENT, &decoder));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint = {0};
        assert_fails(BAD_INPUT, decoder_add_schema(decoder, 1, bytes_of_text(cases[i][0]), &complaint));
        assert_string_equal(complaint.text, cases[i][1]);
    }
    decoder_close(decoder);
}

static void the_embedded_schema_is_read_however_it_is_written(void **state)
{
    (void)state;
    for (int type = 0; type < RECORD_TYPE_COUNT; type++) {
        struct decoder *decoder = open_with((enum record_type)type, record_schema((enum record_type)type));
        decoder_close(decoder);
    }
    struct click click = decode_with(record_schema(RECORD_CLICK), BYTES("\x02s\x02\x02u\x02"
                                                                        "a"
                                                                        "\x0a\x06\x02\x02"
                                                                        "e"));
    assert_bytes(click.user_id, "u");
    assert_int_equal(click.type, CLICK_TYPE_PURCHASE);
    assert_bytes(click.event_id, "e");
}

/* Schemas that differ from the embedded one in a word, and would be misread if they were taken for it. */
static void schemas_close_to_the_embedded_one_are_not_taken_for_it(void **state)
{
    (void)state;
#define MAYBE "[\"null\",\"string\"]"
#define CLOSE(u, t, k, e)                                                                                              \
    CLICK_SCHEMA(FIELD("session_id", "\"string\"") "," FIELD(u, MAYBE) "," FIELD("item_id", "\"string\"") "," FIELD(   \
        "timestamp", TIME(t)) "," FIELD("type", k) "," FIELD(e, MAYBE))
#define TYPES CLICK_TYPE("ClickType", "view", "click", "add_to_cart", "purchase")
    static const char datum[] = "\x02s\x02\x02u\x02"
                                "a\xf0\x2e\x06\x02\x02"
                                "e";
    static const struct {
        const char *schema, *user_id;
        int64_t time_ms;
        enum click_type type;
    } cases[] = {
        {CLOSE("user_id", "timestamp-millis", TYPES, "event_id"), "u", 3000, CLICK_TYPE_PURCHASE},
        {CLOSE("event_id", "timestamp-millis", TYPES, "user_id"), "e", 3000, CLICK_TYPE_PURCHASE},
        {CLOSE("user_id", "timestamp-micros", TYPES, "event_id"), "u", 3, CLICK_TYPE_PURCHASE},
        {CLOSE("user_id", "timestamp-millis", CLICK_TYPE("ClickType", "purchase", "add_to_cart", "click", "view"),
               "event_id"),
         "u", 3000, CLICK_TYPE_VIEW},
        {CLOSE("user_id", "timestamp-millis",
               CLICK_TYPE("ClickType", "view", "click", "add_to_cart", "purchase", "wish"), "event_id"),
         "u", 3000, CLICK_TYPE_PURCHASE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct click click = decode_with(cases[i].schema, bytes_of(datum, sizeof datum - 1));
        assert_bytes(click.user_id, cases[i].user_id);
        assert_int_equal(click.time_ms, cases[i].time_ms);
        assert_int_equal(click.type, cases[i].type);
    }
    struct decoder *decoder = open_with(
        RECORD_CLICK, CLOSE("user_id", "timestamp-millis", CLICK_TYPE("ClickType", "view", "click"), "event_id"));
    struct click click;
    assert_fails(BAD_INPUT, decode_click(decoder, bytes_of(datum, sizeof datum - 1), &click, NULL));
    decoder_close(decoder);
}

/* All of eddy's enums have a default today; a reader's without one refuses the datum. */
static void an_unknown_symbol_without_a_default_is_refused(void **state)
{
    (void)state;
    AUTO(schema_document) writer = {0};
    AUTO(schema_document) reader = {0};
    AUTO(arena) memory = {0};
    AUTO(buffer) out = {0};
    struct plan *plan;
    assert_ok(schema_parse(BYTES(CLICK_TYPE("E", "x", "y")), &writer, NULL));
    assert_ok(schema_parse(BYTES(CLICK_TYPE("E", "y")), &reader, NULL));
    assert_ok(plan_make(writer.root, reader.root, &memory, &plan, NULL));
    assert_false(plan_is_total(plan));
    struct reader known = reader_of(BYTES("\x02")), unknown = reader_of(BYTES("\x00"));
    assert_true(plan_run(plan, &known, &out));
    assert_int_equal(out.data[0], 0);
    assert_false(plan_run(plan, &unknown, &out));
    assert_non_null(unknown.problem);
}

static void the_embedded_schema_under_other_names_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\"ClickEvent\"", "record: the writer's record Xlick"},
        {"\"ClickType\"", "type: the writer's enum Xlick"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct decoder *decoder;
        struct complaint complaint = {0};
        char *schema = strdup(record_schema(RECORD_CLICK));
        strstr(schema, cases[i][0])[1] = 'X';
        assert_ok(decoder_open(RECORD_CLICK, RECORD_AVRO, &decoder));
        assert_fails(BAD_INPUT, decoder_set_schema(decoder, bytes_of_text(schema), &complaint));
        assert_memory_equal(complaint.text, cases[i][1], strlen(cases[i][1]));
        decoder_close(decoder);
        free(schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_fields_take_the_defaults),
        cmocka_unit_test(fields_may_be_reordered_and_others_added),
        cmocka_unit_test(an_int_is_promoted_to_a_long),
        cmocka_unit_test(finer_times_become_milliseconds_rounding_down),
        cmocka_unit_test(unions_are_opened),
        cmocka_unit_test(a_field_that_is_always_null_is_none),
        cmocka_unit_test(enum_symbols_are_matched_by_name),
        cmocka_unit_test(a_type_unknown_to_the_reader_is_noted_in_its_click),
        cmocka_unit_test(a_price_is_promoted_to_a_double),
        cmocka_unit_test(entries_of_an_array_are_resolved_too),
        cmocka_unit_test(schemas_that_cannot_be_read_are_refused_by_name),
        cmocka_unit_test(the_embedded_schema_is_read_however_it_is_written),
        cmocka_unit_test(schemas_close_to_the_embedded_one_are_not_taken_for_it),
        cmocka_unit_test(an_unknown_symbol_without_a_default_is_refused),
        cmocka_unit_test(the_embedded_schema_under_other_names_is_refused),
    };
    return cmocka_run_group_tests_name("writers", tests, NULL, NULL);
}
