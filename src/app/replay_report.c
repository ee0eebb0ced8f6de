// SPDX-License-Identifier: Apache-2.0
#include "app/measure_json.h"
#include "app/plot.h"
#include "app/replay.h"

#include <eddy/base/timestamp.h>

#define QUANTILES 100

static double quantile_us(const struct replay_result *result, double quantile)
{
    return (double)histogram_quantile(&result->latency_ns, quantile) / 1000;
}

static double mean_us(const struct replay_result *result)
{
    const struct histogram *latency = &result->latency_ns;
    return latency->total ? (double)latency->sum / (double)latency->total / 1000 : 0;
}

/* Which clicks judge, when not all do. */
static void write_judged(const struct replay_options *options, FILE *out)
{
    char from[TIMESTAMP_TEXT_MAX], before[TIMESTAMP_TEXT_MAX];
    if (!options->judged_only)
        return;
    fprintf(out, "  (judged by the clicks from %s", timestamp_text(options->judged_from_ms, from));
    if (options->judged_before_ms < INT64_MAX)
        fprintf(out, " to %s", timestamp_text(options->judged_before_ms, before));
    fputs(" alone)\n", out);
}

void replay_report_table(const struct replay_options *options, const struct replay_result *result, FILE *out)
{
    char first[TIMESTAMP_TEXT_MAX], last[TIMESTAMP_TEXT_MAX];
    fprintf(out, "%llu clicks", (unsigned long long)result->reading.records);
    if (result->reading.records > 0)
        fprintf(out, " from %.19s to %.19s", timestamp_text(result->first_ms, first),
                timestamp_text(result->last_ms, last));
    fprintf(out, ": %llu answered, %llu late, %llu duplicates, %llu out of order\n",
            (unsigned long long)result->answered, (unsigned long long)result->late,
            (unsigned long long)result->duplicates, (unsigned long long)result->out_of_order);
    fprintf(out, "%llu sessions opened, %llu closed (%llu early), %llu learned (%llu late), %u items\n\n      ",
            (unsigned long long)result->opened, (unsigned long long)result->closed, (unsigned long long)result->evicted,
            (unsigned long long)result->learner.learned, (unsigned long long)result->learner.late, result->items);
    for (size_t c = 0; c < CUTOFF_COUNT; c++)
        fprintf(out, "      @%-2u", cutoffs[c]);
    fprintf(out, "   of %llu lists that a click followed\n", (unsigned long long)result->judged);
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        fprintf(out, "  %-5s", measures[m].title);
        for (size_t c = 0; c < CUTOFF_COUNT; c++)
            fprintf(out, "   %.4f", replay_mean(result, &measures[m], cutoffs[c]));
        fputc('\n', out);
    }
    write_judged(options, out);
    fprintf(out, "  CPU per click: mean %.1f us, p50 %.1f, p90 %.1f, p99 %.1f, max %.1f (%.0f clicks per CPU-second)\n",
            mean_us(result), quantile_us(result, 0.5), quantile_us(result, 0.9), quantile_us(result, 0.99),
            (double)result->latency_ns.max / 1000,
            result->cpu_ns ? (double)result->reading.records * 1e9 / (double)result->cpu_ns : 0);
    fprintf(out, "  %.1f s, learned state of %.1f MiB, version %016llx\n", result->wall_s,
            (double)result->learned_bytes / (1 << 20), (unsigned long long)result->learned_version);
}

/* ---- JSON */

static void json_counts(struct json_writer *json, const struct replay_result *result)
{
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {{"records", result->reading.records},
                {"skipped", result->reading.skipped},
                {"unknown_types", result->reading.unknown_types},
                {"no_room", result->reading.no_room},
                {"unfinished_files", result->reading.unfinished},
                {"answered", result->answered},
                {"empty", result->empty},
                {"late", result->late},
                {"duplicates", result->duplicates},
                {"out_of_order", result->out_of_order},
                {"sessions_opened", result->opened},
                {"sessions_closed", result->closed},
                {"sessions_evicted", result->evicted},
                {"learned", result->learner.learned},
                {"learned_late", result->learner.late},
                {"items", result->items},
                {"judged", result->judged},
                {"unfollowed", result->unfollowed}};
    json_begin_object(json, "counts");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_whole_number(json, rows[i].key, (int64_t)rows[i].value);
    json_end_object(json);
}

