// SPDX-License-Identifier: Apache-2.0
/* eddy run: clicks from Kafka, recommendations to Kafka, until a signal. */
#include "app/config_arguments.h"
#include "app/log.h"
#include "app/run/embedded.h"
#include "app/run/first_steps.h"
#include "app/run/process.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* for the signal handler, which may be asked before there is a process */
static struct process *_Atomic running;
static atomic_bool stop_asked;

/* The first signal drains; the second finds the default action and quits. */
static void on_signal(int number)
{
    (void)number;
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGTERM, &standard, NULL);
    sigaction(SIGINT, &standard, NULL);
    stop_asked = true;
    struct process *process = running;
    if (process)
        process_stop(process);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static int exit_code_of(struct status status)
{
    if (!failed(status))
        return EXIT_OK;
    switch (status.fault->kind) {
    case FAULT_CONFIG:
    case FAULT_NOT_FOUND:
        return EXIT_CONFIG;
    case FAULT_UNAVAILABLE:
        return EXIT_UNAVAILABLE;
    case FAULT_BAD_INPUT:
        return EXIT_DATA;
    case FAULT_CORRUPT:
    case FAULT_NEWER:
        return EXIT_STATE;
    case FAULT_LOCKED:
    case FAULT_FENCED:
        return EXIT_LOCKED;
    default:
        return EXIT_FAILED;
    }
}

static int report(struct status status, const struct complaint *complaint)
{
    char text[256];
    if (failed(status))
        fprintf(stderr, "eddy run: %s\n",
                complaint->text[0] ? complaint->text : status_text(status, text, sizeof text));
    return exit_code_of(status);
}

static struct status run_process(const struct config *config, bool embedded, bool adopt, struct complaint *complaint)
{
    const struct process_options options = {.config = config, .state_in_memory = embedded, .adopt = adopt};
    struct process *process;
    TRY(process_open(&options, &process, complaint));
    running = process;
    if (stop_asked)
        process_stop(process);
    struct status status = process_run(process, complaint);
    running = NULL;
    process_close(process);
    return status;
}

static struct status run_embedded(struct config *config, struct complaint *complaint)
{
    struct embedded *embedded;
    TRY(embedded_open(config, &embedded, complaint));
    AUTO(buffer) steps = {0};
    first_steps_write(config, &steps);
    fprintf(stderr,
            "eddy run: this is the embedded broker, for a first look only: it keeps little, and nothing when eddy "
            "ends.\n%s",
            buffer_text(&steps));
    printf("bootstrap=%s\n", embedded_bootstrap(embedded));
    fflush(stdout);
    struct status status = run_process(config, true, false, complaint);
    embedded_close(embedded);
    return status;
}

int command_run(int argc, char **argv)
{
    struct config_arguments from = {0};
    bool embedded = false, adopt = false;
    const struct argument arguments[] = {
        {"embedded", NULL, "start a broker inside the process, for a first look; formats are JSON unless they are set",
         ARGUMENT_FLAG, &embedded},
        {"adopt", NULL,
         "where the group's offsets were set back: go back there, rebuild sessions, and answer what follows again",
         ARGUMENT_FLAG, &adopt},
        CONFIG_ARGUMENTS(from),
        {0},
    };
    const struct usage usage = {
        "eddy run [OPTION...]",
        "Reads clicks from Kafka and answers each with a recommendation, until SIGTERM or SIGINT: the\n"
        "first gives the partitions up after a last commit, the second quits at once.\n",
        arguments,
        "  eddy run --config eddy.yaml\n"
        "  eddy run --set kafka.bootstrap.servers=localhost:9092 --set formats.clicks=json\n"
        "  eddy run --embedded\n",
    };
    switch (arguments_parse(&usage, argc, argv, NULL)) {
    case ARGUMENTS_OK:
        break;
    case ARGUMENTS_HELP:
        return EXIT_OK;
    default:
        return EXIT_USAGE;
    }
    catch_signals();
    struct config config;
    int code = config_from_arguments(argv[0], &from, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    log_configure(config.log.level, config.log.format, STDERR_FILENO);
    struct complaint complaint = {0};
    struct status status =
        embedded ? run_embedded(&config, &complaint) : run_process(&config, false, adopt, &complaint);
    config_release(&config);
    return report(status, &complaint);
}
