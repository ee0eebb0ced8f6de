// SPDX-License-Identifier: Apache-2.0
/* What every backbone must do, whatever it is: gradients are those of the loss, sessions do not see each other, bytes
 * and back, learning. The loss is that of the code under test, in float: so differences are noisy, and are checked
 * against the largest of an array's gradients. */
#include "support/support.h"

#include "core/model/trainer.h"
#include "support/layer_rig.h"

#include <math.h>

#define ITEMS_MAX  12
#define SESSIONS   12
#define LENGTH_MAX 9
#define SAMPLES    14
#define WIDTH_MAX  20
#define VALUES_MAX 2048
#define ROWS_MAX   (SESSIONS * LENGTH_MAX)
#define ARRAYS_MAX (TENSORS_MAX + 1)

#define STEP_MAX   (1.0 / 32)
#define STEP_MIN   (1.0 / 512)
#define RELATIVE   0.008 /* of the largest gradient of an array */
#define ABSOLUTE   3e-5
#define WRONG      0.02f /* of itself is what a gradient is off by in the negative test */
#define WRONG_MIN  1e-4f

/* ---- differences */

struct probe {
    double (*loss)(void *context);
    void *context;
    struct random random; /* of where it looks */
};

struct slope {
    double value, doubt;
};

/* The derivative at `values` along a direction. Where the step is too wide for it, or rounding too loud, differences of
 * two widths have different slopes, or the fourth difference is not small: there is `doubt`. */
static struct slope slope_along(struct probe *probe, float *values, const float *direction, uint32_t count, double step)
{
    float before[VALUES_MAX];
    double loss[5];
    memcpy(before, values, count * sizeof *before);
    for (int i = 0; i < 5; i++) {
        for (uint32_t j = 0; j < count; j++)
            values[j] = before[j] + (float)(i - 2) * (float)step * direction[j];
        loss[i] = probe->loss(probe->context);
    }
    memcpy(values, before, count * sizeof *before);
    double near = (loss[3] - loss[1]) / (2 * step), far = (loss[4] - loss[0]) / (4 * step);
    double bend = (loss[0] + loss[4] - 4 * (loss[1] + loss[3]) + 6 * loss[2]) / step;
    return (struct slope){(4 * near - far) / 3, (fabs(near - far) + fabs(bend)) / 4};
}

/* With the widest step that is in no doubt: the wider it is, the less it has of rounding. */
static bool slope_is_right(struct probe *probe, const struct parameter *array, const float *direction, double tolerance,
                           struct gradient_difference *ret_difference)
{
    double got = 0, step = STEP_MAX;
    for (uint32_t i = 0; i < array->count; i++)
        got += (double)array->gradient[i] * (double)direction[i];
    struct slope slope = slope_along(probe, array->values, direction, array->count, step);
    while (!(slope.doubt <= tolerance) && step > STEP_MIN)
        slope = slope_along(probe, array->values, direction, array->count, step /= 2);
    ret_difference->wanted = slope.value;
    ret_difference->got = got;
    return slope.doubt <= tolerance && fabs(slope.value - got) <= tolerance; /* so that NAN is wrong */
}

static uint32_t largest_of(const float *values, uint32_t count)
{
    uint32_t largest = 0;
    for (uint32_t i = 1; i < count; i++)
        largest = fabsf(values[i]) > fabsf(values[largest]) ? i : largest;
    return largest;
}

static void make_unit(float *direction, uint32_t count)
{
    double square = 0;
    for (uint32_t i = 0; i < count; i++)
        square += (double)direction[i] * (double)direction[i];
    for (uint32_t i = 0; i < count && square > 0; i++)
        direction[i] /= (float)sqrt(square);
}

