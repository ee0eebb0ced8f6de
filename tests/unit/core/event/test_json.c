// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/event/json.h"

#include <eddy/core/codec.h>

#include <float.h>
#include <jansson.h>

#define JSON ((struct encoding){RECORD_JSON, 0})

static struct decoder *open_decoder(enum record_type type)
{
    struct decoder *decoder;
    assert_ok(decoder_open(type, RECORD_JSON, &decoder));
    return decoder;
}

static struct click decode(struct decoder *decoder, const char *text)
{
    struct click click;
    struct complaint complaint = {0};
    struct status status = decode_click(decoder, bytes_of_text(text), &click, &complaint);
    if (failed(status))
        fail_msg("%s: %s", text, complaint.text);
    return click;
}

/* The text is refused with a complaint that begins like this. */
static void assert_refused(struct decoder *decoder, const char *text, const char *beginning)
{
    struct click click = {.time_ms = 77};
    struct complaint complaint = {0};
    assert_fails(BAD_INPUT, decode_click(decoder, bytes_of_text(text), &click, &complaint));
    if (strncmp(complaint.text, beginning, strlen(beginning)) != 0)
        fail_msg("%s: the complaint is \"%s\", wanted \"%s...\"", text, complaint.text, beginning);
    assert_int_equal(click.time_ms, 77);
}

static void a_click_is_written_in_the_order_of_the_schema(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct click click = {.session_id = BYTES("s\"1"), .item_id = BYTES("A13"), .time_ms = 1600000000000};
    encode_click(JSON, &click, &out);
    assert_string_equal(buffer_text(&out), "{\"session_id\":\"s\\\"1\",\"user_id\":null,\"item_id\":\"A13\","
                                           "\"timestamp\":1600000000000,\"type\":\"view\",\"event_id\":null}");
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    struct click back = decode(decoder, buffer_text(&out));
    assert_bytes(back.session_id, "s\"1");
    assert_bytes(back.item_id, "A13");
    assert_int_equal(back.time_ms, 1600000000000);
    decoder_close(decoder);
}

static void text_that_is_not_utf8_is_not_written(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct click click = {.session_id = BYTES("\xff"), .item_id = BYTES("A13")};
    encode_click(JSON, &click, &out);
    assert_fails(LIMIT, buffer_check(&out));
}

static void missing_members_and_nulls_take_the_defaults(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    static const char *const texts[] = {
        "{\"item_id\":\"a\",\"timestamp\":5}",
        "{\"timestamp\":5,\"session_id\":null,\"type\":null,\"item_id\":\"a\",\"user_id\":null,\"event_id\":null}",
        " {\"item_id\" : \"a\", \"timestamp\" : 5, \"unknown\" : {\"item_id\":[1.5]}, \"type\":\"wishlist\"} ",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct click click = decode(decoder, texts[i]);
        assert_int_equal(click.session_id.size, 0);
        assert_int_equal(click.user_id.size, 0);
        assert_int_equal(click.event_id.size, 0);
        assert_bytes(click.item_id, "a");
        assert_int_equal(click.time_ms, 5);
        assert_int_equal(click.type, CLICK_TYPE_VIEW);
    }
    decoder_close(decoder);
}

static void an_unknown_type_is_noted_in_its_click_and_in_no_other(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    char text[1000], word[400];
    struct click click = decode(decoder, "{\"item_id\":\"a\",\"timestamp\":5,\"type\":\"wishlist\"}");
    assert_int_equal(click.type, CLICK_TYPE_VIEW);
    assert_bytes(click.unknown_type, "wishlist");
    assert_int_equal(decode(decoder, "{\"item_id\":\"a\",\"timestamp\":5,\"type\":\"click\"}").unknown_type.size, 0);
    assert_int_equal(decode(decoder, "{\"item_id\":\"a\",\"timestamp\":5}").unknown_type.size, 0);
    memset(word, 'w', sizeof word);
    word[sizeof word - 1] = 0;
    snprintf(text, sizeof text, "{\"item_id\":\"a\",\"timestamp\":5,\"type\":\"%s\"}", word);
    assert_int_equal(decode(decoder, text).unknown_type.size, 255); /* what is longer is cut */
    decoder_close(decoder);
}

