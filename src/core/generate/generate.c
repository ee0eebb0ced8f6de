// SPDX-License-Identifier: Apache-2.0
#include "core/generate/generator.h"

#include <stdlib.h>

#define FOLLOWERS        6       /* items that tend to follow an item: half of the time the first, and so on */
#define USERS_OF_A_PLACE 2       /* so that a user comes in every second round of visits, but not regularly */
#define PAUSE_MS         3600000 /* between two visits of a user, and well above what ends a session */
#define ROUND_MAX_US     0x1p60

struct generate_options generate_defaults(void)
{
    return (struct generate_options){.seed = 1,
                                     .items = 10000,
                                     .sessions = 1000,
                                     .length_max = 200,
                                     .item_exponent = 0.9,
                                     .length_exponent = 1.8,
                                     .repeat_rate = 0.15,
                                     .follow_rate = 0.5,
                                     .switch_rate = 0.05,
                                     .user_rate = 0.2,
                                     .start_ms = 1704067200000,
                                     .drift_ms = 6 * 3600 * 1000};
}

/* ---- event time */

/* 0 when the options allow no clicks; generator_open() refuses those. */
static int64_t step_us(const struct generate_options *options)
{
    double rate = options->clicks_per_second != 0 ? options->clicks_per_second : options->sessions / 20.0;
    return rate > 0 ? (int64_t)(1e6 / rate) : 0;
}

int64_t generate_span_ms(const struct generate_options *options, int64_t clicks)
{
    int64_t span_us;
    if (__builtin_mul_overflow(clicks > 0 ? clicks - 1 : 0, step_us(options), &span_us))
        return INT64_MAX;
    return span_us / 1000;
}

/* Event time of a round of visits: the longest visit, with a quarter on top since clicks come at random, and a pause.
 */
static int64_t round_us(const struct generate_options *options)
{
    double click_us = (double)step_us(options) * options->sessions;
    double round_us = PAUSE_MS * 1e3 + 1.25 * click_us * options->length_max;
    return (int64_t)(round_us < ROUND_MAX_US ? round_us : ROUND_MAX_US);
}

/* ---- opening */

static struct status check_range(double value, double low, double high, const char *name, struct complaint *complaint)
{
    if (value >= low && value <= high)
        return OK;
    return complain(complaint, FAIL(CONFIG, 0, "generator option out of range"), "%s must be %.10g to %.10g, not %.10g",
                    name, low, high, value);
}

static struct status check_options(const struct generate_options *options, struct complaint *complaint)
{
    TRY(check_range(options->items, 1, 1 << 24, "items", complaint));
    TRY(check_range(options->sessions, 1, 1 << 24, "sessions", complaint));
    TRY(check_range(options->interests, 0, options->items < 65536 ? options->items : 65536, "interests", complaint));
    TRY(check_range(options->length_max, 1, 65535, "the longest session", complaint));
    TRY(check_range(options->item_exponent, 0, 4, "the items' exponent", complaint));
    TRY(check_range(options->length_exponent, 0, 10, "the lengths' exponent", complaint));
    TRY(check_range(options->repeat_rate, 0, 1, "the repeat rate", complaint));
    TRY(check_range(options->follow_rate, 0, 1 - options->repeat_rate, "the follow rate", complaint));
    TRY(check_range(options->switch_rate, 0, 1, "the switch rate", complaint));
    TRY(check_range(options->user_rate, 0, 1, "the share of known users", complaint));
    TRY(check_range(options->clicks_per_second, 0, 1e6, "clicks per second", complaint));
    TRY(check_range((double)options->start_ms, 0, 8e12, "the start in milliseconds", complaint));
    return check_range((double)options->drift_ms, 0, UINT32_MAX, "the drift in milliseconds", complaint);
}

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint32_t rate_threshold(double rate)
{
    return rate >= 1 ? UINT32_MAX : (uint32_t)(rate * 0x1p32);
}

static void set_derived(struct generator *generator, const struct generate_options *options)
{
    generator->options = *options;
    struct generate_options *own = &generator->options;
    if (own->interests == 0)
        own->interests = own->items < 100 ? 1 : own->items / 100 < 65536 ? own->items / 100 : 65536;
    generator->step_us = step_us(own);
    generator->time_us = own->start_ms * 1000;
    generator->round_us = round_us(own);
    generator->round_end_us = generator->time_us + generator->round_us;
    generator->repeat_below = rate_threshold(own->repeat_rate);
    generator->follow_below = rate_threshold(own->repeat_rate + own->follow_rate);
    generator->switch_below = rate_threshold(own->switch_rate);
    generator->user_below = rate_threshold(own->user_rate);
    generator->number_factor = own->items / 8 * 5 + 1;
    while (greatest_common_divisor(generator->number_factor, own->items) != 1)
        generator->number_factor++;
    random_seed(&generator->random, own->seed);
}

static void visit_start(struct generator *generator, struct visit *visit);

static struct status open_parts(struct generator *generator)
{
    const struct generate_options *options = &generator->options;
    TRY(power_law_open(interest_size(options, 0), options->item_exponent, &generator->ranks));
    TRY(power_law_open(options->interests, options->item_exponent, &generator->interests));
    TRY(power_law_open(options->length_max, options->length_exponent, &generator->lengths));
    generator->visits = calloc(options->sessions, sizeof *generator->visits);
    if (!generator->visits)
        return FAIL(MEMORY, options->sessions, "no memory for the generator's sessions");
    for (uint32_t i = 0; i < options->sessions; i++)
        visit_start(generator, &generator->visits[i]);
    return OK;
}

