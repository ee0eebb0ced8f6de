// SPDX-License-Identifier: Apache-2.0
#include "app/training_report.h"

#include "app/json_writer.h"
#include "app/plot.h"

#include <stdlib.h>

static double per_second(uint64_t count, int64_t ns)
{
    return ns > 0 ? (double)count / ((double)ns / 1e9) : 0;
}

void training_report_text(const struct training_report *report, FILE *out)
{
    const struct training_result *result = report->result;
    fprintf(out, "model      %s, %s, %zu numbers\n", report->output,
            backbone_title(report->config->model.options.backbone), result->parameters);
    fprintf(out, "training   %zu sessions, %zu clicks, %u items\n", report->data->train_count,
            report->data->train_clicks, report->data->train_items);
    fprintf(out, "speed      %.0f clicks per second, %.0f per CPU second%s\n",
            per_second(result->samples, 1000 * result->train_us), per_second(result->samples, result->train_ns),
            result->resumed ? " since it went on" : "");
    if (!report->validated)
        return;
    const struct trained_epoch *best = &result->epochs[result->best];
    fprintf(out, "validation %zu predictions, best after epoch %u of %u: HR@20 %.4f, MRR@20 %.4f\n",
            report->data->predictions, result->best + 1, result->epoch_count, best->hit_rate, best->reciprocal_rank);
}

static void write_epochs(const struct training_report *report, struct json_writer *json)
{
    json_begin_array(json, "epochs");
    for (uint32_t i = 0; i < report->result->epoch_count; i++) {
        const struct trained_epoch *epoch = &report->result->epochs[i];
        json_begin_object(json, NULL);
        json_number(json, "loss", epoch->loss);
        if (report->validated) {
            json_number(json, "hit_rate_20", epoch->hit_rate);
            json_number(json, "mrr_20", epoch->reciprocal_rank);
        }
        json_end_object(json);
    }
    json_end_array(json);
}

void training_report_json(const struct training_report *report, struct buffer *out)
{
    const struct model_options *model = &report->config->model.options;
    const struct training_result *result = report->result;
    struct json_writer json = json_writer_of(out);
    json_begin_object(&json, NULL);
    json_text(&json, "model", bytes_of_text(report->output));
    json_text(&json, "backbone", bytes_of_text(backbone_name(model->backbone)));
    json_whole_number(&json, "parameters", (int64_t)result->parameters);
    json_whole_number(&json, "training_sessions", (int64_t)report->data->train_count);
    json_whole_number(&json, "training_clicks", (int64_t)report->data->train_clicks);
    json_whole_number(&json, "items", report->data->train_items);
    json_whole_number(&json, "seed", report->config->train.options.seed);
    json_whole_number(&json, "validation_predictions", (int64_t)report->data->predictions);
    if (report->validated)
        json_whole_number(&json, "best_epoch", result->best + 1);
    write_epochs(report, &json);
    json_whole_number(&json, "threads", report->config->train.threads);
    json_number(&json, "clicks_per_second", per_second(result->samples, 1000 * result->train_us));
    json_number(&json, "clicks_per_cpu_second", per_second(result->samples, result->train_ns));
    json_number(&json, "train_cpu_seconds", (double)result->train_ns / 1e9);
    json_number(&json, "rank_cpu_seconds", (double)result->rank_ns / 1e9);
    json_end_object(&json);
    buffer_append_byte(out, '\n');
}

struct status training_report_plots(const struct training_report *report, const char *folder,
                                    struct complaint *complaint)
{
    const struct training_result *result = report->result;
    size_t count = result->epoch_count;
    double *values = calloc(4 * count + 1, sizeof *values);
    if (!values)
        return FAIL(MEMORY, count, "no memory for a plot");
    double *x = values, *loss = x + count, *hits = loss + count, *ranks = hits + count;
    for (size_t i = 0; i < count; i++) {
        x[i] = (double)i + 1;
        loss[i] = result->epochs[i].loss;
        hits[i] = result->epochs[i].hit_rate;
        ranks[i] = result->epochs[i].reciprocal_rank;
    }
    const struct plot losses = {.title = "Loss",
                                .x_label = "epoch",
                                .y_label = "mean loss of a click",
                                .series = {{"training", x, loss, count}},
                                .series_count = 1};
    const struct plot measured = {.title = "Validation",
                                  .x_label = "epoch",
                                  .y_label = "@20",
                                  .series = {{"HR@20", x, hits, count}, {"MRR@20", x, ranks, count}},
                                  .series_count = 2};
    struct status status = plot_save(&losses, folder, "loss.svg", complaint);
    if (!failed(status) && report->validated)
        status = plot_save(&measured, folder, "validation.svg", complaint);
    free(values);
    return status;
}