/* At the largest gradient, at some others, in random directions and along the gradient itself. */
static bool array_is_right(struct probe *probe, const struct parameter *array,
                           struct gradient_difference *ret_difference)
{
    float direction[VALUES_MAX];
    uint32_t count = array->count, largest = largest_of(array->gradient, count);
    double tolerance = ABSOLUTE + RELATIVE * (double)fabsf(array->gradient[largest]);
    assert_in_range(count, 1, VALUES_MAX);
    for (uint32_t i = 0; i < 6; i++) {
        ret_difference->place = i == 0 ? largest : random_below(&probe->random, count);
        memset(direction, 0, count * sizeof *direction);
        direction[ret_difference->place] = 1;
        if (!slope_is_right(probe, array, direction, tolerance, ret_difference))
            return false;
    }
    ret_difference->place = count;
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t j = 0; j < count; j++)
            direction[j] = (float)(2 * random_unit(&probe->random) - 1);
        make_unit(direction, count);
        if (!slope_is_right(probe, array, direction, tolerance, ret_difference))
            return false;
    }
    memcpy(direction, array->gradient, count * sizeof *direction);
    make_unit(direction, count);
    double length = 0;
    for (uint32_t i = 0; i < count; i++)
        length += (double)array->gradient[i] * (double)direction[i];
    return slope_is_right(probe, array, direction, ABSOLUTE + RELATIVE * length, ret_difference);
}

/* ---- a model that training has brought somewhere, and sessions with items that come again */

static const struct shape {
    uint32_t width, length_max, items, length;
} shapes[] = {{10, 4, 7, 9}, {18, 1, 5, 4}, {5, 6, 3, 8}, {16, 3, 12, 2}};
#define SHAPES (sizeof shapes / sizeof *shapes)

/* The loss is to be smooth: so units with a kink (relu) are switched far on or far off. */
static void switch_units(struct parameters *parameters)
{
    for (uint32_t i = 0; i < parameters->count; i++) {
        const struct tensor *tensor = &parameters->tensors[i];
        for (uint32_t j = 0; strstr(tensor->name, "inner.b") && j < tensor->columns; j++)
            parameters->values[tensor->place + j] += (j % 2 ? 1.5f : -1.5f) * sqrtf((float)tensor->columns);
    }
}

struct kind {
    bool normalise, directed;
};

static struct model *model_make(const struct backbone *backbone, struct shape shape, struct kind kind, uint64_t seed)
{
    const struct model_options options = {.backbone = backbone,
                                          .width = shape.width,
                                          .length_max = shape.length_max,
                                          .normalise = kind.normalise,
                                          .temperature = 0.5f,
                                          .directed = kind.directed};
    struct random random;
    struct model *model;
    assert_ok(model_open(&options, shape.items, seed, &model));
    random_seed(&random, seed + 1);
    for (size_t i = 0; i < model->parameters.size; i++)
        model->parameters.values[i] += (float)random_unit(&random) - 0.5f;
    switch_units(&model->parameters);
    for (size_t i = 0; i < model_rows(model) * shape.width; i++)
        model->items[i] = 1.4f * (float)random_unit(&random) - 0.7f;
    return model;
}

struct clicks {
    uint32_t starts[SESSIONS + 1], items[ROWS_MAX];
};

/* The first session has one click, the second as many as there may be, the first two of which are the same item. */
static void clicks_make(struct clicks *clicks, struct shape shape, struct random *random)
{
    clicks->starts[0] = 0;
    for (uint32_t i = 0; i < SESSIONS; i++) {
        uint32_t length = i == 0 ? 1 : i == 1 ? shape.length : 1 + random_below(random, shape.length);
        for (uint32_t j = 0; j < length; j++)
            clicks->items[clicks->starts[i] + j] = random_below(random, shape.items);
        clicks->starts[i + 1] = clicks->starts[i] + length;
    }
    clicks->items[clicks->starts[1] + 1] = clicks->items[clicks->starts[1]];
}

/* ---- gradients through the trainer */

struct training {
    struct clicks clicks;
    struct model *model;
    struct trainer *trainer;
    struct random random; /* as the step begins */
    uint32_t samples[SAMPLES], count;
    struct parameter arrays[ARRAYS_MAX];
    uint32_t array_count;
};

