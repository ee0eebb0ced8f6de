// SPDX-License-Identifier: Apache-2.0
#include "app/search/trials.h"

#include <stdlib.h>

struct status trials_open(const struct trial_space *space, struct trials_purpose purpose, struct trials *ret_trials)
{
    struct trials trials = {.space = space,
                            .purpose = purpose,
                            .list = calloc(TRIALS_MAX, sizeof *trials.list),
                            .observations = calloc(TRIALS_MAX, sizeof *trials.observations),
                            .curves = calloc(TRIALS_MAX, sizeof *trials.curves)};
    if (!trials.list || !trials.observations || !trials.curves) {
        trials_release(&trials);
        return FAIL(MEMORY, TRIALS_MAX, "no memory for a search");
    }
    *ret_trials = trials;
    return OK;
}

void trials_release(struct trials *trials)
{
    for (uint32_t i = 0; i < trials->count; i++) {
        free(trials->list[i].epochs);
        free(trials->list[i].scores);
    }
    free(trials->list);
    free(trials->observations);
    free(trials->curves);
    buffer_release(&trials->text);
    *trials = (struct trials){0};
}

const struct trained_epoch *trial_best_epoch(const struct trial *trial)
{
    assert(trial->best < trial->epoch_count);
    return &trial->epochs[trial->best];
}

uint32_t trials_best(const struct trials *trials)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < trials->count; i++)
        if (trials->observations[i].score > trials->observations[best].score)
            best = i;
    assert(trials->count > 0 && trials->list[best].epoch_count > 0);
    return best;
}

double trials_seconds(const struct trials *trials)
{
    double seconds = 0;
    for (uint32_t i = 0; i < trials->count; i++)
        seconds += trials->list[i].seconds;
    return seconds;
}

/* ---- writing */

static void write_settings(const struct trial_space *space, const struct search_point *point, struct json_writer *json)
{
    json_begin_object(json, "settings");
    for (uint32_t i = 0; i < space->search.count; i++) {
        AUTO(buffer) word = {0};
        if (space->search.parameters[i].kind == SEARCH_CHOICE) {
            trial_space_write(space, i, point->values[i], &word);
            json_text(json, space->parameters[i].key, buffer_bytes(&word));
        } else {
            json_number(json, space->parameters[i].key, point->values[i]);
        }
    }
    json_end_object(json);
}

void trial_write_json(const struct trial_space *space, const struct trial *trial, struct json_writer *json)
{
    write_settings(space, &trial->point, json);
    json_begin_array(json, "epochs");
    for (uint32_t i = 0; i < trial->epoch_count; i++) {
        json_begin_object(json, NULL);
        json_number(json, "loss", trial->epochs[i].loss);
        json_number(json, "hit_rate_20", trial->epochs[i].hit_rate);
        json_number(json, "mrr_20", trial->epochs[i].reciprocal_rank);
        json_end_object(json);
    }
    json_end_array(json);
    json_whole_number(json, "best_epoch", trial->epoch_count ? trial->best + 1 : 0);
    json_truth(json, "cut_short", trial->cut);
    json_number(json, "seconds", trial->seconds);
}

static void write_hash(struct json_writer *json, const char *key, uint64_t hash)
{
    char digits[17];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)hash);
    json_text(json, key, bytes_of_text(digits));
}

static void write_line(const struct trials *trials, const struct trial *trial, struct buffer *out)
{
    struct json_writer json = json_lines_of(out);
    json_begin_object(&json, NULL);
    json_whole_number(&json, "trial", trials->count + 1);
    trial_write_json(trials->space, trial, &json);
    write_hash(&json, "model", trial->model_hash);
    write_hash(&json, "of_clicks", trials->purpose.clicks);
    write_hash(&json, "of_options", trials->purpose.options);
    write_hash(&json, "of_space", trials->purpose.space);
    json_end_object(&json);
}

/* ---- adding */

/* Takes the trial's epochs. */
static struct status take(struct trials *trials, const struct trial *trial, struct bytes line)
{
    double *scores = calloc(trial->epoch_count + 1, sizeof *scores);
    buffer_append_bytes(&trials->text, line);
    struct status status = scores ? buffer_check(&trials->text) : FAIL(MEMORY, 0, "no memory for a trial");
    if (failed(status)) {
        free(scores);
        return status;
    }
    for (uint32_t i = 0; i < trial->epoch_count; i++)
        scores[i] = trial->epochs[i].reciprocal_rank;
    trials->list[trials->count] = *trial;
    trials->list[trials->count].scores = scores;
    trials->curves[trials->count] = (struct search_curve){scores, trial->epoch_count};
    trials->observations[trials->count] =
        (struct search_observation){trial->point, trial->epoch_count ? scores[trial->best] : -1};
    trials->count++;
    return OK;
}

static struct status add_line(struct trials *trials, struct bytes line, struct complaint *why)
{
    struct trial trial = {0};
    if (trials->count == TRIALS_MAX)
        return FAIL(CORRUPT, TRIALS_MAX, "more trials than a search can have");
    TRY(trial_decode(trials, line, &trial, why));
    struct status status = take(trials, &trial, line);
    if (failed(status))
        free(trial.epochs);
    return status;
}

struct status trials_add(struct trials *trials, const struct trial *trial)
{
    AUTO(buffer) line = {0};
    struct complaint why = {""};
    assert(trials->count < TRIALS_MAX);
    write_line(trials, trial, &line);
    TRY(buffer_check(&line));
    return add_line(trials, buffer_bytes(&line), &why);
}

/* ---- reading */

struct status trials_decode(struct trials *trials, struct bytes content, const char *name, struct complaint *complaint)
{
    for (uint32_t number = 1; content.size > 0; number++) {
        const uint8_t *end = memchr(content.data, '\n', content.size);
        struct complaint why = {""};
        struct bytes line = bytes_of(content.data, end ? (size_t)(end - content.data) + 1 : content.size);
        struct status status =
            end ? add_line(trials, line, &why) : FAIL(CORRUPT, number, "the line has no end, the file is truncated");
        if (failed(status))
            return complain(complaint, status, "%s:%u: %s; --restart begins anew", name, number,
                            *why.text ? why.text : status.fault->what);
        content = bytes_of(content.data + line.size, content.size - line.size);
    }
    return OK;
}

struct status trials_read(struct trials *trials, const char *path, struct complaint *complaint)
{
    AUTO(buffer) content = {0};
    struct status status = file_read(path, &content, complaint);
    if (failed_as(status, FAULT_NOT_FOUND)) {
        complaint->text[0] = 0;
        return OK;
    }
    TRY(status);
    return trials_decode(trials, buffer_bytes(&content), path, complaint);
}
