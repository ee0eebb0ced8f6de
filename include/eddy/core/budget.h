// SPDX-License-Identifier: Apache-2.0
#pragma once
/* budget: hard caps on what language models may be asked, by reservation before a call and settlement after it.
 *
 *   reserve (what the call can cost at most) -> call -> settle (what it did cost)
 *
 * There are caps on requests, tokens and money, each in any 60 seconds and in any 24 hours: windows slide, in steps of
 * a second and of ten minutes, and a step that is half out of a window counts as in it. So what is reserved and spent
 * together never passes a cap in any such time. A cap holds for a deployment: a process has the share of it that it has
 * of the partitions. What was spent is to be kept beyond the process (budget_encode), or a restart would be a way
 * around the cap of the day.
 *
 * Money is in millionths of whatever currency the prices are in. Plain data, no clock: time is an argument, and one
 * that runs backwards counts as standing still. */
#include <eddy/base/buffer.h>

#define BUDGET_SECONDS 61  /* steps that may touch a minute */
#define BUDGET_TENTHS  145 /* steps of ten minutes that may touch a day */

struct spending {
    int64_t requests, tokens, micros; /* >= 0, at most SPENDING_MAX */
};
#define SPENDING_MAX ((int64_t)1 << 50)

struct budget_caps { /* 0: none */
    struct spending minute, day;
};

struct budget {
    struct budget_caps caps; /* of the deployment */
    uint32_t owned, shared;  /* partitions that the process has, of so many; owned <= shared */
    int64_t second, tenth;   /* the newest steps, since the epoch */
    struct spending seconds[BUDGET_SECONDS], tenths[BUDGET_TENTHS]; /* by step modulo their number */
    struct spending minute, day;                                    /* their sums */
};

struct reservation {
    struct spending most;
    int64_t second, tenth; /* when it was made */
};

/* A budget of which nothing is spent. It has no share yet: nothing can be reserved but where there is no cap. */
struct budget budget_make(const struct budget_caps *caps);
void budget_share(struct budget *budget, uint32_t owned, uint32_t shared);

/* False, and nothing is reserved, when that could pass a cap. */
bool budget_reserve(struct budget *budget, int64_t now_ms, const struct spending *most,
                    struct reservation *ret_reservation);
/* What it came to; more than was reserved is possible (a server that heeds no limit), and counts. */
void budget_settle(struct budget *budget, const struct reservation *reservation, const struct spending *spent);

/* What can be reserved at once, each by itself; SPENDING_MAX where there is no cap. */
struct spending budget_left(struct budget *budget, int64_t now_ms);

/* What was spent and reserved, as bytes and back. CORRUPT, NEWER: untouched. */
void budget_encode(const struct budget *budget, struct buffer *out);
MUST_CHECK struct status budget_restore(struct budget *budget, struct bytes bytes);

/* What `tokens` cost at `price` per million of them, rounded up. */
int64_t budget_price(int64_t tokens, double price_per_million);
