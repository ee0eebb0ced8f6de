// SPDX-License-Identifier: Apache-2.0
#include "core/model/trainer.h"

#include "core/candidates/power.h"
#include "core/model/arithmetic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BETA1           0.9f
#define BETA2           0.999f
#define EPSILON         1e-8f

#define ADAGRAD_EPSILON 1e-10f

#define NO_EPOCH        UINT32_MAX

#define ROWS_LEAST      256 /* that a part moves */
#define AHEAD           2   /* rows that are fetched before they are moved */
#define FLOATS_OF_LINE  16

#define WIDTHS_MAX      3 /* of a row in a backbone: three gates, or query, key and value */

/* Numbers in the largest array of a step's sessions, so that 32 bits count them. */
#define SESSION_VALUES_MAX (1ull << 31)
/* The memory of a step follows from the options; the system says when there is none. */
#define STEP_BYTES_MAX ((size_t)1 << 40)

/* So that what a step draws is not what the weights began with, which the same seed has made. */
#define SEED_OF_STEPS 0x6a09e667f3bcc908u
#define LOG_OF_2      0.693147181f

/* ---- samples */

static void list_samples(struct trainer *trainer)
{
    uint32_t count = 0, clicks = trainer->sessions.starts[trainer->sessions.count];
    if (trainer->chosen.count > 0) {
        memcpy(trainer->samples, trainer->chosen.clicks, trainer->chosen.count * sizeof *trainer->samples);
        return;
    }
    for (uint32_t click = 0; click < clicks; click++)
        if (trainer->places[click] > 0)
            trainer->samples[count++] = click;
}

/* Returns how many clicks can be samples. */
static uint32_t place_clicks(struct trainer *trainer)
{
    const struct training_sessions *sessions = &trainer->sessions;
    uint32_t count = 0;
    for (uint32_t i = 0; i < sessions->count; i++)
        for (uint32_t click = sessions->starts[i]; click < sessions->starts[i + 1]; click++) {
            uint32_t before = click - sessions->starts[i];
            trainer->places[click] = (uint16_t)(before < UINT16_MAX ? before : UINT16_MAX);
            count += before > 0;
            assert(sessions->items[click] < trainer->model->item_count);
        }
    return count;
}

static struct status count_samples(struct trainer *trainer)
{
    const struct training_sessions *sessions = &trainer->sessions;
    uint32_t clicks = sessions->starts[sessions->count];
    trainer->places = malloc(((size_t)clicks + 1) * sizeof *trainer->places);
    if (!trainer->places)
        return FAIL(MEMORY, clicks, "no memory for the clicks' places");
    trainer->sample_count = place_clicks(trainer);
    if (trainer->sample_count == 0)
        return FAIL(BAD_INPUT, sessions->count, "no session has two clicks");
    for (uint32_t i = 0; i < trainer->chosen.count; i++)
        assert(trainer->chosen.clicks[i] < clicks && trainer->places[trainer->chosen.clicks[i]] > 0);
    if (trainer->chosen.count > 0)
        trainer->sample_count = trainer->chosen.count;
    trainer->samples = malloc(trainer->sample_count * sizeof *trainer->samples);
    if (!trainer->samples)
        return FAIL(MEMORY, trainer->sample_count, "no memory for the samples' order");
    list_samples(trainer);
    return OK;
}

/* ---- weights */

static uint32_t session_of(const struct training_sessions *sessions, uint32_t click)
{
    uint32_t from = 0, to = sessions->count;
    while (to - from > 1) {
        uint32_t middle = from + (to - from) / 2;
        if (sessions->starts[middle] <= click)
            from = middle;
        else
            to = middle;
    }
    return from;
}

float trainer_weight(const struct trainer *trainer, uint32_t click)
{
    const struct training_sessions *sessions = &trainer->sessions;
    double half = (double)trainer->options.half_life * sessions->count;
    uint32_t back = trainer->newest - session_of(sessions, click);
    return (float)(trainer->weight_unit * exp2(-(back / half)));
}

/* The rate means what it did when the samples' weights are 1 on average. */
static void weigh_samples(struct trainer *trainer)
{
    double sum = 0;
    for (uint32_t i = 0; i < trainer->sample_count; i++) {
        uint32_t session = session_of(&trainer->sessions, trainer->samples[i]);
        trainer->newest = session > trainer->newest ? session : trainer->newest;
    }
    trainer->weight_unit = 1;
    for (uint32_t i = 0; i < trainer->sample_count; i++)
        sum += (double)trainer_weight(trainer, trainer->samples[i]);
    trainer->weight_unit = trainer->sample_count / sum; /* the newest's weight is 1 in it */
}

