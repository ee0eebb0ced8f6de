// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/codec.h>

#define AVRO ((struct encoding){RECORD_AVRO, 0})

static struct decoder *open_decoder(enum record_type type, enum record_format format)
{
    struct decoder *decoder;
    assert_ok(decoder_open(type, format, &decoder));
    return decoder;
}

static struct catalogue *open_catalogue(void)
{
    struct catalogue_options options = {100, 1 << 20, 100};
    struct catalogue *catalogue;
    uint32_t number;
    assert_ok(catalogue_open(&options, &catalogue));
    assert_ok(catalogue_intern(catalogue, BYTES("A13"), &number));
    assert_ok(catalogue_intern(catalogue, BYTES("B7"), &number));
    return catalogue;
}

static const struct click full_click = {.session_id = {(const uint8_t *)"s1", 2},
                                        .user_id = {(const uint8_t *)"u", 1},
                                        .item_id = {(const uint8_t *)"A13", 3},
                                        .event_id = {(const uint8_t *)"e9", 2},
                                        .time_ms = 1600000000000,
                                        .type = CLICK_TYPE_ADD_TO_CART};

/* Hand-computed: zigzag(1600000000000) = 3200000000000 = 0x2e90edd0000, seven bits at a time from the right:
 * 00 00 74 76 10 5d. */
#define FULL_CLICK                                                                                                     \
    "\x04s1"                                                                                                           \
    "\x02\x02u"                                                                                                        \
    "\x06"                                                                                                             \
    "A13"                                                                                                              \
    "\x80\x80\xf4\xf6\x90\x5d"                                                                                         \
    "\x04"                                                                                                             \
    "\x02\x04"                                                                                                         \
    "e9"

static void a_click_has_the_bytes_of_the_specification(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    encode_click(AVRO, &full_click, &out);
    assert_int_equal(out.size, sizeof FULL_CLICK - 1);
    assert_memory_equal(out.data, FULL_CLICK, out.size);

    buffer_clear(&out);
    struct click bare = {.session_id = BYTES("s"), .item_id = BYTES("i"), .time_ms = -1};
    encode_click((struct encoding){RECORD_CONFLUENT, 0x01020304}, &bare, &out);
    static const char expected[] = "\0\1\2\3\4"
                                   "\x02s"
                                   "\0"
                                   "\x02i"
                                   "\x01"
                                   "\0"
                                   "\0";
    assert_int_equal(out.size, sizeof expected - 1);
    assert_memory_equal(out.data, expected, out.size);
    assert_ok(buffer_check(&out));
}

static void a_click_comes_back(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_CLICK, RECORD_AVRO);
    struct click click;
    assert_ok(decode_click(decoder, BYTES(FULL_CLICK), &click, NULL));
    assert_bytes(click.session_id, "s1");
    assert_bytes(click.user_id, "u");
    assert_bytes(click.item_id, "A13");
    assert_bytes(click.event_id, "e9");
    assert_int_equal(click.time_ms, 1600000000000);
    assert_int_equal(click.type, CLICK_TYPE_ADD_TO_CART);
    decoder_close(decoder);
}

/* ---- any record type through one door, for tables of bytes */

static struct status decode_any(enum record_type type, struct bytes record, struct complaint *complaint)
{
    struct decoder *decoder = open_decoder(type, RECORD_AVRO);
    uint8_t *exact = malloc(record.size ? record.size : 1); /* so that a sanitizer sees a read past the end */
    memcpy(exact, record.data, record.size);
    struct bytes bytes = bytes_of(exact, record.size);
    AUTO(arena) batch = {0};
    struct click click;
    struct item item;
    struct closed_record session;
    struct recommendation_record recommendation;
    struct status status = type == RECORD_CLICK  ? decode_click(decoder, bytes, &click, complaint)
                           : type == RECORD_ITEM ? decode_item(decoder, bytes, &item, complaint)
                           : type == RECORD_CLOSED_SESSION
                               ? decode_closed_session(decoder, bytes, &batch, &session, complaint)
                               : decode_recommendation(decoder, bytes, &batch, &recommendation, complaint);
    free(exact);
    decoder_close(decoder);
    return status;
}

