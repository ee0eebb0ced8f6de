// SPDX-License-Identifier: Apache-2.0
/* torture: each allocation, each call of LMDB, on a file or of librdkafka that a scripted run makes fails once, one
 * after the other. After that either the run went on as if nothing had been, or it failed with a status that says what
 * it was, and then a second try without a failure goes on from what the first has left. In both cases what is stored
 * and answered in the end must be what an undisturbed run gives, and nothing may have crashed or leaked. */
#include "support/support.h"

#include "app/log.h"
#include "torture/torture.h"

#include <eddy/io/system.h>
#include <getopt.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAK_LOOK_EVERY 100 /* failures; a look takes as long as some runs */
#define APART_MAX       12  /* processes at a time: they mostly wait */
#define APART_SECONDS   60
#define NOTICED         10 /* exit code */

static const char usage[] =
    "usage: torture [OPTION...] [RUN...]   all runs, or some\n"
    "\n"
    "  --share N   every Nth failure only\n"
    "  --broken    instead: that a failure which is ignored, or named wrongly, and a leak are noticed\n";

/* Of LeakSanitizer; not there in a build without it. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

static const struct {
    const char *name;
    unsigned kinds; /* that a status may have which tells of one */
} classes[FAULT_CLASSES] = {
#define KIND(kind) (1u << FAULT_##kind)
    [FAULTS_MEMORY] = {"memory", KIND(MEMORY)},
    [FAULTS_STORE_IO] = {"store", KIND(IO)},
    [FAULTS_STORE_MAP] = {"store's map", KIND(LIMIT)},
    [FAULTS_STORE_DISK] = {"store's disk", KIND(DISK_FULL)},
    [FAULTS_FILE] = {"file", KIND(IO) | KIND(DISK_FULL)},
    [FAULTS_KAFKA] = {"kafka", KIND(UNAVAILABLE) | KIND(IO) | KIND(CONFIG) | KIND(FENCED) | KIND(MEMORY)},
};

struct sum {
    size_t injected, stopped, problems;
};

/* What is going on, for when the process dies of it. */
static char place[200];

static void tell_place(int signal)
{
    ssize_t ignored = write(STDERR_FILENO, place, strlen(place));
    (void)ignored;
    if (signal) {
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        raise(signal);
    }
}

static struct status try_once(const struct run *run, void *self, enum fault_class class, size_t nth, size_t *ret_calls)
{
    faults_arm(class, nth);
    struct status status = run->once(self);
    *ret_calls = faults_disarm();
    return status;
}

static void problem(struct sum *sum, const char *what, struct status status)
{
    char text[256];
    sum->problems++;
    fprintf(stderr, "%s    %s fails: %s%s%s\n", place, faults_struck() ? faults_struck() : "nothing", what,
            failed(status) ? ": " : "", failed(status) ? status_text(status, text, sizeof text) : "");
}

/* One failure, and what comes after. */
static void torture_one(const struct run *run, enum sabotage sabotage, enum fault_class class, size_t nth,
                        uint64_t wanted, struct sum *sum)
{
    size_t calls;
    snprintf(place, sizeof place, "torture: run %s, %s call %zu:\n", run->name, classes[class].name, nth);
    void *self = run->begin(sabotage);
    struct status status = try_once(run, self, class, nth, &calls);
    sum->injected += faults_struck() != NULL;
    if (failed(status)) {
        sum->stopped++;
        if (!faults_struck() || !(classes[class].kinds & 1u << status.fault->kind))
            problem(sum, "the status does not say so", status);
        status = run->once(self);
        if (failed(status))
            problem(sum, "the next try fails too", status);
    }
    if (!failed(status) && run->result(self) != wanted)
        problem(sum, "what is stored or answered in the end is different", OK);
    run->end(self);
}

static void look_for_leaks(struct sum *sum)
{
    if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check())
        problem(sum, "a leak, here or before", OK);
}

/* ---- runs with threads: in processes of their own */

struct apart {
    pid_t processes[APART_MAX];
    size_t count;
};

static void wait_for_one(struct apart *apart, struct sum *sum)
{
    int result;
    pid_t process = waitpid(-1, &result, 0);
    assert_true(process > 0);
    apart->count--;
    bool ended = WIFEXITED(result);
    int code = ended ? WEXITSTATUS(result) : 0;
    sum->injected += !ended || code != 2;
    sum->stopped += ended && code == 1;
    sum->problems += !ended || code > 2;
}

/* The exit code: 0 when the run went on, 1 when it stopped, 2 when the call was not reached this time, 3 a problem. */
static void torture_apart(const struct run *run, enum sabotage sabotage, enum fault_class class, size_t nth,
                          uint64_t wanted, struct apart *apart, struct sum *sum)
{
    if (apart->count == APART_MAX)
        wait_for_one(apart, sum);
    fflush(NULL);
    apart->count++;
    if (fork())
        return;
    struct sum own = {0};
    alarm(APART_SECONDS);
    torture_one(run, sabotage, class, nth, wanted, &own);
    look_for_leaks(&own);
    fflush(NULL);
    _Exit(own.problems ? 3 : own.stopped ? 1 : own.injected ? 0 : 2);
}