struct status generator_open(const struct generate_options *options, struct complaint *complaint,
                             struct generator **ret_generator)
{
    TRY(check_options(options, complaint));
    struct generator *generator = calloc(1, sizeof *generator);
    if (!generator)
        return FAIL(MEMORY, sizeof *generator, "no memory for a generator");
    set_derived(generator, options);
    struct status status = open_parts(generator);
    if (failed(status)) {
        generator_close(generator);
        return status;
    }
    *ret_generator = generator;
    return OK;
}

void generator_close(struct generator *generator)
{
    if (!generator)
        return;
    power_law_release(&generator->ranks);
    power_law_release(&generator->interests);
    power_law_release(&generator->lengths);
    free(generator->visits);
    free(generator);
}

/* ---- the stream */

static bool chance(struct generator *generator, uint32_t below)
{
    return (uint32_t)random_u64(&generator->random) < below;
}

/* How many places the rankings have moved by now; between two moves a draw sees either, ever more often the later. */
static uint32_t drift(struct generator *generator)
{
    if (generator->options.drift_ms == 0)
        return 0;
    int64_t since_ms = generator->time_us / 1000 - generator->options.start_ms;
    uint32_t into_ms = random_below(&generator->random, (uint32_t)generator->options.drift_ms);
    return (uint32_t)((since_ms + into_ms) / generator->options.drift_ms);
}

static uint32_t draw_interest(struct generator *generator)
{
    uint32_t rank = power_law_draw(&generator->interests, random_u64(&generator->random));
    return (uint32_t)(((uint64_t)rank + drift(generator)) % generator->options.interests);
}

static uint32_t item_at(const struct generator *generator, uint32_t interest, uint64_t rank)
{
    uint32_t size = interest_size(&generator->options, interest);
    return (uint32_t)(rank % size) * generator->options.interests + interest;
}

static uint32_t draw_item(struct generator *generator, uint32_t interest)
{
    uint32_t rank = power_law_draw(&generator->ranks, random_u64(&generator->random));
    return item_at(generator, interest, (uint64_t)rank + drift(generator));
}

/* One of the items that tend to follow `item`: fixed for all time, of the same interest, popular ones more often. */
static uint32_t draw_follower(struct generator *generator, uint32_t item)
{
    uint64_t bits = random_u64(&generator->random) | (uint64_t)1 << (FOLLOWERS - 1);
    uint64_t name[3] = {generator->options.seed, item, (uint64_t)__builtin_ctzll(bits)};
    uint32_t interest = item % generator->options.interests;
    uint32_t rank = power_law_draw(&generator->ranks, bytes_hash(bytes_of(name, sizeof name)));
    uint32_t follower = item_at(generator, interest, rank);
    return follower != item ? follower : item_at(generator, interest, (uint64_t)rank + 1);
}

/* The n-th known visitor of every round has place n, so that a user comes back a round later at the earliest. */
static uint64_t draw_user(struct generator *generator)
{
    while (generator->time_us >= generator->round_end_us) {
        generator->round_end_us += generator->round_us;
        generator->round_visits = 0;
    }
    uint64_t place = generator->round_visits++;
    return 1 + place * USERS_OF_A_PLACE + random_below(&generator->random, USERS_OF_A_PLACE);
}

static void visit_start(struct generator *generator, struct visit *visit)
{
    *visit = (struct visit){.number = ++generator->visits_started};
    visit->interest = draw_interest(generator);
    visit->clicks_left = 1 + power_law_draw(&generator->lengths, random_u64(&generator->random));
    if (chance(generator, generator->user_below))
        visit->user = draw_user(generator);
    for (int i = 0; i < RECENT_ITEMS; i++)
        visit->recent[i] = ITEM_NONE;
}

static uint32_t draw_repeat(struct generator *generator, const struct visit *visit)
{
    uint32_t item = visit->recent[random_u64(&generator->random) % RECENT_ITEMS];
    return item != ITEM_NONE ? item : visit->recent[0];
}

static uint32_t next_item(struct generator *generator, struct visit *visit)
{
    uint32_t way = (uint32_t)random_u64(&generator->random);
    if (visit->recent[0] != ITEM_NONE) {
        if (way < generator->repeat_below)
            return draw_repeat(generator, visit);
        if (way < generator->follow_below)
            return draw_follower(generator, visit->recent[0]);
        if (chance(generator, generator->switch_below))
            visit->interest = draw_interest(generator);
    }
    return draw_item(generator, visit->interest);
}

static enum click_type draw_type(struct generator *generator)
{
    uint32_t percent = random_below(&generator->random, 100);
    return percent < 1 ? CLICK_TYPE_PURCHASE : percent < 6 ? CLICK_TYPE_ADD_TO_CART : CLICK_TYPE_VIEW;
}

struct bytes number_text(char *text, char letter, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    text[0] = letter;
    for (size_t i = 0; i < count; i++)
        text[i + 1] = digits[count - 1 - i];
    return bytes_of(text, count + 1);
}

void generator_next(struct generator *generator, struct click *ret_click)
{
    struct visit *visit = &generator->visits[random_below(&generator->random, generator->options.sessions)];
    if (visit->clicks_left == 0)
        visit_start(generator, visit);
    uint32_t item = next_item(generator, visit);
    visit->clicks_left--;
    memmove(visit->recent + 1, visit->recent, (RECENT_ITEMS - 1) * sizeof *visit->recent);
    visit->recent[0] = item;
    uint64_t number = (uint64_t)item * generator->number_factor % generator->options.items;
    *ret_click = (struct click){.session_id = number_text(generator->session_id, 's', visit->number),
                                .item_id = number_text(generator->item_id, 'i', number),
                                .time_ms = generator->time_us / 1000,
                                .type = draw_type(generator)};
    if (visit->user)
        ret_click->user_id = number_text(generator->user_id, 'u', visit->user);
    generator->time_us += generator->step_us;
}