/* Refuses every truncation of a good record, and one with a byte behind it. */
static void assert_exact(enum record_type type, struct bytes record)
{
    struct complaint complaint;
    assert_ok(decode_any(type, record, NULL));
    for (size_t size = 0; size < record.size; size++)
        assert_fails(BAD_INPUT, decode_any(type, bytes_of(record.data, size), &complaint));
    AUTO(buffer) longer = {0};
    buffer_append_bytes(&longer, record);
    buffer_append_byte(&longer, 0);
    assert_fails(BAD_INPUT, decode_any(type, buffer_bytes(&longer), &complaint));
    assert_non_null(strstr(complaint.text, "bytes are left over"));
}

#define SESSION_HEAD "\x02s\x00\x00\x02\x02\x00\x00"
#define RECOMMENDATION_HEAD                                                                                            \
    "\x02s\x00\x02t\x00\x02\x00\x00\x00\x02\x02"                                                                       \
    "i\x02"

static void every_truncation_of_a_click_is_refused(void **state)
{
    (void)state;
    assert_exact(RECORD_CLICK, BYTES(FULL_CLICK));
    struct decoder *decoder = open_decoder(RECORD_CLICK, RECORD_AVRO);
    struct click click = {.time_ms = 77};
    assert_fails(BAD_INPUT, decode_click(decoder, BYTES(FULL_CLICK "x"), &click, NULL));
    assert_int_equal(click.time_ms, 77); /* outputs are untouched on failure */
    decoder_close(decoder);
}

static void hostile_records_are_refused_by_field(void **state)
{
    (void)state;
    static const char outside[] = "the count of entries goes past the end of the record";
    static const struct {
        enum record_type type;
        struct bytes record;
        const char *field, *problem;
    } cases[] = {
#define CASE(type, literal, field, problem) {type, {(const uint8_t *)literal, sizeof literal - 1}, field, problem}
        CASE(RECORD_CLICK,
             "\xc0\xa9\x07"
             "abc",
             "session_id", "the string's length goes past the end of the record"),
        CASE(RECORD_CLICK,
             "\x80\x80\x80\x40"
             "abc",
             "session_id", "the string's length goes past"),
        CASE(RECORD_CLICK, "\x01", "session_id", "the string's length"),
        CASE(RECORD_CLICK,
             "\x00\x04\x02"
             "a\x02\x00\x00",
             "user_id", "the enum or union index is out of range"),
        CASE(RECORD_CLICK,
             "\x00\x00\x02"
             "a\x02\x08\x00",
             "type", "the enum or union index is out of range"),
        CASE(RECORD_CLICK,
             "\x00\x00\x02"
             "a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x00",
             "timestamp", "the number is longer than 64 bits"),
        CASE(RECORD_ITEM, "\x00", "item_id", "the item id is empty"),
        CASE(RECORD_ITEM, "\x02\xff\x00", "item_id", "the text is not valid UTF-8"),
        CASE(RECORD_ITEM,
             "\x02"
             "a\x02\xc3\x00\x00\x00\x01",
             "title", "the text is not valid UTF-8"),
        CASE(RECORD_ITEM,
             "\x02"
             "a\x00\x80\xc0\xca\xf3\x84\xa3\x02\x00\x00\x01",
             "categories", outside),
        CASE(RECORD_ITEM,
             "\x02"
             "a\x00\x00\x00\x02\0\0\0\0\0\0\xf8\x7f\x01",
             "price", "the number is not finite"),
        CASE(RECORD_ITEM,
             "\x02"
             "a\x00\x00\x00\x00\x02",
             "available", "there is no boolean"),
        CASE(RECORD_CLOSED_SESSION, SESSION_HEAD "\x02\x00", "total_clicks", "1, but clicks has 0"),
        CASE(RECORD_CLOSED_SESSION,
             SESSION_HEAD "\x00\x02\x02"
                          "a\x02\x00\x00",
             "total_clicks", "0, but clicks has 1"),
        CASE(RECORD_CLOSED_SESSION, SESSION_HEAD "\x01\x00", "total_clicks", "the number is negative"),
        CASE(RECORD_CLOSED_SESSION,
             SESSION_HEAD "\x02\x04\x02"
                          "a\x02\x00",
             "clicks", outside),
        CASE(RECORD_CLOSED_SESSION, SESSION_HEAD "\x02\x02\x00\x02\x00\x00", "clicks.item_id", "the item id is empty"),
        CASE(RECORD_CLOSED_SESSION,
             SESSION_HEAD "\x02\x02\x02"
                          "a\x02\x08\x00",
             "clicks.type", "the enum or union"),
        CASE(RECORD_RECOMMENDATION,
             RECOMMENDATION_HEAD "\x82\x01" /* 65 */
                                 "00000000000000000000000000000000000000000000000000000000000000000",
             "scorers", "there are more than 64"),
        CASE(RECORD_RECOMMENDATION,
             RECOMMENDATION_HEAD "\x02\x02k\x00\x02\x02"
                                 "a1234\x04"
                                 "12345678\x00\x00\x00",
             "items.shares", "there are more shares than scorers"),
        CASE(RECORD_RECOMMENDATION,
             RECOMMENDATION_HEAD "\x04\x02k\x02l\x00\x02\x02"
                                 "a1234\x02"
                                 "1234\x00\x00\x00",
             "items.shares", "there are fewer shares than scorers"),
        CASE(RECORD_RECOMMENDATION,
             RECOMMENDATION_HEAD "\x00\x04\x02"
                                 "a1234\x00\x00\x00",
             "items", outside),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint = {0};
        char wanted[256];
        assert_fails(BAD_INPUT, decode_any(cases[i].type, cases[i].record, &complaint));
        snprintf(wanted, sizeof wanted, "%s: %s", cases[i].field, cases[i].problem);
        if (strncmp(complaint.text, wanted, strlen(wanted)) != 0)
            fail_msg("case %zu: the complaint is \"%s\", wanted \"%s...\"", i, complaint.text, wanted);
    }
}

