// SPDX-License-Identifier: Apache-2.0
#include "app/evaluation_report.h"

#include "app/measure_json.h"

#include <stdlib.h>

#define RESAMPLES   1000
#define SEED        UINT64_C(20150907) /* of the bootstrap; any number, but always the same */
#define LAST_CUTOFF (CUTOFF_COUNT - 1)

struct status evaluation_report_intervals(struct evaluation_report *report)
{
    size_t count = report->data->test_count;
    struct session_sums *sums = malloc(count * sizeof *sums);
    struct status status = sums ? OK : FAIL(MEMORY, count, "no memory for a bootstrap");
    for (size_t s = 0; s < report->system_count; s++) {
        struct evaluation_system *system = &report->systems[s];
        for (size_t m = 0; m < MEASURE_COUNT && !failed(status); m++) {
            evaluation_session_sums(report->data, &system->result, NULL, &measures[m], sums);
            status = bootstrap_interval(sums, count, RESAMPLES, SEED, &system->intervals[m]);
            if (s == 0 || failed(status))
                continue;
            evaluation_session_sums(report->data, &system->result, &report->systems[0].result, &measures[m], sums);
            status = bootstrap_interval(sums, count, RESAMPLES, SEED, &system->differences[m]);
        }
    }
    free(sums);
    return status;
}

static double system_mean(const struct evaluation_report *report, size_t system, size_t measure, size_t cutoff)
{
    return measure_mean(&measures[measure], report->systems[system].result.ranks, report->data->predictions,
                        cutoffs[cutoff]);
}

static double quantile_us(const struct evaluation_result *result, double quantile)
{
    return (double)histogram_quantile(&result->latency_ns, quantile) / 1000;
}

static double latency_mean_us(const struct evaluation_result *result)
{
    const struct histogram *latency = &result->latency_ns;
    return latency->total ? (double)latency->sum / (double)latency->total / 1000 : 0;
}

/* Predictions of items that nobody clicked in training, and how many of them were in the first so many places. */
struct cold {
    size_t predictions, hits;
};

static struct cold count_cold(const struct evaluation_report *report, size_t system)
{
    const struct evaluation_data *data = report->data;
    const uint32_t *ranks = report->systems[system].result.ranks;
    struct cold cold = {0};
    for (size_t i = 0; i < data->predictions; i++) {
        const struct whole_session *session = &data->log.sessions[data->test[data->questions[i].test]];
        if (data->log.items[session->start + data->questions[i].length] < data->train_items)
            continue;
        cold.predictions++;
        cold.hits += ranks[i] > 0 && ranks[i] <= cutoffs[LAST_CUTOFF];
    }
    return cold;
}

/* ---- the table */

static void write_texts(const struct evaluation_report *report, size_t number, FILE *out)
{
    const uint32_t *titles = report->systems[number].result.titles.counts;
    struct cold cold = count_cold(report, number);
    if (cold.predictions > 0)
        fprintf(out, "  of %zu predictions of items never clicked in training, %zu hit @%u: %.4f\n", cold.predictions,
                cold.hits, cutoffs[LAST_CUTOFF], (double)cold.hits / (double)cold.predictions);
    if (titles[LOCALIZED_FOUND] + titles[LOCALIZED_NEAR] + titles[LOCALIZED_REJECTED] > 0)
        fprintf(out, "  titles named in the intents: %u found, %u near to one, %u rejected\n", titles[LOCALIZED_FOUND],
                titles[LOCALIZED_NEAR], titles[LOCALIZED_REJECTED]);
}

static void write_measures(const struct evaluation_report *report, size_t number, FILE *out)
{
    const struct evaluation_system *system = &report->systems[number];
    fprintf(out, "\n%s\n      ", system->name);
    for (size_t c = 0; c < CUTOFF_COUNT; c++)
        fprintf(out, "      @%-2u", cutoffs[c]);
    fprintf(out, "   95%% interval of @%u\n", cutoffs[LAST_CUTOFF]);
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        fprintf(out, "  %-5s", measures[m].title);
        for (size_t c = 0; c < CUTOFF_COUNT; c++)
            fprintf(out, "   %.4f", system_mean(report, number, m, c));
        fprintf(out, "   %.4f .. %.4f", system->intervals[m].low, system->intervals[m].high);
        if (number > 0)
            fprintf(out, "   %+.4f (%+.4f .. %+.4f) against the first", system->differences[m].value,
                    system->differences[m].low, system->differences[m].high);
        fputc('\n', out);
    }
}

