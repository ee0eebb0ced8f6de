// SPDX-License-Identifier: Apache-2.0
/* The session models against PyTorch: backbones.txt holds weights, vectors, scores, the loss and its gradients, which
 * tools/golden_backbones.py wrote. `./dev golden models` writes them anew. What is to be set is NaN before. */
#include "support/support.h"

#include "core/model/trainer.h"
#include "support/golden_tensors.h"

#include <math.h>

enum { WIDTH = 7, ITEMS = 12, LENGTH_MAX = 5, SESSIONS = 5, CLICKS = 19, VALUES_MAX = 1024 };

#define TEMPERATURE 0.5f

static const struct variant {
    const char *name, *backbone; /* name: what its tensors' names begin with */
    bool normalise, directed;
} variants[] = {
    {"pw_core", "pw_core", false, false},
    {"stamp", "stamp", false, false},
    {"narm", "narm", false, false},
    {"gru4rec", "gru4rec", false, false},
    {"sr_gnn", "sr_gnn", false, false},
    {"sasrec", "sasrec", false, false},
    {"pw_core_normalised", "pw_core", true, false},
    {"sr_gnn_normalised", "sr_gnn", true, false},
    {"gru4rec_directed", "gru4rec", false, true},
    {"pw_core_normalised_directed", "pw_core", true, true},
};
#define VARIANTS (sizeof variants / sizeof *variants)

/* ---- what goes in */

struct sessions {
    uint32_t starts[SESSIONS + 1], items[CLICKS], targets[SESSIONS];
};

static void sessions_read(struct golden_tensors *golden, struct sessions *sessions)
{
    golden_indices(golden, "sessions.starts", SESSIONS + 1, sessions->starts);
    golden_indices(golden, "sessions.items", CLICKS, sessions->items);
    golden_indices(golden, "sessions.targets", SESSIONS, sessions->targets);
    assert_int_equal(sessions->starts[0], 0);
    assert_int_equal(sessions->starts[SESSIONS], CLICKS);
}

/* The name of a model's tensor, until the next call. */
static const char *named(const struct variant *variant, const char *prefix, const char *tensor)
{
    static char name[96];
    snprintf(name, sizeof name, "%s.%s%s", variant->name, prefix, tensor);
    return name;
}

static struct model *model_read(struct golden_tensors *golden, const struct variant *variant)
{
    const struct model_options options = {.backbone = backbone_named(variant->backbone),
                                          .width = WIDTH,
                                          .length_max = LENGTH_MAX,
                                          .normalise = variant->normalise,
                                          .temperature = TEMPERATURE,
                                          .directed = variant->directed};
    struct model *model;
    assert_non_null(options.backbone);
    assert_ok(model_open_empty(&options, ITEMS, &model));
    assert_true(model->parameters.size <= VALUES_MAX);
    memcpy(model->items, golden_tensor(golden, named(variant, "", "items"), ITEMS, WIDTH),
           ITEMS * WIDTH * sizeof(float));
    if (variant->directed)
        memcpy(model->items + ITEMS * WIDTH, golden_tensor(golden, named(variant, "", "offsets"), ITEMS, WIDTH),
               ITEMS * WIDTH * sizeof(float));
    for (uint32_t i = 0; i < model->parameters.count; i++) {
        const struct tensor *tensor = &model->parameters.tensors[i];
        const float *values = golden_tensor(golden, named(variant, "", tensor->name), tensor->rows, tensor->columns);
        memcpy(model->parameters.values + tensor->place, values, tensor->rows * tensor->columns * sizeof *values);
    }
    return model;
}

/* ---- what comes out */

struct results {
    float local[SESSIONS * WIDTH], global[SESSIONS * WIDTH], session[SESSIONS * WIDTH]; /* of the backbone */
    float vectors[SESSIONS * WIDTH], scores[SESSIONS * ITEMS], loss;
    float d_items[ITEMS * WIDTH], d_offsets[ITEMS * WIDTH], d_parameters[VALUES_MAX];
};