static void ids_may_be_whole_numbers(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    struct click click = decode(decoder, "{\"session_id\":-7,\"user_id\":0,\"item_id\":9223372036854775807,"
                                         "\"event_id\":12,\"timestamp\":5,\"type\":\"purchase\"}");
    assert_bytes(click.session_id, "-7");
    assert_bytes(click.user_id, "0");
    assert_bytes(click.item_id, "9223372036854775807");
    assert_bytes(click.event_id, "12");
    assert_int_equal(click.type, CLICK_TYPE_PURCHASE);
    assert_refused(decoder, "{\"item_id\":1.5,\"timestamp\":5}", "item_id: a number, not a string or a whole number");
    decoder_close(decoder);
}

static void a_time_may_be_rfc_3339(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    assert_int_equal(decode(decoder, "{\"item_id\":\"a\",\"timestamp\":\"2020-09-13T12:26:40.25Z\"}").time_ms,
                     1600000000250);
    assert_int_equal(decode(decoder, "{\"item_id\":\"a\",\"timestamp\":\"2020-09-13T14:26:40+02:00\"}").time_ms,
                     1600000000000);
    assert_refused(decoder, "{\"item_id\":\"a\",\"timestamp\":\"yesterday\"}", "timestamp: ");
    assert_refused(decoder, "{\"item_id\":\"a\",\"timestamp\":1.6e12}", "timestamp: a number, not whole milliseconds");
    decoder_close(decoder);
}

static void what_is_no_click_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "record: not JSON"},
        {"{", "record: not JSON"},
        {"{\"item_id\":\"a\",\"timestamp\":5} x", "record: not JSON: end of file expected"},
        {"[]", "record: an array, not an object"},
        {"{\"item_id\":\"a\",\"item_id\":\"b\",\"timestamp\":5}", "record: not JSON: duplicate object key"},
        {"{\"item_id\":\"a\",\"timestamp\":NaN}", "record: not JSON"},
        {"{\"item_id\":\"a\",\"timestamp\":99999999999999999999}", "record: not JSON"},
        {"{\"item_id\":\"a\\u0000\",\"timestamp\":5}", "record: not JSON"},
        {"{\"item_id\":\"\xff\",\"timestamp\":5}", "record: not JSON"},
        {"{\"timestamp\":5}", "item_id is missing"},
        {"{\"item_id\":null,\"timestamp\":5}", "item_id: null, not a string"},
        {"{\"item_id\":\"a\"}", "timestamp is missing"},
        {"{\"item_id\":\"a\",\"timestamp\":true}", "timestamp: true, not"},
        {"{\"item_id\":\"a\",\"timestamp\":5,\"type\":3}", "type: a number, not a string"},
        {"{\"item_id\":\"a\",\"timestamp\":5,\"user_id\":{}}", "user_id: an object, not a string"},
    };
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(decoder, cases[i][0], cases[i][1]);
    decoder_close(decoder);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    AUTO(buffer) text = {0};
    buffer_append_text(&text, "{\"x\":");
    for (int i = 0; i < 100000; i++)
        buffer_append_byte(&text, '[');
    assert_refused(decoder, buffer_text(&text), "record: not JSON: maximum parsing depth reached");
    decoder_close(decoder);
}

static void complaints_do_not_quote_the_record(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    struct click click;
    struct complaint complaint;
    assert_fails(BAD_INPUT, decode_click(decoder, BYTES("{\"item_id\": secret}"), &click, &complaint));
    assert_null(strstr(complaint.text, "secret"));
    decoder_close(decoder);
}

static void an_item_comes_back(void **state)
{
    (void)state;
    struct item item = {.item_id = BYTES("A13"),
                        .title = BYTES("b\xc3\xb6ts"),
                        .categories = {BYTES("shop"), BYTES("shoes")},
                        .category_count = 2,
                        .has_price = true,
                        .price = 19.99,
                        .available = true};
    AUTO(buffer) out = {0};
    encode_item(JSON, &item, &out);
    assert_string_equal(buffer_text(&out), "{\"item_id\":\"A13\",\"title\":\"b\xc3\xb6ts\",\"categories\":[\"shop\","
                                           "\"shoes\"],\"description\":null,\"price\":19.99,\"available\":true}");
    struct decoder *decoder = open_decoder(RECORD_ITEM);
    struct item back;
    assert_ok(decode_item(decoder, buffer_bytes(&out), &back, NULL));
    assert_bytes(back.title, "b\xc3\xb6ts");
    assert_int_equal(back.category_count, 2);
    assert_true(back.has_price && back.price == 19.99 && back.available);
    assert_ok(decode_item(decoder, BYTES("{\"item_id\":5,\"price\":3}"), &back, NULL));
    assert_bytes(back.item_id, "5");
    assert_true(back.has_price && back.price == 3 && back.available && back.category_count == 0);
    struct complaint complaint;
    assert_fails(BAD_INPUT, decode_item(decoder, BYTES("{\"item_id\":\"\"}"), &back, &complaint));
    assert_string_equal(complaint.text, "item_id: the item id is empty");
    assert_fails(BAD_INPUT, decode_item(decoder, BYTES("{\"item_id\":1,\"categories\":[null]}"), &back, &complaint));
    assert_string_equal(complaint.text, "categories: null, not a string");
    decoder_close(decoder);
}