static double training_loss(void *context)
{
    struct training *training = context;
    struct trainer *trainer = training->trainer;
    double loss;
    trainer->random = training->random;
    item_gradients_clear(&trainer->gradients);
    memset(training->model->parameters.gradient, 0, training->model->parameters.size * sizeof(float));
    assert_ok(trainer_gradients(trainer, training->samples, training->count, &loss));
    return loss / training->count;
}

/* The arrays' gradients are copies: the loss works in the originals. */
static void collect_arrays(struct training *training, struct layer_rig *rig)
{
    const struct parameters *parameters = &training->model->parameters;
    const struct item_gradients *rows = &training->trainer->gradients;
    uint32_t width = training->model->options.width, items = (uint32_t)model_rows(training->model) * width;
    struct parameter *array = training->arrays;
    for (uint32_t i = 0; i < parameters->count; i++) {
        uint32_t count = parameters->tensors[i].rows * parameters->tensors[i].columns;
        *array++ = (struct parameter){parameters->values + parameters->tensors[i].place,
                                      rig_copy(rig, parameters_gradient(parameters, i), count), NULL, count};
    }
    float *d_items = rig_block(rig, items * sizeof *d_items);
    memset(d_items, 0, items * sizeof *d_items);
    for (uint32_t i = 0; i < rows->count; i++)
        memcpy(d_items + rows->items[i] * width, rows->rows + i * width, width * sizeof *d_items);
    *array++ = (struct parameter){training->model->items, d_items, NULL, items};
    training->array_count = (uint32_t)(array - training->arrays);
}

struct way {
    struct kind kind;
    bool drawn;
    float dropout;
};

static void training_open(struct training *training, struct layer_rig *rig, const struct backbone *backbone,
                          struct shape shape, struct way way)
{
    const struct trainer_options options = {.epochs = 1,
                                            .batch = SAMPLES,
                                            .negatives = way.drawn ? 5 : 0,
                                            .negative_power = 0.5f,
                                            .rate = 0.01f,
                                            .dropout = way.dropout,
                                            .seed = 5};
    struct clicks *clicks = &training->clicks;
    clicks_make(clicks, shape, &rig->random);
    const struct training_sessions sessions = {SESSIONS, clicks->starts, clicks->items};
    training->model = model_make(backbone, shape, way.kind, random_u64(&rig->random));
    assert_ok(trainer_open(&options, &sessions, training->model, &training->trainer));
    training->random = training->trainer->random;
    training->count = 0;
    for (uint32_t click = 0; click < clicks->starts[SESSIONS] && training->count < SAMPLES; click++)
        if (training->trainer->places[click] > 0)
            training->samples[training->count++] = click;
    training_loss(training);
    collect_arrays(training, rig);
}

static void training_close(struct training *training)
{
    trainer_close(training->trainer);
    model_close(training->model);
}

/* Names are those of the tensors; what stands behind them has none. */
static const char *array_name(const struct model *model, uint32_t array)
{
    return array < model->parameters.count ? model->parameters.tensors[array].name : "rows";
}

static void check_arrays(struct probe *probe, const struct model *model, const struct parameter *arrays, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct gradient_difference difference;
        if (!array_is_right(probe, arrays + i, &difference))
            fail_msg("%s, width %u, %s, place %u of %u: the gradient is %g, differences say %g",
                     backbone_name(model->options.backbone), model->options.width, array_name(model, i),
                     difference.place, arrays[i].count, difference.got, difference.wanted);
    }
}

static void check_training(float dropout)
{
    for (uint32_t i = 0; i < BACKBONE_COUNT * SHAPES * 8; i++) {
        const struct backbone *backbone = backbones[i / (SHAPES * 8)];
        struct way way = {.kind = {.normalise = i & 1, .directed = i & 4}, .drawn = i & 2, .dropout = dropout};
        struct layer_rig rig;
        struct training training;
        layer_rig_open(&rig, test_seed(i));
        training_open(&training, &rig, backbone, shapes[i / 8 % SHAPES], way);
        struct probe probe = {.loss = training_loss, .context = &training, .random = rig.random};
        check_arrays(&probe, training.model, training.arrays, training.array_count);
        training_close(&training);
        layer_rig_close(&rig);
    }
}

