// SPDX-License-Identifier: Apache-2.0
/* Writers' schemas and data as a stranger would send them. */
#include "support/support.h"

#include "core/event/schema.h"

#include <eddy/core/codec.h>

#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define FIELD(name, type)    "{\"name\":\"" name "\",\"type\":" type "}"
#define ARRAY(items)         "{\"type\":\"array\",\"items\":" items "}"
#define MAP(values)          "{\"type\":\"map\",\"values\":" values "}"
#define ENUM(name, symbols)  "{\"type\":\"enum\",\"name\":\"" name "\",\"symbols\":[" symbols "]}"
#define FIXED(name, size)    "{\"type\":\"fixed\",\"name\":\"" name "\",\"size\":" size "}"

static void well_formed_schemas_are_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum schema_kind kind;
        size_t size_min;
    } cases[] = {
        {"\"null\"", SCHEMA_NULL, 0},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", SCHEMA_LONG, 1},
        {"{\"type\":{\"type\":\"double\"}}", SCHEMA_DOUBLE, 8},
        {"[\"null\",\"string\"]", SCHEMA_UNION, 1},
        {ARRAY("\"float\""), SCHEMA_ARRAY, 1},
        {MAP("[\"null\"]"), SCHEMA_MAP, 1},
        {FIXED("F", "0"), SCHEMA_FIXED, 0},
        {FIXED("F", "16"), SCHEMA_FIXED, 16},
        {ENUM("E", "\"a\",\"b\""), SCHEMA_ENUM, 1},
        {RECORD("R", ""), SCHEMA_RECORD, 0},
        {RECORD("a.b.R", FIELD("x", "\"float\"") "," FIELD("y", ENUM("E", "\"a\"")) "," FIELD("z", "\"E\"") "," FIELD(
                             "w", "\"a.b.E\"") "," FIELD("n", "\"null\"")),
         SCHEMA_RECORD, 7},
        {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a.b\",\"aliases\":[\"S\"],\"doc\":\"d\",\"fields\":["
         "{\"name\":\"x\",\"type\":" ENUM("E", "\"a\"") ",\"default\":\"a\",\"order\":\"ignore\",\"other\":[1]}]}",
         SCHEMA_RECORD, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(schema_document) document = {0};
        struct complaint complaint = {0};
        if (failed(schema_parse(bytes_of_text(cases[i].text), &document, &complaint)))
            fail_msg("%s: %s", cases[i].text, complaint.text);
        assert_int_equal(document.root->kind, cases[i].kind);
        assert_int_equal(document.root->size_min, cases[i].size_min);
    }
}

static void names_take_the_namespace_around_them(void **state)
{
    (void)state;
    AUTO(schema_document) document = {0};
    assert_ok(schema_parse(BYTES(RECORD("a.b.R", FIELD("x", RECORD("S", FIELD("y", FIXED("c.F", "1")))) "," FIELD(
                                                     "z", "\"S\"") "," FIELD("w", "\"c.F\""))),
                           &document, NULL));
    const struct schema *root = document.root;
    assert_string_equal(root->name, "a.b.R");
    assert_string_equal(root->fields[0].type->name, "a.b.S");
    assert_string_equal(root->fields[0].type->fields[0].type->name, "c.F");
    assert_string_equal(root->fields[0].type->fields[0].path, "x.y");
    assert_ptr_equal(root->fields[1].type, root->fields[0].type);

    AUTO(schema_document) other = {0};
    assert_ok(schema_parse(
        BYTES(RECORD("a.R", FIELD("x", RECORD("b.S", FIELD("y", "\"int\""))) "," FIELD("z", ENUM("E", "\"s\"")))),
        &other, NULL));
    assert_string_equal(other.root->fields[1].type->name, "a.E");
    assert_string_equal(other.root->fields[1].path, "z");
}

static void assert_schema_refused(const char *text, const char *wanted)
{
    struct schema_document document = {.root = (const struct schema *)text};
    struct complaint complaint = {0};
    assert_fails(BAD_INPUT, schema_parse(bytes_of_text(text), &document, &complaint));
    if (strncmp(complaint.text, wanted, strlen(wanted)) != 0)
        fail_msg("%.200s: the complaint is \"%s\", wanted \"%s...\"", text, complaint.text, wanted);
    assert_ptr_equal(document.root, text);
}

