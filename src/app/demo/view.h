// SPDX-License-Identifier: Apache-2.0
#pragma once
/* view: draws what the watch keeps, as a screen or as plain lines. */
#include "app/demo/watch.h"
#include "app/terminal.h"

struct view {
    const struct watch *watch;
    const struct catalogue *catalogue;
    bool live;                /* false: learning at full speed, when clicks queue and latencies say nothing */
    int64_t stream_ms;        /* event time of the last click sent; 0: none yet */
    double clicks_per_second; /* live: sent, else answered; 0: not known yet */
    uint64_t clicks_left;     /* 0: not known */
    int64_t sessions_open, sessions_learned;
    const char *bootstrap, *topic; /* where to look at the recommendations */
};

/* One frame. */
void view_screen(const struct view *view, const struct terminal *terminal, struct buffer *out);
/* One line about one answer: the session's last click and the head of its list. */
void view_answer(const struct view *view, const struct watched_session *session, struct buffer *out);
/* One line with the counts. */
void view_counts(const struct view *view, struct buffer *out);
/* How to look at the topic, and how to go on with a cluster of one's own. */
void view_next_steps(const struct view *view, struct buffer *out);
