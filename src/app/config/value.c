// SPDX-License-Identifier: Apache-2.0
#include "app/config/options.h"

#include <eddy/base/timestamp.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Ascending; the first is the unit of a number without one. */
static const struct unit durations[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {0}};
static const struct unit sizes[] = {{"B", 1},         {"KiB", 1 << 10},   {"MiB", 1 << 20},
                                    {"GiB", 1 << 30}, {"TiB", 1LL << 40}, {0}};
static const struct unit plain[] = {{"", 1}, {0}};

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && !strcmp(text + size - end_size, end);
}

static const struct unit *units_of(const struct config_option *option)
{
    if (ends_with(option->key, "_ms"))
        return durations;
    return ends_with(option->key, "_bytes") ? sizes : plain;
}

static const char *units_text(const struct unit *units)
{
    if (units == durations)
        return "a whole number of milliseconds, or with a unit: ms, s, min, h, d";
    return units == sizes ? "a whole number of bytes, or with a unit: KiB, MiB, GiB, TiB" : "a whole number";
}

static void write_whole(const struct unit *units, int64_t value, struct buffer *out)
{
    const struct unit *best = units;
    for (const struct unit *unit = units; unit->name; unit++)
        if (value != 0 && value % unit->factor == 0)
            best = unit;
    buffer_format(out, "%lld%s", (long long)(value / best->factor), best->factor == 1 && value == 0 ? "" : best->name);
}

/* ---- reading */

static struct status out_of_range(const struct config_option *option, const char *text, struct complaint *complaint)
{
    AUTO(buffer) range = {0};
    option_write_range(option, &range);
    return complain(complaint, FAIL(CONFIG, 0, "value out of range"), "%s is out of range; allowed is %s", text,
                    buffer_text(&range));
}

static struct status read_whole(const struct config_option *option, const char *text, int64_t *ret_value,
                                struct complaint *complaint)
{
    const struct unit *units = units_of(option);
    size_t digits = strspn(text, "-0123456789");
    int64_t value;
    const struct unit *unit = units;
    if (text[digits])
        while (unit->name && strcmp(unit->name, text + digits + strspn(text + digits, " ")) != 0)
            unit++;
    if (!unit->name || !bytes_to_int64(bytes_of(text, digits), &value))
        return complain(complaint, FAIL(CONFIG, 0, "not a whole number"), "'%s' is not %s", text, units_text(units));
    if (__builtin_mul_overflow(value, unit->factor, &value) || (double)value < option->min ||
        (double)value > option->max)
        return out_of_range(option, text, complaint);
    *ret_value = value;
    return OK;
}

static struct status read_float(const struct config_option *option, const char *text, float *ret_value,
                                struct complaint *complaint)
{
    double value;
    if (!bytes_to_double(bytes_of_text(text), &value) || !isfinite(value))
        return complain(complaint, FAIL(CONFIG, 0, "not a number"), "'%s' is not a number", text);
    if (value < option->min || value > option->max)
        return out_of_range(option, text, complaint);
    *ret_value = (float)value;
    return OK;
}

static struct status read_choice(const struct config_option *option, const char *text, uint32_t *ret_index,
                                 struct complaint *complaint)
{
    for (uint32_t i = 0; option->words[i]; i++)
        if (!strcmp(option->words[i], text)) {
            *ret_index = i;
            return OK;
        }
    AUTO(buffer) range = {0};
    option_write_range(option, &range);
    return complain(complaint, FAIL(CONFIG, 0, "not one of the words"), "'%s' is not %s", text, buffer_text(&range));
}

static struct status read_bool(const char *text, bool *ret_value, struct complaint *complaint)
{
    bool is_true = !strcmp(text, "true");
    if (!is_true && strcmp(text, "false") != 0)
        return complain(complaint, FAIL(CONFIG, 0, "not true or false"), "'%s' is not true or false", text);
    *ret_value = is_true;
    return OK;
}

static struct status read_start(const char *text, struct start_position *ret_start, struct complaint *complaint)
{
    static const char *const words[] = {"stored", "earliest", "latest"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], text)) {
            ret_start->kind = (int)i == 0 ? START_STORED : i == 1 ? START_EARLIEST : START_LATEST;
            ret_start->time_ms = 0;
            return OK;
        }
    int64_t time_ms;
    if (!timestamp_parse_any(bytes_of_text(text), &time_ms) || time_ms < 0)
        return complain(complaint, FAIL(CONFIG, 0, "not a start position"),
                        "'%s' is not stored, earliest, latest or a time such as 2024-05-01T00:00:00Z", text);
    *ret_start = (struct start_position){START_TIME, time_ms};
    return OK;
}