static void every_price_comes_back(void **state)
{
    (void)state;
    static const double prices[] = {0, 0.1, 1.0 / 3, 1e22, 5e-324, 1.7976931348623157e308, 123456789.125};
    struct decoder *decoder = open_decoder(RECORD_ITEM);
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        AUTO(buffer) out = {0};
        struct item back, item = {.item_id = BYTES("a"), .has_price = true, .price = prices[i]};
        encode_item(JSON, &item, &out);
        assert_ok(decode_item(decoder, buffer_bytes(&out), &back, NULL));
        assert_true(back.price == prices[i]);
    }
    decoder_close(decoder);
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

static void a_closed_session_comes_back(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue();
    const uint32_t items[] = {1, 0};
    const int64_t times_ms[] = {1600000000000, 1600000001000};
    const uint8_t types[] = {CLICK_TYPE_VIEW, CLICK_TYPE_PURCHASE};
    struct closed_session session = {
        .view =
            {.session_id = BYTES("s1"), .items = items, .times_ms = times_ms, .types = types, .length = 2, .total = 9},
        .close_ms = 1600001800000,
        .evicted = true};
    AUTO(buffer) out = {0};
    encode_closed_session(JSON, &session, (struct session_origin){3, INT64_C(1) << 40, 2}, catalogue, &out);
    struct decoder *decoder = open_decoder(RECORD_CLOSED_SESSION);
    AUTO(arena) batch = {0};
    struct closed_record back;
    assert_ok(decode_closed_session(decoder, buffer_bytes(&out), &batch, &back, NULL));
    assert_bytes(back.session_id, "s1");
    assert_int_equal(back.origin.partition, 3);
    assert_int_equal(back.origin.offset, INT64_C(1) << 40);
    assert_int_equal(back.origin.sequence, 2);
    assert_int_equal(back.close_ms, 1600001800000);
    assert_true(back.evicted && back.total == 9 && back.length == 2);
    assert_bytes(back.item_ids[0], "B7");
    assert_int_equal(back.times_ms[1], 1600000001000);
    assert_int_equal(back.types[1], CLICK_TYPE_PURCHASE);
    struct complaint complaint;
    static const char bad[] = "{\"session_id\":\"s\",\"partition\":0,\"close_timestamp\":1,\"close_offset\":1,"
                              "\"close_sequence\":0,\"total_clicks\":1,\"clicks\":[{\"item_id\":\"a\"}]}";
    assert_fails(BAD_INPUT, decode_closed_session(decoder, bytes_of_text(bad), &batch, &back, &complaint));
    assert_string_equal(complaint.text, "clicks.timestamp is missing");
    decoder_close(decoder);
    catalogue_close(catalogue);
}

