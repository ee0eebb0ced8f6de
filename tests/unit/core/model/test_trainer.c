// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/trainer.h"
#include "support/gradient.h"

#include <math.h>

#define ITEMS    40
#define SESSIONS 60
#define LENGTH   9

/* Sessions that walk up the items from a random one, with a gap now and then. */
struct shop {
    uint32_t starts[SESSIONS + 1], items[SESSIONS * LENGTH];
    struct training_sessions sessions;
};

static void shop_make(struct shop *shop, uint64_t seed)
{
    struct random random;
    random_seed(&random, seed);
    shop->starts[0] = 0;
    for (uint32_t i = 0; i < SESSIONS; i++) {
        uint32_t length = 1 + random_below(&random, LENGTH), item = random_below(&random, ITEMS);
        for (uint32_t j = 0; j < length; j++) {
            shop->items[shop->starts[i] + j] = item % ITEMS;
            item += random_below(&random, 10) ? 1 : 7;
        }
        shop->starts[i + 1] = shop->starts[i] + length;
    }
    shop->sessions = (struct training_sessions){SESSIONS, shop->starts, shop->items};
}

static struct model_options model_options_small(void)
{
    return (struct model_options){
        .backbone = backbone_named("pw_core"), .width = 10, .length_max = 4, .normalise = true, .temperature = 0.2f};
}

static struct trainer_options trainer_options_small(void)
{
    return (struct trainer_options){
        .epochs = 3, .batch = 16, .negatives = 20, .negative_power = 0.5f, .rate = 0.01f, .dropout = 0.25f, .seed = 5};
}

/* ---- gradients, against a slow way to the loss */

struct problem {
    struct trainer *trainer;
    struct random random; /* as the step begins */
    uint32_t samples[16], count;
    double expected[ITEMS]; /* slow_expected() */
};