static void gradients_are_those_of_the_loss(void **state)
{
    (void)state;
    check_training(0);
}

static void with_dropout_they_are_those_of_the_loss_with_the_same_masks(void **state)
{
    (void)state;
    check_training(0.3f);
}

/* So that the tests above can fail: in each array the largest gradient is made a little wrong. */
static void a_gradient_that_is_2_percent_off_is_seen(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BACKBONE_COUNT * 8; i++) {
        struct way way = {.kind = {.normalise = i & 1, .directed = i & 4}, .drawn = i & 2};
        struct layer_rig rig;
        struct training training;
        layer_rig_open(&rig, test_seed(i));
        training_open(&training, &rig, backbones[i / 8], shapes[0], way);
        struct probe probe = {.loss = training_loss, .context = &training, .random = rig.random};
        for (uint32_t j = 0; j < training.array_count; j++) {
            struct parameter *array = &training.arrays[j];
            float *largest = array->gradient + largest_of(array->gradient, array->count), right = *largest;
            struct gradient_difference difference;
            *largest += copysignf(fmaxf(WRONG * fabsf(right), WRONG_MIN), right);
            if (array_is_right(&probe, array, &difference))
                fail_msg("%s, %s: %g for %g passes", backbone_name(backbones[i / 8]), array_name(training.model, j),
                         (double)*largest, (double)right);
            *largest = right;
        }
        training_close(&training);
        layer_rig_close(&rig);
    }
}

/* ---- gradients of all three vectors, and of the clicks' rows, without the trainer */

enum { SESSION, LOCAL, GLOBAL, VECTORS };

struct direct {
    struct clicks clicks;
    struct model *model;
    struct backbone_batch batch;
    struct random random; /* as the pass begins */
    struct arena arena;
    float *d[VECTORS], *made[VECTORS]; /* d: NULL where nobody asks */
    const void *trace;
    struct parameter rows, arrays[ARRAYS_MAX];
};

static double direct_loss(void *context)
{
    struct direct *direct = context;
    uint32_t size = direct->batch.sessions.count * direct->model->options.width;
    struct random random = direct->random;
    struct session_vectors vectors = {
        .local = direct->made[LOCAL], .global = direct->made[GLOBAL], .session = direct->made[SESSION]};
    double loss = 0;
    direct->batch.random = direct->batch.dropout > 0 ? &random : NULL;
    arena_reset(&direct->arena);
    assert_ok(direct->model->options.backbone->forward(&direct->model->options, &direct->model->parameters,
                                                       &direct->batch, &direct->arena, &vectors, &direct->trace));
    for (uint32_t i = 0; i < VECTORS; i++)
        for (uint32_t j = 0; direct->d[i] && j < size; j++)
            loss += (double)direct->d[i][j] * (double)direct->made[i][j];
    return loss;
}

/* The batch is cut already: sessions have at most length_max clicks. */
static void direct_open(struct direct *direct, struct layer_rig *rig, const struct backbone *backbone,
                        struct shape shape, uint32_t asked)
{
    *direct = (struct direct){.random = rig->random};
    shape.length = shape.length_max;
    clicks_make(&direct->clicks, shape, &rig->random);
    direct->model = model_make(backbone, shape, (struct kind){0}, random_u64(&rig->random));
    assert_ok(parameters_open_training(&direct->model->parameters));
    uint32_t size = SESSIONS * shape.width, rows = direct->clicks.starts[SESSIONS];
    for (uint32_t i = 0; i < VECTORS; i++) {
        direct->d[i] = i == SESSION || asked & (1u << i) ? rig_random(rig, size) : NULL;
        for (uint32_t j = 0; direct->d[i] && j < size; j++)
            direct->d[i][j] /= SESSIONS; /* as a mean */
        direct->made[i] = rig_unset(rig, size);
    }
    direct->rows = rig_input(rig, rows * shape.width);
    direct->batch = (struct backbone_batch){
        .sessions = {SESSIONS, direct->clicks.starts}, .items = direct->clicks.items, .x = direct->rows.values};
}

