// SPDX-License-Identifier: Apache-2.0
#include "app/search/trials.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

/* What a line has, borrowed from its JSON. */
struct line {
    json_int_t trial, best_epoch;
    const json_t *settings, *epochs;
    const char *model, *clicks, *options, *space;
    int cut;
    double seconds;
};

static struct status damaged(struct complaint *why, const char *what)
{
    return complain(why, FAIL(CORRUPT, 0, "no trial of a search"), "this is no trial of a search: %s", what);
}

static bool read_hash(const char *digits, uint64_t *ret_hash)
{
    if (strlen(digits) != 16 || digits[strspn(digits, "0123456789abcdef")])
        return false;
    *ret_hash = strtoull(digits, NULL, 16);
    return true;
}

static struct status check_hash(const char *digits, uint64_t wanted, const char *of, struct complaint *why)
{
    uint64_t hash;
    if (!read_hash(digits, &hash))
        return damaged(why, "a hash is none");
    return hash == wanted ? OK : complain(why, FAIL(CONFIG, 0, "of another search"), "this is a search %s", of);
}

static struct status check_purpose(const struct trials *trials, const struct line *line, struct complaint *why)
{
    const struct trials_purpose *purpose = &trials->purpose;
    TRY(check_hash(line->clicks, purpose->clicks, "of other clicks, or of another validation", why));
    TRY(check_hash(line->options, purpose->options, "with other options (model.*, train.*)", why));
    return check_hash(line->space, purpose->space, "over other options, or other values of them (--over)", why);
}

static bool read_value(const struct trials *trials, uint32_t parameter, const json_t *value, double *ret_value)
{
    const struct search_parameter *range = &trials->space->search.parameters[parameter];
    if (range->kind == SEARCH_CHOICE)
        return json_is_string(value) &&
               trial_space_choice(trials->space, parameter,
                                  bytes_of(json_string_value(value), json_string_length(value)), ret_value) &&
               (trials->count == 0 || *ret_value < range->choices);
    *ret_value = json_number_value(value);
    bool within = *ret_value >= range->low && *ret_value <= range->high;
    bool whole = range->kind != SEARCH_WHOLE || json_is_integer(value);
    return json_is_number(value) && whole && (within || trials->count == 0);
}

static struct status read_settings(const struct trials *trials, const json_t *settings, struct search_point *ret_point,
                                   struct complaint *why)
{
    uint32_t count = trials->space->search.count;
    if (!json_is_object(settings) || json_object_size(settings) != count)
        return damaged(why, "its settings are not those of the search");
    for (uint32_t i = 0; i < count; i++)
        if (!read_value(trials, i, json_object_get(settings, trials->space->parameters[i].key), &ret_point->values[i]))
            return complain(why, FAIL(CORRUPT, i, "a setting that is none"),
                            "this is no trial of a search: its %s is none that was searched",
                            trials->space->parameters[i].key);
    return OK;
}

static bool read_epoch(json_t *value, struct trained_epoch *epoch)
{
    return json_unpack_ex(value, NULL, JSON_STRICT, "{s:F, s:F, s:F}", "loss", &epoch->loss, "hit_rate_20",
                          &epoch->hit_rate, "mrr_20", &epoch->reciprocal_rank) == 0 &&
           isfinite(epoch->loss) && epoch->hit_rate >= 0 && epoch->hit_rate <= 1 && epoch->reciprocal_rank >= 0 &&
           epoch->reciprocal_rank <= 1;
}

static struct status read_epochs(const json_t *epochs, struct trial *trial, struct complaint *why)
{
    size_t count = json_array_size(epochs);
    if (!json_is_array(epochs) || count > UINT16_MAX)
        return damaged(why, "its epochs are no list, or too many");
    trial->epochs = calloc(count + 1, sizeof *trial->epochs);
    if (!trial->epochs)
        return FAIL(MEMORY, count, "no memory for a trial");
    for (size_t i = 0; i < count; i++)
        if (!read_epoch(json_array_get(epochs, i), &trial->epochs[i]))
            return damaged(why, "an epoch has no loss and measures");
    trial->epoch_count = (uint32_t)count;
    return OK;
}

static struct status read_members(const struct trials *trials, const struct line *line, struct trial *trial,
                                  struct complaint *why)
{
    TRY(check_purpose(trials, line, why));
    if (line->trial != trials->count + 1)
        return damaged(why, "its number is not the next one");
    TRY(read_settings(trials, line->settings, &trial->point, why));
    TRY(read_epochs(line->epochs, trial, why));
    uint32_t first = trial->epoch_count > 0;
    if (line->best_epoch < first || line->best_epoch > trial->epoch_count || (trials->count == 0 && !first))
        return damaged(why, "its best epoch is none of its epochs");
    if (!read_hash(line->model, &trial->model_hash) || !(line->seconds >= 0 && isfinite(line->seconds)))
        return damaged(why, "its model or its seconds are none");
    trial->best = (uint32_t)line->best_epoch - first;
    trial->cut = line->cut;
    trial->seconds = line->seconds;
    return OK;
}

struct status trial_decode(const struct trials *trials, struct bytes line, struct trial *ret_trial,
                           struct complaint *why)
{
    json_error_t error;
    struct line members;
    struct trial trial = {0};
    json_t *root = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    struct status status;
    if (!root || json_unpack_ex(root, &error, JSON_STRICT, "{s:I, s:o, s:o, s:I, s:b, s:F, s:s, s:s, s:s, s:s}",
                                "trial", &members.trial, "settings", &members.settings, "epochs", &members.epochs,
                                "best_epoch", &members.best_epoch, "cut_short", &members.cut, "seconds",
                                &members.seconds, "model", &members.model, "of_clicks", &members.clicks, "of_options",
                                &members.options, "of_space", &members.space) != 0)
        status = damaged(why, error.text);
    else
        status = read_members(trials, &members, &trial, why);
    json_decref(root);
    if (failed(status)) {
        free(trial.epochs);
        return status;
    }
    *ret_trial = trial;
    return OK;
}