static void write_costs(const struct evaluation_report *report, const struct evaluation_system *system, FILE *out)
{
    const struct evaluation_result *result = &system->result;
    uint32_t items = report->data->train_items;
    fprintf(out, "  coverage %.4f   popularity percentile %.3f\n", exposure_coverage(result->exposure, items),
            exposure_popularity(result->exposure, report->data->percentiles, items));
    fprintf(out, "  CPU per prediction: mean %.1f us, p50 %.1f, p90 %.1f, p99 %.1f, max %.1f\n",
            latency_mean_us(result), quantile_us(result, 0.5), quantile_us(result, 0.9), quantile_us(result, 0.99),
            (double)result->latency_ns.max / 1000);
    double mebibytes = (double)result->learned_bytes / (1 << 20);
    if (system->model)
        fprintf(out, "  a model of %.1f MiB\n", mebibytes);
    else
        fprintf(out, "  learned %llu sessions in %.2f s CPU, %.1f MiB\n", (unsigned long long)result->learned_sessions,
                (double)result->learn_ns / 1e9, mebibytes);
}

/* Several configurations, a line each. */
static void write_side_by_side(const struct evaluation_report *report, FILE *out)
{
    fprintf(out, "\n  %-40s", "@20");
    for (size_t m = 0; m < MEASURE_COUNT; m++)
        fprintf(out, " %7s", measures[m].title);
    fprintf(out, "  coverage  CPU us\n");
    for (size_t s = 0; s < report->system_count; s++) {
        const struct evaluation_result *result = &report->systems[s].result;
        fprintf(out, "  %-40.40s", report->systems[s].name);
        for (size_t m = 0; m < MEASURE_COUNT; m++)
            fprintf(out, "  %.4f", system_mean(report, s, m, LAST_CUTOFF));
        fprintf(out, "    %.4f  %6.1f\n", exposure_coverage(result->exposure, report->data->train_items),
                latency_mean_us(result));
    }
}

void evaluation_report_table(const struct evaluation_report *report, FILE *out)
{
    const struct evaluation_data *data = report->data;
    fprintf(out, "%s: %zu predictions in %zu sessions, after %zu clicks, %zu sessions, %u items of training\n",
            report->validation ? "validation" : "test", data->predictions, data->test_count, data->train_clicks,
            data->train_count, data->train_items);
    fprintf(out, "(left out: %zu clicks on items unknown to training%s, then %zu sessions of one click or none)\n",
            data->dropped_clicks, report->files->cold ? " and without a title" : "", data->dropped_sessions);
    if (report->files->intents)
        fprintf(out, "(answers: %zu about prefixes of training, %zu about prefixes asked, %zu about neither)\n",
                data->train_intents, data->test_intents,
                data->intents.count + data->intents.strangers - data->train_intents - data->test_intents);
    for (size_t s = 0; s < report->system_count; s++) {
        write_measures(report, s, out);
        write_texts(report, s, out);
        write_costs(report, &report->systems[s], out);
    }
    if (report->system_count > 1)
        write_side_by_side(report, out);
}

/* ---- JSON */

static void json_data(struct json_writer *json, const struct evaluation_report *report)
{
    const struct evaluation_data *data = report->data;
    json_begin_object(json, "data");
    json_begin_array(json, "clicks");
    for (size_t i = 0; i < report->files->click_count; i++)
        json_text(json, NULL, bytes_of_text(report->files->clicks[i]));
    json_end_array(json);
    json_whole_number(json, "records", (int64_t)report->reading->records);
    json_whole_number(json, "skipped", (int64_t)report->reading->skipped);
    json_whole_number(json, "unknown_types", (int64_t)report->reading->unknown_types);
    json_whole_number(json, "no_room", (int64_t)report->reading->no_room);
    json_whole_number(json, "unfinished_files", (int64_t)report->reading->unfinished);
    json_whole_number(json, "train_sessions", (int64_t)data->train_count);
    json_whole_number(json, "train_clicks", (int64_t)data->train_clicks);
    json_whole_number(json, "train_items", data->train_items);
    json_whole_number(json, "test_sessions", (int64_t)data->test_count);
    json_whole_number(json, "predictions", (int64_t)data->predictions);
    json_whole_number(json, "dropped_clicks", (int64_t)data->dropped_clicks);
    json_whole_number(json, "dropped_sessions", (int64_t)data->dropped_sessions);
    if (report->files->intents) {
        json_whole_number(json, "train_intents", (int64_t)data->train_intents);
        json_whole_number(json, "test_intents", (int64_t)data->test_intents);
        json_whole_number(
            json, "intents_about_neither",
            (int64_t)(data->intents.count + data->intents.strangers - data->train_intents - data->test_intents));
    }
    json_end_object(json);
}

static void json_latency(struct json_writer *json, const struct evaluation_result *result)
{
    json_begin_object(json, "cpu_us");
    json_number(json, "mean", latency_mean_us(result));
    json_number(json, "p50", quantile_us(result, 0.5));
    json_number(json, "p90", quantile_us(result, 0.9));
    json_number(json, "p99", quantile_us(result, 0.99));
    json_number(json, "max", (double)result->latency_ns.max / 1000);
    json_end_object(json);
}