/* ---- samples in order */

/* The order is the epoch's own, whatever was drawn before: so it need not be kept to go on in it. */
static void order_samples(struct trainer *trainer, uint32_t epoch)
{
    struct random random;
    random_seed(&random, trainer->options.seed + 0x9e3779b97f4a7c15 * (epoch + 1ull));
    list_samples(trainer);
    for (uint32_t i = trainer->sample_count - 1; i > 0; i--) {
        uint32_t other = random_below(&random, i + 1), click = trainer->samples[i];
        trainer->samples[i] = trainer->samples[other];
        trainer->samples[other] = click;
    }
    trainer->epoch_ordered = epoch;
}

/* A step's candidates are its targets and what is drawn: what is expected of an item among them is the batch times its
 * share of all targets, and the draws times its probability. */
static void weigh_candidates(struct trainer *trainer)
{
    const struct trainer_options *options = &trainer->options;
    float share = (float)options->batch / (float)trainer->sample_count;
    for (uint32_t i = 0; i < trainer->sample_count; i++) /* in the order of no epoch yet */
        trainer->log_q[trainer->sessions.items[trainer->samples[i]]] += share;
    for (uint32_t i = 0; i < trainer->model->item_count; i++) {
        float expected = trainer->log_q[i] + (float)options->negatives * trainer->sampler.probability[i];
        trainer->log_q[i] = expected > 0 ? LOG_OF_2 * power_log2(expected) : 0; /* never a candidate */
    }
}

static struct status weigh_negatives(struct trainer *trainer)
{
    uint32_t items = trainer->model->item_count, clicks = trainer->sessions.starts[trainer->sessions.count];
    double *weights = calloc(items, sizeof *weights);
    trainer->log_q = calloc(items, sizeof *trainer->log_q);
    if (!weights || !trainer->log_q) {
        free(weights);
        return FAIL(MEMORY, items, "no memory to count the items' clicks");
    }
    for (uint32_t click = 0; click < clicks; click++)
        weights[trainer->sessions.items[click]]++;
    for (uint32_t i = 0; i < items; i++)
        weights[i] = weights[i] > 0 ? pow(weights[i], (double)trainer->options.negative_power) : 0;
    struct status status = sampler_open(weights, items, &trainer->sampler);
    free(weights);
    if (!failed(status))
        weigh_candidates(trainer);
    return status;
}

/* ---- life */

static uint64_t steps_of_epoch(const struct trainer *trainer)
{
    return ((uint64_t)trainer->sample_count + trainer->options.batch - 1) / trainer->options.batch;
}

static struct status open_parts(struct trainer *trainer)
{
    const struct trainer_options *options = &trainer->options;
    struct model *model = trainer->model;
    size_t values = model_rows(model) * model->options.width;
    TRY(count_samples(trainer));
    if (options->half_life > 0)
        weigh_samples(trainer);
    trainer->steps_total = options->epochs * steps_of_epoch(trainer);
    if (options->negatives > 0)
        TRY(weigh_negatives(trainer));
    trainer->mean = calloc(values, sizeof *trainer->mean);
    trainer->square = calloc(values, sizeof *trainer->square);
    if (!trainer->mean || !trainer->square)
        return FAIL(MEMORY, values, "no memory for the items' moments");
    TRY(parameters_open_training(&model->parameters));
    assert(model_rows(model) <= UINT32_MAX);
    uint32_t rows = (uint32_t)model_rows(model);
    uint64_t candidates = (uint64_t)options->batch + options->negatives;
    uint64_t touched = (uint64_t)options->batch * model->options.length_max + candidates * (rows / model->item_count);
    bool all = options->negatives == 0 || touched > rows;
    return item_gradients_open(rows, all ? rows : (uint32_t)touched, model->options.width, &trainer->gradients);
}

struct status trainer_open(const struct trainer_options *options, const struct training_sessions *sessions,
                           struct model *model, struct trainer **ret_trainer)
{
    return trainer_open_samples(options, sessions, &(struct training_samples){0}, model, ret_trainer);
}