/* How many calls there are, and what an undisturbed run gives; it is the same each time. */
static uint64_t measure(const struct run *run, enum fault_class class, size_t *ret_calls)
{
    snprintf(place, sizeof place, "torture: run %s, undisturbed:\n", run->name);
    void *self = run->begin(SABOTAGE_NONE);
    assert_ok(try_once(run, self, class, 0, ret_calls));
    uint64_t result = run->result(self);
    run->end(self);
    return result;
}

struct measured {
    uint64_t result;
    size_t calls;
};

static struct measured measure_apart(const struct run *run, enum fault_class class)
{
    struct measured measured = {0};
    int ends[2], result;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t process = fork();
    if (!process) {
        measured.result = measure(run, class, &measured.calls);
        _Exit(write(ends[1], &measured, sizeof measured) != sizeof measured);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &measured, sizeof measured), sizeof measured);
    close(ends[0]);
    assert_int_equal(waitpid(process, &result, 0), process);
    return measured;
}

static void torture_class(const struct run *run, enum sabotage sabotage, enum fault_class class, size_t share,
                          struct sum *sum)
{
    struct measured measured;
    struct apart apart = {0};
    if (run->apart)
        measured = measure_apart(run, class);
    else
        measured.result = measure(run, class, &measured.calls);
    assert_true(measured.calls > 0);
    for (size_t nth = 1; nth <= measured.calls; nth += share) {
        if (run->apart)
            torture_apart(run, sabotage, class, nth, measured.result, &apart, sum);
        else
            torture_one(run, sabotage, class, nth, measured.result, sum);
        if (!run->apart && nth / share % LEAK_LOOK_EVERY == 0)
            look_for_leaks(sum);
    }
    while (apart.count > 0)
        wait_for_one(&apart, sum);
    if (!run->apart)
        look_for_leaks(sum);
}

static struct sum torture_run(const struct run *run, enum sabotage sabotage, size_t share)
{
    struct sum sum = {0};
    for (enum fault_class class = 0; class < FAULT_CLASSES; class ++) {
        if (!(run->classes & 1u << class))
            continue;
        struct sum before = sum;
        torture_class(run, sabotage, class, share, &sum);
        printf("%-14s %-12s %5zu failures: %5zu stopped the run, %5zu did not; %zu problems\n", run->name,
               classes[class].name, sum.injected - before.injected, sum.stopped - before.stopped,
               sum.injected - before.injected - (sum.stopped - before.stopped), sum.problems - before.problems);
        fflush(stdout);
    }
    return sum;
}

/* ---- command */

static const struct run *const runs[] = {&run_config,       &run_logs,  &run_learned, &run_at_least_once,
                                         &run_exactly_once, &run_kafka, &run_models,  &run_train};

static bool wanted(const struct run *run, char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], run->name))
            return true;
    return count == 0;
}

static int torture_all(size_t share, char *const *names, int count)
{
    struct sum sum = {0};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        if (!wanted(runs[i], names, count))
            continue;
        struct sum one = torture_run(runs[i], SABOTAGE_NONE, share);
        sum.injected += one.injected;
        sum.stopped += one.stopped;
        sum.problems += one.problems;
    }
    printf("%zu failures injected, %zu problems\n", sum.injected, sum.problems);
    return sum.problems > 0 || !sum.injected;
}

/* Standard error is where the problems go that are wanted here. */
static int torture_broken(void)
{
    static const struct {
        enum sabotage sabotage;
        const char *name;
        const struct run *run;
    } kinds[] = {{SABOTAGE_IGNORED_COMMIT, "a commit whose failure is ignored", &run_at_least_once},
                 {SABOTAGE_LEAK, "a leak after a failure", &run_config},
                 {SABOTAGE_WRONG_KIND, "a failure under a wrong name", &run_config},
                 {SABOTAGE_HALF_A_MODEL, "a model that is half taken into use", &run_models}};
    int missed = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int result;
        if (kinds[i].sabotage == SABOTAGE_LEAK && !__lsan_do_recoverable_leak_check)
            continue;
        fflush(NULL);
        pid_t process = fork(); /* what it leaks, this process would be said to leak at its end */
        if (!process) {
            size_t problems = torture_run(kinds[i].run, kinds[i].sabotage, 11).problems;
            _Exit(problems ? NOTICED : 0);
        }
        assert_int_equal(waitpid(process, &result, 0), process);
        bool noticed = WIFEXITED(result) && WEXITSTATUS(result) == NOTICED;
        printf("%s: %s\n", kinds[i].name, noticed ? "noticed" : "NOT NOTICED");
        missed += !noticed;
    }
    return missed > 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"share", required_argument, NULL, 's'}, {"broken", no_argument, NULL, 'b'}, {NULL, 0, NULL, 0}};
    int option;
    int64_t share = 1;
    bool broken = false;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'b') {
            broken = true;
        } else if (option != 's' || !bytes_to_int64(bytes_of_text(optarg), &share) || share < 1) {
            fputs(usage, stderr);
            return 2;
        }
    }
    log_configure(LOG_ERROR + 1, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    sigaction(SIGABRT, &(struct sigaction){.sa_handler = tell_place}, NULL);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = tell_place}, NULL);
    return broken ? torture_broken() : torture_all((size_t)share, argv + optind, argc - optind);
}
