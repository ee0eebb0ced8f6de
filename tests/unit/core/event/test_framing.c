// SPDX-License-Identifier: Apache-2.0
/* The Confluent wire format: a zero byte, the schema's id, the datum in that schema. */
#include "support/support.h"

#include <eddy/core/codec.h>

#define CLICK_SCHEMA(fields)                                                                                           \
    "{\"type\":\"record\",\"name\":\"ClickEvent\",\"namespace\":\"eddy\",\"fields\":[" fields "]}"
#define ITEM          "{\"name\":\"item_id\",\"type\":\"string\"}"
#define TIME          "{\"name\":\"timestamp\",\"type\":\"long\"}"
#define ITEM_AND_TIME CLICK_SCHEMA(ITEM "," TIME)
#define TIME_AND_ITEM CLICK_SCHEMA(TIME "," ITEM)

static void confluent_records_are_read_in_their_ids_schema(void **state)
{
    (void)state;
    struct decoder *decoder;
    struct click click;
    struct complaint complaint;
    assert_ok(decoder_open(RECORD_CLICK, RECORD_CONFLUENT, &decoder));
    assert_ok(decoder_add_schema(decoder, 300, bytes_of_text(record_schema(RECORD_CLICK)), NULL));
    assert_ok(decoder_add_schema(decoder, -2, BYTES(ITEM_AND_TIME), NULL));
    assert_ok(decoder_add_schema(decoder, 7, BYTES(TIME_AND_ITEM), NULL));
    assert_ok(decode_click(decoder,
                           BYTES("\0\0\0\x01\x2c"
                                 "\x02s\x00\x02"
                                 "a"
                                 "\x0a\x02\x00"),
                           &click, NULL));
    assert_bytes(click.session_id, "s");
    assert_ok(decode_click(decoder,
                           BYTES("\0\xff\xff\xff\xfe"
                                 "\x02"
                                 "b"
                                 "\x0a"),
                           &click, NULL));
    assert_bytes(click.item_id, "b");
    assert_ok(decode_click(decoder,
                           BYTES("\0\0\0\0\x07"
                                 "\x0a\x02"
                                 "c"),
                           &click, NULL));
    assert_bytes(click.item_id, "c");
    struct status status = decode_click(decoder,
                                        BYTES("\0\0\0\0\x08"
                                              "\x0a\x02"
                                              "c"),
                                        &click, &complaint);
    assert_true(failed_as(status, FAULT_NOT_FOUND) && status.detail == 8);
    assert_string_equal(complaint.text, "record: its schema id 8 is unknown");
    assert_fails(BAD_INPUT, decode_click(decoder, BYTES("\0\0\0\0"), &click, &complaint));
    assert_fails(BAD_INPUT, decode_click(decoder, BYTES("{\"item_id\":1}"), &click, &complaint));
    assert_non_null(strstr(complaint.text, "magic byte"));
    assert_fails(BAD_INPUT, decode_click(decoder,
                                         BYTES("\0\0\0\0\x07"
                                               "\x0a\x10"
                                               "c"),
                                         &click, &complaint));
    assert_string_equal(complaint.text,
                        "item_id: the string's length goes past the end of the record (at byte 7 of 8)");
    decoder_close(decoder);
}

static void a_schema_id_may_be_given_again(void **state)
{
    (void)state;
    struct decoder *decoder;
    struct click click;
    assert_ok(decoder_open(RECORD_CLICK, RECORD_CONFLUENT, &decoder));
    assert_ok(decoder_add_schema(decoder, 7, bytes_of_text(record_schema(RECORD_CLICK)), NULL));
    assert_ok(decoder_add_schema(decoder, 7, BYTES(ITEM_AND_TIME), NULL));
    assert_ok(decode_click(decoder,
                           BYTES("\0\0\0\0\x07"
                                 "\x02"
                                 "b"
                                 "\x0a"),
                           &click, NULL));
    assert_fails(BAD_INPUT, decoder_add_schema(decoder, 7, BYTES("\"int\""), NULL)); /* and the good one stays */
    assert_ok(decode_click(decoder,
                           BYTES("\0\0\0\0\x07"
                                 "\x02"
                                 "b"
                                 "\x0a"),
                           &click, NULL));
    for (int32_t id = 100; id < 355; id++)
        assert_ok(decoder_add_schema(decoder, id, BYTES(ITEM_AND_TIME), NULL));
    assert_fails(LIMIT, decoder_add_schema(decoder, 9, BYTES(ITEM_AND_TIME), NULL));
    decoder_close(decoder);
}

