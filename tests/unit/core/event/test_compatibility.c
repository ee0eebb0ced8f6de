// SPDX-License-Identifier: Apache-2.0
/* schemas/ against schemas/history/: see schemas/README.md. */
#include "support/support.h"

#include "core/event/resolve.h"

#include <eddy/core/codec.h>

static const char *const names[RECORD_TYPE_COUNT] = {
    [RECORD_CLICK] = "click_event",
    [RECORD_ITEM] = "item",
    [RECORD_RECOMMENDATION] = "recommendation",
    [RECORD_CLOSED_SESSION] = "closed_session",
    [RECORD_MODEL_CHUNK] = "model_chunk",
    [RECORD_MODEL_MANIFEST] = "model_manifest",
    [RECORD_INTENT_REQUEST] = "intent_request",
    [RECORD_INTENT] = "intent",
};

/* True when a reader with the one schema takes every record of a writer with the other. */
static bool reads(const char *reader_text, const char *writer_text, struct complaint *complaint)
{
    AUTO(schema_document) reader = {0};
    AUTO(schema_document) writer = {0};
    AUTO(arena) memory = {0};
    struct plan *plan;
    *complaint = (struct complaint){"some records would be refused"};
    if (failed(schema_parse(bytes_of_text(reader_text), &reader, complaint)) ||
        failed(schema_parse(bytes_of_text(writer_text), &writer, complaint)))
        fail_msg("%s", complaint->text);
    return !failed(plan_make(writer.root, reader.root, &memory, &plan, complaint)) && plan_is_total(plan);
}

/* The text of a version in history, "" when there is none. */
static void read_version(enum record_type type, int version, struct buffer *ret_text)
{
    char path[128];
    buffer_clear(ret_text);
    snprintf(path, sizeof path, "schemas/history/%s.v%d.avsc", names[type], version);
    FILE *file = fopen(path, "r");
    for (int c; file && (c = fgetc(file)) != EOF;)
        buffer_append_byte(ret_text, (uint8_t)c);
    if (file)
        fclose(file);
}

static void every_schema_gets_on_with_its_predecessors(void **state)
{
    (void)state;
    for (int type = 0; type < RECORD_TYPE_COUNT; type++) {
        const char *current = record_schema((enum record_type)type);
        AUTO(buffer) text = {0};
        AUTO(buffer) newest = {0};
        for (int version = 1;; version++) {
            struct complaint complaint;
            read_version((enum record_type)type, version, &text);
            if (text.size == 0)
                break;
            buffer_clear(&newest);
            buffer_append_bytes(&newest, buffer_bytes(&text));
            if (!reads(current, buffer_text(&text), &complaint))
                fail_msg("%s does not read records of v%d: %s", names[type], version, complaint.text);
            if (!reads(buffer_text(&text), current, &complaint))
                fail_msg("%s.v%d does not read records of the current schema: %s", names[type], version,
                         complaint.text);
        }
        if (strcmp(buffer_text(&newest), current) != 0)
            fail_msg("schemas/%s.avsc is not the newest version in schemas/history", names[type]);
    }
}

#define RECORD(fields)                                                                                                 \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\"}" fields "]}"
#define ENUM(symbols, more)                                                                                            \
    ",{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]" more "}}"

static void incompatible_changes_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *old, *new;
        bool backward, forward; /* the new reads the old; the old reads the new */
    } cases[] = {
        {RECORD(""), RECORD(""), true, true},
        {RECORD(""), RECORD(",{\"name\":\"b\",\"type\":\"int\"}"), false, true},
        {RECORD(""), RECORD(",{\"name\":\"b\",\"type\":\"int\",\"default\":7}"), true, true},
        {RECORD(",{\"name\":\"b\",\"type\":\"int\"}"), RECORD(""), true, false},
        {RECORD(",{\"name\":\"b\",\"type\":\"int\"}"), RECORD(",{\"name\":\"b\",\"type\":\"long\"}"), true, false},
        {RECORD(",{\"name\":\"b\",\"type\":\"string\"}"), RECORD(",{\"name\":\"b\",\"type\":\"long\"}"), false, false},
        {RECORD(",{\"name\":\"b\",\"type\":\"string\"}"), RECORD(",{\"name\":\"b\",\"type\":[\"null\",\"string\"]}"),
         true, false},
        {RECORD(ENUM("\"x\"", "")), RECORD(ENUM("\"x\",\"y\"", "")), true, false},
        {RECORD(ENUM("\"x\"", ",\"default\":\"x\"")), RECORD(ENUM("\"x\",\"y\"", ",\"default\":\"x\"")), true, true},
        {RECORD(",{\"name\":\"b\",\"type\":\"int\"}"), RECORD(",{\"name\":\"c\",\"aliases\":[\"b\"],\"type\":\"int\"}"),
         true, false},
        {RECORD(",{\"name\":\"b\",\"type\":\"int\",\"default\":1}"),
         RECORD(",{\"name\":\"c\",\"aliases\":[\"b\"],\"type\":\"int\"}"), true, true},
        {RECORD(""), "{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"a\",\"type\":\"string\"}]}", false,
         false},
        {RECORD(""),
         "{\"type\":\"record\",\"name\":\"S\",\"aliases\":[\"x.R\"],\"fields\":[{\"name\":\"a\",\"type\":\"string\"}]}",
         true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint;
        if (reads(cases[i].new, cases[i].old, &complaint) != cases[i].backward)
            fail_msg("case %zu, backward: %s", i, complaint.text);
        if (reads(cases[i].old, cases[i].new, &complaint) != cases[i].forward)
            fail_msg("case %zu, forward: %s", i, complaint.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schema_gets_on_with_its_predecessors),
        cmocka_unit_test(incompatible_changes_are_found),
    };
    return cmocka_run_group_tests_name("compatibility", tests, NULL, NULL);
}