void evaluation_positions(const struct evaluation_report *report, size_t system,
                          struct position_row ret_rows[POSITIONS_MAX + 1])
{
    const struct evaluation_data *data = report->data;
    const uint32_t *ranks = report->systems[system].result.ranks;
    memset(ret_rows, 0, (POSITIONS_MAX + 1) * sizeof *ret_rows);
    for (size_t i = 0; i < data->predictions; i++) {
        uint32_t position = data->questions[i].length + 1;
        struct position_row *row = &ret_rows[position < POSITIONS_MAX ? position : POSITIONS_MAX];
        row->predictions++;
        for (size_t m = 0; m < MEASURE_COUNT; m++)
            row->sums[m] += measures[m].value(ranks[i], cutoffs[LAST_CUTOFF]);
    }
}

static void json_positions(struct json_writer *json, const struct evaluation_report *report, size_t number)
{
    struct position_row rows[POSITIONS_MAX + 1];
    evaluation_positions(report, number, rows);
    json_begin_array(json, "by_position");
    for (size_t position = 2; position <= POSITIONS_MAX; position++) {
        if (rows[position].predictions == 0)
            continue;
        json_begin_object(json, NULL);
        json_whole_number(json, "position", (int64_t)position);
        json_whole_number(json, "predictions", (int64_t)rows[position].predictions);
        for (size_t m = 0; m < MEASURE_COUNT; m++)
            json_number(json, measures[m].name, rows[position].sums[m] / (double)rows[position].predictions);
        json_end_object(json);
    }
    json_end_array(json);
}

static void json_texts(struct json_writer *json, const struct evaluation_report *report, size_t number)
{
    const uint32_t *titles = report->systems[number].result.titles.counts;
    struct cold cold = count_cold(report, number);
    if (report->files->cold) {
        json_begin_object(json, "cold");
        json_whole_number(json, "predictions", (int64_t)cold.predictions);
        json_whole_number(json, "hits_at_20", (int64_t)cold.hits);
        json_end_object(json);
    }
    if (report->files->intents) {
        json_begin_object(json, "titles_named");
        json_whole_number(json, "found", titles[LOCALIZED_FOUND]);
        json_whole_number(json, "near", titles[LOCALIZED_NEAR]);
        json_whole_number(json, "rejected", titles[LOCALIZED_REJECTED]);
        json_end_object(json);
    }
}

static void json_system(struct json_writer *json, const struct evaluation_report *report, size_t number)
{
    const struct evaluation_system *system = &report->systems[number];
    uint32_t items = report->data->train_items;
    json_begin_object(json, NULL);
    json_text(json, "name", bytes_of_text(system->name));
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        json_begin_object(json, measures[m].name);
        for (size_t c = 0; c < CUTOFF_COUNT; c++) {
            char key[16];
            snprintf(key, sizeof key, "%u", cutoffs[c]);
            json_number(json, key, system_mean(report, number, m, c));
        }
        json_end_object(json);
    }
    json_intervals(json, "intervals_at_20", system->intervals);
    if (number > 0)
        json_intervals(json, "difference_from_first_at_20", system->differences);
    json_number(json, "coverage_at_20", exposure_coverage(system->result.exposure, items));
    json_number(json, "popularity_percentile_at_20",
                exposure_popularity(system->result.exposure, report->data->percentiles, items));
    json_texts(json, report, number);
    json_latency(json, &system->result);
    json_number(json, "learn_cpu_s", (double)system->result.learn_ns / 1e9);
    json_whole_number(json, "learned_sessions", (int64_t)system->result.learned_sessions);
    json_whole_number(json, "learned_bytes", (int64_t)system->result.learned_bytes);
    json_positions(json, report, number);
    json_end_object(json);
}

void evaluation_report_json(const struct evaluation_report *report, struct buffer *out)
{
    struct json_writer json = json_writer_of(out);
    const struct evaluation_split *split = &report->data->split;
    json_begin_object(&json, NULL);
    json_text(&json, "eddy", BYTES(EDDY_VERSION));
    json_text(&json, "mode", BYTES("train_test"));
    json_text(&json, "split", bytes_of_text(report->validation ? "validation" : "test"));
    json_whole_number(&json, "train_before_ms", split->train_before_ms);
    if (split->test_before_ms != INT64_MAX)
        json_whole_number(&json, "test_before_ms", split->test_before_ms);
    json_data(&json, report);
    json_begin_array(&json, "systems");
    for (size_t s = 0; s < report->system_count; s++)
        json_system(&json, report, s);
    json_end_array(&json);
    json_end_object(&json);
}