static void the_next_record_is_in_the_schema_that_its_header_names(void **state)
{
    (void)state;
    struct decoder *decoder;
    struct click click;
    struct complaint complaint;
    const struct schema_name name = {.by_guid = 1, .guid = "0123456789abcde"};
    const struct bytes header = BYTES("\1"
                                      "0123456789abcde\0");
    struct bytes record = BYTES("\x0a\x02"
                                "c");
    assert_ok(decoder_open(RECORD_CLICK, RECORD_CONFLUENT, &decoder));
    decoder_set_header(decoder, header);
    assert_fails(NOT_FOUND, decode_click(decoder, record, &click, &complaint));
    assert_string_equal(complaint.text, "record: its schema GUID 30313233-3435-3637-3839-616263646500 is unknown");
    struct schema_name missing = decoder_missing(decoder);
    assert_memory_equal(&missing, &name, sizeof name);
    assert_ok(decoder_learn_schema(decoder, &missing, BYTES(TIME_AND_ITEM), NULL));
    assert_ok(decoder_add_schema(decoder, 7, BYTES(TIME_AND_ITEM), NULL));
    decoder_set_header(decoder, header);
    assert_ok(decode_click(decoder, record, &click, &complaint));
    assert_bytes(click.item_id, "c");
    assert_fails(BAD_INPUT, decode_click(decoder, record, &click, &complaint)); /* it was that one record's */
    decoder_set_header(decoder, BYTES("\0\0\0\0\7"));
    assert_ok(decode_click(decoder, record, &click, &complaint));
    decoder_set_header(decoder, BYTES("\0\0\0\0\7\7"));
    assert_fails(BAD_INPUT, decode_click(decoder, record, &click, &complaint));
    assert_non_null(strstr(complaint.text, SCHEMA_HEADER));
    decoder_close(decoder);
}

static void a_refused_schema_says_why(void **state)
{
    (void)state;
    struct decoder *decoder;
    struct click click;
    struct complaint complaint;
    const struct schema_name name = {.id = 7};
    struct bytes record = BYTES("\0\0\0\0\7\x0a\x02"
                                "c");
    assert_ok(decoder_open(RECORD_CLICK, RECORD_CONFLUENT, &decoder));
    assert_ok(decoder_refuse_schema(decoder, &name, "it is of no use"));
    assert_fails(BAD_INPUT, decode_click(decoder, record, &click, &complaint));
    assert_string_equal(complaint.text, "record: its schema id 7 cannot be used: it is of no use");
    assert_ok(decoder_learn_schema(decoder, &name, BYTES(TIME_AND_ITEM), NULL));
    assert_ok(decode_click(decoder, record, &click, &complaint));
    decoder_close(decoder);
}

static void learned_schemas_make_room_for_each_other(void **state)
{
    (void)state;
    struct decoder *decoder;
    struct click click;
    struct schema_name name = {0};
    struct bytes first = BYTES("\0\0\0\0\1\x02"
                               "c\x0a"),
                 second = BYTES("\0\0\0\0\2\x02"
                                "c\x0a");
    assert_ok(decoder_open(RECORD_CLICK, RECORD_CONFLUENT, &decoder));
    for (name.id = 1; name.id <= 256; name.id++)
        assert_ok(decoder_learn_schema(decoder, &name, BYTES(ITEM_AND_TIME), NULL));
    assert_ok(decode_click(decoder, first, &click, NULL));
    assert_ok(decoder_learn_schema(decoder, &name, BYTES(ITEM_AND_TIME), NULL));
    assert_ok(decode_click(decoder, first, &click, NULL));
    assert_fails(NOT_FOUND, decode_click(decoder, second, &click, NULL));
    decoder_close(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confluent_records_are_read_in_their_ids_schema),
        cmocka_unit_test(a_schema_id_may_be_given_again),
        cmocka_unit_test(the_next_record_is_in_the_schema_that_its_header_names),
        cmocka_unit_test(a_refused_schema_says_why),
        cmocka_unit_test(learned_schemas_make_room_for_each_other),
    };
    return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
