// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/budget.h>

#include <eddy/core/frame.h>

#define SECOND_MS 1000
#define TENTH_MS  (10 * 60 * 1000)
#define VERSION   1

static const char budget_magic[FRAME_MAGIC_SIZE] = "eddybudg";

struct budget budget_make(const struct budget_caps *caps)
{
    return (struct budget){.caps = *caps};
}

void budget_share(struct budget *budget, uint32_t owned, uint32_t shared)
{
    assert(owned <= shared);
    budget->owned = owned;
    budget->shared = shared;
}

/* ---- sums of three */

static void add(struct spending *to, const struct spending *what)
{
    to->requests += what->requests;
    to->tokens += what->tokens;
    to->micros += what->micros;
}

static void take(struct spending *from, const struct spending *what)
{
    from->requests -= what->requests;
    from->tokens -= what->tokens;
    from->micros -= what->micros;
}

static int64_t bounded(int64_t value)
{
    return value < 0 ? 0 : value > SPENDING_MAX ? SPENDING_MAX : value;
}

static struct spending all_bounded(const struct spending *spending)
{
    return (struct spending){bounded(spending->requests), bounded(spending->tokens), bounded(spending->micros)};
}

/* ---- windows */

/* Forgets the steps that leave a window when its newest step becomes `now`. */
static void slide(struct spending *steps, int count, int64_t *newest, int64_t now, struct spending *sum)
{
    if (now - *newest >= count) {
        memset(steps, 0, (size_t)count * sizeof *steps);
        *sum = (struct spending){0};
        *newest = now;
    }
    while (*newest < now) {
        struct spending *oldest = &steps[++*newest % count];
        take(sum, oldest);
        *oldest = (struct spending){0};
    }
}

static void move_on(struct budget *budget, int64_t now_ms)
{
    if (now_ms < 0)
        return;
    slide(budget->seconds, BUDGET_SECONDS, &budget->second, now_ms / SECOND_MS, &budget->minute);
    slide(budget->tenths, BUDGET_TENTHS, &budget->tenth, now_ms / TENTH_MS, &budget->day);
}

/* What is left of a cap for the process. Rounded down: all shares together never pass the cap. */
static int64_t left_of(const struct budget *budget, int64_t cap, int64_t spent)
{
    if (!cap)
        return SPENDING_MAX;
    int64_t shared = budget->shared, owned = budget->owned, most = bounded(cap);
    int64_t share = shared ? most / shared * owned + most % shared * owned / shared : 0;
    return share > spent ? share - spent : 0;
}

static struct spending left_in(const struct budget *budget, const struct spending *caps, const struct spending *spent)
{
    return (struct spending){left_of(budget, caps->requests, spent->requests),
                             left_of(budget, caps->tokens, spent->tokens),
                             left_of(budget, caps->micros, spent->micros)};
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct spending budget_left(struct budget *budget, int64_t now_ms)
{
    move_on(budget, now_ms);
    struct spending minute = left_in(budget, &budget->caps.minute, &budget->minute);
    struct spending day = left_in(budget, &budget->caps.day, &budget->day);
    return (struct spending){lesser(minute.requests, day.requests), lesser(minute.tokens, day.tokens),
                             lesser(minute.micros, day.micros)};
}

bool budget_reserve(struct budget *budget, int64_t now_ms, const struct spending *most,
                    struct reservation *ret_reservation)
{
    struct spending left = budget_left(budget, now_ms), wanted = all_bounded(most);
    if (wanted.requests > left.requests || wanted.tokens > left.tokens || wanted.micros > left.micros)
        return false;
    add(&budget->seconds[budget->second % BUDGET_SECONDS], &wanted);
    add(&budget->tenths[budget->tenth % BUDGET_TENTHS], &wanted);
    add(&budget->minute, &wanted);
    add(&budget->day, &wanted);
    *ret_reservation = (struct reservation){wanted, budget->second, budget->tenth};
    return true;
}

/* Puts what was spent in the place of what was reserved, in the step of the reservation as long as that counts. */
static void correct(struct spending *steps, int count, int64_t newest, int64_t step, const struct spending *most,
                    const struct spending *spent, struct spending *sum)
{
    if (newest - step >= count)
        return;
    take(&steps[step % count], most);
    add(&steps[step % count], spent);
    take(sum, most);
    add(sum, spent);
}

void budget_settle(struct budget *budget, const struct reservation *reservation, const struct spending *spent)
{
    struct spending actual = all_bounded(spent);
    correct(budget->seconds, BUDGET_SECONDS, budget->second, reservation->second, &reservation->most, &actual,
            &budget->minute);
    correct(budget->tenths, BUDGET_TENTHS, budget->tenth, reservation->tenth, &reservation->most, &actual,
            &budget->day);
}

int64_t budget_price(int64_t tokens, double price_per_million)
{
    double micros = (double)tokens * price_per_million; /* a millionth of the tokens at a millionth of the money */
    if (!(micros > 0))
        return 0;
    if (micros >= (double)SPENDING_MAX)
        return SPENDING_MAX;
    int64_t whole = (int64_t)micros;
    return whole + ((double)whole < micros);
}

/* ---- beyond the process */

void budget_encode(const struct budget *budget, struct buffer *out)
{
    size_t start = frame_begin(out, budget_magic, VERSION);
    buffer_append(out, &budget->second, sizeof budget->second);
    buffer_append(out, &budget->tenth, sizeof budget->tenth);
    buffer_append(out, budget->seconds, sizeof budget->seconds);
    buffer_append(out, budget->tenths, sizeof budget->tenths);
    frame_end(out, start);
}

static struct status sum_of(const struct spending *steps, int count, struct spending *ret_sum)
{
    struct spending sum = {0};
    for (int i = 0; i < count; i++) {
        struct spending sound = all_bounded(&steps[i]);
        if (memcmp(&sound, &steps[i], sizeof sound) != 0)
            return FAIL(CORRUPT, i, "a budget holds an impossible amount");
        add(&sum, &sound);
    }
    *ret_sum = sum;
    return OK;
}

struct status budget_restore(struct budget *budget, struct bytes bytes)
{
    struct budget read = {.caps = budget->caps, .owned = budget->owned, .shared = budget->shared};
    TRY(frame_open(&bytes, budget_magic, VERSION));
    TRY(frame_take(&bytes, &read.second, sizeof read.second));
    TRY(frame_take(&bytes, &read.tenth, sizeof read.tenth));
    TRY(frame_take(&bytes, read.seconds, sizeof read.seconds));
    TRY(frame_take(&bytes, read.tenths, sizeof read.tenths));
    if (bytes.size || read.second < 0 || read.tenth < 0)
        return FAIL(CORRUPT, bytes.size, "a budget is not whole");
    TRY(sum_of(read.seconds, BUDGET_SECONDS, &read.minute));
    TRY(sum_of(read.tenths, BUDGET_TENTHS, &read.day));
    *budget = read;
    return OK;
}
