// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/golden_tensors.h"

#include <ctype.h>
#include <math.h>

#define TENSORS_MAX 512
#define VALUES_MAX  32768
#define FILE_LIMIT  ((size_t)1 << 20)

struct tensor {
    const char *name;
    uint32_t rows, columns;
    const float *values;
    bool used;
};

struct golden_tensors {
    struct tensor tensors[TENSORS_MAX];
    uint32_t count;
    float values[VALUES_MAX];
    uint32_t value_count;
    struct buffer text; /* names point into it */
};

/* Fails the test with the report, which is released. */
_Noreturn static void fail_with(const char *where, struct buffer *report)
{
    char text[256];
    snprintf(text, sizeof text, "%s%s%s", where, *where ? ": " : "", buffer_text(report));
    buffer_release(report);
    fail_msg("%s", text);
    abort(); /* not reached: cmocka's function does not say that it does not return */
}

/* ---- reading */

struct reader {
    struct golden_tensors *into;
    char *at; /* the next line */
    unsigned line;
    struct buffer *report;
};

static bool refuse(struct reader *reader, const char *what)
{
    buffer_format(reader->report, "line %u: %s", reader->line, what);
    return false;
}

/* The next line without its end; NULL when there is none, or one that does not end. */
static char *next_line(struct reader *reader)
{
    char *line = reader->at, *end = strchr(line, '\n');
    reader->line++;
    if (!end)
        return NULL;
    *end = '\0';
    reader->at = end + 1;
    return line;
}

/* The next word of a line, which is cut off of it; NULL behind the last. Two blanks have an empty word between them. */
static char *next_word(char **line)
{
    char *word = *line, *end = word ? strchr(word, ' ') : NULL;
    *line = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return word;
}

static bool read_count(char **line, uint32_t *ret_count)
{
    const char *word = next_word(line);
    int64_t count = 0;
    if (!word || !bytes_to_int64(bytes_of_text(word), &count) || count < 1 || count > VALUES_MAX)
        return false;
    *ret_count = (uint32_t)count;
    return true;
}

static bool read_number(char **line, float *ret_number)
{
    const char *word = next_word(line);
    if (!word || !*word || isspace((unsigned char)*word))
        return false;
    char *end = NULL;
    *ret_number = strtof(word, &end);
    return *end == '\0' && isfinite(*ret_number);
}

static bool read_row(struct reader *reader, float *ret_row, uint32_t columns)
{
    char *line = next_line(reader);
    if (!line)
        return refuse(reader, "a row is missing");
    for (uint32_t i = 0; i < columns; i++)
        if (!read_number(&line, &ret_row[i]))
            return refuse(reader, "a number is missing or cannot be read");
    return line ? refuse(reader, "more numbers than columns") : true;
}

static struct tensor *find(struct golden_tensors *tensors, const char *name)
{
    for (uint32_t i = 0; i < tensors->count; i++)
        if (!strcmp(tensors->tensors[i].name, name))
            return &tensors->tensors[i];
    return NULL;
}

static bool read_tensor(struct reader *reader)
{
    struct golden_tensors *into = reader->into;
    char *line = next_line(reader);
    if (!line)
        return refuse(reader, "the line has no end");
    struct tensor tensor = {.name = next_word(&line), .values = into->values + into->value_count};
    if (!*tensor.name || !read_count(&line, &tensor.rows) || !read_count(&line, &tensor.columns) || line)
        return refuse(reader, "a name, rows and columns should stand here");
    if (find(into, tensor.name))
        return refuse(reader, "a second tensor of this name");
    if (into->count == TENSORS_MAX || (uint64_t)tensor.rows * tensor.columns > VALUES_MAX - into->value_count)
        return refuse(reader, "more tensors or numbers than there is room for");
    for (uint32_t row = 0; row < tensor.rows; row++) {
        if (!read_row(reader, into->values + into->value_count, tensor.columns))
            return false;
        into->value_count += tensor.columns;
    }
    into->tensors[into->count++] = tensor;
    return true;
}

