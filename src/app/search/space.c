// SPDX-License-Identifier: Apache-2.0
#include "app/search/space.h"

#include <math.h>
#include <stdio.h>

#define WHERE         "--over"
#define NUMBER_FORMAT "%.10g" /* as json_number() */
#define FORMS         "KEY=LOW..HIGH, KEY=LOW..HIGH,log or KEY=A|B|C"

static struct status refuse(struct complaint *complaint, const char *key, const char *why)
{
    return complain(complaint, FAIL(CONFIG, 0, "no space to search"), WHERE ": %s: %s", key, why);
}

/* Copies a part of a text; false when it is empty or too long. */
static bool copy_text(const char *text, size_t size, char ret_text[SPACE_TEXT_SIZE])
{
    if (size == 0 || size >= SPACE_TEXT_SIZE)
        return false;
    memcpy(ret_text, text, size);
    ret_text[size] = 0;
    return true;
}

/* ---- one parameter */

/* The configuration says whether it may be. */
static struct status try_value(struct config *config, const char *key, const char *text, struct complaint *complaint)
{
    TRY(config_set_key(config, WHERE, key, text, complaint));
    return config_check(config, complaint);
}

static struct status read_choices(struct config *config, const char *text, struct search_parameter *parameter,
                                  struct trial_parameter *names, struct complaint *complaint)
{
    *parameter = (struct search_parameter){.kind = SEARCH_CHOICE};
    for (;;) {
        size_t size = strcspn(text, "|");
        if (parameter->choices == SPACE_WORDS_MAX)
            return refuse(complaint, names->key, "more than 16 choices");
        char *word = names->words[parameter->choices];
        if (!copy_text(text, size, word))
            return refuse(complaint, names->key, "a choice is empty or too long; write KEY=A|B|C");
        TRY(try_value(config, names->key, word, complaint));
        for (uint32_t i = 0; i < parameter->choices; i++)
            if (!strcmp(names->words[i], word))
                return refuse(complaint, names->key, "a choice stands twice");
        parameter->choices++;
        if (!text[size])
            return OK;
        text += size + 1;
    }
}

static struct status read_bound(struct config *config, const char *key, struct bytes text, double *ret_bound,
                                struct complaint *complaint)
{
    char bound[SPACE_TEXT_SIZE];
    if (!copy_text((const char *)text.data, text.size, bound))
        return refuse(complaint, key, "a bound is empty or too long; write " FORMS);
    TRY(try_value(config, key, bound, complaint));
    if (!bytes_to_double(text, ret_bound))
        return refuse(complaint, key, "a bound is no plain number");
    snprintf(bound, sizeof bound, NUMBER_FORMAT, *ret_bound); /* no more digits than values have */
    return bytes_to_double(bytes_of_text(bound), ret_bound) ? OK : FAIL(CONFIG, 0, "a bound is no number");
}

static struct status read_interval(struct config *config, const struct config_range *range, const char *text,
                                   struct search_parameter *parameter, const struct trial_parameter *names,
                                   struct complaint *complaint)
{
    const char *dots = strstr(text, ".."), *comma = dots ? strchr(dots, ',') : NULL;
    if (!dots || (comma && strcmp(comma, ",log") != 0))
        return refuse(complaint, names->key, "write " FORMS);
    if (range->kind == CONFIG_CHOICE)
        return refuse(complaint, names->key, "it has words, not numbers; write KEY=A|B|C");
    size_t high_size = comma ? (size_t)(comma - dots - 2) : strlen(dots + 2);
    *parameter = (struct search_parameter){.kind = range->kind == CONFIG_WHOLE ? SEARCH_WHOLE : SEARCH_REAL,
                                           .logarithmic = comma != NULL};
    TRY(read_bound(config, names->key, bytes_of(text, (size_t)(dots - text)), &parameter->low, complaint));
    TRY(read_bound(config, names->key, bytes_of(dots + 2, high_size), &parameter->high, complaint));
    if (!(parameter->low < parameter->high))
        return refuse(complaint, names->key, "the first bound is not below the second");
    if (parameter->logarithmic && !(parameter->low > 0))
        return refuse(complaint, names->key, "there are logarithms of numbers above 0 only");
    return OK;
}

static struct status read_values(struct config *config, const char *text, struct search_parameter *parameter,
                                 struct trial_parameter *names, struct complaint *complaint)
{
    struct config_range range;
    TRY(config_range_of(WHERE, names->key, &range, complaint));
    if ((strncmp(names->key, "train.", 6) != 0 && strncmp(names->key, "model.", 6) != 0) || range.kind == CONFIG_TEXT)
        return refuse(complaint, names->key, "only numbers and choices of train.* and model.* are searched");
    if (!strcmp(names->key, "train.threads"))
        return refuse(complaint, names->key, "it changes nothing in a model");
    AUTO(buffer) given = {0};
    config_write_value(config, names->key, &given);
    if (!copy_text(buffer_text(&given), given.size, names->given))
        return refuse(complaint, names->key, "its value is too long");
    TRY(strchr(text, '|') ? read_choices(config, text, parameter, names, complaint)
                          : read_interval(config, &range, text, parameter, names, complaint));
    return try_value(config, names->key, names->given, complaint);
}