/* Other writers may cut an array into blocks, with or without their sizes. */
static void arrays_may_come_in_blocks(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_ITEM, RECORD_AVRO);
    struct item item;
    static const char record[] = "\x02"
                                 "a\x00\x04\x02x\x02y\x01\x04\x02z\x00\x00\x00\x01";
    assert_ok(decode_item(decoder,
                          BYTES("\x02"
                                "a\x00\x04\x02x\x02y\x01\x04\x02z\x00\x00\x00\x01"),
                          &item, NULL));
    assert_int_equal(item.category_count, 3);
    assert_bytes(item.categories[2], "z");
    assert_exact(RECORD_ITEM, bytes_of(record, sizeof record - 1));
    decoder_close(decoder);
}

static void categories_deeper_than_eight_are_cut(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_ITEM, RECORD_AVRO);
    struct item item;
    assert_ok(decode_item(decoder,
                          BYTES("\x02"
                                "a\x00\x14\x02"
                                "0\x02"
                                "1\x02"
                                "2\x02"
                                "3\x02"
                                "4\x02"
                                "5\x02"
                                "6\x02"
                                "7\x02"
                                "8\x02"
                                "9\x00\x00\x00\x01"),
                          &item, NULL));
    assert_int_equal(item.category_count, ITEM_CATEGORIES_MAX);
    assert_bytes(item.categories[7], "7");
    decoder_close(decoder);
}

static void an_item_id_has_at_most_255_bytes(void **state)
{
    (void)state;
    for (int size = CLICK_ID_MAX; size <= CLICK_ID_MAX + 1; size++) {
        char id[CLICK_ID_MAX + 1];
        memset(id, 'a', sizeof id);
        struct item item = {.item_id = bytes_of(id, (size_t)size)};
        struct complaint complaint = {0};
        AUTO(buffer) out = {0};
        encode_item(AVRO, &item, &out);
        struct status status = decode_any(RECORD_ITEM, buffer_bytes(&out), &complaint);
        assert_int_equal(failed(status), size > CLICK_ID_MAX);
    }
}