struct golden_tensors *golden_tensors_parse(struct bytes text, struct buffer *report)
{
    struct golden_tensors *tensors = calloc(1, sizeof *tensors);
    assert_non_null(tensors);
    buffer_append_bytes(&tensors->text, text);
    buffer_append_byte(&tensors->text, '\0');
    assert_ok(buffer_check(&tensors->text));
    struct reader reader = {.into = tensors, .at = (char *)tensors->text.data, .report = report};
    bool whole = true;
    while (*reader.at == '#' && next_line(&reader))
        continue;
    while (whole && *reader.at)
        whole = read_tensor(&reader);
    if (whole && tensors->count > 0)
        return tensors;
    if (whole)
        refuse(&reader, "there are no tensors");
    golden_tensors_close(tensors);
    return NULL;
}

struct golden_tensors *golden_tensors_open(const char *path)
{
    struct buffer text = {.limit = FILE_LIMIT}, report = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s cannot be opened; tests run in the root of the sources", path);
    for (size_t got = 1; got > 0; text.size += got) {
        uint8_t *room = buffer_reserve(&text, 4096);
        assert_non_null(room);
        got = fread(room, 1, 4096, file);
    }
    fclose(file);
    struct golden_tensors *tensors = golden_tensors_parse(buffer_bytes(&text), &report);
    buffer_release(&text);
    if (!tensors)
        fail_with(path, &report);
    return tensors;
}

void golden_tensors_close(struct golden_tensors *tensors)
{
    if (tensors)
        buffer_release(&tensors->text);
    free(tensors);
}

/* ---- looking up */

const float *golden_tensor_find(struct golden_tensors *tensors, const char *name, uint32_t rows, uint32_t columns,
                                struct buffer *report)
{
    struct tensor *tensor = find(tensors, name);
    if (!tensor) {
        buffer_format(report, "there is no tensor %s", name);
        return NULL;
    }
    if (tensor->rows != rows || tensor->columns != columns) {
        buffer_format(report, "tensor %s has %u rows of %u, not %u rows of %u", name, tensor->rows, tensor->columns,
                      rows, columns);
        return NULL;
    }
    tensor->used = true;
    return tensor->values;
}

const float *golden_tensor(struct golden_tensors *tensors, const char *name, uint32_t rows, uint32_t columns)
{
    struct buffer report = {0};
    const float *values = golden_tensor_find(tensors, name, rows, columns, &report);
    if (!values)
        fail_with("", &report);
    return values;
}

void golden_indices(struct golden_tensors *tensors, const char *name, uint32_t count, uint32_t *ret_indices)
{
    const float *values = golden_tensor(tensors, name, 1, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!(values[i] >= 0 && values[i] <= (float)(1 << 24)) || values[i] != floorf(values[i]))
            fail_msg("tensor %s is not one of whole numbers", name);
        ret_indices[i] = (uint32_t)values[i];
    }
}

const char *golden_unused(const struct golden_tensors *tensors, const char *prefix)
{
    for (uint32_t i = 0; i < tensors->count; i++)
        if (!tensors->tensors[i].used && !strncmp(tensors->tensors[i].name, prefix, strlen(prefix)))
            return tensors->tensors[i].name;
    return NULL;
}

/* ---- comparing */

bool golden_same(const char *name, const float *wanted, const float *got, uint32_t count, struct buffer *report)
{
    uint32_t different = 0, worst = 0;
    double worst_ratio = 0;
    for (uint32_t i = 0; i < count; i++) {
        double bound = fmax(GOLDEN_ABSOLUTE, GOLDEN_RELATIVE * fabs((double)wanted[i]));
        double ratio = fabs((double)got[i] - (double)wanted[i]) / bound;
        if (ratio <= 1)
            continue;
        if (!different++ || isnan(ratio) || ratio > worst_ratio) {
            worst = i;
            worst_ratio = ratio;
        }
    }
    if (different)
        buffer_format(report, "tensor %s: %u of %u numbers differ, most number %u: wanted %.9g, got %.9g", name,
                      different, count, worst, (double)wanted[worst], (double)got[worst]);
    return !different;
}

void golden_compare(struct golden_tensors *tensors, const char *name, uint32_t rows, uint32_t columns, const float *got)
{
    struct buffer report = {0};
    const float *wanted = golden_tensor(tensors, name, rows, columns);
    if (!golden_same(name, wanted, got, rows * columns, &report))
        fail_with("", &report);
}