static struct status read_text(const char *text, char **field)
{
    char *copy = strdup(text);
    if (!copy)
        return FAIL(MEMORY, 0, "no memory for a configured text");
    free(*field);
    *field = copy;
    return OK;
}

static struct status read_scalar(const struct config_option *option, const char *text, void *field,
                                 struct complaint *complaint)
{
    uint32_t index;
    int64_t whole;
    if (option->words) {
        TRY(read_choice(option, text, &index, complaint));
        if (option->kind == OPTION_BOOL)
            *(bool *)field = index != 0;
        else
            *(uint32_t *)field = index;
        return OK;
    }
    switch (option->kind) {
    case OPTION_BOOL:
        return read_bool(text, field, complaint);
    case OPTION_FLOAT:
        return read_float(option, text, field, complaint);
    case OPTION_TEXT:
        return read_text(text, field);
    case OPTION_START:
        return read_start(text, field, complaint);
    default:
        break;
    }
    TRY(read_whole(option, text, &whole, complaint));
    if (option->kind == OPTION_U32)
        *(uint32_t *)field = (uint32_t)whole;
    else if (option->kind == OPTION_I32)
        *(int32_t *)field = (int32_t)whole;
    else if (option->kind == OPTION_I64)
        *(int64_t *)field = whole;
    else
        *(size_t *)field = (size_t)whole;
    return OK;
}

void text_list_release(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->texts[i]);
    free(list->texts);
    *list = (struct text_list){0};
}

/* "a, b" or "[a, b]", as written in the environment and in --set, into its parts. */
static struct status split(const char *text, struct text_list *ret_parts)
{
    size_t size = strlen(text);
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    AUTO(text_list) parts = {0};
    parts.texts = calloc(size + 1, sizeof *parts.texts);
    if (!parts.texts)
        return FAIL(MEMORY, 0, "no memory for a configured list");
    const char *end = text + size;
    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma ? comma : end;
        const char *last = stop;
        while (text < last && *text == ' ')
            text++;
        while (last > text && last[-1] == ' ')
            last--;
        char *part = strndup(text, (size_t)(last - text));
        if (!part)
            return FAIL(MEMORY, 0, "no memory for a configured list");
        parts.texts[parts.count++] = part;
        text = comma ? comma + 1 : end;
    }
    *ret_parts = parts;
    parts = (struct text_list){0};
    return OK;
}

static struct status copy_list(const struct raw_value *value, struct text_list *ret_list)
{
    AUTO(text_list) copy = {0};
    copy.texts = calloc(value->count + 1, sizeof *copy.texts);
    if (!copy.texts)
        return FAIL(MEMORY, 0, "no memory for a configured list");
    for (size_t i = 0; i < value->count; i++) {
        copy.texts[i] = strdup(value->texts[i]);
        if (!copy.texts[i])
            return FAIL(MEMORY, 0, "no memory for a configured list");
        copy.count++;
    }
    *ret_list = copy;
    copy = (struct text_list){0};
    return OK;
}

static struct status read_list(const struct config_option *option, const struct raw_value *value, void *field,
                               struct complaint *complaint)
{
    AUTO(text_list) parts = {0};
    TRY(value->list ? copy_list(value, &parts) : split(value->texts[0], &parts));
    if (option->kind == OPTION_TEXTS) {
        text_list_release(field);
        *(struct text_list *)field = parts;
        parts = (struct text_list){0};
        return OK;
    }
    float numbers[16];
    size_t wanted = option->size / sizeof *numbers;
    assert(wanted <= sizeof numbers / sizeof *numbers);
    if (parts.count != wanted)
        return complain(complaint, FAIL(CONFIG, parts.count, "wrong length of list"),
                        "must be a list of %zu numbers, written [a, b, ...]; there are %zu", wanted, parts.count);
    for (size_t i = 0; i < wanted; i++)
        TRY(read_float(option, parts.texts[i], &numbers[i], complaint));
    memcpy(field, numbers, option->size);
    return OK;
}

struct status option_read(const struct config_option *option, const struct raw_value *value, struct config *config,
                          struct complaint *complaint)
{
    void *field = option_field(option, config);
    if (option->kind == OPTION_FLOATS || option->kind == OPTION_TEXTS)
        return read_list(option, value, field, complaint);
    if (value->list)
        return complain(complaint, FAIL(CONFIG, 0, "list for a single value"), "takes one value, not a list");
    return read_scalar(option, value->texts[0], field, complaint);
}

/* ---- writing */

/* The bytes of a character above ASCII that YAML must not meet unescaped (C1 controls, line breaks of Unicode, byte
 * order marks), or 0. */