/* Gradients of parameters begin with something, as they are added to; those of the vectors are copies, as a backbone
 * may change them. Returns how many arrays there are. */
static uint32_t direct_backward(struct direct *direct, struct layer_rig *rig)
{
    struct parameters *parameters = &direct->model->parameters;
    uint32_t size = SESSIONS * direct->model->options.width;
    struct session_vectors d = {.local = direct->d[LOCAL] ? rig_copy(rig, direct->d[LOCAL], size) : NULL,
                                .global = direct->d[GLOBAL] ? rig_copy(rig, direct->d[GLOBAL], size) : NULL,
                                .session = rig_copy(rig, direct->d[SESSION], size)};
    float *before = rig_random(rig, (uint32_t)parameters->size);
    memcpy(parameters->gradient, before, parameters->size * sizeof *before);
    direct_loss(direct);
    assert_ok(direct->model->options.backbone->backward(&direct->model->options, parameters, &direct->batch,
                                                        direct->trace, &direct->arena, &d, direct->rows.gradient));
    for (size_t i = 0; i < parameters->size; i++)
        parameters->gradient[i] -= before[i];
    for (uint32_t i = 0; i < parameters->count; i++)
        direct->arrays[i] = (struct parameter){
            .values = parameters->values + parameters->tensors[i].place,
            .gradient = parameters_gradient(parameters, i),
            .count = parameters->tensors[i].rows * parameters->tensors[i].columns,
        };
    direct->arrays[parameters->count] = direct->rows;
    return parameters->count + 1;
}

static void direct_close(struct direct *direct)
{
    arena_release(&direct->arena);
    model_close(direct->model);
}

static void local_and_global_vectors_have_gradients_too(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BACKBONE_COUNT * SHAPES * 5; i++) {
        static const uint32_t asked[5] = {0, 1 << LOCAL, 1 << GLOBAL, 1 << LOCAL | 1 << GLOBAL,
                                          1 << LOCAL | 1 << GLOBAL};
        struct layer_rig rig;
        struct direct direct;
        layer_rig_open(&rig, test_seed(i));
        direct_open(&direct, &rig, backbones[i / (SHAPES * 5)], shapes[i / 5 % SHAPES], asked[i % 5]);
        direct.batch.dropout = i % 5 == 4 ? 0.3f : 0;
        uint32_t count = direct_backward(&direct, &rig);
        struct probe probe = {.loss = direct_loss, .context = &direct, .random = rig.random};
        check_arrays(&probe, direct.model, direct.arrays, count);
        direct_close(&direct);
        layer_rig_close(&rig);
    }
}

/* ---- sessions by themselves */

/* Not to the bit: the order of a matrix product's sums depends on how many rows it has. */
static void assert_same_vectors(const float *vectors, const float *wanted, uint32_t count, const struct model *model)
{
    for (uint32_t i = 0; i < count; i++)
        if (!(fabsf(vectors[i] - wanted[i]) <= 5e-6f * fmaxf(1, fabsf(wanted[i]))))
            fail_msg("%s, place %u of %u: %g instead of %g", backbone_name(model->options.backbone), i, count,
                     (double)vectors[i], (double)wanted[i]);
}

static void vectors_of(const struct model *model, uint32_t count, const uint32_t *starts, const uint32_t *items,
                       float *vectors)
{
    struct arena arena = {0};
    const struct model_sessions sessions = {count, starts, items};
    assert_ok(model_vectors(model, &sessions, &arena, vectors));
    arena_release(&arena);
}

static void check_alone(const struct model *model, struct layer_rig *rig, const struct clicks *clicks)
{
    const struct packed sessions = {SESSIONS, clicks->starts}, reversed = rig_reverse_sessions(rig, sessions);
    uint32_t width = model->options.width, size = SESSIONS * width, items[ROWS_MAX];
    float *vectors = rig_unset(rig, size), *others = rig_unset(rig, size);
    vectors_of(model, SESSIONS, clicks->starts, clicks->items, vectors);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        uint32_t start = clicks->starts[i], length = clicks->starts[i + 1] - start, starts[] = {0, length};
        vectors_of(model, 1, starts, clicks->items + start, others + i * width);
        memcpy(items + reversed.starts[SESSIONS - 1 - i], clicks->items + start, length * sizeof *items);
    }
    assert_same_vectors(others, vectors, size, model);
    vectors_of(model, SESSIONS, reversed.starts, items, others);
    for (uint32_t i = 0; i < SESSIONS; i++)
        assert_same_vectors(others + (SESSIONS - 1 - i) * width, vectors + i * width, width, model);
}

