// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/recommendation.h>

static const char *const scorer_names[SCORER_COUNT] = {
#define X(name, text) [SCORER_##name] = text,
    SCORERS(X)
#undef X
};

uint32_t recommendation_scorers(const struct recommendation *recommendation, enum scorer_id ret_scorers[SCORER_COUNT])
{
    uint32_t count = 0;
    for (enum scorer_id scorer = 0; scorer < SCORER_COUNT; scorer++) {
        uint32_t i = 0;
        while (i < recommendation->count && !(recommendation->items[i].shares[scorer] > 0))
            i++;
        if (i < recommendation->count)
            ret_scorers[count++] = scorer;
    }
    return count;
}

const char *scorer_name(enum scorer_id scorer)
{
    assert(scorer < SCORER_COUNT);
    return scorer_names[scorer];
}

/* Text growing in the caller's memory, cut at its end. By hand: a list has twenty, and snprintf costs more than all
 * the rest of encoding it. */
struct line {
    char *text;
    size_t size, capacity;
};

static void line_append(struct line *line, struct bytes part)
{
    struct bytes fitting = bytes_utf8_prefix(part, line->capacity - line->size);
    if (fitting.size)
        memcpy(line->text + line->size, fitting.data, fitting.size);
    line->size += fitting.size;
}

static void line_append_number(struct line *line, uint32_t number)
{
    uint8_t digits[10];
    size_t at = sizeof digits;
    do
        digits[--at] = (uint8_t)('0' + number % 10);
    while (number /= 10);
    line_append(line, bytes_of(digits + at, sizeof digits - at));
}

struct bytes reason_text(const struct reason *reason, const struct catalogue *catalogue, char *text, size_t size)
{
    assert(size > 0);
    struct line line = {text, 0, size - 1};
    switch (reason->kind) {
    case REASON_SIMILAR_SESSIONS:
        line_append(&line, BYTES("in "));
        line_append_number(&line, reason->number);
        line_append(&line, reason->number == 1 ? BYTES(" similar session") : BYTES(" similar sessions"));
        break;
    case REASON_FOLLOWS:
        line_append(&line, BYTES("often after "));
        line_append(&line,
                    reason->item == ITEM_NONE ? BYTES("items of this session") : catalogue_id(catalogue, reason->item));
        break;
    case REASON_NEAR:
        line_append(&line, BYTES("often with "));
        line_append(&line,
                    reason->item == ITEM_NONE ? BYTES("items of this list") : catalogue_id(catalogue, reason->item));
        break;
    case REASON_POPULAR:
        line_append(&line, BYTES("popular now"));
        break;
    case REASON_REPEAT:
        line_append(&line, BYTES("seen in this session"));
        break;
    case REASON_MODEL:
        line_append(&line, BYTES("likely after these clicks"));
        break;
    case REASON_TEXT:
        line_append(&line, BYTES("described like what is looked for"));
        break;
    case REASON_AGENT:
        line_append(&line, BYTES("suggested by the language model"));
        break;
    }
    text[line.size] = 0;
    return bytes_of(text, line.size);
}