static size_t awkward(const unsigned char *text, unsigned *ret_code)
{
    if (text[0] == 0xc2 && text[1] < 0xa0) {
        *ret_code = text[1];
        return 2;
    }
    if (text[0] < 0xe0 || text[0] > 0xef)
        return 0;
    *ret_code = (text[0] & 0xfU) << 12 | (text[1] & 0x3fU) << 6 | (text[2] & 0x3fU);
    return *ret_code == 0x2028 || *ret_code == 0x2029 || *ret_code == 0xfeff || *ret_code >= 0xfffe ? 3 : 0;
}

void yaml_write_text(const char *text, struct buffer *out)
{
    assert(bytes_is_utf8(bytes_of_text(text)));
    buffer_append_byte(out, '"');
    for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++) {
        unsigned code;
        size_t size = awkward(byte, &code);
        if (size > 0) {
            buffer_format(out, "\\u%04x", code);
            byte += size - 1;
        } else if (*byte == '"' || *byte == '\\') {
            buffer_format(out, "\\%c", *byte);
        } else if (*byte < 0x20 || *byte == 0x7f) {
            buffer_format(out, "\\x%02x", *byte);
        } else {
            buffer_append_byte(out, *byte);
        }
    }
    buffer_append_byte(out, '"');
}

static void write_texts(const struct text_list *list, struct buffer *out)
{
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        buffer_append_text(out, i ? ", " : "");
        yaml_write_text(list->texts[i], out);
    }
    buffer_append_byte(out, ']');
}

/* In as few digits as are read back as the same number. */
static void write_float(float value, struct buffer *out)
{
    char text[32];
    double back;
    for (int digits = FLT_DIG; digits <= FLT_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (bytes_to_double(bytes_of_text(text), &back) && !((float)back < value) && !((float)back > value))
            break;
    }
    buffer_append_text(out, text);
}

static void write_floats(const float *values, size_t count, struct buffer *out)
{
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out, i ? ", " : "");
        write_float(values[i], out);
    }
    buffer_append_byte(out, ']');
}

static void write_start(const struct start_position *start, struct buffer *out)
{
    static const char *const words[] = {"stored", "earliest", "latest"};
    char text[TIMESTAMP_TEXT_MAX];
    buffer_append_text(out, start->kind == START_TIME ? timestamp_text(start->time_ms, text) : words[start->kind]);
}

void option_write(const struct config_option *option, const struct config *config, struct buffer *out)
{
    const void *field = (const char *)config + option->offset;
    if (option->words) {
        size_t index = option->kind == OPTION_BOOL ? *(const bool *)field : *(const uint32_t *)field;
        buffer_append_text(out, option->words[index]);
        return;
    }
    const struct unit *units = units_of(option);
    switch (option->kind) {
    case OPTION_BOOL:
        buffer_append_text(out, *(const bool *)field ? "true" : "false");
        break;
    case OPTION_U32:
        write_whole(units, *(const uint32_t *)field, out);
        break;
    case OPTION_I32:
        write_whole(units, *(const int32_t *)field, out);
        break;
    case OPTION_I64:
        write_whole(units, *(const int64_t *)field, out);
        break;
    case OPTION_SIZE:
        write_whole(units, (int64_t)(*(const size_t *)field), out);
        break;
    case OPTION_FLOAT:
        write_float(*(const float *)field, out);
        break;
    case OPTION_FLOATS:
        write_floats(field, option->size / sizeof(float), out);
        break;
    case OPTION_TEXT:
        yaml_write_text(*(char *const *)field, out);
        break;
    case OPTION_TEXTS:
        write_texts(field, out);
        break;
    case OPTION_START:
        write_start(field, out);
        break;
    }
}

static void write_words(const char *const *words, struct buffer *out)
{
    for (size_t i = 0; words[i]; i++)
        buffer_format(out, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
}

void option_write_range(const struct config_option *option, struct buffer *out)
{
    if (option->words) {
        write_words(option->words, out);
        return;
    }
    switch (option->kind) {
    case OPTION_BOOL:
        buffer_append_text(out, "true or false");
        break;
    case OPTION_FLOAT:
    case OPTION_FLOATS:
        buffer_format(out, "%g .. %g", option->min, option->max);
        break;
    case OPTION_TEXT:
        buffer_append_text(out, "text");
        break;
    case OPTION_TEXTS:
        buffer_append_text(out, "list of texts");
        break;
    case OPTION_START:
        buffer_append_text(out, "stored, earliest, latest or a time");
        break;
    default:
        write_whole(units_of(option), (int64_t)option->min, out);
        buffer_append_text(out, " .. ");
        write_whole(units_of(option), (int64_t)option->max, out);
    }
}

void option_release(const struct config_option *option, struct config *config)
{
    void *field = option_field(option, config);
    if (option->kind == OPTION_TEXT) {
        free(*(char **)field);
        *(char **)field = NULL;
    } else if (option->kind == OPTION_TEXTS) {
        text_list_release(field);
    }
}