static void a_session_has_its_vector_whatever_is_beside_it(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BACKBONE_COUNT * SHAPES * 2; i++) {
        struct layer_rig rig;
        struct clicks clicks;
        layer_rig_open(&rig, test_seed(i));
        clicks_make(&clicks, shapes[i / 2 % SHAPES], &rig.random);
        struct model *model =
            model_make(backbones[i / (SHAPES * 2)], shapes[i / 2 % SHAPES], (struct kind){.normalise = i % 2}, i);
        check_alone(model, &rig, &clicks);
        model_close(model);
        layer_rig_close(&rig);
    }
}

/* Attention is causal: what a row comes to is the vector of the session as it was then, and global is their mean. */
static void sasrec_sees_no_later_click(void **state)
{
    (void)state;
    enum { CLICKS = 4 };
    static const uint32_t starts[CLICKS + 1] = {0, 1, 3, 6, 10}, items[10] = {3, 3, 1, 3, 1, 5, 3, 1, 5, 1};
    const struct shape shape = shapes[0];
    struct layer_rig rig;
    struct arena arena = {0};
    const void *trace;
    layer_rig_open(&rig, test_seed(1));
    struct model *model = model_make(backbone_named("sasrec"), shape, (struct kind){0}, 1);
    uint32_t width = shape.width, size = CLICKS * width;
    struct session_vectors made = {rig_unset(&rig, size), rig_unset(&rig, size), rig_unset(&rig, size)};
    float *x = rig_unset(&rig, 10 * width);
    double mean[WIDTH_MAX] = {0};
    for (uint32_t i = 0; i < 10; i++)
        memcpy(x + i * width, model->items + items[i] * width, width * sizeof *x);
    const struct backbone_batch batch = {.sessions = {CLICKS, starts}, .items = items, .x = x};
    assert_ok(model->options.backbone->forward(&model->options, &model->parameters, &batch, &arena, &made, &trace));
    for (uint32_t i = 0; i < size; i++)
        mean[i % width] += (double)made.session[i] / CLICKS;
    assert_close(made.global + size - width, mean, width);
    arena_release(&arena);
    model_close(model);
    layer_rig_close(&rig);
}

static void a_model_comes_back_from_its_bytes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BACKBONE_COUNT * SHAPES * 4; i++) {
        struct shape shape = shapes[i / 4 % SHAPES];
        struct kind kind = {.normalise = i & 1, .directed = i & 2};
        struct model *model = model_make(backbones[i / (SHAPES * 4)], shape, kind, i), *other;
        struct layer_rig rig;
        struct clicks clicks;
        float vectors[SESSIONS * WIDTH_MAX], others[SESSIONS * WIDTH_MAX];
        AUTO(buffer) bytes = {0};
        layer_rig_open(&rig, test_seed(i));
        clicks_make(&clicks, shape, &rig.random);
        assert_ok(model_encode(model, buffer_sink(&bytes)));
        assert_ok(model_decode(buffer_bytes(&bytes), &other));
        assert_ptr_equal(other->options.backbone, model->options.backbone);
        assert_int_equal(model_parameter_count(other), model_parameter_count(model));
        assert_int_equal(other->options.directed, kind.directed);
        assert_memory_equal(other->items, model->items, model_rows(model) * shape.width * sizeof *model->items);
        vectors_of(model, SESSIONS, clicks.starts, clicks.items, vectors);
        vectors_of(other, SESSIONS, clicks.starts, clicks.items, others);
        assert_memory_equal(vectors, others, SESSIONS * shape.width * sizeof *vectors);
        model_close(other);
        model_close(model);
        layer_rig_close(&rig);
    }
}

