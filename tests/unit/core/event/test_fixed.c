// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/codec.h>

#include <math.h>

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

static void every_truncation_of_a_click_is_refused(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_CLICK, RECORD_AVRO);
    struct click click = {.time_ms = 77};
    for (size_t size = 0; size < sizeof FULL_CLICK - 1; size++) {
        uint8_t *exact = malloc(size ? size : 1);
        memcpy(exact, FULL_CLICK, size);
        struct complaint complaint = {0};
        assert_fails(BAD_INPUT, decode_click(decoder, bytes_of(exact, size), &click, &complaint));
        assert_non_null(strchr(complaint.text, ':'));
        free(exact);
    }
    assert_int_equal(click.time_ms, 77);
    assert_fails(BAD_INPUT, decode_click(decoder, BYTES(FULL_CLICK "x"), &click, NULL));
    decoder_close(decoder);
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
    assert_bytes(back.learned_version, "0123456789abcdef");
    assert_int_equal(back.count, 2);
    assert_int_equal(back.scorer_count, SCORER_COUNT);
    assert_bytes(back.scorers[SCORER_KNN], "knn");
    assert_bytes(back.item_ids[0], "B7");
    assert_bytes(back.reasons[0], "often after A13");
    assert_bytes(back.reasons[1], "in 14 similar sessions");
    assert_true(back.scores[0] == 0.25f && back.scores[1] == 0.125f);
    assert_memory_equal(back.shares, items[0].shares, sizeof items[0].shares);
    assert_memory_equal(back.shares + SCORER_COUNT, items[1].shares, sizeof items[1].shares);
    decoder_close(decoder);
    catalogue_close(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_click_has_the_bytes_of_the_specification),
        cmocka_unit_test(a_click_comes_back),
        cmocka_unit_test(every_truncation_of_a_click_is_refused),
        cmocka_unit_test(an_item_comes_back),
        cmocka_unit_test(a_closed_session_comes_back),
        cmocka_unit_test(a_recommendation_comes_back),
    };
    return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
