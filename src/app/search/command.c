// SPDX-License-Identifier: Apache-2.0
#include "app/search/command.h"

#include "app/plot.h"
#include "app/search/files.h"
#include "app/search/report.h"

struct status search_command_check(const struct search_command *command, struct config *config,
                                   struct trial_space *ret_space, struct complaint *complaint)
{
    AUTO(buffer) path = {0};
    TRY(trial_space_make(config, command->over.texts, command->over.count, ret_space, complaint));
    TRY(search_file_path(command->task.output, &path));
    TRY(file_try(buffer_text(&path), complaint));
    TRY(file_try(command->best, complaint));
    TRY(file_try(command->json, complaint));
    return plot_try(command->plots, complaint);
}

static struct status write_reports(const struct search_command *command, const struct search_report *report,
                                   struct complaint *complaint)
{
    if (!command->stdout_taken)
        search_report_text(report, stdout);
    if (command->json) {
        AUTO(buffer) json = {0};
        search_report_json(report, &json);
        TRY(file_write(command->json, &json, complaint));
    }
    if (command->best) {
        AUTO(buffer) options = {0};
        config_write_section(report->config, "model", &options);
        config_write_section(report->config, "train", &options);
        TRY(file_write(command->best, &options, complaint));
    }
    return command->plots ? search_report_plots(report, command->plots, complaint) : OK;
}

struct status search_command_run(const struct search_command *command, struct config *config,
                                 const struct evaluation_data *data, const struct trial_space *space,
                                 struct complaint *complaint)
{
    AUTO(trials) trials = {0};
    TRY(search_run(&command->task, config, data, space, &trials, complaint));
    const struct search_report report = {config, data, &trials, command->task.output};
    return write_reports(command, &report, complaint);
}