static double product(const float *a, const double *b, uint32_t width)
{
    double sum = 0;
    for (uint32_t i = 0; i < width; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

static double length_of(const float *a, uint32_t width)
{
    double sum = 0;
    for (uint32_t i = 0; i < width; i++)
        sum += (double)a[i] * (double)a[i];
    return sqrt(sum);
}

/* The vector of the clicks before `click`, in double. */
static void slow_vector(const struct trainer *trainer, uint32_t click, double *vector)
{
    const struct model *model = trainer->model;
    uint32_t width = model->options.width, seen = model->options.length_max;
    uint32_t length = trainer->places[click] < seen ? trainer->places[click] : seen;
    const float *logits = parameters_of(&model->parameters, 0) + (length - 1) * seen;
    double sum = 0, norm = 0;
    memset(vector, 0, width * sizeof *vector);
    for (uint32_t back = 0; back < length; back++)
        sum += exp((double)logits[back]);
    for (uint32_t back = 0; back < length; back++) {
        const float *row = model->items + trainer->sessions.items[click - 1 - back] * width;
        for (uint32_t i = 0; i < width; i++)
            vector[i] += exp((double)logits[back]) / sum * (double)row[i];
    }
    for (uint32_t i = 0; i < width; i++)
        norm += vector[i] * vector[i];
    for (uint32_t i = 0; i < width && model->options.normalise; i++)
        vector[i] /= sqrt(norm);
}

static double slow_logit(const struct model *model, uint32_t item, const double *vector)
{
    uint32_t width = model->options.width;
    const float *row = model->items + item * width;
    double score = product(row, vector, width);
    return model->options.normalise ? score / length_of(row, width) / (double)model->options.temperature : score;
}

/* How often a step's candidates have the item: as a target of the batch, and drawn. */
static double slow_expected(const struct trainer *trainer, uint32_t item)
{
    double targets = 0, weight = 0, weights = 0;
    for (uint32_t other = 0; other < trainer->model->item_count; other++) {
        double clicks = 0;
        for (uint32_t click = 0; click < trainer->sessions.starts[trainer->sessions.count]; click++) {
            clicks += trainer->sessions.items[click] == other;
            targets += other == item && trainer->sessions.items[click] == item && trainer->places[click] > 0;
        }
        weights += sqrt(clicks);
        weight += other == item ? sqrt(clicks) : 0;
    }
    return trainer->options.batch * targets / trainer->sample_count + trainer->options.negatives * weight / weights;
}

static double slow_loss(void *context)
{
    const struct problem *problem = context;
    const struct trainer *trainer = problem->trainer;
    struct random random = problem->random;
    uint32_t negatives = trainer->options.negatives, others[64], count = 0;
    double loss = 0, vector[MODEL_WIDTH_MAX];
    for (uint32_t i = 0; negatives > 0 && i < problem->count; i++)
        others[count++] = trainer->sessions.items[problem->samples[i]];
    for (uint32_t i = 0; i < negatives; i++)
        others[count++] = sampler_draw(&trainer->sampler, &random);
    for (uint32_t i = 0; i < problem->count; i++) {
        uint32_t target = trainer->sessions.items[problem->samples[i]];
        slow_vector(trainer, problem->samples[i], vector);
        double logit = slow_logit(trainer->model, target, vector), sum = exp(logit);
        for (uint32_t item = 0; negatives == 0 && item < trainer->model->item_count; item++)
            sum += item == target ? 0 : exp(slow_logit(trainer->model, item, vector));
        for (uint32_t j = 0; j < count; j++)
            sum += others[j] == target
                       ? 0
                       : exp(slow_logit(trainer->model, others[j], vector)) / problem->expected[others[j]];
        loss += log(sum) - logit;
    }
    return loss / problem->count;
}

static void check_gradients(uint32_t negatives, bool normalise)
{
    struct shop shop;
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct problem problem = {0};
    struct model *model;
    double loss;
    shop_make(&shop, test_seed(3));
    model_options.normalise = normalise;
    options.negatives = negatives;
    options.dropout = 0;
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop.sessions, model, &problem.trainer));
    for (uint32_t i = 0; i < model->parameters.size; i++)
        model->parameters.values[i] = 0.3f * (float)(i % 7) - 1;
    for (uint32_t click = 0; problem.count < 16; click += 3)
        if (problem.trainer->places[click] > 0)
            problem.samples[problem.count++] = click;
    problem.random = problem.trainer->random;
    for (uint32_t item = 0; item < ITEMS; item++)
        problem.expected[item] = slow_expected(problem.trainer, item);
    assert_ok(trainer_gradients(problem.trainer, problem.samples, problem.count, &loss));
    double wanted = slow_loss(&problem);
    assert_true(fabs(loss / problem.count - wanted) < 1e-4 * wanted);

    struct item_gradients *gradients = &problem.trainer->gradients;
    float *d_items = calloc(ITEMS * model_options.width, sizeof *d_items);
    assert_non_null(d_items);
    for (uint32_t i = 0; i < gradients->count; i++)
        memcpy(d_items + gradients->items[i] * model_options.width, gradients->rows + i * model_options.width,
               model_options.width * sizeof *d_items);
    const struct gradient_check check = {slow_loss, &problem};
    const struct parameter parameters[] = {
        {model->items, d_items, NULL, ITEMS * model_options.width},
        {model->parameters.values, model->parameters.gradient, NULL, (uint32_t)model->parameters.size},
    };
    assert_gradients(&check, parameters, 2);
    free(d_items);
    trainer_close(problem.trainer);
    model_close(model);
}

static void gradients_are_those_of_the_loss(void **state)
{
    (void)state;
    check_gradients(0, true);
    check_gradients(0, false);
    check_gradients(20, true);
    check_gradients(20, false);
}

/* ---- what training comes to */

static void train_to_the_end(struct trainer *trainer)
{
    struct trained_step step;
    while (trainer_progress(trainer).steps < trainer_progress(trainer).steps_total)
        assert_ok(trainer_step(trainer, &step));
}

/* From one click alone the model cannot tell the item before from the item after: cosines are symmetrical. */
static void a_walk_up_the_items_is_learned(void **state)
{
    (void)state;
    struct shop shop;
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    struct arena arena = {0};
    float rows[ITEMS * 10], vector[10], scores[ITEMS];
    shop_make(&shop, 3);
    options.epochs = 60;
    options.dropout = 0;
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop.sessions, model, &trainer));
    train_to_the_end(trainer);
    model_item_rows(model, rows);
    uint32_t right = 0;
    for (uint32_t item = 0; item < ITEMS; item++) {
        const uint32_t starts[] = {0, 1};
        const struct model_sessions sessions = {1, starts, &item};
        uint32_t better = 0;
        assert_ok(model_vectors(model, &sessions, &arena, vector));
        model_score(model, rows, vector, 1, scores);
        for (uint32_t other = 0; other < ITEMS; other++)
            better += other != item && scores[other] > scores[(item + 1) % ITEMS];
        right += better < 2;
    }
    assert_true(right >= ITEMS * 9 / 10);
    arena_release(&arena);
    trainer_close(trainer);
    model_close(model);
}