static void a_recommendation_comes_back(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue();
    const struct recommended_item items[] = {
        {1, 0x1.fffffep-4f, {0x1.000002p-2f, 0.7f, 1e-30f, 0}, {REASON_POPULAR, ITEM_NONE, 0}},
        {0, 0.125f, {0, 0, 1, 0}, {REASON_REPEAT, 0, 0}},
    };
    struct recommendation recommendation = {.session_id = BYTES("s1"),
                                            .partition = 2,
                                            .offset = 12345,
                                            .position = 4,
                                            .click_time_ms = 1600000000000,
                                            .items = items,
                                            .count = 2};
    AUTO(buffer) out = {0};
    encode_recommendation(JSON, &recommendation, BYTES("clicks"), catalogue, &out);
    struct decoder *decoder = open_decoder(RECORD_RECOMMENDATION);
    AUTO(arena) batch = {0};
    struct recommendation_record back;
    assert_ok(decode_recommendation(decoder, buffer_bytes(&out), &batch, &back, NULL));
    assert_bytes(back.topic, "clicks");
    assert_bytes(back.learned_version, "0000000000000000");
    assert_int_equal(back.count, 2);
    assert_true(back.scores[0] == 0x1.fffffep-4f && back.scores[1] == 0.125f);
    enum scorer_id used[SCORER_COUNT]; /* the others have no column */
    assert_int_equal(back.scorer_count, recommendation_scorers(&recommendation, used));
    for (uint32_t i = 0; i < back.scorer_count; i++)
        assert_true(back.shares[i] == items[0].shares[used[i]]);
    assert_bytes(back.reasons[0], "popular now");
    assert_bytes(back.reasons[1], "seen in this session");
    decoder_close(decoder);
    catalogue_close(catalogue);
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    AUTO(arena) batch = {0};
    struct closed_record session;
    struct recommendation_record recommendation;
    struct complaint complaint;
    struct decoder *sessions = open_decoder(RECORD_CLOSED_SESSION), *lists = open_decoder(RECORD_RECOMMENDATION);
    assert_fails(BAD_INPUT, decode_closed_session(sessions, BYTES("{\"session_id\":1,\"partition\":2147483648}"),
                                                  &batch, &session, &complaint));
    assert_string_equal(complaint.text, "partition: 2147483648 does not fit an int");
    static const char list[] =
        "{\"session_id\":\"s\",\"topic\":\"t\",\"partition\":0,\"offset\":1,\"click_timestamp\":5,"
        "\"click_item_id\":\"a\",\"position\":1,\"items\":[{\"item_id\":\"b\",\"score\":1e39}]}";
    assert_fails(BAD_INPUT, decode_recommendation(lists, bytes_of_text(list), &batch, &recommendation, &complaint));
    assert_string_equal(complaint.text, "items.score: 1e+39 does not fit a float");
    static const char longest[] = /* as the largest float is written */
        "{\"session_id\":\"s\",\"topic\":\"t\",\"partition\":0,\"offset\":1,\"click_timestamp\":5,"
        "\"click_item_id\":\"a\",\"position\":1,\"items\":[{\"item_id\":\"b\",\"score\":3.40282347e38}]}";
    assert_ok(decode_recommendation(lists, bytes_of_text(longest), &batch, &recommendation, NULL));
    assert_true(recommendation.scores[0] == FLT_MAX);
    decoder_close(sessions);
    decoder_close(lists);
}

static void an_unknown_symbol_takes_the_enums_default(void **state)
{
    (void)state;
#define ENUM(more) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"x\",\"y\"]" more "}"
    static const struct {
        const char *schema;
        int symbol; /* zigzag; -1: refused */
    } cases[] = {{ENUM(",\"default\":\"y\""), 2}, {ENUM(""), -1}};
    for (size_t i = 0; i < 2; i++) {
        AUTO(schema_document) document = {0};
        AUTO(buffer) out = {0};
        struct complaint complaint = {0};
        json_t *value = json_string("z");
        assert_ok(schema_parse(bytes_of_text(cases[i].schema), &document, NULL));
        struct status status = json_to_avro(document.root, value, "field", &out, &complaint);
        json_decref(value);
        if (cases[i].symbol < 0) {
            assert_true(failed_as(status, FAULT_BAD_INPUT));
            assert_string_equal(complaint.text, "field: \"z\" is none of its values");
        } else {
            assert_ok(status);
            assert_int_equal(out.data[0], cases[i].symbol);
        }
    }
}

static void bytes_are_base64(void **state)
{
    (void)state;
    AUTO(schema_document) document = {0};
    AUTO(buffer) out = {0};
    struct complaint complaint = {0};
    assert_ok(schema_parse(BYTES("\"bytes\""), &document, NULL));
    static const char *const cases[][2] = {{"Zm8=", "\x04"
                                                    "fo"},
                                           {"", ""},
                                           {"fo", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = json_string(cases[i][0]);
        buffer_clear(&out);
        struct status status = json_to_avro(document.root, value, "field", &out, &complaint);
        json_decref(value);
        assert_int_equal(failed(status), !cases[i][1]);
        if (cases[i][1])
            assert_string_equal(buffer_text(&out), cases[i][1]);
        else
            assert_string_equal(complaint.text, "field: the string is not base64");
    }
}

/* ---- without memory: the allocation with number `fails_at` fails (0: none); the linker brings malloc here */

static int fails_at, allocations;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return ++allocations == fails_at ? NULL : __real_malloc(size);
}

