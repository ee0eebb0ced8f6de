// SPDX-License-Identifier: Apache-2.0
#include "app/learning_report.h"

#include "app/measure_json.h"
#include "app/plot.h"

#include <eddy/base/timestamp.h>

#include <stdlib.h>

#define RESAMPLES   1000
#define SEED        UINT64_C(20150907) /* of the bootstrap; any number, but always the same */
#define LAST_CUTOFF (CUTOFF_COUNT - 1)

#define DAY_MS      86400e3

static struct status intervals(const struct learning_data *data, const struct learning_result *result,
                               const struct learning_result *base, struct session_sums *sums,
                               struct interval ret_intervals[MEASURE_COUNT])
{
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        learning_session_sums(data, result, base, &measures[m], sums);
        TRY(bootstrap_interval(sums, data->tested_count, RESAMPLES, SEED, &ret_intervals[m]));
    }
    return OK;
}

struct status learning_report_intervals(struct learning_report *report)
{
    const struct learning_data *data = report->data;
    struct session_sums *sums = malloc(data->tested_count * sizeof *sums);
    struct status status = sums ? OK : FAIL(MEMORY, data->tested_count, "no memory for a bootstrap");
    for (size_t s = 0; s < report->system_count && !failed(status); s++) {
        struct learning_system *system = &report->systems[s];
        status = intervals(data, &system->result, NULL, sums, system->intervals);
        for (size_t base = 0; base < report->base_count && base < s && !failed(status); base++)
            status = intervals(data, &system->result, &report->systems[base].result, sums, system->differences[base]);
    }
    free(sums);
    return status;
}

/* ---- the table */

static void write_system(const struct learning_system *system, FILE *out)
{
    const struct learning_result *result = &system->result;
    fprintf(out, "  %-40.40s", system->name);
    for (size_t m = 0; m < MEASURE_COUNT; m++)
        fprintf(out, "  %.4f", system->intervals[m].value);
    fprintf(out, "  %8zu  %6u  %7u  %8.1f  %8.2f\n", result->unknown, result->models, result->refused,
            (double)result->learn_ns / 1e9, (double)result->longest_ns / 1e9);
}

static void write_differences(const struct learning_report *report, size_t number, FILE *out)
{
    const struct learning_system *system = &report->systems[number];
    for (size_t base = 0; base < report->base_count && base < number; base++) {
        fprintf(out, "  %s against %s:", system->name, report->systems[base].name);
        for (size_t m = 0; m < MEASURE_COUNT; m++) {
            const struct interval *difference = &system->differences[base][m];
            fprintf(out, "%s %s %+.4f (%+.4f .. %+.4f)", m ? "," : "", measures[m].title, difference->value,
                    difference->low, difference->high);
        }
        fputc('\n', out);
    }
}

void learning_report_table(const struct learning_report *report, FILE *out)
{
    const struct learning_data *data = report->data;
    char from[TIMESTAMP_TEXT_MAX];
    fprintf(out, "%s: %zu predictions in %zu sessions from %.19s on, after %zu clicks, %zu sessions\n",
            report->validation ? "validation" : "test", data->predictions, data->tested_count,
            timestamp_text(data->from_ms, from), data->first_clicks, data->first_sessions);
    fprintf(out, "\n  %-40s", "@20");
    for (size_t m = 0; m < MEASURE_COUNT; m++)
        fprintf(out, " %7s", measures[m].title);
    fputs("   unknown  models  refused     CPU s   longest\n", out);
    for (size_t s = 0; s < report->system_count; s++)
        write_system(&report->systems[s], out);
    fputs("\ndifferences, with 95 % intervals\n", out);
    for (size_t s = 1; s < report->system_count; s++)
        write_differences(report, s, out);
}

/* ---- JSON */

static const char *const kind_words[] = {"retrieval", "static", "retrained", "continuous"};

static void json_data(struct json_writer *json, const struct learning_report *report)
{
    const struct learning_data *data = report->data;
    json_begin_object(json, "data");
    json_whole_number(json, "records", (int64_t)report->reading->records);
    json_whole_number(json, "skipped", (int64_t)report->reading->skipped);
    json_whole_number(json, "from_ms", data->from_ms);
    if (data->before_ms != INT64_MAX)
        json_whole_number(json, "before_ms", data->before_ms);
    json_whole_number(json, "first_sessions", (int64_t)data->first_sessions);
    json_whole_number(json, "first_clicks", (int64_t)data->first_clicks);
    json_whole_number(json, "items", data->items);
    json_whole_number(json, "tested_sessions", (int64_t)data->tested_count);
    json_whole_number(json, "predictions", (int64_t)data->predictions);
    json_end_object(json);
}