static void every_click_but_the_first_is_learned_once_an_epoch(void **state)
{
    (void)state;
    struct shop shop;
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    struct trained_step step;
    shop_make(&shop, test_seed(4));
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop.sessions, model, &trainer));
    uint32_t samples = shop.starts[SESSIONS] - SESSIONS, first[SESSIONS * LENGTH], seen[SESSIONS * LENGTH] = {0};
    assert_int_equal(trainer_progress(trainer).samples_epoch, samples);
    for (uint32_t epoch = 0, trained = 0; epoch < 2; epoch++, trained = 0) {
        assert_int_equal(trainer_progress(trainer).epoch, epoch);
        for (; trained < samples; trained += step.samples)
            assert_ok(trainer_step(trainer, &step));
        assert_int_equal(trained, samples);
        for (uint32_t i = 0; i < samples; i++)
            seen[trainer->samples[i]]++;
        if (epoch == 0)
            memcpy(first, trainer->samples, samples * sizeof *first);
    }
    for (uint32_t click = 0; click < shop.starts[SESSIONS]; click++)
        assert_int_equal(seen[click], trainer->places[click] > 0 ? 2 : 0);
    assert_memory_not_equal(first, trainer->samples, samples * sizeof *first); /* another order */
    trainer_close(trainer);
    model_close(model);
}

/* ---- interrupted */

/* The model's bytes after training that is interrupted after `steps`, UINT64_MAX: never. */
static void train_interrupted(const struct shop *shop, uint64_t steps, struct buffer *out)
{
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    struct trained_step step;
    AUTO(buffer) model_bytes = {0};
    AUTO(buffer) trainer_bytes = {0};
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop->sessions, model, &trainer));
    if (steps != UINT64_MAX) {
        while (trainer_progress(trainer).steps < steps)
            assert_ok(trainer_step(trainer, &step));
        assert_ok(model_encode(model, buffer_sink(&model_bytes)));
        assert_ok(trainer_encode(trainer, buffer_sink(&trainer_bytes)));
        trainer_close(trainer);
        model_close(model);
        assert_ok(model_decode(buffer_bytes(&model_bytes), &model));
        assert_ok(trainer_open(&options, &shop->sessions, model, &trainer));
        assert_ok(trainer_restore(trainer, buffer_bytes(&trainer_bytes)));
        assert_int_equal(trainer_progress(trainer).steps, steps);
    }
    train_to_the_end(trainer);
    assert_ok(model_encode(model, buffer_sink(out)));
    trainer_close(trainer);
    model_close(model);
}

static void an_interruption_changes_no_bit(void **state)
{
    (void)state;
    struct shop shop;
    AUTO(buffer) whole = {0};
    shop_make(&shop, test_seed(5));
    train_interrupted(&shop, UINT64_MAX, &whole);
    for (uint64_t steps = 0; steps < 30; steps += 7) {
        AUTO(buffer) parts = {0};
        train_interrupted(&shop, steps, &parts);
        assert_true(bytes_equal(buffer_bytes(&whole), buffer_bytes(&parts)));
    }
}

/* Whether a trainer of these takes the bytes. */
static struct status restore_into(struct bytes bytes, const struct trainer_options *options,
                                  const struct model_options *model_options, const struct shop *shop)
{
    struct model *model;
    struct trainer *trainer;
    assert_ok(model_open(model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(options, &shop->sessions, model, &trainer));
    struct status status = trainer_restore(trainer, bytes);
    trainer_close(trainer);
    model_close(model);
    return status;
}

static void a_state_of_something_else_is_refused(void **state)
{
    (void)state;
    struct shop shop, other_shop;
    struct model_options model_options = model_options_small(), models[6];
    struct trainer_options options = trainer_options_small(), others[11];
    struct model *model;
    struct trainer *trainer;
    AUTO(buffer) bytes = {0};
    shop_make(&shop, 6);
    shop_make(&other_shop, 7);
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop.sessions, model, &trainer));
    assert_ok(trainer_encode(trainer, buffer_sink(&bytes)));
    trainer_close(trainer);
    model_close(model);

    assert_ok(restore_into(buffer_bytes(&bytes), &options, &model_options, &shop));
    assert_fails(CONFIG, restore_into(buffer_bytes(&bytes), &options, &model_options, &other_shop));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        others[i] = options;
    others[0].epochs++;
    others[1].batch++;
    others[2].negatives++;
    others[3].negative_power = 0.75f;
    others[4].optimiser = OPTIMISER_ADAGRAD;
    others[5].rate *= 2;
    others[6].dropout = 0;
    others[7].decay = 0.1f;
    others[8].seed++;
    others[9].rate_end = options.rate;
    others[10].half_life = 0.5f;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_fails(CONFIG, restore_into(buffer_bytes(&bytes), &others[i], &model_options, &shop));
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        models[i] = model_options;
    models[0].backbone = backbone_named("gru4rec");
    models[1].width++;
    models[2].length_max++;
    models[3].normalise = false;
    models[4].temperature *= 2;
    models[5].directed = true;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        assert_fails(CONFIG, restore_into(buffer_bytes(&bytes), &options, &models[i], &shop));
    for (size_t size = 0; size < bytes.size; size += 13)
        assert_fails(CORRUPT, restore_into(bytes_of(bytes.data, size), &options, &model_options, &shop));
}

