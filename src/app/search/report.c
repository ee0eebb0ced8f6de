// SPDX-License-Identifier: Apache-2.0
#include "app/search/report.h"

#include "app/plot.h"

#include <math.h>
#include <stdlib.h>

static void write_trial(const struct trial *trial, const char *what, uint32_t number, FILE *out)
{
    const struct trained_epoch *epoch = trial_best_epoch(trial);
    fprintf(out, "%s trial %u, best after epoch %u of %u: HR@20 %.4f, MRR@20 %.4f\n", what, number, trial->best + 1,
            trial->epoch_count, epoch->hit_rate, epoch->reciprocal_rank);
}

void search_report_text(const struct search_report *report, FILE *out)
{
    const struct trials *trials = report->trials;
    uint32_t best = trials_best(trials), cut = 0, none = 0;
    AUTO(buffer) settings = {0};
    for (uint32_t i = 0; i < trials->count; i++) {
        cut += trials->list[i].cut;
        none += trials->list[i].epoch_count == 0;
    }
    trial_space_write_point(trials->space, &trials->list[best].point, &settings);
    fprintf(out, "model      %s, %s\n", report->output, backbone_title(report->config->model.options.backbone));
    fprintf(out, "training   %zu sessions, %zu clicks, %u items\n", report->data->train_count,
            report->data->train_clicks, report->data->train_items);
    fprintf(out, "search     %u trials, %u cut short, %u that could not be trained, %.0f s\n", trials->count, cut, none,
            trials_seconds(trials));
    fprintf(out, "validation %zu predictions\n", report->data->predictions);
    write_trial(&trials->list[0], "given     ", 1, out);
    write_trial(&trials->list[best], "best      ", best + 1, out);
    fprintf(out, "settings   %s\n", buffer_text(&settings));
}

void search_report_json(const struct search_report *report, struct buffer *out)
{
    const struct trials *trials = report->trials;
    struct json_writer json = json_writer_of(out);
    json_begin_object(&json, NULL);
    json_text(&json, "model", bytes_of_text(report->output));
    json_text(&json, "backbone", bytes_of_text(backbone_name(report->config->model.options.backbone)));
    json_whole_number(&json, "training_sessions", (int64_t)report->data->train_count);
    json_whole_number(&json, "training_clicks", (int64_t)report->data->train_clicks);
    json_whole_number(&json, "items", report->data->train_items);
    json_whole_number(&json, "validation_predictions", (int64_t)report->data->predictions);
    json_number(&json, "seconds", trials_seconds(trials));
    json_whole_number(&json, "best_trial", trials_best(trials) + 1);
    json_begin_array(&json, "trials");
    for (uint32_t i = 0; i < trials->count; i++) {
        json_begin_object(&json, NULL);
        trial_write_json(trials->space, &trials->list[i], &json);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    buffer_append_byte(out, '\n');
}

/* ---- plots */

/* The values' own range, as all of them are far from 0. */
static void fit(struct plot *plot)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t s = 0; s < plot->series_count; s++)
        for (size_t i = 0; i < plot->series[s].count; i++) {
            low = fmin(low, plot->series[s].y[i]);
            high = fmax(high, plot->series[s].y[i]);
        }
    plot->y_min = low - 0.05 * (high - low);
    plot->y_max = high + 0.05 * (high - low);
}

static struct status plot_trials(const struct trials *trials, const char *folder, struct complaint *complaint)
{
    double *x = calloc(3 * (size_t)trials->count, sizeof *x), best = 0;
    if (!x)
        return FAIL(MEMORY, trials->count, "no memory for a plot");
    double *scores = x + trials->count, *bests = scores + trials->count;
    size_t count = 0;
    for (uint32_t i = 0; i < trials->count; i++) {
        if (trials->list[i].epoch_count == 0)
            continue;
        x[count] = (double)i + 1;
        scores[count] = trials->observations[i].score;
        bests[count] = best = fmax(best, scores[count]);
        count++;
    }
    struct plot plot = {.title = "Search",
                        .x_label = "trial",
                        .y_label = "MRR@20",
                        .series = {{"trial", x, scores, count}, {"best so far", x, bests, count}},
                        .series_count = 2};
    fit(&plot);
    struct status status = plot_save(&plot, folder, "trials.svg", complaint);
    free(x);
    return status;
}

static uint32_t longest(const struct trials *trials)
{
    uint32_t epochs = 0;
    for (uint32_t i = 0; i < trials->count; i++)
        epochs = trials->list[i].epoch_count > epochs ? trials->list[i].epoch_count : epochs;
    return epochs;
}

/* Whether a trial is among the first so many by score, of equals the earlier. */
static bool is_among(const struct trials *trials, uint32_t trial, uint32_t count)
{
    uint32_t before = 0;
    double score = trials->observations[trial].score;
    for (uint32_t i = 0; i < trials->count; i++)
        before += trials->observations[i].score > score || (!(trials->observations[i].score < score) && i < trial);
    return before < count;
}

static struct status plot_epochs(const struct trials *trials, const char *folder, struct complaint *complaint)
{
    char names[PLOT_SERIES_MAX][32];
    uint32_t epochs = longest(trials);
    double *x = calloc(epochs, sizeof *x);
    struct plot plot = {.title = trials->count > PLOT_SERIES_MAX ? "The best trials" : "Trials",
                        .x_label = "epoch",
                        .y_label = "MRR@20"};
    if (!x)
        return FAIL(MEMORY, epochs, "no memory for a plot");
    for (uint32_t i = 0; i < epochs; i++)
        x[i] = (double)i + 1;
    for (uint32_t i = 0; i < trials->count; i++) {
        if (trials->list[i].epoch_count == 0 || !is_among(trials, i, PLOT_SERIES_MAX))
            continue;
        char *name = names[plot.series_count];
        snprintf(name, sizeof names[0], "trial %u%s", i + 1, trials->list[i].cut ? ", cut short" : "");
        plot.series[plot.series_count++] =
            (struct plot_series){name, x, trials->curves[i].scores, trials->curves[i].count};
    }
    fit(&plot);
    struct status status = plot_save(&plot, folder, "epochs.svg", complaint);
    free(x);
    return status;
}

struct status search_report_plots(const struct search_report *report, const char *folder, struct complaint *complaint)
{
    TRY(plot_trials(report->trials, folder, complaint));
    return plot_epochs(report->trials, folder, complaint);
}
