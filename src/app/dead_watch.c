// SPDX-License-Identifier: Apache-2.0
#include "app/dead_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define REASONS_MAX 16 /* further ones are not told apart from none */
#define EXAMPLE_MAX 256
#define MINUTE_US   INT64_C(60000000)

struct reason {
    const char *what; /* of the fault, so that reasons that name different values count together */
    uint64_t count;
    int32_t partition; /* the first one's place, and its reason in full */
    int64_t offset;
    char example[EXAMPLE_MAX];
};

struct window {
    uint64_t clicks, letters;
    int64_t begin_us;
    struct reason reasons[REASONS_MAX];
    size_t reason_count;
};

struct dead_watch {
    struct dead_limits limits;
    pthread_mutex_t lock; /* of the windows */
    struct window by_clicks, by_time;
    _Atomic(const struct window *) exceeded; /* then it changes no more */
};

struct status dead_watch_open(const struct dead_limits *limits, struct dead_watch **ret_watch)
{
    assert(limits->window_clicks > 0);
    struct dead_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return FAIL(MEMORY, 0, "no memory for a watch over dead letters");
    watch->limits = *limits;
    pthread_mutex_init(&watch->lock, NULL);
    *ret_watch = watch;
    return OK;
}

void dead_watch_close(struct dead_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

bool dead_watch_exceeded(const struct dead_watch *watch)
{
    return atomic_load(&watch->exceeded) != NULL;
}

/* 0.02 of 200 is 4, also where it is 0.0199999996. */
static uint64_t allowed_of_window(const struct dead_watch *watch)
{
    return (uint64_t)((double)watch->limits.ratio_max * watch->limits.window_clicks * (1 + 1e-6));
}

static void begin(struct window *window, int64_t now_us)
{
    window->clicks = window->letters = 0;
    window->reason_count = 0;
    window->begin_us = now_us;
}

void dead_watch_click(struct dead_watch *watch)
{
    if (watch->limits.ratio_max <= 0)
        return;
    pthread_mutex_lock(&watch->lock);
    if (!dead_watch_exceeded(watch)) {
        if (watch->by_clicks.clicks >= watch->limits.window_clicks)
            begin(&watch->by_clicks, 0);
        watch->by_clicks.clicks++;
    }
    pthread_mutex_unlock(&watch->lock);
}

static void count_reason(struct window *window, const struct message *message, struct status status, const char *text)
{
    size_t at = 0;
    while (at < window->reason_count && strcmp(window->reasons[at].what, status.fault->what) != 0)
        at++;
    if (at == REASONS_MAX)
        return;
    struct reason *reason = &window->reasons[at];
    if (at == window->reason_count) {
        window->reason_count++;
        *reason =
            (struct reason){.what = status.fault->what, .partition = message->partition, .offset = message->offset};
        snprintf(reason->example, sizeof reason->example, "%s", text);
    }
    reason->count++;
}

/* Too many do not become fewer while the window lasts, so its end is not waited for. */
static void judge(struct dead_watch *watch)
{
    if (watch->limits.ratio_max > 0 && watch->by_clicks.letters > allowed_of_window(watch))
        atomic_store(&watch->exceeded, &watch->by_clicks);
    else if (watch->limits.per_minute_max && watch->by_time.letters > watch->limits.per_minute_max)
        atomic_store(&watch->exceeded, &watch->by_time);
}

void dead_watch_letter(struct dead_watch *watch, int64_t monotonic_us, const struct message *message,
                       struct status reason, const char *text)
{
    pthread_mutex_lock(&watch->lock);
    if (!dead_watch_exceeded(watch)) {
        if (!watch->by_time.letters || monotonic_us - watch->by_time.begin_us >= MINUTE_US)
            begin(&watch->by_time, monotonic_us);
        watch->by_clicks.letters++;
        watch->by_time.letters++;
        count_reason(&watch->by_clicks, message, reason, text);
        count_reason(&watch->by_time, message, reason, text);
        judge(watch);
    }
    pthread_mutex_unlock(&watch->lock);
}

/* ---- the verdict */

static void write_limit(const struct dead_watch *watch, const struct window *window, struct buffer *out)
{
    if (window == &watch->by_clicks)
        buffer_format(
            out, "%llu of the last %llu clicks cannot be used, and dead_letters.max_ratio (%g) allows %llu of %u",
            (unsigned long long)window->letters, (unsigned long long)window->clicks, (double)watch->limits.ratio_max,
            (unsigned long long)allowed_of_window(watch), watch->limits.window_clicks);
    else
        buffer_format(out, "%llu clicks within a minute cannot be used, and dead_letters.max_per_minute allows %u",
                      (unsigned long long)window->letters, watch->limits.per_minute_max);
}

static void write_reason(const struct window *window, struct buffer *out)
{
    const struct reason *most = &window->reasons[0];
    for (size_t i = 1; i < window->reason_count; i++)
        if (window->reasons[i].count > most->count)
            most = &window->reasons[i];
    buffer_format(out, "%llu of them: %s (partition %d, offset %lld: %s)", (unsigned long long)most->count, most->what,
                  most->partition, (long long)most->offset, most->example);
}

struct status dead_watch_verdict(struct dead_watch *watch, const char *topic, struct complaint *complaint)
{
    const struct window *window = atomic_load(&watch->exceeded);
    if (!window)
        return OK;
    AUTO(buffer) text = {0};
    write_limit(watch, window, &text);
    buffer_append_text(&text, ". ");
    write_reason(window, &text);
    return complain(complaint, FAIL(BAD_INPUT, window->letters, "too many dead letters"),
                    "%s. They are in topic %s, see 'eddy dead-letters list'. Mend what sends them, or the formats and "
                    "schemas that eddy expects, and start again: eddy goes on where it stopped. To go on without them, "
                    "raise that limit",
                    buffer_text(&text), topic);
}