static void what_cannot_be_trained_is_said(void **state)
{
    (void)state;
    const uint32_t starts[] = {0, 1, 2}, items[] = {3, 4};
    const struct training_sessions lonely = {2, starts, items};
    struct shop shop;
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    struct trained_step step;
    model_options.normalise = false; /* cosines stay numbers whatever the vectors do */
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_fails(BAD_INPUT, trainer_open(&options, &lonely, model, &trainer));

    shop_make(&shop, 8);
    options.rate = 1e38f;
    assert_ok(trainer_open(&options, &shop.sessions, model, &trainer));
    struct status status = OK;
    for (int i = 0; i < 5 && !failed(status); i++)
        status = trainer_step(trainer, &step);
    assert_fails(LIMIT, status);
    trainer_close(trainer);
    model_close(model);
}

static void adagrad_learns_too(void **state)
{
    (void)state;
    struct shop shop;
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    struct trained_step step;
    double first = 0, last = 0;
    shop_make(&shop, 3);
    options.optimiser = OPTIMISER_ADAGRAD;
    options.rate = 0.1f;
    options.epochs = 20;
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop.sessions, model, &trainer));
    while (trainer_progress(trainer).steps < trainer_progress(trainer).steps_total) {
        assert_ok(trainer_step(trainer, &step));
        first += trainer_progress(trainer).epoch == 0 ? step.loss : 0;
        last += trainer_progress(trainer).epoch == 19 ? step.loss : 0;
    }
    assert_true(last < 0.8 * first);
    trainer_close(trainer);
    model_close(model);
}

/* The model's bytes after the first of so many epochs. */
static void train_first_epoch(const struct shop *shop, uint32_t epochs, float rate_end, struct buffer *out)
{
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    struct trained_step step;
    options.epochs = epochs;
    options.rate_end = rate_end;
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop->sessions, model, &trainer));
    while (trainer_progress(trainer).epoch == 0)
        assert_ok(trainer_step(trainer, &step));
    assert_ok(model_encode(model, buffer_sink(out)));
    trainer_close(trainer);
    model_close(model);
}

static void a_rate_that_ends_as_it_began_is_the_same_in_every_step(void **state)
{
    (void)state;
    struct shop shop;
    float rate = trainer_options_small().rate;
    AUTO(buffer) one = {0};
    AUTO(buffer) many = {0};
    AUTO(buffer) falling = {0};
    shop_make(&shop, test_seed(10));
    train_first_epoch(&shop, 1, rate, &one);
    train_first_epoch(&shop, 50, rate, &many);
    train_first_epoch(&shop, 1, 0, &falling);
    assert_true(bytes_equal(buffer_bytes(&one), buffer_bytes(&many)));
    assert_false(bytes_equal(buffer_bytes(&one), buffer_bytes(&falling)));
}

static void a_step_that_32_bits_cannot_count_is_refused(void **state)
{
    (void)state;
    struct shop shop;
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    shop_make(&shop, 3);
    options.batch = 1u << 28;
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_fails(LIMIT, trainer_open(&options, &shop.sessions, model, &trainer));
    model_close(model);
}

static void items_are_drawn_as_often_as_they_weigh(void **state)
{
    (void)state;
    static const double weights[] = {0, 1, 2, 4, 0.5, 0, 9, 3};
    uint32_t counts[8] = {0}, draws = 400000;
    struct sampler sampler;
    struct random random;
    random_seed(&random, test_seed(9));
    assert_ok(sampler_open(weights, 8, &sampler));
    for (uint32_t i = 0; i < draws; i++)
        counts[sampler_draw(&sampler, &random)]++;
    for (uint32_t i = 0; i < 8; i++) {
        double wanted = weights[i] / 19.5 * draws;
        assert_true(fabs(counts[i] - wanted) <= 6 * sqrt(wanted));
        assert_true(fabs((double)sampler.probability[i] - weights[i] / 19.5) < 1e-6);
    }
    sampler_release(&sampler);
}