static void json_measures(struct json_writer *json, const struct replay_result *result)
{
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        json_begin_object(json, measures[m].name);
        for (size_t c = 0; c < CUTOFF_COUNT; c++) {
            char key[16];
            snprintf(key, sizeof key, "%u", cutoffs[c]);
            json_number(json, key, replay_mean(result, &measures[m], cutoffs[c]));
        }
        json_end_object(json);
    }
}

static void json_costs(struct json_writer *json, const struct replay_result *result)
{
    json_begin_object(json, "cpu_us");
    json_number(json, "mean", mean_us(result));
    json_number(json, "p50", quantile_us(result, 0.5));
    json_number(json, "p90", quantile_us(result, 0.9));
    json_number(json, "p99", quantile_us(result, 0.99));
    json_number(json, "max", (double)result->latency_ns.max / 1000);
    json_end_object(json);
    json_number(json, "cpu_s", (double)result->cpu_ns / 1e9);
    json_number(json, "wall_s", result->wall_s);
    json_whole_number(json, "learned_bytes", (int64_t)result->learned_bytes);
}

void replay_report_json(const struct replay_options *options, const struct replay_result *result, struct buffer *out)
{
    struct json_writer json = json_writer_of(out);
    char version[20];
    json_begin_object(&json, NULL);
    json_text(&json, "eddy", BYTES(EDDY_VERSION));
    json_text(&json, "mode", BYTES("prequential"));
    json_begin_array(&json, "files");
    for (size_t i = 0; i < options->file_count; i++)
        json_text(&json, NULL, bytes_of_text(options->files[i]));
    json_end_array(&json);
    json_whole_number(&json, "first_ms", result->first_ms);
    json_whole_number(&json, "last_ms", result->last_ms);
    if (options->judged_only)
        json_whole_number(&json, "judged_from_ms", options->judged_from_ms);
    if (options->judged_only && options->judged_before_ms < INT64_MAX)
        json_whole_number(&json, "judged_before_ms", options->judged_before_ms);
    json_counts(&json, result);
    json_measures(&json, result);
    json_costs(&json, result);
    snprintf(version, sizeof version, "%016llx", (unsigned long long)result->learned_version);
    json_text(&json, "learned_version", bytes_of_text(version));
    json_whole_number(&json, "timeline_width_ms", result->timeline.width_ms);
    json_timeline(&json, &result->timeline);
    json_end_object(&json);
}

/* ---- plots */

static struct status plot_timeline(const struct timeline *timeline, const char *folder, struct complaint *complaint)
{
    double x[TIMELINE_BUCKETS], y[2][TIMELINE_BUCKETS];
    size_t count = 0;
    for (size_t i = 0; i < TIMELINE_BUCKETS; i++) {
        const struct timeline_bucket *bucket = &timeline->buckets[i];
        if (bucket->judged == 0)
            continue;
        x[count] = (double)i * (double)timeline->width_ms / 3600e3;
        y[0][count] = bucket->sums[MEASURE_HIT_RATE] / (double)bucket->judged;
        y[1][count++] = bucket->sums[MEASURE_RECIPROCAL_RANK] / (double)bucket->judged;
    }
    struct plot plot = {.title = "Each next click judges the list before it",
                        .x_label = "hours of the log",
                        .y_label = "mean",
                        .series = {{"HR@20", x, y[0], count}, {"MRR@20", x, y[1], count}},
                        .series_count = 2};
    return plot_save(&plot, folder, "timeline.svg", complaint);
}

static struct status plot_latency(const struct replay_result *result, const char *folder, struct complaint *complaint)
{
    double x[QUANTILES], y[QUANTILES];
    for (int i = 0; i < QUANTILES; i++) {
        y[i] = (double)(i + 1) / QUANTILES;
        x[i] = quantile_us(result, y[i]);
    }
    struct plot plot = {.title = "Share of clicks that took at most so long",
                        .x_label = "CPU time, us",
                        .y_label = "share",
                        .x_logarithmic = true,
                        .y_max = 1,
                        .series = {{"all of it", x, y, QUANTILES}},
                        .series_count = 1};
    return plot_save(&plot, folder, "latency.svg", complaint);
}

struct status replay_report_plots(const struct replay_result *result, const char *folder, struct complaint *complaint)
{
    TRY(plot_timeline(&result->timeline, folder, complaint));
    return plot_latency(result, folder, complaint);
}