/* What a backbone makes of the clicks that are seen. */
static void run_backbone(const struct model *model, const struct sessions *sessions, struct results *results)
{
    struct session_vectors vectors = {results->local, results->global, results->session};
    uint32_t starts[SESSIONS + 1] = {0}, items[CLICKS];
    float x[CLICKS * WIDTH];
    struct arena arena = {0};
    const void *trace;
    for (uint32_t i = 0; i < SESSIONS; i++) {
        uint32_t click = sessions->starts[i], end = sessions->starts[i + 1];
        starts[i + 1] = starts[i];
        for (click = end - click > LENGTH_MAX ? end - LENGTH_MAX : click; click < end; click++) {
            uint32_t row = starts[i + 1]++;
            items[row] = sessions->items[click];
            memcpy(x + row * WIDTH, model->items + items[row] * WIDTH, WIDTH * sizeof *x);
        }
    }
    const struct backbone_batch batch = {.sessions = {SESSIONS, starts}, .items = items, .x = x};
    assert_ok(model->options.backbone->forward(&model->options, &model->parameters, &batch, &arena, &vectors, &trace));
    arena_release(&arena);
}

static void run_scores(const struct model *model, const struct sessions *sessions, struct results *results)
{
    const struct model_sessions model_sessions = {SESSIONS, sessions->starts, sessions->items};
    float rows[ITEMS * WIDTH];
    struct arena arena = {0};
    assert_ok(model_vectors(model, &model_sessions, &arena, results->vectors));
    model_item_rows(model, rows);
    model_score(model, rows, results->vectors, SESSIONS, results->scores);
    arena_release(&arena);
}

/* A session's target is its last click in what is trained with. */
static void run_training(struct model *model, const struct sessions *sessions, struct results *results)
{
    const struct trainer_options options = {.epochs = 1, .batch = SESSIONS, .rate = 0.01f};
    uint32_t starts[SESSIONS + 1] = {0}, items[CLICKS + SESSIONS], samples[SESSIONS], count = 0;
    for (uint32_t i = 0; i < SESSIONS; i++) {
        for (uint32_t click = sessions->starts[i]; click < sessions->starts[i + 1]; click++)
            items[count++] = sessions->items[click];
        samples[i] = count;
        items[count++] = sessions->targets[i];
        starts[i + 1] = count;
    }
    const struct training_sessions training = {SESSIONS, starts, items};
    struct trainer *trainer;
    double loss;
    assert_ok(trainer_open(&options, &training, model, &trainer));
    assert_ok(trainer_gradients(trainer, samples, SESSIONS, &loss));
    results->loss = (float)(loss / SESSIONS);
    for (uint32_t i = 0; i < trainer->gradients.count; i++) {
        uint32_t row = trainer->gradients.items[i];
        float *to = row < ITEMS ? results->d_items + row * WIDTH : results->d_offsets + (row - ITEMS) * WIDTH;
        memcpy(to, trainer->gradients.rows + (size_t)i * WIDTH, WIDTH * sizeof *to);
    }
    memcpy(results->d_parameters, model->parameters.gradient, model->parameters.size * sizeof(float));
    trainer_close(trainer);
}

static void run(struct model *model, const struct sessions *sessions, struct results *results)
{
    float *values = (float *)results;
    for (size_t i = 0; i < sizeof *results / sizeof *values; i++)
        values[i] = NAN;
    run_backbone(model, sessions, results);
    run_scores(model, sessions, results);
    run_training(model, sessions, results);
}

/* ---- comparing */

struct comparison {
    struct golden_tensors *golden;
    const struct variant *variant;
    struct buffer *report; /* what differs */
};

static void compare(const struct comparison *comparison, const char *prefix, const char *tensor, uint32_t rows,
                    uint32_t columns, const float *got)
{
    const char *name = named(comparison->variant, prefix, tensor);
    const float *wanted = golden_tensor(comparison->golden, name, rows, columns);
    if (!golden_same(name, wanted, got, rows * columns, comparison->report))
        buffer_append_text(comparison->report, "\n");
}