/* ---- training */

/* The samples' loss among all items, from what the model scores with. */
static double scored_loss(const struct training *training)
{
    const struct model *model = training->model;
    const struct training_sessions *sessions = &training->trainer->sessions;
    float rows[ITEMS_MAX * WIDTH_MAX], vector[WIDTH_MAX], scores[ITEMS_MAX];
    double loss = 0;
    model_item_rows(model, rows);
    for (uint32_t i = 0; i < training->count; i++) {
        uint32_t click = training->samples[i], length = training->trainer->places[click], starts[] = {0, length};
        double sum = 0;
        vectors_of(model, 1, starts, sessions->items + click - length, vector);
        model_score(model, rows, vector, 1, scores);
        for (uint32_t item = 0; item < model->item_count; item++)
            sum += exp((double)scores[item]);
        loss += log(sum) - (double)scores[sessions->items[click]];
    }
    return loss / training->count;
}

static void what_is_trained_is_what_is_scored_with(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BACKBONE_COUNT * SHAPES * 4; i++) {
        struct layer_rig rig;
        struct training training;
        layer_rig_open(&rig, test_seed(i));
        training_open(&training, &rig, backbones[i / (SHAPES * 4)], shapes[i / 4 % SHAPES],
                      (struct way){.kind = {.normalise = i & 1, .directed = i & 2}});
        double wanted = scored_loss(&training), got = training_loss(&training);
        if (!(fabs(got - wanted) <= 1e-5 * wanted))
            fail_msg("%s: a loss of %g instead of %g", backbone_name(backbones[i / (SHAPES * 4)]), got, wanted);
        training_close(&training);
        layer_rig_close(&rig);
    }
}

/* Untrained models, and a walk round the items. */
static void check_learning(const struct backbone *backbone, struct kind kind)
{
    const struct model_options options = {.backbone = backbone,
                                          .width = 10,
                                          .length_max = 4,
                                          .normalise = kind.normalise,
                                          .temperature = 0.2f,
                                          .directed = kind.directed};
    const struct trainer_options trainer_options = {.epochs = 100, .batch = 16, .rate = 0.02f, .seed = 5};
    uint32_t starts[5] = {0}, items[4 * LENGTH_MAX];
    struct model *model;
    struct trainer *trainer;
    struct trained_step step;
    double first = 0, last = 0;
    for (uint32_t i = 0; i < 4 * LENGTH_MAX; i++) {
        items[i] = (i + i / LENGTH_MAX) % ITEMS_MAX;
        starts[i / LENGTH_MAX + 1] = i + 1;
    }
    const struct training_sessions sessions = {4, starts, items};
    assert_ok(model_open(&options, ITEMS_MAX, 3, &model));
    assert_ok(trainer_open(&trainer_options, &sessions, model, &trainer));
    for (uint32_t i = 0; i < 30; i++) {
        assert_ok(trainer_step(trainer, &step));
        first += i < 2 ? step.loss / step.samples / 2 : 0;
        last += i >= 28 ? step.loss / step.samples / 2 : 0;
    }
    if (!(last < 0.8 * first))
        fail_msg("%s: the loss went from %g to %g", backbone_name(backbone), first, last);
    trainer_close(trainer);
    model_close(model);
}

static void each_learns_a_walk_round_the_items(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BACKBONE_COUNT * 4; i++)
        check_learning(backbones[i / 4], (struct kind){.normalise = i & 1, .directed = i & 2});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(with_dropout_they_are_those_of_the_loss_with_the_same_masks),
        cmocka_unit_test(a_gradient_that_is_2_percent_off_is_seen),
        cmocka_unit_test(local_and_global_vectors_have_gradients_too),
        cmocka_unit_test(a_session_has_its_vector_whatever_is_beside_it),
        cmocka_unit_test(sasrec_sees_no_later_click),
        cmocka_unit_test(a_model_comes_back_from_its_bytes),
        cmocka_unit_test(what_is_trained_is_what_is_scored_with),
        cmocka_unit_test(each_learns_a_walk_round_the_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