struct status trainer_open_samples(const struct trainer_options *options, const struct training_sessions *sessions,
                                   const struct training_samples *samples, struct model *model,
                                   struct trainer **ret_trainer)
{
    assert(options->epochs >= 1 && options->batch >= 1 && options->dropout >= 0 && options->dropout < 1);
    assert(!model->parameters.gradient); /* no other trainer has it */
    uint64_t values = (uint64_t)options->batch * model->options.length_max * model->options.width * WIDTHS_MAX;
    if (values > SESSION_VALUES_MAX)
        return FAIL(LIMIT, values, "a step's sessions have too many numbers");
    struct trainer *trainer = calloc(1, sizeof *trainer);
    if (!trainer)
        return FAIL(MEMORY, 0, "no memory for a trainer");
    trainer->options = *options;
    trainer->sessions = *sessions;
    trainer->chosen = *samples;
    trainer->model = model;
    trainer->epoch_ordered = NO_EPOCH;
    trainer->parallel = parallel_in_order();
    trainer->arena.limit = STEP_BYTES_MAX;
    for (uint32_t i = 0; i < PARTS_MAX; i++)
        trainer->part_arenas[i].limit = STEP_BYTES_MAX;
    random_seed(&trainer->random, options->seed ^ SEED_OF_STEPS);
    struct status status = open_parts(trainer);
    if (failed(status)) {
        trainer_close(trainer);
        return status;
    }
    *ret_trainer = trainer;
    return OK;
}

void trainer_close(struct trainer *trainer)
{
    if (!trainer)
        return;
    parameters_close_training(&trainer->model->parameters);
    item_gradients_release(&trainer->gradients);
    sampler_release(&trainer->sampler);
    arena_release(&trainer->arena);
    for (uint32_t i = 0; i < PARTS_MAX; i++)
        arena_release(&trainer->part_arenas[i]);
    free(trainer->log_q);
    free(trainer->places);
    free(trainer->samples);
    free(trainer->mean);
    free(trainer->square);
    free(trainer);
}

/* ---- from one to the next */

void moments_release(struct moments *moments)
{
    free(moments->items_mean);
    free(moments->items_square);
    free(moments->mean);
    free(moments->square);
    *moments = (struct moments){0};
}

/* Puts moments of `count` values, of so many parts (vectors, offsets), to the front of those parts in `to`, where all
 * else is zero. They may be of more items: of an update that was refused, whose new items are forgotten again. */
static void spread(const float *values, size_t count, float *to, size_t wanted, size_t parts)
{
    size_t known = (count < wanted ? count : wanted) / parts;
    for (size_t part = 0; part < parts; part++)
        memcpy(to + part * (wanted / parts), values + part * (count / parts), known * sizeof *to);
}

void trainer_go_on(struct trainer *trainer, struct moments *moments)
{
    struct parameters *parameters = &trainer->model->parameters;
    const struct model *model = trainer->model;
    size_t values = model_rows(model) * model->options.width, parts = model->options.directed ? 2 : 1;
    assert(trainer->steps == 0);
    if (!moments->mean)
        return;
    spread(moments->items_mean, moments->item_values, trainer->mean, values, parts);
    spread(moments->items_square, moments->item_values, trainer->square, values, parts);
    free(moments->items_mean);
    free(moments->items_square);
    free(parameters->mean);
    free(parameters->square);
    parameters->mean = moments->mean;
    parameters->square = moments->square;
    trainer->steps_before = moments->steps;
    *moments = (struct moments){0};
}

void trainer_hand_over(struct trainer *trainer, struct moments *ret_moments)
{
    struct parameters *parameters = &trainer->model->parameters;
    *ret_moments = (struct moments){.steps = trainer->steps_before + trainer->steps,
                                    .item_values = model_rows(trainer->model) * trainer->model->options.width,
                                    .items_mean = trainer->mean,
                                    .items_square = trainer->square,
                                    .mean = parameters->mean,
                                    .square = parameters->square};
    trainer->mean = trainer->square = parameters->mean = parameters->square = NULL;
}

void trainer_run_on(struct trainer *trainer, struct parallel parallel)
{
    trainer->parallel = parallel;
}

struct trainer_progress trainer_progress(const struct trainer *trainer)
{
    return (struct trainer_progress){.steps = trainer->steps,
                                     .steps_total = trainer->steps_total,
                                     .epoch = (uint32_t)(trainer->steps / steps_of_epoch(trainer)),
                                     .samples_epoch = trainer->sample_count};
}

/* ---- a step */

static float rate_of(const struct trainer *trainer)
{
    double start = (double)trainer->options.rate, end = (double)trainer->options.rate_end;
    double done = (double)trainer->steps / (double)trainer->steps_total;
    return (float)(start * (1 - done) + end * done);
}

/* Adam with both bias corrections in the rate and in epsilon, as the moments then need none (Kingma & Ba 2015, end of
 * section 2). */