static void compare_scores(const struct comparison *comparison, const struct results *results)
{
    compare(comparison, "", "scores", SESSIONS, ITEMS, results->scores);
    compare(comparison, "", "loss", 1, 1, &results->loss);
}

static void compare_all(const struct comparison *comparison, const struct model *model, const struct results *results)
{
    compare(comparison, "", "local", SESSIONS, WIDTH, results->local);
    compare(comparison, "", "global", SESSIONS, WIDTH, results->global);
    compare(comparison, "", "session", SESSIONS, WIDTH, results->session);
    compare(comparison, "", "vectors", SESSIONS, WIDTH, results->vectors);
    compare_scores(comparison, results);
    compare(comparison, "d_", "items", ITEMS, WIDTH, results->d_items);
    if (comparison->variant->directed)
        compare(comparison, "d_", "offsets", ITEMS, WIDTH, results->d_offsets);
    for (uint32_t i = 0; i < model->parameters.count; i++) {
        const struct tensor *tensor = &model->parameters.tensors[i];
        compare(comparison, "d_", tensor->name, tensor->rows, tensor->columns, results->d_parameters + tensor->place);
    }
}

static void a_model_is_that_of_pytorch(void **state)
{
    struct sessions sessions;
    sessions_read(*state, &sessions);
    for (size_t i = 0; i < VARIANTS; i++) {
        AUTO(buffer) report = {0};
        const struct comparison comparison = {*state, &variants[i], &report};
        struct results results;
        struct model *model = model_read(*state, &variants[i]);
        run(model, &sessions, &results);
        compare_all(&comparison, model, &results);
        model_close(model);
        if (report.size > 0)
            fail_msg("%s", buffer_text(&report));
    }
    const char *unused = golden_unused(*state, "");
    if (unused)
        fail_msg("tensor %s is compared with nothing", unused);
}

/* ---- whether it would be noticed */

static uint32_t largest_of(const float *values, uint32_t count)
{
    uint32_t largest = 0;
    for (uint32_t i = 1; i < count; i++)
        largest = fabsf(values[i]) > fabsf(values[largest]) ? i : largest;
    return largest;
}

/* A little on the weight that matters most: scores or the loss are others. */
static void check_weight(const struct comparison *comparison, struct model *model, const struct sessions *sessions,
                         const char *tensor, const float *d_values, float *values, uint32_t count)
{
    struct results results;
    float *weight = values + largest_of(d_values, count), before = *weight;
    *weight += 1.0f / 256;
    run(model, sessions, &results);
    *weight = before;
    buffer_clear(comparison->report);
    compare_scores(comparison, &results);
    if (comparison->report->size == 0)
        fail_msg("%s: a weight that is another passes", named(comparison->variant, "", tensor));
}

static void one_other_weight_is_noticed(void **state)
{
    struct sessions sessions;
    sessions_read(*state, &sessions);
    for (size_t i = 0; i < VARIANTS; i++) {
        AUTO(buffer) report = {0};
        const struct comparison comparison = {*state, &variants[i], &report};
        struct model *model = model_read(*state, &variants[i]);
        struct results right;
        run(model, &sessions, &right);
        check_weight(&comparison, model, &sessions, "items", right.d_items, model->items, ITEMS * WIDTH);
        if (variants[i].directed)
            check_weight(&comparison, model, &sessions, "offsets", right.d_offsets, model->items + ITEMS * WIDTH,
                         ITEMS * WIDTH);
        for (uint32_t j = 0; j < model->parameters.count; j++) {
            const struct tensor *tensor = &model->parameters.tensors[j];
            check_weight(&comparison, model, &sessions, tensor->name, right.d_parameters + tensor->place,
                         model->parameters.values + tensor->place, tensor->rows * tensor->columns);
        }
        model_close(model);
    }
}

static int open_golden(void **state)
{
    *state = golden_tensors_open("tests/golden/backbones.txt");
    return 0;
}

static int close_golden(void **state)
{
    golden_tensors_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_that_of_pytorch),
        cmocka_unit_test(one_other_weight_is_noticed),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