static void json_measures(struct json_writer *json, const struct learning_report *report,
                          const struct learning_result *result)
{
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        json_begin_object(json, measures[m].name);
        for (size_t c = 0; c < CUTOFF_COUNT; c++) {
            char key[16];
            snprintf(key, sizeof key, "%u", cutoffs[c]);
            json_number(json, key, measure_mean(&measures[m], result->ranks, report->data->predictions, cutoffs[c]));
        }
        json_end_object(json);
    }
}

static void json_system(struct json_writer *json, const struct learning_report *report, size_t number)
{
    const struct learning_system *system = &report->systems[number];
    const struct learning_result *result = &system->result;
    json_begin_object(json, NULL);
    json_text(json, "name", bytes_of_text(system->name));
    json_text(json, "kind", bytes_of_text(kind_words[system->way.kind]));
    json_measures(json, report, result);
    json_intervals(json, "intervals_at_20", system->intervals);
    json_begin_object(json, "differences_at_20");
    for (size_t base = 0; base < report->base_count && base < number; base++)
        json_intervals(json, report->systems[base].name, system->differences[base]);
    json_end_object(json);
    json_whole_number(json, "unknown", (int64_t)result->unknown);
    json_whole_number(json, "models", result->models);
    json_whole_number(json, "refused", result->refused);
    json_whole_number(json, "samples", (int64_t)result->samples);
    json_number(json, "learn_cpu_s", (double)result->learn_ns / 1e9);
    json_number(json, "longest_cpu_s", (double)result->longest_ns / 1e9);
    json_timeline(json, &result->timeline);
    json_end_object(json);
}

void learning_report_json(const struct learning_report *report, struct buffer *out)
{
    struct json_writer json = json_writer_of(out);
    json_begin_object(&json, NULL);
    json_text(&json, "eddy", BYTES(EDDY_VERSION));
    json_text(&json, "mode", BYTES("learning"));
    json_text(&json, "split", bytes_of_text(report->validation ? "validation" : "test"));
    json_data(&json, report);
    json_begin_array(&json, "systems");
    for (size_t s = 0; s < report->system_count; s++)
        json_system(&json, report, s);
    json_end_array(&json);
    json_end_object(&json);
}

/* ---- plots */

struct points {
    double x[TIMELINE_BUCKETS], y[TIMELINE_BUCKETS];
};

static size_t take_points(const struct timeline *timeline, size_t measure, struct points *points)
{
    size_t count = 0;
    for (size_t i = 0; i < TIMELINE_BUCKETS; i++) {
        const struct timeline_bucket *bucket = &timeline->buckets[i];
        if (bucket->judged == 0)
            continue;
        points->x[count] = ((double)i + 0.5) * (double)timeline->width_ms / DAY_MS;
        points->y[count++] = bucket->sums[measure] / (double)bucket->judged;
    }
    return count;
}

static struct status plot_measure(const struct learning_report *report, size_t measure, const char *folder,
                                  struct complaint *complaint)
{
    char file[40], title[40];
    struct points *points = malloc(PLOT_SERIES_MAX * sizeof *points);
    if (!points)
        return FAIL(MEMORY, PLOT_SERIES_MAX, "no memory for a plot");
    snprintf(title, sizeof title, "%s@%u", measures[measure].title, cutoffs[LAST_CUTOFF]);
    struct plot plot = {.title = title, .x_label = "days since the first prediction", .y_label = title};
    for (size_t s = 0; s < report->system_count && s < PLOT_SERIES_MAX; s++) {
        size_t count = take_points(&report->systems[s].result.timeline, measure, &points[s]);
        plot.series[plot.series_count++] =
            (struct plot_series){report->systems[s].name, points[s].x, points[s].y, count};
    }
    snprintf(file, sizeof file, "learning_%s.svg", measures[measure].name);
    struct status status = plot_save(&plot, folder, file, complaint);
    free(points);
    return status;
}

struct status learning_report_plots(const struct learning_report *report, const char *folder,
                                    struct complaint *complaint)
{
    TRY(plot_measure(report, MEASURE_HIT_RATE, folder, complaint));
    return plot_measure(report, MEASURE_RECIPROCAL_RANK, folder, complaint);
}
