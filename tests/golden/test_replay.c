// SPDX-License-Identifier: Apache-2.0
/* Golden files: log.txt through a shard, byte by byte as it was the last time somebody looked at it. Scores are written
 * in full: they have the same bits with every compiler, on every processor (-ffp-contract=off, power.h, kernels.c).
 *
 *   log.txt -> shard -> recommendations.jsonl sessions.jsonl late-clicks.jsonl dead-letters.jsonl   records as JSON
 *                    -> recommendations.avro.hex sessions.avro.hex                                  values as bare Avro
 *
 * With --write the program writes the files instead of comparing them; `./dev golden` does that. */
#include "support/support.h"

#include "support/shard_rig.h"

#include <ctype.h>
#include <jansson.h>

#define FOLDER     "tests/golden/"
#define CONTEXT    60 /* bytes shown before and after a difference */
#define FILE_LIMIT ((size_t)1 << 24)

static void read_file(const char *name, struct buffer *out)
{
    char path[256];
    snprintf(path, sizeof path, FOLDER "%s", name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s cannot be opened; tests run in the root of the sources", path);
    out->limit = FILE_LIMIT;
    for (size_t got = 1; got > 0; out->size += got)
        got = fread(buffer_reserve(out, 4096), 1, 4096, file);
    fclose(file);
}

/* ---- the log */

/* The next word of a line, which is cut off of it. */
static char *word(char **line)
{
    char *found = *line, *end = strchr(found, ' ');
    if (!end)
        fail_msg("log.txt: a line ends too early: %s", found);
    *end = '\0';
    *line = end + 1;
    return found;
}

static void play_line(struct shard_rig *rig, char *line)
{
    const char *kind = word(&line);
    if (!strcmp(kind, "item")) {
        const char *key = word(&line);
        assert_ok(shard_rig_run(rig)); /* so that it comes between the clicks before it and those behind */
        shard_rig_item(rig, key, strcmp(line, "-") == 0 ? NULL : line);
        return;
    }
    assert_string_equal(kind, "click");
    int32_t partition = (int32_t)strtol(word(&line), NULL, 10);
    int64_t time_ms = strtoll(word(&line), NULL, 10);
    struct bytes key = bytes_of_text(word(&line));
    memory_world_append(rig->world, partition, time_ms, key, bytes_of_text(line));
}

static void play(struct shard_rig *rig, enum record_format format)
{
    AUTO(buffer) log = {0};
    read_file("log.txt", &log);
    shard_rig_open(rig, 2);
    rig->items = 0;
    rig->clicks = RECORD_JSON;
    rig->options.recommendations.format = rig->options.sessions.format = format;
    assert_ok(shard_rig_start(rig, NULL));
    buffer_append_byte(&log, '\0');
    assert_ok(buffer_check(&log));
    for (char *line = (char *)log.data, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (*line != '#')
            play_line(rig, line);
    }
    assert_ok(shard_rig_run(rig));
}

/* ---- what comes of it, as text */

static void append_json(json_t *value, struct buffer *out)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    assert_non_null(text);
    buffer_append_text(out, text);
    free(text);
    json_decref(value);
}

static void append_string(struct bytes text, struct buffer *out)
{
    append_json(json_stringn((const char *)text.data, text.size), out);
}

/* {"partition": ..., "timestamp": ..., "key": ..., "headers": {...}, "value": ...} */
static void append_record(const struct output_record *record, struct buffer *out)
{
    buffer_format(out, "{\"partition\": %d, \"timestamp\": %lld, \"key\": ", record->partition,
                  (long long)record->timestamp_ms);
    append_string(record->key, out);
    buffer_append_text(out, ", \"headers\": {");
    for (size_t i = 0; i < record->header_count; i++) {
        buffer_format(out, "%s\"%s\": ", i ? ", " : "", record->headers[i].name);
        append_string(record->headers[i].value, out);
    }
    buffer_append_text(out, "}, \"value\": ");
    if (record->output == OUTPUT_DEAD_LETTERS) /* it may be anything */
        append_string(record->value, out);
    else
        buffer_append_bytes(out, record->value);
    buffer_append_text(out, "}\n");
}

static void append_hex(const struct output_record *record, struct buffer *out)
{
    for (size_t i = 0; i < record->value.size; i++)
        buffer_format(out, "%02x", record->value.data[i]);
    buffer_append_byte(out, '\n');
}

struct golden {
    const char *name;
    enum output output;
    enum record_format format;
    void (*append)(const struct output_record *record, struct buffer *out);
};

