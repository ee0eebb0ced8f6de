// SPDX-License-Identifier: Apache-2.0
/* The loss and the optimizers against PyTorch, with the tensors of layers.txt (tools/golden_layers.py). */
#include "support/support.h"

#include "core/model/arithmetic.h"
#include "core/model/loss.h"
#include "support/golden_tensors.h"

#include <math.h>

enum { COUNT = 12, STEPS = 6 };

/* The name of an optimizer's tensor, until the next call. */
static const char *named(const char *optimizer, const char *what)
{
    static char name[64];
    snprintf(name, sizeof name, "%s.%s", optimizer, what);
    return name;
}

static void assert_all_used(const struct golden_tensors *golden, const char *prefix)
{
    const char *unused = golden_unused(golden, prefix);
    if (unused)
        fail_msg("tensor %s is compared with nothing", unused);
}

static void compare_adam(struct golden_tensors *golden, const char *name)
{
    const float *options = golden_tensor(golden, named(name, "options"), 1, 5);
    const float *gradients = golden_tensor(golden, named(name, "gradients"), STEPS, COUNT);
    struct adam adam = {.beta1 = options[1], .beta2 = options[2], .decay = options[4]};
    float weights[COUNT], mean[COUNT] = {0}, square[COUNT] = {0}, steps[STEPS * COUNT];
    memcpy(weights, golden_tensor(golden, named(name, "weights"), 1, COUNT), sizeof weights);
    double power1 = 1, power2 = 1;
    for (uint32_t step = 0; step < STEPS; step++) {
        power1 *= (double)adam.beta1;
        power2 *= (double)adam.beta2;
        /* PyTorch adds epsilon to the corrected root, vector_adam() to the one that is not corrected yet. */
        adam.rate = (float)((double)options[0] * sqrt(1 - power2) / (1 - power1));
        adam.epsilon = (float)((double)options[3] * sqrt(1 - power2));
        vector_adam(&adam, gradients + (size_t)step * COUNT, weights, mean, square, COUNT);
        memcpy(steps + (size_t)step * COUNT, weights, sizeof weights);
    }
    golden_compare(golden, named(name, "steps"), STEPS, COUNT, steps);
    golden_compare(golden, named(name, "mean"), 1, COUNT, mean);
    golden_compare(golden, named(name, "square"), 1, COUNT, square);
    assert_all_used(golden, named(name, ""));
}

static void adam_is_that_of_pytorch(void **state)
{
    compare_adam(*state, "adam");
}

static void adam_with_weight_decay_is_that_of_pytorch(void **state)
{
    compare_adam(*state, "adam_decay");
}

static void adagrad_is_that_of_pytorch(void **state)
{
    const float *options = golden_tensor(*state, "adagrad.options", 1, 2);
    const float *gradients = golden_tensor(*state, "adagrad.gradients", STEPS, COUNT);
    float weights[COUNT], square[COUNT] = {0}, steps[STEPS * COUNT];
    memcpy(weights, golden_tensor(*state, "adagrad.weights", 1, COUNT), sizeof weights);
    for (uint32_t step = 0; step < STEPS; step++) {
        vector_adagrad(options[0], options[1], gradients + (size_t)step * COUNT, weights, square, COUNT);
        memcpy(steps + (size_t)step * COUNT, weights, sizeof weights);
    }
    golden_compare(*state, "adagrad.steps", STEPS, COUNT, steps);
    golden_compare(*state, "adagrad.square", 1, COUNT, square);
    assert_all_used(*state, "adagrad.");
}

static void the_cross_entropy_of_a_softmax_is_that_of_pytorch(void **state)
{
    enum { ROWS = 4, ITEMS = 9 };
    static const uint32_t items[ITEMS] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    const struct softmax_candidates all = {ITEMS, items, NULL};
    float logits[ROWS * ITEMS];
    memcpy(logits, golden_tensor(*state, "cross_entropy.logits", ROWS, ITEMS), sizeof logits);
    uint32_t targets[ROWS];
    golden_indices(*state, "cross_entropy.targets", ROWS, targets);
    float loss = (float)(softmax_loss(logits, ROWS, ROWS, &all, targets, NULL) / ROWS);
    golden_compare(*state, "cross_entropy.loss", 1, 1, &loss);
    golden_compare(*state, "cross_entropy.d_logits", ROWS, ITEMS, logits);
    assert_all_used(*state, "cross_entropy.");
}

static int open_golden(void **state)
{
    *state = golden_tensors_open("tests/golden/layers.txt");
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
        cmocka_unit_test(adam_is_that_of_pytorch),
        cmocka_unit_test(adam_with_weight_decay_is_that_of_pytorch),
        cmocka_unit_test(adagrad_is_that_of_pytorch),
        cmocka_unit_test(the_cross_entropy_of_a_softmax_is_that_of_pytorch),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