static struct adam adam_of(const struct trainer *trainer)
{
    double step = (double)(trainer->steps_before + trainer->steps) + 1;
    double correction1 = 1 - pow((double)BETA1, step), correction2 = sqrt(1 - pow((double)BETA2, step));
    return (struct adam){.rate = (float)((double)rate_of(trainer) * correction2 / correction1),
                         .beta1 = BETA1,
                         .beta2 = BETA2,
                         .epsilon = (float)((double)EPSILON * correction2),
                         .decay = trainer->options.decay};
}

/* One move of `count` weights; `rate` is a multiple of the options'. Adagrad uses the squares alone. */
static void move(const struct trainer *trainer, const struct adam *adam, float rate, const float *gradient,
                 float *weights, float *mean, float *square, uint32_t count)
{
    struct adam own = *adam;
    own.rate *= rate;
    if (trainer->options.optimiser == OPTIMISER_ADAM)
        vector_adam(&own, gradient, weights, mean, square, count);
    else
        vector_adagrad(rate * rate_of(trainer), ADAGRAD_EPSILON, gradient, weights, square, count);
}

struct applying {
    struct trainer *trainer;
    struct adam adam;
    uint32_t row_parts; /* then come the tensors */
};

/* Rows lie all over the table: without this, most of the time is waiting for memory. */
static void fetch(const float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += FLOATS_OF_LINE)
        __builtin_prefetch(values + i, 1);
}

static void fetch_row(const struct trainer *trainer, uint32_t row)
{
    uint32_t width = trainer->gradients.width;
    size_t at = (size_t)trainer->gradients.items[row] * width;
    fetch(trainer->model->items + at, width);
    fetch(trainer->mean + at, width);
    fetch(trainer->square + at, width);
}

static void apply_rows(const struct applying *applying, struct span span)
{
    struct trainer *trainer = applying->trainer;
    const struct item_gradients *gradients = &trainer->gradients;
    uint32_t width = gradients->width;
    for (uint32_t i = span.from; i < span.to; i++) {
        size_t at = (size_t)gradients->items[i] * width;
        if (span.to - i > AHEAD)
            fetch_row(trainer, i + AHEAD);
        move(trainer, &applying->adam, 1, gradients->rows + (size_t)i * width, trainer->model->items + at,
             trainer->mean + at, trainer->square + at, width);
    }
}

static void apply_tensor(const struct applying *applying, const struct tensor *tensor)
{
    struct trainer *trainer = applying->trainer;
    struct parameters *parameters = &trainer->model->parameters;
    move(trainer, &applying->adam, tensor->rate, parameters->gradient + tensor->place,
         parameters->values + tensor->place, parameters->mean + tensor->place, parameters->square + tensor->place,
         tensor->rows * tensor->columns);
}

static void apply_part(void *context, uint32_t index)
{
    const struct applying *applying = context;
    const struct trainer *trainer = applying->trainer;
    if (index < applying->row_parts)
        apply_rows(applying, part_of(trainer->gradients.count, applying->row_parts, index));
    else
        apply_tensor(applying, &trainer->model->parameters.tensors[index - applying->row_parts]);
}

static void apply(struct trainer *trainer)
{
    struct applying applying = {trainer, adam_of(trainer), parts_of(trainer->gradients.count, ROWS_LEAST)};
    parallel_run(trainer->parallel, apply_part, &applying, applying.row_parts + trainer->model->parameters.count);
}

static void clear(struct trainer *trainer)
{
    struct parameters *parameters = &trainer->model->parameters;
    item_gradients_clear(&trainer->gradients);
    memset(parameters->gradient, 0, parameters->size * sizeof *parameters->gradient);
}

struct status trainer_step(struct trainer *trainer, struct trained_step *ret_step)
{
    assert(trainer->steps < trainer->steps_total);
    uint64_t of_epoch = steps_of_epoch(trainer);
    uint32_t epoch = (uint32_t)(trainer->steps / of_epoch);
    uint32_t first = (uint32_t)(trainer->steps % of_epoch) * trainer->options.batch, count = trainer->options.batch;
    if (count > trainer->sample_count - first)
        count = trainer->sample_count - first;
    if (epoch != trainer->epoch_ordered)
        order_samples(trainer, epoch);
    struct random before = trainer->random;
    double loss;
    struct status status = trainer_gradients(trainer, trainer->samples + first, count, &loss);
    if (!failed(status) && !isfinite(loss))
        status = FAIL(LIMIT, trainer->steps, "the loss is no number any more: the rate is too large");
    if (failed(status)) {
        trainer->random = before;
        clear(trainer);
        return status;
    }
    apply(trainer);
    clear(trainer);
    trainer->steps++;
    *ret_step = (struct trained_step){.samples = count, .loss = loss};
    return OK;
}
