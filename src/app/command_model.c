// SPDX-License-Identifier: Apache-2.0
/* eddy model: the versions of session models in the models topic. */
#include "app/config_arguments.h"
#include "app/models/listing.h"
#include "app/models/publisher.h"
#include "app/session_model.h"
#include "app/topics.h"

#include <eddy/io/file.h>
#include <eddy/io/system.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 10000

struct model_command {
    struct config_arguments from;
    const struct config *config;
    struct kafka_options kafka;
    const char *output, *note, *file; /* file: of publish */
    int64_t version;                  /* 0: none was named */
    bool json;
};

/* ---- reading */

/* What the topic holds; records that cannot be used are spoken of. */
static struct status read_directory(const struct model_command *command, struct models_topic *ret_topic,
                                    struct model_directory **ret_directory, struct complaint *complaint)
{
    struct models_topic topic = {&command->kafka, config_topic(command->config, TOPIC_MODELS), NULL};
    struct model_directory *directory;
    int32_t partitions;
    uint64_t bad = 0;
    TRY(topic_count_partitions(topic.kafka, topic.name, TIMEOUT_MS, &partitions, complaint));
    TRY(model_directory_open(command->config->models.name, &directory));
    struct status status = models_topic_read(&topic, directory, &bad, complaint);
    if (failed(status)) {
        model_directory_close(directory);
        return status;
    }
    if (bad)
        fprintf(stderr, "eddy model: %llu records of %s cannot be used, and are passed over\n", (unsigned long long)bad,
                topic.name);
    *ret_topic = topic;
    *ret_directory = directory;
    return OK;
}

/* The version that was named, or else the one in use. */
static struct status choose(const struct model_command *command, const struct model_directory *directory,
                            const struct model_manifest **ret_manifest, struct complaint *complaint)
{
    const struct model_manifest *wanted = model_directory_wanted(directory);
    const struct model_manifest *manifest = model_directory_version(directory, command->version);
    if (!command->version && !wanted)
        return complain(complaint, FAIL(NOT_FOUND, 0, "no model"), "there is no model '%s' in topic %s yet",
                        command->config->models.name, config_topic(command->config, TOPIC_MODELS));
    if (command->version && !manifest)
        return complain(complaint, FAIL(NOT_FOUND, command->version, "no such version"),
                        "there is no version %lld (any more); 'eddy model list' shows those that there are",
                        (long long)command->version);
    *ret_manifest = command->version ? manifest : wanted;
    return OK;
}

static struct status print(struct buffer *text)
{
    TRY(buffer_check(text));
    fwrite(text->data, 1, text->size, stdout);
    return OK;
}

static struct status list(const struct model_command *command, struct complaint *complaint)
{
    AUTO(buffer) text = {0};
    struct models_topic topic;
    struct model_directory *directory;
    TRY(read_directory(command, &topic, &directory, complaint));
    if (command->json)
        model_listing_json(directory, &text);
    else
        model_listing_table(directory, &text);
    if (!model_directory_wanted(directory))
        fprintf(stderr, "eddy model: no version of '%s' is in use\n", command->config->models.name);
    model_directory_close(directory);
    return print(&text);
}

static struct status show(const struct model_command *command, struct complaint *complaint)
{
    AUTO(buffer) text = {0};
    struct models_topic topic;
    struct model_directory *directory;
    const struct model_manifest *manifest;
    TRY(read_directory(command, &topic, &directory, complaint));
    struct status status = choose(command, directory, &manifest, complaint);
    if (!failed(status) && command->json)
        model_listing_show_json(directory, manifest, &text);
    else if (!failed(status))
        model_listing_show(directory, manifest, &text);
    model_directory_close(directory);
    TRY(status);
    return print(&text);
}

/* ---- fetching */

static struct status write_payload(const char *path, struct bytes payload, struct complaint *complaint)
{
    struct file_writer *writer;
    TRY(file_writer_open(path, &writer, complaint));
    struct status status = file_writer_append(writer, payload, complaint);
    if (failed(status)) {
        file_writer_abandon(writer);
        return status;
    }
    return file_writer_close(writer, complaint);
}

static struct status fetch_from(const struct model_command *command, const struct models_topic *topic,
                                const struct model_directory *directory, struct complaint *complaint)
{
    const struct model_manifest *manifest;
    struct model_assembly *assembly;
    struct bytes payload = {0};
    TRY(choose(command, directory, &manifest, complaint));
    TRY(models_topic_fetch(topic, directory, manifest, command->config->models.size_max_bytes, &assembly, complaint));
    struct status status = model_assembly_payload(assembly, &payload, complaint);
    if (!failed(status))
        status = write_payload(command->output, payload, complaint);
    model_assembly_close(assembly);
    if (!failed(status))
        fprintf(stderr, "eddy model: version %lld, %lld bytes, is in %s\n", (long long)manifest->version,
                (long long)manifest->size, command->output);
    return status;
}