/* ---- from one trainer to the next */

static void chosen_clicks_are_learned_as_often_as_they_were_chosen(void **state)
{
    (void)state;
    struct shop shop;
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    struct trained_step step;
    uint32_t clicks[40], seen[SESSIONS * LENGTH] = {0}, wanted[SESSIONS * LENGTH] = {0}, count = 0;
    shop_make(&shop, 3);
    for (uint32_t i = 0; count < 40; i = (i + 1) % 7)
        for (uint32_t click = shop.starts[i] + 1; click < shop.starts[i + 1] && count < 40; click++)
            clicks[count++] = click;
    for (uint32_t i = 0; i < count; i++)
        wanted[clicks[i]]++;
    const struct training_samples samples = {count, clicks};
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open_samples(&options, &shop.sessions, &samples, model, &trainer));
    assert_int_equal(trainer_progress(trainer).samples_epoch, 40);
    while (trainer_progress(trainer).epoch == 0)
        assert_ok(trainer_step(trainer, &step));
    for (uint32_t i = 0; i < 40; i++)
        seen[trainer->samples[i]]++;
    assert_memory_equal(seen, wanted, sizeof seen);
    trainer_close(trainer);
    model_close(model);
}

static bool all_zero(const float *values, size_t count)
{
    size_t zeros = 0;
    for (size_t i = 0; i < count; i++)
        zeros += values[i] == 0;
    return zeros == count;
}

/* One trainer learns, hands its moments over, the model grows, and the next one goes on with them. */
static void moments_go_on_and_new_items_have_none(void **state)
{
    (void)state;
    struct shop shop;
    struct model_options model_options = model_options_small();
    struct trainer_options options = trainer_options_small();
    struct model *model;
    struct trainer *trainer;
    struct moments moments = {0};
    float mean[ITEMS * 10];
    shop_make(&shop, 3);
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop.sessions, model, &trainer));
    trainer_go_on(trainer, &moments); /* none yet */
    train_to_the_end(trainer);
    uint64_t steps = trainer->steps;
    memcpy(mean, trainer->mean, sizeof mean);
    trainer_hand_over(trainer, &moments);
    trainer_close(trainer);
    assert_int_equal(moments.steps, steps);
    assert_ok(model_grow(model, ITEMS + 5, 1));
    assert_ok(trainer_open(&options, &shop.sessions, model, &trainer));
    trainer_go_on(trainer, &moments);
    assert_null(moments.mean);
    assert_int_equal(trainer->steps_before, steps);
    assert_memory_equal(mean, trainer->mean, sizeof mean);
    assert_false(all_zero(trainer->square, ITEMS * 10));
    assert_true(all_zero(trainer->mean + ITEMS * 10, 50) && all_zero(trainer->square + ITEMS * 10, 50));
    train_to_the_end(trainer);
    trainer_hand_over(trainer, &moments);
    assert_int_equal(moments.steps, 2 * steps);
    memcpy(mean, moments.items_mean, sizeof mean);
    trainer_close(trainer);
    model_close(model);
    /* The update was refused, and its new items are not met again. */
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop.sessions, model, &trainer));
    trainer_go_on(trainer, &moments);
    assert_memory_equal(mean, trainer->mean, sizeof mean);
    trainer_close(trainer);
    model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(a_walk_up_the_items_is_learned),
        cmocka_unit_test(every_click_but_the_first_is_learned_once_an_epoch),
        cmocka_unit_test(an_interruption_changes_no_bit),
        cmocka_unit_test(a_state_of_something_else_is_refused),
        cmocka_unit_test(what_cannot_be_trained_is_said),
        cmocka_unit_test(adagrad_learns_too),
        cmocka_unit_test(a_rate_that_ends_as_it_began_is_the_same_in_every_step),
        cmocka_unit_test(a_step_that_32_bits_cannot_count_is_refused),
        cmocka_unit_test(items_are_drawn_as_often_as_they_weigh),
        cmocka_unit_test(chosen_clicks_are_learned_as_often_as_they_were_chosen),
        cmocka_unit_test(moments_go_on_and_new_items_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