static void malformed_schemas_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "schema: "},
        {"{", "schema: "},
        {"{\"type\":\"int\",\"type\":\"long\"}", "schema: duplicate object key"},
        {"5", "schema: there is no type"},
        {"{}", "schema: there is no type"},
        {"\"strin\"", "schema: there is no type \"strin\""},
        {"[]", "schema: a union has no branches"},
        {"[\"int\",\"int\"]", "schema: a union has two branches of one type, \"int\""},
        {"[\"int\",[\"null\",\"long\"]]", "schema: a union is a branch of a union"},
        {RECORD("R", FIELD("x", "\"int\"") "," FIELD("x", "\"int\"")), "schema: two fields have one name, \"x\""},
        {RECORD("R", FIELD("x", "\"nothing\"")), "x: there is no type \"nothing\""},
        {RECORD("R", FIELD("x", RECORD("S", FIELD("y", "{\"type\":7}")))), "x.y: there is no type"},
        {RECORD("R", FIELD("x", RECORD("R", ""))), "x: two types have one name, \"R\""},
        {RECORD("R", "5"), "schema: a field has no name"},
        {RECORD("R", FIELD("1x", "\"int\"")), "schema: a field has no name or not an Avro name \"1x\""},
        {RECORD("R", FIELD("a.b", "\"int\"")), "schema: a field has no name"},
        {RECORD("", ""), "schema: a type has no name"},
        {RECORD("a..b", ""), "schema: a type has no name"},
        {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":5,\"fields\":[]}", "schema: a namespace"},
        {"{\"type\":\"record\",\"name\":\"R\",\"aliases\":5,\"fields\":[]}", "schema: aliases"},
        {"{\"type\":\"record\",\"name\":\"R\",\"aliases\":[\"-\"],\"fields\":[]}", "schema: an alias"},
        {"{\"type\":\"record\",\"name\":\"R\"}", "schema: a record has no array of fields"},
        {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"aliases\":[5],\"type\":\"int\"}]}",
         "x: an alias"},
        {ENUM("E", ""), "schema: an enum has no symbols"},
        {ENUM("E", "\"a\",\"a\""), "schema: an enum has a symbol twice"},
        {ENUM("E", "\"a b\""), "schema: an enum's symbol"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a\"],\"default\":\"b\"}", "schema: an enum's default"},
        {FIXED("F", "-1"), "schema: a fixed has no size"},
        {FIXED("F", "4294967296"), "schema: a fixed has no size"},
        {"{\"type\":\"array\"}", "schema: there is no type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_schema_refused(cases[i][0], cases[i][1]);
}

static void types_that_contain_themselves_are_refused(void **state)
{
    (void)state;
    assert_schema_refused(RECORD("R", FIELD("next", "[\"null\",\"R\"]")), "next: a type contains itself");
    assert_schema_refused(RECORD("R", FIELD("x", RECORD("S", FIELD("y", ARRAY("\"R\""))))),
                          "x.y: a type contains itself");
}

static void entries_without_bytes_are_refused(void **state)
{
    (void)state;
    static const char wanted[] = "x: an array or map has entries without any bytes";
    assert_schema_refused(RECORD("R", FIELD("x", ARRAY("\"null\""))), wanted);
    assert_schema_refused(RECORD("R", FIELD("x", MAP("\"null\""))), wanted);
    assert_schema_refused(RECORD("R", FIELD("x", ARRAY(RECORD("S", "")))), wanted);
    assert_schema_refused(RECORD("R", FIELD("x", ARRAY(FIXED("F", "0")))), wanted);
    assert_schema_refused(RECORD("R", FIELD("x", ARRAY(RECORD("S", FIELD("y", "\"null\""))))), wanted);
}

