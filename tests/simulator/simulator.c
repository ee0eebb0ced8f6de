// SPDX-License-Identifier: Apache-2.0
/* simulator: eddy's shards, knowledge and followers in a simulated Kafka, seed after seed, until something does not
 * hold. The same seed is the same run, to the byte; every TWICE_EVERYth is run twice to see that. */
#include "support/support.h"

#include "app/log.h"
#include "simulator/simulation.h"

#include <eddy/io/system.h>
#include <getopt.h>
#include <unistd.h>

#define TWICE_EVERY  8
#define BROKEN_SEEDS 1000 /* in so many a broken world must be noticed */

static const char usage[] =
    "usage: simulator [OPTION...] [SEEDS [FIRST]]   SEEDS seeds from FIRST on (standard: 1000 from 1)\n"
    "\n"
    "  --seconds N   stop after N seconds; without SEEDS: as many seeds as fit\n"
    "  --verbose     say what happens, and eddy's log\n"
    "  --broken      instead: that each way to break the system is noticed\n";

struct command {
    uint64_t seeds, first;
    int64_t seconds; /* 0: no limit */
    bool verbose, broken, help;
};

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

/* ---- seeds */

/* False when it does not hold, or not twice in the same way. */
static bool run_seed(uint64_t seed, enum sabotage sabotage, bool twice, bool verbose, struct simulated *simulated)
{
    simulate(seed, sabotage, verbose, simulated);
    if (simulated->complaint[0] || !twice)
        return !simulated->complaint[0];
    struct simulated again;
    simulate(seed, sabotage, false, &again);
    if (again.hash != simulated->hash)
        snprintf(simulated->complaint, sizeof simulated->complaint, "the same seed ran in two ways");
    return again.hash == simulated->hash;
}

struct sum {
    uint64_t seeds, once, crashes, starts, rebalances, rebuilds, doubts;
    struct judge_counts counts;
};

static void add(struct sum *sum, const struct simulated *simulated)
{
    sum->seeds++;
    sum->once += simulated->exactly_once;
    sum->crashes += simulated->crashes;
    sum->starts += simulated->starts;
    sum->rebalances += simulated->rebalances;
    sum->rebuilds += simulated->rebuilds;
    sum->doubts += simulated->doubts;
    sum->counts.clicks += simulated->counts.clicks;
    sum->counts.answered += simulated->counts.answered;
    sum->counts.late += simulated->counts.late;
    sum->counts.duplicates += simulated->counts.duplicates;
    sum->counts.dead += simulated->counts.dead;
    sum->counts.closed += simulated->counts.closed;
    sum->counts.repeats += simulated->counts.repeats;
    sum->counts.idle_steps += simulated->counts.idle_steps;
    sum->counts.portions += simulated->counts.portions;
    sum->counts.excused += simulated->counts.excused;
}

#define U(number) (unsigned long long)(number)

static void print_sum(const struct sum *sum, int64_t began_us)
{
    double seconds = (double)(now_us() - began_us) / 1e6;
    printf("%llu seeds held (%llu exactly once) in %.1f s, %.0f a second\n", U(sum->seeds), U(sum->once), seconds,
           (double)sum->seeds / seconds);
    printf("%llu clicks: %llu answered, %llu late, %llu duplicates, %llu dead letters; %llu sessions closed; "
           "%llu answers repeated (at least once)\n",
           U(sum->counts.clicks), U(sum->counts.answered), U(sum->counts.late), U(sum->counts.duplicates),
           U(sum->counts.dead), U(sum->counts.closed), U(sum->counts.repeats));
    printf("%llu starts, %llu crashes, %llu rebalances, %llu rebuilds or catch-ups, %llu commits in doubt, %llu idle "
           "steps, %llu portions of closings committed; %llu partitions excused\n",
           U(sum->starts), U(sum->crashes), U(sum->rebalances), U(sum->rebuilds), U(sum->doubts),
           U(sum->counts.idle_steps), U(sum->counts.portions), U(sum->counts.excused));
}

static int run_seeds(const struct command *command)
{
    struct sum sum = {0};
    int64_t began_us = now_us();
    for (uint64_t seed = command->first; seed - command->first < command->seeds; seed++) {
        struct simulated simulated;
        if (command->seconds && now_us() - began_us > command->seconds * 1000000)
            break;
        if (!run_seed(seed, SABOTAGE_NONE, seed % TWICE_EVERY == 0, command->verbose, &simulated)) {
            printf("seed %llu: %s\nagain, with what happens: ./dev simulate --verbose 1 %llu\n", U(seed),
                   simulated.complaint, U(seed));
            return 1;
        }
        add(&sum, &simulated);
    }
    print_sum(&sum, began_us);
    bool idle = sum.seeds >= 1000 && !sum.counts.portions; /* then nothing was learned about them */
    if (idle)
        puts("no click closed its sessions in portions");
    return idle;
}

/* ---- that broken worlds are noticed */

static const struct {
    const char *text;
    const char *notice; /* part of the complaint */
} sabotages[] = {
#define X(name, text, notice) [SABOTAGE_##name] = {text, notice},
    SABOTAGES(X)
#undef X
};

static bool is_noticed(enum sabotage sabotage)
{
    for (uint64_t seed = 1; seed <= BROKEN_SEEDS; seed++) {
        struct simulated simulated;
        if (run_seed(seed, sabotage, sabotage == SABOTAGE_UNSEEDED, false, &simulated) ||
            !strstr(simulated.complaint, sabotages[sabotage].notice))
            continue;
        printf("%s: noticed at seed %llu: %s\n", sabotages[sabotage].text, U(seed), simulated.complaint);
        return true;
    }
    printf("%s: NOT noticed in %d seeds\n", sabotages[sabotage].text, BROKEN_SEEDS);
    return false;
}

static int run_broken(void)
{
    bool all = true;
    for (int i = SABOTAGE_NONE + 1; i < SABOTAGE_COUNT; i++)
        all = is_noticed((enum sabotage)i) && all;
    return !all;
}

/* ---- the command line */

static bool number_of(const char *text, uint64_t *ret_number)
{
    int64_t number;
    if (!bytes_to_int64(bytes_of_text(text), &number) || number < 0)
        return false;
    *ret_number = (uint64_t)number;
    return true;
}

static bool parse(int argc, char **argv, struct command *command)
{
    static const struct option options[] = {{"seconds", required_argument, NULL, 's'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"broken", no_argument, NULL, 'b'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    uint64_t seconds = 0;
    bool fine = true;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        command->verbose |= option == 'v';
        command->broken |= option == 'b';
        command->help |= option == 'h';
        if (option == 's')
            fine = fine && number_of(optarg, &seconds);
        fine = fine && option != '?';
    }
    command->seconds = (int64_t)seconds;
    command->seeds = seconds ? UINT64_MAX : 1000;
    command->first = 1;
    if (optind < argc)
        fine = fine && number_of(argv[optind], &command->seeds);
    if (optind + 1 < argc)
        fine = fine && number_of(argv[optind + 1], &command->first);
    return fine && optind + 2 >= argc;
}

int main(int argc, char **argv)
{
    struct command command = {0};
    if (!parse(argc, argv, &command)) {
        fputs(usage, stderr);
        return 2;
    }
    if (command.help) {
        fputs(usage, stdout);
        return 0;
    }
    log_configure(command.verbose ? LOG_DEBUG : LOG_ERROR + 1, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    return command.broken ? run_broken() : run_seeds(&command);
}
