// SPDX-License-Identifier: Apache-2.0
/* usage: chaos_check FOLDER STATE-DIRECTORY...
 *
 * Whether eddy was exactly once. In FOLDER: hurt.yaml and calm.yaml, the configurations of a run that was hurt and of
 * one that was not, over the same clicks; `clicks`, and for either run its topics, for example `hurt.recommendations`,
 * as dump.h has them; the state directory of the calm run is the configured one, those of the other are the other
 * arguments. When models are enabled in hurt.yaml they make its lists others than those of the calm run, which are not
 * compared then; instead there are hurt.models, and `loaded` for versions_check_loaded(). Exits with 1 when something
 * is wrong, with 2 when that cannot be told. */
#include "chaos/history.h"
#include "chaos/versions.h"

#include <eddy/io/file.h>

#include <stdio.h>
#include <stdlib.h>

#define PATH_SIZE 1024

static const struct {
    enum story story;
    const char *file;
} topics[] = {{STORY_RECOMMENDATIONS, "recommendations"},
              {STORY_SESSIONS, "sessions"},
              {STORY_LATE, "late_clicks"},
              {STORY_DEAD, "dead_letters"}};

#define TOPICS (sizeof topics / sizeof *topics)

static struct status load(const char *folder, const char *run, struct config *config, struct complaint *complaint)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s.yaml", folder, run);
    TRY(config_defaults(config, complaint));
    TRY(config_load_file(config, path, complaint));
    return config_check(config, complaint);
}

static struct status read_topics(const char *folder, const char *run, const struct config *config,
                                 struct history *history, struct complaint *complaint)
{
    for (size_t i = 0; i < TOPICS; i++) {
        char path[PATH_SIZE];
        struct dump dump = {0};
        snprintf(path, sizeof path, "%s/%s.%s", folder, run, topics[i].file);
        TRY(dump_read(path, &dump, complaint));
        struct status status = history_read(config, topics[i].story, &dump, history, complaint);
        dump_release(&dump);
        TRY(status);
    }
    return OK;
}

struct check {
    struct config hurt_config, calm_config;
    struct history expected, hurt, calm;
    struct versions versions;
};

static struct status read_dump(const char *folder, const char *name, struct dump *ret_dump, struct complaint *complaint)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return dump_read(path, ret_dump, complaint);
}

static struct status check_loaded(struct check *check, const char *folder, struct complaint *complaint)
{
    char path[PATH_SIZE];
    AUTO(buffer) loaded = {0};
    snprintf(path, sizeof path, "%s/loaded", folder);
    TRY(file_read(path, &loaded, complaint));
    versions_check_loaded(&check->versions, buffer_bytes(&loaded), stdout);
    return OK;
}

static struct status check_models(struct check *check, const char *folder, struct complaint *complaint)
{
    struct dump models = {0}, sessions = {0}, answers = {0};
    struct status status = read_dump(folder, "hurt.models", &models, complaint);
    if (!failed(status))
        status = read_dump(folder, "hurt.sessions", &sessions, complaint);
    if (!failed(status))
        status = read_dump(folder, "hurt.recommendations", &answers, complaint);
    if (!failed(status))
        status = versions_read(&check->hurt_config, &models, stdout, &check->versions, complaint);
    if (!failed(status)) {
        versions_check_sessions(&check->versions, &sessions, stdout);
        status = versions_check_answers(&check->hurt_config, &answers, stdout, &check->versions, complaint);
    }
    dump_release(&models);
    dump_release(&sessions);
    dump_release(&answers);
    TRY(status);
    facts_release(&check->hurt.bytes[STORY_RECOMMENDATIONS]);
    facts_release(&check->calm.bytes[STORY_RECOMMENDATIONS]);
    return check_loaded(check, folder, complaint);
}

static struct status read_all(struct check *check, const char *folder, const char *const *directories, size_t count,
                              struct complaint *complaint)
{
    char path[PATH_SIZE];
    struct dump clicks = {0};
    TRY(load(folder, "hurt", &check->hurt_config, complaint));
    TRY(load(folder, "calm", &check->calm_config, complaint));
    snprintf(path, sizeof path, "%s/clicks", folder);
    TRY(dump_read(path, &clicks, complaint));
    struct status status = history_expect(&check->hurt_config, &clicks, &check->expected, complaint);
    dump_release(&clicks);
    TRY(status);
    TRY(read_topics(folder, "hurt", &check->hurt_config, &check->hurt, complaint));
    TRY(read_topics(folder, "calm", &check->calm_config, &check->calm, complaint));
    int32_t partitions = (int32_t)check->hurt_config.topics.partitions;
    TRY(history_read_stores(&check->hurt_config, directories, count, partitions, &check->hurt, complaint));
    const char *calm = check->calm_config.state.directory;
    return history_read_stores(&check->calm_config, &calm, 1, partitions, &check->calm, complaint);
}

int main(int argc, char **argv)
{
    struct check check = {0};
    struct complaint complaint = {0};
    char text[256];
    if (argc < 3) {
        fputs("usage: chaos_check FOLDER STATE-DIRECTORY...\n", stderr);
        return 2;
    }
    struct status status = read_all(&check, argv[1], (const char *const *)(argv + 2), (size_t)argc - 2, &complaint);
    if (!failed(status) && check.hurt_config.models.enabled)
        status = check_models(&check, argv[1], &complaint);
    bool holds = !failed(status) && history_judge(&check.expected, &check.hurt, &check.calm, stdout);
    if (!failed(status) && check.hurt_config.models.enabled)
        holds &= versions_judge(&check.versions, stdout);
    if (failed(status))
        fprintf(stderr, "chaos_check: %s\n",
                complaint.text[0] ? complaint.text : status_text(status, text, sizeof text));
    history_release(&check.expected);
    history_release(&check.hurt);
    history_release(&check.calm);
    versions_release(&check.versions);
    config_release(&check.hurt_config);
    config_release(&check.calm_config);
    return failed(status) ? 2 : !holds;
}
