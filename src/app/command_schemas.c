// SPDX-License-Identifier: Apache-2.0
/* eddy schemas register|check: what a schema registry holds of the topics whose format is confluent. */
#include "app/config_arguments.h"
#include "app/schemas.h"

#include <stdio.h>

struct schemas_command {
    const struct config *config;
    struct registry *registry;
    bool problems;
};

/* One subject: what is found out about it. */
struct subject {
    const struct schema_use *use;
    const char *name;
    struct registry_version version; /* id 0: none */
    bool wrong;
    struct complaint state;
};

static void say(struct subject *subject, bool wrong, const char *text, const char *more)
{
    subject->wrong = wrong;
    complain(&subject->state, OK, "%s%s", text, more);
}

static void print(struct schemas_command *command, const struct subject *subject)
{
    char id[16] = "-", number[16] = "-";
    const struct schema_use *use = subject->use;
    if (subject->version.id)
        snprintf(id, sizeof id, "%d", subject->version.id);
    if (subject->version.number)
        snprintf(number, sizeof number, "%d", subject->version.number);
    printf("%-36s %-13s %8s %8s  %s%s\n", subject->name,
           use->written ? use->read ? "written, read" : "written" : "read", id, number, subject->wrong ? "WRONG: " : "",
           subject->state.text);
    command->problems = command->problems || subject->wrong;
}

/* ---- register */

static struct status register_subject(struct schemas_command *command, struct subject *subject,
                                      struct complaint *complaint)
{
    AUTO(buffer) latest = {0};
    struct bytes schema = bytes_of_text(record_schema(subject->use->type));
    struct status status = FAIL(NOT_FOUND, 0, "not looked for");
    if (!subject->use->written) { /* it is its writers' to say what it holds */
        status = registry_latest(command->registry, subject->name, &latest, &subject->version, complaint);
        if (!failed(status) || failed_as(status, FAULT_BAD_INPUT)) {
            say(subject, false, "is there already; its writers' schema stays as it is", "");
            return OK;
        }
    }
    if (failed_as(status, FAULT_NOT_FOUND))
        status = registry_register(command->registry, subject->name, schema, &subject->version, complaint);
    if (failed_as(status, FAULT_BAD_INPUT)) {
        say(subject, true, "eddy's schema is refused: ", complaint->text);
        return OK;
    }
    TRY(status);
    say(subject, false, "registered", "");
    return OK;
}

/* ---- check */

/* Whether eddy reads what is written in the subject's newest schema. */
static struct status judge_reading(const struct subject *subject, struct bytes schema, bool *ret_good,
                                   struct complaint *why)
{
    struct decoder *decoder;
    const struct schema_name name = {.id = subject->version.id};
    TRY(decoder_open(subject->use->type, RECORD_CONFLUENT, &decoder));
    struct status status = decoder_learn_schema(decoder, &name, schema, why);
    decoder_close(decoder);
    *ret_good = !failed(status);
    return failed_as(status, FAULT_BAD_INPUT) ? OK : status;
}

static struct status check_written(struct schemas_command *command, struct subject *subject,
                                   struct complaint *complaint)
{
    bool fits = false, registers = command->config->registry.registers;
    struct bytes schema = bytes_of_text(record_schema(subject->use->type));
    struct registry_version version;
    struct status status = registry_look_up(command->registry, subject->name, schema, &version, complaint);
    if (!failed(status)) {
        subject->version = version;
        say(subject, false, "registered", "");
        return OK;
    }
    if (failed_as(status, FAULT_NOT_FOUND))
        status = registry_fits(command->registry, subject->name, schema, &fits, complaint);
    if (failed(status) && !failed_as(status, FAULT_BAD_INPUT))
        return status;
    if (!fits)
        say(subject, true, "eddy's schema does not fit to the versions there", "");
    else
        say(subject, !registers, "eddy's schema is not registered; it fits as the next version",
            registers ? ", which 'eddy run' makes it" : ". Run 'eddy schemas register'");
    return OK;
}