/* jansson takes some of its failures for bad text, of which a dead letter would be made. */
static void a_lack_of_memory_is_told_from_bad_text_and_breaks_nothing(void **state)
{
    (void)state;
    static const char text[] = "{\"session_id\":\"a longer id\",\"item_id\":5,\"x\":[1,{\"y\":\"z\"}],\"timestamp\":7}";
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    struct click click = {0};
    int lacks = 0;
    for (fails_at = 1, allocations = 1; allocations >= fails_at; fails_at++) {
        AUTO(buffer) out = {0};
        allocations = 0;
        struct status status = decode_click(decoder, bytes_of_text(text), &click, NULL);
        lacks += failed_as(status, FAULT_MEMORY);
        assert_true(failed(status) ? failed_as(status, FAULT_MEMORY) : click.time_ms == 7);
        encode_click(JSON, &click, &out);
        status = buffer_check(&out);
        assert_true(!failed(status) || failed_as(status, FAULT_MEMORY));
    }
    assert_true(lacks > 5);
    for (fails_at = 1, allocations = 1; allocations >= fails_at; fails_at++) {
        struct decoder *other = NULL;
        allocations = 0;
        struct status status = decoder_open(RECORD_CLICK, RECORD_AVRO, &other);
        assert_true(failed(status) == !other);
        decoder_close(other);
    }
    fails_at = 0;
    decoder_close(decoder);
}

/* The same of records with arrays in arrays. */
static void a_lack_of_memory_leaves_nothing_of_an_intent(void **state)
{
    (void)state;
    static const float weight = 1, vector[] = {1, 2};
    const struct bytes id = BYTES("A13");
    const struct prompt_titles example = {&id, 1};
    const struct intent_view view = {
        .name = BYTES("long"), .near = {&id, &weight, 1}, .vector = vector, .vector_size = 2};
    const struct intent intent = {.views = &view, .view_count = 1, .order = &id, .order_count = 1};
    const struct intent_request request = {.items = {&id, &id, 1}, .examples = &example, .example_count = 1};
    int lacks = 0;
    for (fails_at = 1, allocations = 1; allocations >= fails_at; fails_at++) {
        AUTO(buffer) out = {0};
        allocations = 0;
        encode_intent(JSON, &intent, &out);
        encode_intent_request(JSON, &request, &out);
        struct status status = buffer_check(&out);
        lacks += failed(status);
        assert_true(!failed(status) || failed_as(status, FAULT_MEMORY));
    }
    fails_at = 0;
    assert_true(lacks > 50);
}

static void every_truncation_of_a_record_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"session_id\":\"s\",\"item_id\":\"a\",\"timestamp\":1600000000000}";
    struct decoder *decoder = open_decoder(RECORD_CLICK);
    for (size_t size = 0; size < sizeof text - 1; size++) {
        struct click click;
        assert_fails(BAD_INPUT, decode_click(decoder, bytes_of(text, size), &click, NULL));
    }
    decoder_close(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_click_is_written_in_the_order_of_the_schema),
        cmocka_unit_test(text_that_is_not_utf8_is_not_written),
        cmocka_unit_test(missing_members_and_nulls_take_the_defaults),
        cmocka_unit_test(an_unknown_type_is_noted_in_its_click_and_in_no_other),
        cmocka_unit_test(ids_may_be_whole_numbers),
        cmocka_unit_test(a_time_may_be_rfc_3339),
        cmocka_unit_test(what_is_no_click_is_refused_by_name),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(complaints_do_not_quote_the_record),
        cmocka_unit_test(an_item_comes_back),
        cmocka_unit_test(every_price_comes_back),
        cmocka_unit_test(a_closed_session_comes_back),
        cmocka_unit_test(a_recommendation_comes_back),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(an_unknown_symbol_takes_the_enums_default),
        cmocka_unit_test(bytes_are_base64),
        cmocka_unit_test(a_lack_of_memory_is_told_from_bad_text_and_breaks_nothing),
        cmocka_unit_test(a_lack_of_memory_leaves_nothing_of_an_intent),
        cmocka_unit_test(every_truncation_of_a_record_is_refused),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