static struct status add(struct config *config, const char *text, struct trial_space *space,
                         struct complaint *complaint)
{
    const char *equals = strchr(text, '=');
    char key[SPACE_TEXT_SIZE];
    if (!equals || !copy_text(text, (size_t)(equals - text), key))
        return complain(complaint, FAIL(CONFIG, 0, "no space to search"), WHERE ": '%s' is not written as " FORMS,
                        text);
    for (uint32_t i = 0; i < space->search.count; i++)
        if (!strcmp(space->parameters[i].key, key))
            return refuse(complaint, key, "it stands twice");
    if (space->search.count == SEARCH_PARAMETERS_MAX)
        return refuse(complaint, key, "more than 16 options");
    struct trial_parameter *names = &space->parameters[space->search.count];
    memcpy(names->key, key, sizeof key);
    TRY(read_values(config, equals + 1, &space->search.parameters[space->search.count], names, complaint));
    space->search.count++;
    return OK;
}

/* ---- the whole */

/* The rate's depends on optimiser and batch: it is searched around the one that is configured. What the configuration
 * switches off stays off: all items as candidates, or no cosines. */
static struct status add_standard(struct config *config, struct trial_space *space, struct complaint *complaint)
{
    const struct trainer_options *options = &config->train.options;
    bool draws = options->negatives > 0, cosines = config->model.options.normalise;
    struct config_range range;
    char rate[2 * SPACE_TEXT_SIZE];
    TRY(config_range_of(WHERE, "train.rate", &range, complaint));
    snprintf(rate, sizeof rate, "train.rate=%.3g..%.3g,log", fmax((double)options->rate / 4, range.low),
             fmin((double)options->rate * 5, range.high));
    const char *const texts[] = {
        rate,
        "train.dropout=0..0.5",
        "train.batch=128..2048,log",
        draws ? "train.negatives=256..8192,log" : NULL,
        draws ? "train.negative_power=0..1" : NULL,
        cosines ? "model.temperature=0.03..0.2,log" : NULL,
        "model.directed=true|false",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i])
            TRY(add(config, texts[i], space, complaint));
    return OK;
}

struct status trial_space_make(struct config *config, const char *const *texts, size_t text_count,
                               struct trial_space *ret_space, struct complaint *complaint)
{
    struct trial_space space = {0};
    if (text_count == 0)
        TRY(add_standard(config, &space, complaint));
    for (size_t i = 0; i < text_count; i++)
        TRY(add(config, texts[i], &space, complaint));
    *ret_space = space;
    return OK;
}

uint64_t trial_space_hash(const struct trial_space *space)
{
    AUTO(buffer) text = {0};
    for (uint32_t i = 0; i < space->search.count; i++) {
        const struct search_parameter *parameter = &space->search.parameters[i];
        buffer_format(&text, "%s %d %d %.17g %.17g", space->parameters[i].key, (int)parameter->kind,
                      parameter->logarithmic, parameter->low, parameter->high);
        for (uint32_t word = 0; word < parameter->choices; word++)
            buffer_format(&text, " %s", space->parameters[i].words[word]);
        buffer_append_byte(&text, '\n');
    }
    return bytes_hash(buffer_bytes(&text));
}

/* ---- points */

bool trial_space_choice(const struct trial_space *space, uint32_t parameter, struct bytes word, double *ret_value)
{
    const struct trial_parameter *names = &space->parameters[parameter];
    uint32_t choices = space->search.parameters[parameter].choices, found = 0;
    while (found < choices && !bytes_equal_text(word, names->words[found]))
        found++;
    if (found == choices && !bytes_equal_text(word, names->given))
        return false;
    *ret_value = found;
    return true;
}

struct search_point trial_space_given(const struct trial_space *space)
{
    struct search_point point = {{0}};
    for (uint32_t i = 0; i < space->search.count; i++) {
        struct bytes given = bytes_of_text(space->parameters[i].given);
        bool read = space->search.parameters[i].kind == SEARCH_CHOICE
                        ? trial_space_choice(space, i, given, &point.values[i])
                        : bytes_to_double(given, &point.values[i]);
        assert(read);
    }
    return point;
}

void trial_space_write(const struct trial_space *space, uint32_t parameter, double value, struct buffer *out)
{
    const struct trial_parameter *names = &space->parameters[parameter];
    if (space->search.parameters[parameter].kind != SEARCH_CHOICE)
        buffer_format(out, NUMBER_FORMAT, value);
    else
        buffer_append_text(out, value < space->search.parameters[parameter].choices ? names->words[(uint32_t)value]
                                                                                    : names->given);
}

void trial_space_write_point(const struct trial_space *space, const struct search_point *point, struct buffer *out)
{
    for (uint32_t i = 0; i < space->search.count; i++) {
        buffer_format(out, "%s%s=", i ? " " : "", space->parameters[i].key);
        trial_space_write(space, i, point->values[i], out);
    }
}

struct status trial_space_set(const struct trial_space *space, const struct search_point *point, struct config *config,
                              struct complaint *complaint)
{
    for (uint32_t i = 0; i < space->search.count; i++) {
        AUTO(buffer) text = {0};
        trial_space_write(space, i, point->values[i], &text);
        TRY(buffer_check(&text));
        TRY(config_set_key(config, "--search", space->parameters[i].key, buffer_text(&text), complaint));
    }
    return config_check(config, complaint);
}