static struct status check_subject(struct schemas_command *command, struct subject *subject,
                                   struct complaint *complaint)
{
    AUTO(buffer) latest = {0};
    bool good, registers = command->config->registry.registers;
    struct complaint why = {""};
    struct status status = registry_latest(command->registry, subject->name, &latest, &subject->version, &why);
    if (failed_as(status, FAULT_NOT_FOUND)) {
        bool missing = subject->use->written && !registers;
        say(subject, missing, "no schema yet",
            missing                 ? ". Run 'eddy schemas register'"
            : subject->use->written ? "; 'eddy run' registers it"
                                    : "; its writers register it");
        return OK;
    }
    if (failed_as(status, FAULT_BAD_INPUT)) {
        say(subject, true, why.text, "");
        return OK;
    }
    if (failed(status))
        return complain(complaint, status, "%s", why.text);
    say(subject, false, "the newest schema can be read", "");
    if (subject->use->read) {
        TRY(judge_reading(subject, buffer_bytes(&latest), &good, &why));
        if (!good) {
            say(subject, true, "eddy cannot read the newest schema: ", why.text);
            return OK;
        }
    }
    return subject->use->written ? check_written(command, subject, complaint) : OK;
}

/* ---- the command */

static struct status each_subject(struct schemas_command *command,
                                  struct status (*verb)(struct schemas_command *, struct subject *, struct complaint *),
                                  struct complaint *complaint)
{
    struct schema_use uses[RECORD_TYPE_COUNT];
    size_t count = schema_uses(command->config, uses), subjects;
    TRY(registry_count_subjects(command->registry, &subjects, complaint)); /* is it one, and does it let us in? */
    printf("%-36s %-13s %8s %8s  %s\n", "subject", "by eddy", "id", "version", "state");
    for (size_t i = 0; i < count; i++) {
        AUTO(buffer) name = {0};
        schema_subject(command->config, uses[i].type, &name);
        struct subject subject = {.use = &uses[i], .name = buffer_text(&name)};
        TRY(verb(command, &subject, complaint));
        print(command, &subject);
    }
    return OK;
}

static struct status run(const struct config *config,
                         struct status (*verb)(struct schemas_command *, struct subject *, struct complaint *),
                         struct complaint *complaint)
{
    struct schemas_command command = {.config = config};
    if (!*config->registry.url)
        return complain(complaint, FAIL(CONFIG, 0, "no registry"),
                        "registry.url is not set; write for example --set registry.url=http://localhost:8081");
    TRY(schemas_open_registry(config, config->registry.retries, &command.registry, complaint));
    if (!command.registry)
        return complain(complaint, FAIL(CONFIG, 0, "no format needs a registry"),
                        "no topic's format is confluent, so no schemas are needed; see formats.* in the configuration");
    struct status status = each_subject(&command, verb, complaint);
    registry_close(command.registry);
    TRY(status);
    return command.problems
               ? complain(complaint, FAIL(CONFIG, 0, "schemas are wrong"), "schemas are not as they must be, see above")
               : OK;
}

int command_schemas(int argc, char **argv)
{
    struct config_arguments from = {0};
    struct argument_list verbs = {0};
    const struct argument arguments[] = {CONFIG_ARGUMENTS(from), {0}};
    const struct usage usage = {
        "eddy schemas register|check [OPTION...]",
        "For topics whose format is confluent and a schema registry (registry.url): register makes eddy's\n"
        "schemas known under their subjects (registry.subjects); a subject that eddy only reads is left\n"
        "alone when it has a schema. check says whether the registry can be reached, whether eddy can read\n"
        "the newest schema of what it reads, and whether the schema of what it writes is there or fits.\n",
        arguments,
        "  eddy schemas check --config eddy.yaml\n"
        "  eddy schemas register --set registry.url=http://localhost:8081 --set formats.recommendations=confluent\n",
    };
    switch (arguments_parse(&usage, argc, argv, &verbs)) {
    case ARGUMENTS_OK:
        break;
    case ARGUMENTS_HELP:
        return EXIT_OK;
    default:
        return EXIT_USAGE;
    }
    const char *verb = verbs.count == 1 ? verbs.texts[0] : "";
    bool registers = !strcmp(verb, "register");
    if (!registers && strcmp(verb, "check")) {
        fputs("eddy schemas: say 'register' or 'check'\nRun 'eddy schemas --help' for what they do.\n", stderr);
        return EXIT_USAGE;
    }
    struct config config;
    int code = config_from_arguments(argv[0], &from, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    struct complaint complaint = {0};
    struct status status = run(&config, registers ? register_subject : check_subject, &complaint);
    config_release(&config);
    return failed(status) ? command_fail("schemas", status, &complaint) : EXIT_OK;
}