static const struct golden goldens[] = {
    {"recommendations.jsonl", OUTPUT_RECOMMENDATIONS, RECORD_JSON, append_record},
    {"sessions.jsonl", OUTPUT_SESSIONS, RECORD_JSON, append_record},
    {"late-clicks.jsonl", OUTPUT_LATE_CLICKS, RECORD_JSON, append_record},
    {"dead-letters.jsonl", OUTPUT_DEAD_LETTERS, RECORD_JSON, append_record},
    {"recommendations.avro.hex", OUTPUT_RECOMMENDATIONS, RECORD_AVRO, append_hex},
    {"sessions.avro.hex", OUTPUT_SESSIONS, RECORD_AVRO, append_hex},
};

#define GOLDEN_COUNT (sizeof goldens / sizeof *goldens)

static void make(const struct golden *golden, struct buffer *out)
{
    struct shard_rig rig;
    const struct output_record *record;
    out->limit = FILE_LIMIT;
    play(&rig, golden->format);
    for (size_t i = 0; (record = shard_rig_output(&rig, golden->output, i)); i++)
        golden->append(record, out);
    assert_ok(buffer_check(out));
    shard_rig_close(&rig);
}

/* ---- the comparison */

static size_t count_lines(struct bytes text, size_t size)
{
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text.data[i] == '\n';
    return lines;
}

/* The part of the line around `at`. */
static void append_around(struct bytes text, size_t at, struct buffer *out)
{
    size_t from = at, to = at;
    while (from > 0 && at - from < CONTEXT && text.data[from - 1] != '\n')
        from--;
    while (to < text.size && to - at < CONTEXT && text.data[to] != '\n')
        to++;
    buffer_append_text(out, from > 0 && text.data[from - 1] != '\n' ? "..." : "");
    for (size_t i = from; i < to; i++)
        buffer_append_byte(out, isprint(text.data[i]) || text.data[i] >= 0x80 ? text.data[i] : '?');
    buffer_append_text(out, to < text.size && text.data[to] != '\n' ? "...\n" : "\n");
}

/* True when they are the same; else `report` says where they part. */
static bool same(const char *name, struct bytes wanted, struct bytes got, struct buffer *report)
{
    if (bytes_equal(wanted, got))
        return true;
    size_t at = 0;
    while (at < wanted.size && at < got.size && wanted.data[at] == got.data[at])
        at++;
    buffer_format(report, FOLDER "%s: line %zu is not what it was (%zu lines, now %zu)\n  was ", name,
                  count_lines(wanted, at) + 1, count_lines(wanted, wanted.size), count_lines(got, got.size));
    append_around(wanted, at, report);
    buffer_append_text(report, "  now ");
    append_around(got, at, report);
    buffer_append_text(report, "If that is meant: ./dev golden, look at the difference, and say why in the commit.");
    return false;
}

/* ---- the tests */

static void a_replay_gives_the_golden_files(void **state)
{
    (void)state;
    bool all = true;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        AUTO(buffer) wanted = {0}, got = {0}, report = {0};
        read_file(goldens[i].name, &wanted);
        make(&goldens[i], &got);
        assert_true(count_lines(buffer_bytes(&got), got.size) > 0);
        if (same(goldens[i].name, buffer_bytes(&wanted), buffer_bytes(&got), &report))
            continue;
        print_error("%s\n", buffer_text(&report));
        all = false;
    }
    assert_true(all);
}

static void every_changed_byte_and_every_missing_line_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        AUTO(buffer) wanted = {0}, changed = {0}, report = {0};
        read_file(goldens[i].name, &wanted);
        struct bytes text = buffer_bytes(&wanted);
        buffer_append_bytes(&changed, text);
        assert_true(same(goldens[i].name, text, buffer_bytes(&changed), &report));
        for (size_t at = 0; at < text.size; at += 89) {
            char line[32];
            buffer_clear(&report);
            changed.data[at] ^= 1;
            assert_false(same(goldens[i].name, text, buffer_bytes(&changed), &report));
            snprintf(line, sizeof line, ": line %zu ", count_lines(text, at) + 1);
            assert_non_null(strstr(buffer_text(&report), line));
            changed.data[at] ^= 1;
        }
        assert_false(same(goldens[i].name, text, bytes_of(text.data, text.size - 1), &report));
        assert_false(same(goldens[i].name, bytes_of(text.data, text.size / 2), text, &report));
    }
}

/* ---- writing them */

static int write_all(void)
{
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        AUTO(buffer) text = {0};
        char path[256];
        make(&goldens[i], &text);
        snprintf(path, sizeof path, FOLDER "%s", goldens[i].name);
        FILE *file = fopen(path, "wb");
        bool written = file && fwrite(text.data, 1, text.size, file) == text.size;
        if (!file || fclose(file) != 0 || !written) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--write"))
        return write_all();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replay_gives_the_golden_files),
        cmocka_unit_test(every_changed_byte_and_every_missing_line_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
