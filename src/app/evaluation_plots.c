// SPDX-License-Identifier: Apache-2.0
#include "app/evaluation_report.h"
#include "app/plot.h"

#define QUANTILES  100
#define POINTS_MAX QUANTILES

struct points {
    double x[PLOT_SERIES_MAX][POINTS_MAX], y[PLOT_SERIES_MAX][POINTS_MAX];
};

_Static_assert(EVALUATION_SYSTEMS_MAX <= PLOT_SERIES_MAX, "a series per system");

/* Begins a series, in memory of `points`. */
static void add_series(struct plot *plot, const char *name, struct points *points)
{
    size_t number = plot->series_count++;
    plot->series[number] = (struct plot_series){name, points->x[number], points->y[number], 0};
}

static void add_point(struct plot *plot, struct points *points, double x, double y)
{
    size_t series = plot->series_count - 1, point = plot->series[series].count++;
    points->x[series][point] = x;
    points->y[series][point] = y;
}

static struct status plot_measure(const struct evaluation_report *report, size_t measure, const char *folder,
                                  struct complaint *complaint)
{
    struct points points;
    char file[40];
    struct plot plot = {.title = measures[measure].title, .x_label = "K", .y_label = measures[measure].title};
    for (size_t s = 0; s < report->system_count; s++) {
        add_series(&plot, report->systems[s].name, &points);
        for (size_t c = 0; c < CUTOFF_COUNT; c++)
            add_point(&plot, &points, cutoffs[c],
                      measure_mean(&measures[measure], report->systems[s].result.ranks, report->data->predictions,
                                   cutoffs[c]));
    }
    snprintf(file, sizeof file, "%s.svg", measures[measure].name);
    return plot_save(&plot, folder, file, complaint);
}

static struct status plot_positions(const struct evaluation_report *report, const char *folder,
                                    struct complaint *complaint)
{
    struct points points;
    struct plot plot = {.title = "HR@20 by position of the predicted click (20: 20 and more)",
                        .x_label = "position",
                        .y_label = "HR@20"};
    for (size_t s = 0; s < report->system_count; s++) {
        struct position_row rows[POSITIONS_MAX + 1];
        evaluation_positions(report, s, rows);
        add_series(&plot, report->systems[s].name, &points);
        for (size_t position = 2; position <= POSITIONS_MAX; position++)
            if (rows[position].predictions > 0)
                add_point(&plot, &points, (double)position,
                          rows[position].sums[MEASURE_HIT_RATE] / (double)rows[position].predictions);
    }
    return plot_save(&plot, folder, "positions.svg", complaint);
}

static struct status plot_latency(const struct evaluation_report *report, const char *folder,
                                  struct complaint *complaint)
{
    struct points points;
    struct plot plot = {.title = "Share of predictions that took at most so long",
                        .x_label = "CPU time, us",
                        .y_label = "share",
                        .x_logarithmic = true,
                        .y_max = 1};
    for (size_t s = 0; s < report->system_count; s++) {
        add_series(&plot, report->systems[s].name, &points);
        for (int i = 1; i <= QUANTILES; i++) {
            double quantile = (double)i / QUANTILES;
            add_point(&plot, &points,
                      (double)histogram_quantile(&report->systems[s].result.latency_ns, quantile) / 1000, quantile);
        }
    }
    return plot_save(&plot, folder, "latency.svg", complaint);
}

struct status evaluation_report_plots(const struct evaluation_report *report, const char *folder,
                                      struct complaint *complaint)
{
    TRY(plot_measure(report, MEASURE_HIT_RATE, folder, complaint));
    TRY(plot_measure(report, MEASURE_RECIPROCAL_RANK, folder, complaint));
    TRY(plot_positions(report, folder, complaint));
    return plot_latency(report, folder, complaint);
}