/* `count` times `part`, with its number for each %d (two at most), between `start` and `end`. */
static const char *repeated(struct buffer *text, const char *start, const char *part, int count, const char *end)
{
    buffer_clear(text);
    buffer_append_text(text, start);
    for (int i = 0; i < count; i++)
        buffer_format(text, part, i, i);
    if (text->data[text->size - 1] == ',')
        text->size--;
    buffer_append_text(text, end);
    return buffer_text(text);
}

static void big_and_deep_schemas_are_refused(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    repeated(&text, RECORD("R", ""), " ", 64 << 10, "");
    assert_schema_refused(buffer_text(&text), "schema: the text has ");

    const char *fields = repeated(&text, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[",
                                  "{\"name\":\"f%d\",\"type\":\"int\"},", 1025, "]}");
    assert_schema_refused(fields, "schema: a record has more than 1024 fields");

    buffer_clear(&text);
    for (int i = 0; i < 32; i++)
        buffer_append_text(&text, "{\"type\":\"array\",\"items\":");
    buffer_append_text(&text, "\"int\"");
    for (int i = 0; i < 32; i++)
        buffer_append_text(&text, "}");
    assert_schema_refused(buffer_text(&text), "schema: types are nested deeper than 32");

    buffer_clear(&text);
    for (int i = 0; i < 40; i++)
        buffer_append_text(&text, "{\"type\":");
    buffer_append_text(&text, "\"int\"");
    for (int i = 0; i < 40; i++)
        buffer_append_text(&text, "}");
    assert_schema_refused(buffer_text(&text), "schema: types are nested deeper than 32");

    const char *names =
        repeated(&text, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[",
                 "{\"name\":\"f%d\",\"type\":{\"type\":\"fixed\",\"name\":\"F%d\",\"size\":1}},", 512, "]}");
    assert_schema_refused(names, "f511: the schema names more than 512 types");

    const char *name = repeated(&text, "{\"type\":\"record\",\"fields\":[],\"name\":\"", "n", 256, "\"}");
    assert_schema_refused(name, "schema: a type has no name or not an Avro name");
    name = repeated(&text, "{\"type\":\"record\",\"fields\":[{\"type\":\"int\",\"name\":\"", "n", 256,
                    "\"}],\"name\":\"R\"}");
    assert_schema_refused(name, "schema: a field has no name or not an Avro name");
}

static void a_chain_of_references_counts_as_depth(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    buffer_append_text(&text, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" FIELD("f0", RECORD("T0", "")));
    for (int i = 1; i < 40; i++)
        buffer_format(&text,
                      ",{\"name\":\"f%d\",\"type\":{\"type\":\"record\",\"name\":\"T%d\",\"fields\":[{\"name\":\"a\","
                      "\"type\":\"T%d\"},{\"name\":\"b\",\"type\":\"T%d\"}]}}",
                      i, i, i - 1, i - 1);
    buffer_append_text(&text, "]}");
    assert_schema_refused(buffer_text(&text), "f32: types are nested deeper than 32");
}

/* ---- data */

static struct status decode(const char *extra, struct bytes datum, struct complaint *complaint)
{
    AUTO(buffer) schema = {0};
    struct decoder *decoder;
    struct click click;
    buffer_format(&schema,
                  "{\"type\":\"record\",\"name\":\"ClickEvent\",\"fields\":[{\"name\":\"x\",\"type\":%s},"
                  "{\"name\":\"item_id\",\"type\":\"string\"},{\"name\":\"timestamp\",\"type\":\"long\"}]}",
                  extra);
    assert_ok(decoder_open(RECORD_CLICK, RECORD_AVRO, &decoder));
    if (failed(decoder_set_schema(decoder, buffer_bytes(&schema), complaint)))
        fail_msg("%s: %s", extra, complaint->text);
    struct status status = decode_click(decoder, datum, &click, complaint);
    decoder_close(decoder);
    return status;
}

#define BYTES_VIEW(literal)                                                                                            \
    {                                                                                                                  \
        (const uint8_t *)(literal), sizeof(literal) - 1                                                                \
    }

static void hostile_data_is_refused_at_once(void **state)
{
    (void)state;
    static const char outside[] = "x: the count of entries goes past the end of the record";
    static const char length[] = "x: the string's length goes past the end of the record";
    static const struct {
        const char *type;
        struct bytes datum;
        const char *wanted;
    } cases[] = {
        {"\"string\"",
         BYTES_VIEW("\xc0\xa9\x07"
                    "abc"),
         length}, /* 60000 */
        {"\"bytes\"",
         BYTES_VIEW("\x80\x80\x80\x40"
                    "abc"),
         length}, /* 64 MiB */
        {"\"string\"",
         BYTES_VIEW("\x01"
                    "abc"),
         length}, /* -1 */
        {"\"string\"", BYTES_VIEW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), length},
        {ARRAY("\"int\""),
         BYTES_VIEW("\x80\x84\xaf\x5f"
                    "abc"),
         outside}, /* 10^8 */
        {ARRAY("\"int\""),
         BYTES_VIEW("\x80\xc0\xca\xf3\x84\xa3\x02"
                    "abc"),
         outside},                                                                               /* about 10^12 */
        {ARRAY("\"int\""), BYTES_VIEW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"), outside}, /* INT64_MIN */
        {ARRAY("\"double\""),
         BYTES_VIEW("\x04"
                    "12345678"
                    "1234567"),
         outside},
        {MAP("\"double\""),
         BYTES_VIEW("\x04"
                    "12345678"
                    "123456789"),
         outside},
        {MAP("\"int\""), BYTES_VIEW("\x02\x40k"), length},
        {"[\"null\",\"int\"]", BYTES_VIEW("\x04\x00\x00"), "x: the enum or union index is out of range"},
        {"[\"null\",\"int\"]", BYTES_VIEW("\x01\x00\x00"), "x: the enum or union index is out of range"},
        {ENUM("E", "\"a\""), BYTES_VIEW("\x02\x00\x00"), "x: the enum or union index is out of range"},
        {"\"boolean\"", BYTES_VIEW("\x02\x00\x00"), "x: there is no boolean"},
        {"\"long\"", BYTES_VIEW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x00"),
         "x: the number is longer than 64 bits"},
        {"\"int\"", BYTES_VIEW("\xff\xff\xff\xff\x7f\x00\x00"), "x: the number does not fit an int"},
        {FIXED("F", "7"), BYTES_VIEW("123456"), "x: the record ends within it"},
        {"\"null\"",
         BYTES_VIEW("\x02"
                    "a\x0a\x00"),
         "record: bytes are left over behind the last field"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint = {0};
        assert_fails(BAD_INPUT, decode(cases[i].type, cases[i].datum, &complaint));
        if (strncmp(complaint.text, cases[i].wanted, strlen(cases[i].wanted)) != 0)
            fail_msg("case %zu: the complaint is \"%s\", wanted \"%s...\"", i, complaint.text, cases[i].wanted);
    }
}

/* A record of 1000 nulls and one boolean: were the nulls walked, each byte would cost 1000 steps. */
static void fields_without_bytes_are_not_walked(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    AUTO(schema_document) document = {0};
    repeated(&text, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[", "{\"name\":\"f%d\",\"type\":\"null\"},", 1000,
             ",{\"name\":\"b\",\"type\":\"boolean\"}]}");
    assert_ok(schema_parse(buffer_bytes(&text), &document, NULL));
    assert_int_equal(document.root->count, 1001);
    assert_int_equal(document.root->sized_count, 1);
    struct reader reader = reader_of(BYTES("\x01"));
    assert_true(schema_skip(document.root, &reader, "r"));
    assert_true(reader_finish(&reader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_schemas_are_parsed),
        cmocka_unit_test(names_take_the_namespace_around_them),
        cmocka_unit_test(malformed_schemas_are_refused_by_name),
        cmocka_unit_test(types_that_contain_themselves_are_refused),
        cmocka_unit_test(entries_without_bytes_are_refused),
        cmocka_unit_test(big_and_deep_schemas_are_refused),
        cmocka_unit_test(a_chain_of_references_counts_as_depth),
        cmocka_unit_test(hostile_data_is_refused_at_once),
        cmocka_unit_test(fields_without_bytes_are_not_walked),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