static void a_recommendation_may_lack_scorers(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_RECOMMENDATION, RECORD_AVRO);
    AUTO(arena) batch = {0};
    struct recommendation_record record;
    assert_ok(decode_recommendation(decoder,
                                    BYTES(RECOMMENDATION_HEAD "\x00\x02\x02"
                                                              "a\0\0\x80\x3f\x00\x00\x00"),
                                    &batch, &record, NULL));
    assert_int_equal(record.scorer_count, 0);
    assert_int_equal(record.count, 1);
    assert_true(record.scores[0] == 1);
    assert_ok(decode_recommendation(decoder,
                                    BYTES(RECOMMENDATION_HEAD "\x04\x02k\x02l\x00\x02\x02"
                                                              "a\0\0\x80\x3f\x00\x00\x00"),
                                    &batch, &record, NULL));
    assert_int_equal(record.scorer_count, 2);
    assert_true(record.shares[0] == 0 && record.shares[1] == 0);
    decoder_close(decoder);
}

static void encoders_stop_at_a_full_buffer(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < 120; limit++) {
        AUTO(buffer) out = {.limit = limit};
        encode_click((struct encoding){RECORD_CONFLUENT, 1}, &full_click, &out);
        encode_click((struct encoding){RECORD_JSON, 1}, &full_click, &out);
        assert_fails(LIMIT, buffer_check(&out));
        assert_true(out.size <= limit);
    }
}

static void an_item_comes_back(void **state)
{
    (void)state;
    struct item item = {.item_id = BYTES("A13"),
                        .title = BYTES("red boots"),
                        .categories = {BYTES("shop"), BYTES("shoes")},
                        .category_count = 2,
                        .has_price = true,
                        .price = 19.99,
                        .available = true};
    AUTO(buffer) out = {0};
    encode_item(AVRO, &item, &out);
    struct decoder *decoder = open_decoder(RECORD_ITEM, RECORD_AVRO);
    struct item back;
    assert_ok(decode_item(decoder, buffer_bytes(&out), &back, NULL));
    assert_bytes(back.item_id, "A13");
    assert_bytes(back.title, "red boots");
    assert_int_equal(back.category_count, 2);
    assert_bytes(back.categories[0], "shop");
    assert_bytes(back.categories[1], "shoes");
    assert_bytes(back.description, "");
    assert_true(back.has_price && back.price == 19.99 && back.available);
    assert_exact(RECORD_ITEM, buffer_bytes(&out));
    decoder_close(decoder);
}

static void a_closed_session_comes_back(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue();
    const uint32_t items[] = {1, 0, 1};
    const int64_t times_ms[] = {1600000000000, 1600000001000, 1600000002000};
    const uint8_t types[] = {CLICK_TYPE_VIEW, CLICK_TYPE_PURCHASE, CLICK_TYPE_VIEW};
    struct closed_session session = {
        .view =
            {.session_id = BYTES("s1"), .items = items, .times_ms = times_ms, .types = types, .length = 3, .total = 9},
        .close_ms = 1600001800000,
        .evicted = true};
    struct session_origin origin = {3, INT64_C(1) << 40, 2};
    AUTO(buffer) out = {0};
    encode_closed_session(AVRO, &session, origin, catalogue, &out);
    struct decoder *decoder = open_decoder(RECORD_CLOSED_SESSION, RECORD_AVRO);
    AUTO(arena) batch = {0};
    struct closed_record back;
    assert_ok(decode_closed_session(decoder, buffer_bytes(&out), &batch, &back, NULL));
    assert_bytes(back.session_id, "s1");
    assert_int_equal(back.user_id.size, 0);
    assert_int_equal(back.origin.partition, 3);
    assert_int_equal(back.origin.offset, INT64_C(1) << 40);
    assert_int_equal(back.origin.sequence, 2);
    assert_int_equal(back.close_ms, 1600001800000);
    assert_true(back.evicted);
    assert_int_equal(back.total, 9);
    assert_int_equal(back.length, 3);
    assert_bytes(back.item_ids[0], "B7");
    assert_bytes(back.item_ids[1], "A13");
    assert_memory_equal(back.times_ms, times_ms, sizeof times_ms);
    assert_memory_equal(back.types, types, sizeof types);
    assert_exact(RECORD_CLOSED_SESSION, buffer_bytes(&out));
    decoder_close(decoder);
    catalogue_close(catalogue);
}