static struct status fetch(const struct model_command *command, struct complaint *complaint)
{
    struct models_topic topic;
    struct model_directory *directory;
    TRY(file_try(command->output, complaint));
    TRY(read_directory(command, &topic, &directory, complaint));
    struct status status = fetch_from(command, &topic, directory, complaint);
    model_directory_close(directory);
    return status;
}

/* ---- writing */

static struct status report(const struct model_command *command, const struct model_directory *directory,
                            const char *what, const struct model_manifest *manifest)
{
    AUTO(buffer) text = {0};
    const struct model_manifest *wanted = model_directory_wanted(directory);
    char version[MODEL_VERSION_SIZE] = "";
    if (manifest)
        model_version_write(manifest->version, manifest->sha256, version);
    if (command->json && manifest)
        model_listing_show_json(directory, manifest, &text);
    else
        buffer_format(&text, "%s%s%s\n", version, *version ? " " : "", what);
    if (manifest && wanted && wanted->version != manifest->version)
        fprintf(stderr, "eddy model: version %lld is pinned and stays in use until 'eddy model unpin'\n",
                (long long)wanted->version);
    return print(&text);
}

static struct status publish_file(const struct model_command *command, struct model_publisher *publisher,
                                  const struct model_file *file, struct complaint *complaint)
{
    struct time_source time = system_time();
    const struct model_publication publication = {.model = file->model,
                                                  .items = model_items_of_file(file),
                                                  .created_ms = time.ops->wall_ms(time.self),
                                                  .note = command->note ? command->note : ""};
    TRY(model_publisher_publish(publisher, &publication, complaint));
    const struct model_directory *directory = model_publisher_directory(publisher);
    return report(command, directory, "is published and current", model_directory_current(directory));
}

static struct status publish(const struct model_command *command, struct complaint *complaint)
{
    struct model_file file;
    struct model_publisher *publisher;
    TRY(model_file_read(command->file, &file, complaint));
    struct status status = model_publisher_open(command->config, &command->kafka, NULL, &publisher, complaint);
    if (!failed(status)) {
        status = publish_file(command, publisher, &file, complaint);
        model_publisher_close(publisher);
    }
    model_file_release(&file);
    return status;
}

/* The newest version before the current one. */
static struct status one_before(const struct model_directory *directory, int64_t *ret_version,
                                struct complaint *complaint)
{
    const struct model_manifest *current = model_directory_current(directory), *best = NULL;
    for (uint32_t slot = 0; slot < MODEL_SLOTS_MAX; slot++) {
        const struct model_manifest *manifest = model_directory_slot(directory, slot);
        if (manifest && current && manifest->version < current->version && (!best || manifest->version > best->version))
            best = manifest;
    }
    if (!best)
        return complain(complaint, FAIL(NOT_FOUND, 0, "no version to go back to"),
                        "there is no version before the current one; 'eddy model list' shows those that there are");
    *ret_version = best->version;
    return OK;
}

static struct status roll_back(const struct model_command *command, struct model_publisher *publisher,
                               struct complaint *complaint)
{
    int64_t version = command->version;
    TRY(model_publisher_read(publisher, complaint));
    if (!version)
        TRY(one_before(model_publisher_directory(publisher), &version, complaint));
    TRY(model_publisher_point(publisher, MODEL_KEY_CURRENT, version, complaint));
    const struct model_directory *directory = model_publisher_directory(publisher);
    return report(command, directory, "is current again", model_directory_current(directory));
}

static struct status pin(const struct model_command *command, struct model_publisher *publisher,
                         struct complaint *complaint)
{
    const struct model_manifest *manifest;
    const struct model_directory *directory = model_publisher_directory(publisher);
    TRY(model_publisher_read(publisher, complaint));
    TRY(choose(command, directory, &manifest, complaint));
    TRY(model_publisher_point(publisher, MODEL_KEY_PINNED, manifest->version, complaint));
    return report(command, directory, "is pinned", model_directory_pinned(directory));
}

static struct status unpin(const struct model_command *command, struct model_publisher *publisher,
                           struct complaint *complaint)
{
    TRY(model_publisher_point(publisher, MODEL_KEY_PINNED, 0, complaint));
    const struct model_directory *directory = model_publisher_directory(publisher);
    const struct model_manifest *current = model_directory_current(directory);
    return report(command, directory, current ? "is in use; none is pinned" : "none is pinned, and none in use",
                  current);
}

static struct status with_publisher(const struct model_command *command,
                                    struct status (*work)(const struct model_command *, struct model_publisher *,
                                                          struct complaint *),
                                    struct complaint *complaint)
{
    struct model_publisher *publisher;
    TRY(model_publisher_open(command->config, &command->kafka, NULL, &publisher, complaint));
    struct status status = work(command, publisher, complaint);
    model_publisher_close(publisher);
    return status;
}

static struct status rollback_command(const struct model_command *command, struct complaint *complaint)
{
    return with_publisher(command, roll_back, complaint);
}

