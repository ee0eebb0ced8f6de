// SPDX-License-Identifier: Apache-2.0
#include "app/learning_command.h"

#include "app/command.h"
#include "app/learning_report.h"
#include "app/plot.h"

#include <eddy/io/file.h>

#include <stdlib.h>

#define DAY_MS INT64_C(86400000)

_Static_assert(LEARNING_SYSTEMS_MAX == EVALUATION_SYSTEMS_MAX + LEARNING_BASES, "room for every configuration");

static void add_system(struct learning_report *report, const char *name, struct learning_way way)
{
    struct learning_system *system = &report->systems[report->system_count++];
    system->way = way;
    snprintf(system->name, sizeof system->name, "%s", name);
}

static void add_systems(const struct learning_command *command, const struct evaluation_system *configurations,
                        size_t count, struct learning_report *report)
{
    struct learning_way way = {
        .config = &configurations[0].config, .every_ms = command->retrain_days * DAY_MS, .fused = command->fused};
    if (command->fused)
        add_system(report, "retrieval", way);
    way.kind = LEARNING_STATIC;
    add_system(report, "static", way);
    way.kind = LEARNING_RETRAINED;
    if (command->retrain_days > 0)
        add_system(report, "retrained", way);
    report->base_count = report->system_count;
    way.kind = LEARNING_CONTINUOUS;
    for (size_t i = 0; i < count; i++) {
        way.config = &configurations[i].config;
        add_system(report, i > 0 ? configurations[i].name : "continuous", way);
    }
}

static struct status run_systems(const struct learning_data *data, struct learning_report *report)
{
    struct model *first;
    TRY(learning_first(data, report->systems[0].way.config, &first));
    struct status status = OK;
    for (size_t i = 0; i < report->system_count && !failed(status); i++) {
        struct learning_system *system = &report->systems[i];
        status = learning_run(data, first, &system->way, &system->result);
    }
    model_close(first);
    return status;
}

static struct status write_reports(const struct learning_command *command, struct learning_report *report,
                                   struct complaint *complaint)
{
    TRY(learning_report_intervals(report));
    if (!command->stdout_taken)
        learning_report_table(report, stdout);
    if (command->json) {
        AUTO(buffer) json = {0};
        learning_report_json(report, &json);
        TRY(file_write(command->json, &json, complaint));
    }
    return command->plots ? learning_report_plots(report, command->plots, complaint) : OK;
}

static struct status run(const struct learning_command *command, struct learning_report *report,
                         struct learning_data *data, struct complaint *complaint)
{
    const struct config *config = report->systems[0].way.config;
    struct log_reading reading = log_reading_begin(command->strict);
    TRY(file_try(command->json, complaint));
    TRY(plot_try(command->plots, complaint));
    struct status status = learning_data_open(command->paths, command->path_count, &command->split,
                                              config->engine.session.gap_ms, &reading, data, complaint);
    log_reading_report(&reading);
    TRY(status);
    report->data = data;
    report->reading = &reading;
    TRY(run_systems(data, report));
    return write_reports(command, report, complaint);
}

int learning_command_run(const struct learning_command *command, const struct evaluation_system *configurations,
                         size_t count)
{
    struct complaint complaint = {{0}};
    struct learning_data data = {0};
    struct learning_report report = {.validation = command->validation,
                                     .systems = calloc(LEARNING_SYSTEMS_MAX, sizeof *report.systems)};
    struct status status = report.systems ? OK : FAIL(MEMORY, LEARNING_SYSTEMS_MAX, "no memory for systems");
    if (report.systems)
        add_systems(command, configurations, count, &report);
    if (!failed(status))
        status = run(command, &report, &data, &complaint);
    for (size_t i = 0; i < report.system_count; i++)
        learning_result_release(&report.systems[i].result);
    free(report.systems);
    learning_data_release(&data);
    return failed(status) ? command_fail("evaluate", status, &complaint) : EXIT_OK;
}