static void a_recommendation_comes_back(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue();
    const struct recommended_item items[] = {
        {1, 0.25f, {0.5f, 0.25f, 0.25f, 0}, {REASON_FOLLOWS, 0, 0}},
        {0, 0.125f, {0, 0, 1, 0}, {REASON_SIMILAR_SESSIONS, ITEM_NONE, 14}},
    };
    struct recommendation recommendation = {.session_id = BYTES("s1"),
                                            .user_id = BYTES("u1"),
                                            .partition = 2,
                                            .offset = 12345,
                                            .revision = 1,
                                            .position = 4,
                                            .click_time_ms = 1600000000000,
                                            .click_item = 0,
                                            .model_version = BYTES("17-9f86d081884c7d65"),
                                            .learned_version = 0x0123456789abcdef,
                                            .items = items,
                                            .count = 2};
    AUTO(buffer) out = {0};
    encode_recommendation(AVRO, &recommendation, BYTES("clicks"), catalogue, &out);
    struct decoder *decoder = open_decoder(RECORD_RECOMMENDATION, RECORD_AVRO);
    AUTO(arena) batch = {0};
    struct recommendation_record back;
    assert_ok(decode_recommendation(decoder, buffer_bytes(&out), &batch, &back, NULL));
    assert_bytes(back.session_id, "s1");
    assert_bytes(back.user_id, "u1");
    assert_bytes(back.topic, "clicks");
    assert_int_equal(back.partition, 2);
    assert_int_equal(back.offset, 12345);
    assert_int_equal(back.revision, 1);
    assert_int_equal(back.position, 4);
    assert_int_equal(back.click_time_ms, 1600000000000);
    assert_bytes(back.click_item_id, "A13");
    assert_bytes(back.model_version, "17-9f86d081884c7d65");
    assert_bytes(back.learned_version, "0123456789abcdef");
    assert_int_equal(back.count, 2);
    enum scorer_id used[SCORER_COUNT]; /* the others have no column */
    assert_int_equal(back.scorer_count, recommendation_scorers(&recommendation, used));
    assert_true(back.scorer_count > 1 && back.scorer_count < SCORER_COUNT);
    assert_bytes(back.item_ids[0], "B7");
    assert_bytes(back.reasons[0], "often after A13");
    assert_bytes(back.reasons[1], "in 14 similar sessions");
    assert_true(back.scores[0] == 0.25f && back.scores[1] == 0.125f);
    for (uint32_t i = 0; i < 2 * back.scorer_count; i++) {
        uint32_t column = i % back.scorer_count;
        assert_bytes(back.scorers[column], scorer_name(used[column]));
        assert_true(back.shares[i] == items[i / back.scorer_count].shares[used[column]]);
    }
    assert_exact(RECORD_RECOMMENDATION, buffer_bytes(&out));
    decoder_close(decoder);
    catalogue_close(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_click_has_the_bytes_of_the_specification),
        cmocka_unit_test(a_click_comes_back),
        cmocka_unit_test(every_truncation_of_a_click_is_refused),
        cmocka_unit_test(hostile_records_are_refused_by_field),
        cmocka_unit_test(arrays_may_come_in_blocks),
        cmocka_unit_test(categories_deeper_than_eight_are_cut),
        cmocka_unit_test(an_item_id_has_at_most_255_bytes),
        cmocka_unit_test(a_recommendation_may_lack_scorers),
        cmocka_unit_test(encoders_stop_at_a_full_buffer),
        cmocka_unit_test(an_item_comes_back),
        cmocka_unit_test(a_closed_session_comes_back),
        cmocka_unit_test(a_recommendation_comes_back),
    };
    return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