static struct status pin_command(const struct model_command *command, struct complaint *complaint)
{
    return with_publisher(command, pin, complaint);
}

static struct status unpin_command(const struct model_command *command, struct complaint *complaint)
{
    return with_publisher(command, unpin, complaint);
}

/* ---- the command */

enum operand { OPERAND_NONE, OPERAND_VERSION, OPERAND_FILE };

static const struct model_verb {
    const char *name;
    struct status (*run)(const struct model_command *command, struct complaint *complaint);
    enum operand operand;
} verbs[] = {
    {"list", list, OPERAND_NONE},
    {"show", show, OPERAND_VERSION},
    {"rollback", rollback_command, OPERAND_VERSION},
    {"pin", pin_command, OPERAND_VERSION},
    {"unpin", unpin_command, OPERAND_NONE},
    {"publish", publish, OPERAND_FILE},
    {"fetch", fetch, OPERAND_VERSION},
};

static const struct model_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

/* "17", or "17-9f86d081884c7d65" as recommendations have it. */
static bool parse_version(const char *text, int64_t *ret_version)
{
    struct bytes number = bytes_of(text, strcspn(text, "-"));
    return bytes_to_int64(number, ret_version) && *ret_version >= 1;
}

static bool wrong(const char *text)
{
    fprintf(stderr, "eddy model: %s\nRun 'eddy model --help' for what there is.\n", text);
    return false;
}

static bool take_words(struct model_command *command, const struct argument_list *words,
                       const struct model_verb **ret_verb)
{
    const struct model_verb *verb = find_verb(words->count ? words->texts[0] : "");
    const char *operand = words->count == 2 ? words->texts[1] : NULL;
    if (!verb)
        return wrong("say 'list', 'show', 'rollback', 'pin', 'unpin', 'publish' or 'fetch'");
    if (words->count > 2 || (operand && verb->operand == OPERAND_NONE))
        return wrong("there are more words than the command takes");
    if (verb->operand == OPERAND_FILE && !operand)
        return wrong("publish: name the file of a model");
    if (verb->operand == OPERAND_VERSION && operand && !parse_version(operand, &command->version))
        return wrong("a version is its number, as 'eddy model list' shows it");
    if ((verb->run == fetch) != (command->output != NULL))
        return wrong(command->output ? "--output is for 'fetch'" : "fetch: say by --output where the model is to go");
    if (command->note && verb->run != publish)
        return wrong("--note is for 'publish'");
    if (command->json && verb->run == fetch)
        return wrong("--json is not for 'fetch'");
    command->file = operand;
    *ret_verb = verb;
    return true;
}

static const char about[] =
    "Versions of session models lie in the models topic (topics.models), under the name models.name.\n"
    "list and show tell of them. publish makes a trained model the next version, and current; rollback\n"
    "makes an earlier one current again, the one before unless it is named. pin has every process use a\n"
    "version whatever is published, until unpin. fetch writes a version to a file, for 'eddy evaluate\n"
    "--model'. Processes that run follow within moments. What is not named is the version in use.\n"
    "All but list, show and fetch take over from whoever publishes, who has to begin anew.\n";

static const char examples[] = "  eddy model publish shop.model --note 'trained on May' --config eddy.yaml\n"
                               "  eddy model list --config eddy.yaml\n"
                               "  eddy model rollback --config eddy.yaml\n"
                               "  eddy model fetch 17 --output seventeen.model --config eddy.yaml\n";

static int run(const struct model_verb *verb, struct model_command *command)
{
    struct config config;
    struct complaint complaint = {""};
    int code = config_from_arguments("model", &command->from, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    command->config = &config;
    struct status status = config_kafka_options(&config, &command->kafka, &complaint);
    if (!failed(status))
        status = verb->run(command, &complaint);
    if (failed(status))
        code = command_fail("model", status, &complaint);
    config_release(&config);
    return failed_as(status, FAULT_FENCED) ? EXIT_LOCKED : code;
}

int command_model(int argc, char **argv)
{
    struct model_command command = {0};
    struct argument_list words = {0};
    const struct model_verb *verb = NULL;
    const struct argument arguments[] = {
        {"output", "FILE", "fetch: where the model goes", ARGUMENT_TEXT, &command.output},
        {"note", "TEXT", "publish: said of the version wherever it is listed", ARGUMENT_TEXT, &command.note},
        {"json", NULL, "JSON Lines, with all that a manifest says", ARGUMENT_FLAG, &command.json},
        CONFIG_ARGUMENTS(command.from),
        {0},
    };
    const struct usage usage = {"eddy model list|show|rollback|pin|unpin|publish|fetch [VERSION|FILE] [OPTION...]",
                                about, arguments, examples};
    switch (arguments_parse(&usage, argc, argv, &words)) {
    case ARGUMENTS_OK:
        break;
    case ARGUMENTS_HELP:
        return EXIT_OK;
    default:
        return EXIT_USAGE;
    }
    return take_words(&command, &words, &verb) ? run(verb, &command) : EXIT_USAGE;
}
