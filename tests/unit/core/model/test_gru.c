// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/layer_rig.h"

#include <math.h>

enum { X, W, U, B, C, PARAMETERS };
#define HIDDEN_MAX 40

struct unit {
    struct packed sessions;
    uint32_t in, hidden;
    struct parameter parameters[PARAMETERS];
    struct gru_trace trace;
    float *d_y, *y;
    double wanted[4000];
};

static const struct shape {
    uint32_t count, length_max, in, hidden;
} shapes[] = {{1, 1, 3, 2}, {4, 5, 1, 1}, {5, 6, 7, 5}, {2, 50, 3, 4}, {3, 4, 16, 16}, {3, 3, 5, 19}, {6, 4, 20, 3}};

static void make(struct unit *unit, struct layer_rig *rig, struct shape shape)
{
    unit->sessions = rig_sessions(rig, shape.count, shape.length_max);
    unit->in = shape.in;
    unit->hidden = shape.hidden;
    uint32_t rows = packed_rows(unit->sessions), hidden = shape.hidden, gates = 3 * hidden;
    unit->parameters[X] = rig_input(rig, rows * shape.in);
    unit->parameters[W] = rig_weight(rig, gates * shape.in);
    unit->parameters[U] = rig_weight(rig, gates * hidden);
    unit->parameters[B] = rig_weight(rig, gates);
    unit->parameters[C] = rig_weight(rig, gates);
    unit->trace = (struct gru_trace){rig_unset(rig, rows * gates), rig_unset(rig, rows * gates),
                                     rig_unset(rig, rows * gates), rig_unset(rig, shape.count * 5 * hidden)};
    unit->d_y = rig_random(rig, rows * hidden);
    unit->y = rig_unset(rig, rows * hidden);
}

static struct gru weights_of(const struct unit *unit)
{
    const struct parameter *p = unit->parameters;
    return (struct gru){p[W].values, p[U].values, p[B].values, p[C].values};
}

static void forward(struct unit *unit)
{
    struct gru weights = weights_of(unit);
    gru_forward(&weights, unit->parameters[X].values, unit->y, &unit->trace, unit->sessions, unit->in, unit->hidden);
}

static void backward(struct unit *unit, struct layer_rig *rig, float *d_x)
{
    struct parameter *p = unit->parameters;
    struct gru weights = weights_of(unit);
    float *d_y = rig_copy(rig, unit->d_y, packed_rows(unit->sessions) * unit->hidden);
    gru_backward(&weights, p[X].values, unit->y, &unit->trace, d_y, d_x,
                 &(struct gru_gradient){p[W].gradient, p[U].gradient, p[B].gradient, p[C].gradient}, unit->sessions,
                 unit->in, unit->hidden);
}

static double row_of(const struct parameter *matrix, uint32_t row, const float *x, uint32_t width)
{
    double sum = 0;
    for (uint32_t i = 0; i < width; i++)
        sum += (double)matrix->values[row * width + i] * (double)x[i];
    return sum;
}

static double row_of_state(const struct parameter *matrix, uint32_t row, const double *h, uint32_t width)
{
    double sum = 0;
    for (uint32_t i = 0; i < width; i++)
        sum += (double)matrix->values[row * width + i] * h[i];
    return sum;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void reference_step(const struct unit *unit, const float *x, const double *h, double *next)
{
    const struct parameter *p = unit->parameters;
    uint32_t hidden = unit->hidden;
    for (uint32_t i = 0; i < hidden; i++) {
        double from_x[3], from_h[3];
        for (uint32_t gate = 0; gate < 3; gate++) {
            uint32_t row = gate * hidden + i;
            from_x[gate] = row_of(&p[W], row, x, unit->in) + (double)p[B].values[row];
            from_h[gate] = row_of_state(&p[U], row, h, hidden) + (double)p[C].values[row];
        }
        double r = sigmoid(from_x[0] + from_h[0]), z = sigmoid(from_x[1] + from_h[1]);
        double n = tanh(from_x[2] + r * from_h[2]);
        next[i] = (1 - z) * n + z * h[i];
    }
}

static double reference(void *context)
{
    struct unit *unit = context;
    const uint32_t *starts = unit->sessions.starts;
    static const double zeros[HIDDEN_MAX];
    for (uint32_t i = 0; i < unit->sessions.count; i++) {
        const double *h = zeros;
        for (uint32_t row = starts[i]; row < starts[i + 1]; row++) {
            double *next = unit->wanted + row * unit->hidden;
            reference_step(unit, unit->parameters[X].values + row * unit->in, h, next);
            h = next;
        }
    }
    return loss_of(unit->d_y, unit->wanted, packed_rows(unit->sessions) * unit->hidden);
}

static void outputs_and_gradients_are_those_of_the_reference(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct layer_rig rig;
        static struct unit unit;
        layer_rig_open(&rig, test_seed(i));
        make(&unit, &rig, shapes[i]);
        forward(&unit);
        reference(&unit);
        assert_close(unit.y, unit.wanted, packed_rows(unit.sessions) * unit.hidden);
        backward(&unit, &rig, unit.parameters[X].gradient);
        assert_gradients(&(struct gradient_check){reference, &unit}, unit.parameters, PARAMETERS);
        layer_rig_close(&rig);
    }
}

static void weights_get_their_gradients_when_nobody_asks_for_that_of_x(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct unit unit;
    layer_rig_open(&rig, test_seed(1));
    make(&unit, &rig, (struct shape){3, 5, 4, 6});
    forward(&unit);
    backward(&unit, &rig, NULL);
    assert_gradients(&(struct gradient_check){reference, &unit}, unit.parameters + W, PARAMETERS - W);
    layer_rig_close(&rig);
}

static void later_rows_and_other_sessions_change_nothing(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct unit unit;
    layer_rig_open(&rig, test_seed(2));
    make(&unit, &rig, (struct shape){6, 7, 5, 11});
    forward(&unit);
    float *before = rig_copy(&rig, unit.y, packed_rows(unit.sessions) * 11);
    uint32_t session = random_below(&rig.random, 6), start = unit.sessions.starts[session];
    uint32_t end = unit.sessions.starts[session + 1], row = start + random_below(&rig.random, end - start);
    for (uint32_t i = 0; i < 5; i++)
        unit.parameters[X].values[row * 5 + i] += 1;
    forward(&unit);
    for (uint32_t other = 0; other < packed_rows(unit.sessions); other++)
        if (other >= row && other < end)
            assert_memory_not_equal(unit.y + other * 11, before + other * 11, 11 * sizeof *before);
        else
            assert_same_floats(unit.y + other * 11, before + other * 11, 11);
    layer_rig_close(&rig);
}

static void sessions_that_change_places_take_outputs_and_gradients_along(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct unit unit;
    layer_rig_open(&rig, test_seed(3));
    make(&unit, &rig, (struct shape){7, 6, 5, 18});
    struct packed sessions = unit.sessions;
    float *x = unit.parameters[X].values, *d_x = unit.parameters[X].gradient;
    forward(&unit);
    backward(&unit, &rig, d_x);
    float *wanted = rig_reverse_rows(&rig, unit.y, sessions, 18);
    float *wanted_d_x = rig_reverse_rows(&rig, d_x, sessions, 5);
    unit.parameters[X].values = rig_reverse_rows(&rig, x, sessions, 5);
    unit.d_y = rig_reverse_rows(&rig, unit.d_y, sessions, 18);
    unit.sessions = rig_reverse_sessions(&rig, sessions);
    forward(&unit);
    backward(&unit, &rig, d_x);
    assert_same_floats(unit.y, wanted, packed_rows(sessions) * 18);
    assert_same_floats(d_x, wanted_d_x, packed_rows(sessions) * 5);
    layer_rig_close(&rig);
}

struct cell {
    uint32_t rows, hidden;
    struct parameter parameters[3]; /* x_part, h_part, h */
    float *d_next;
    double wanted[400];
};

static double cell_reference(void *context)
{
    struct cell *cell = context;
    uint32_t hidden = cell->hidden;
    for (uint32_t row = 0; row < cell->rows; row++) {
        const float *x = cell->parameters[0].values + 3 * row * hidden,
                    *u = cell->parameters[1].values + 3 * row * hidden;
        for (uint32_t i = 0; i < hidden; i++) {
            double r = sigmoid((double)x[i] + (double)u[i]);
            double z = sigmoid((double)x[hidden + i] + (double)u[hidden + i]);
            double n = tanh((double)x[2 * hidden + i] + r * (double)u[2 * hidden + i]);
            cell->wanted[row * hidden + i] = (1 - z) * n + z * (double)cell->parameters[2].values[row * hidden + i];
        }
    }
    return loss_of(cell->d_next, cell->wanted, cell->rows * hidden);
}

static void the_step_of_a_cell_and_its_gradients_are_those_of_the_reference(void **state)
{
    (void)state;
    for (uint32_t hidden = 1; hidden < 40; hidden += 6) {
        struct layer_rig rig;
        layer_rig_open(&rig, test_seed(hidden));
        static struct cell cell;
        cell.rows = 1 + random_below(&rig.random, 9);
        cell.hidden = hidden;
        uint32_t count = cell.rows * hidden;
        for (uint32_t i = 0; i < 3; i++)
            cell.parameters[i] = rig_input(&rig, i < 2 ? 3 * count : count);
        cell.d_next = rig_random(&rig, count);
        float *gates = rig_unset(&rig, 3 * count), *next = rig_unset(&rig, count);
        const struct parameter *p = cell.parameters;
        gru_cell_forward(p[0].values, p[1].values, p[2].values, gates, next, cell.rows, hidden);
        cell_reference(&cell);
        assert_close(next, cell.wanted, count);
        gru_cell_backward(gates, p[1].values, p[2].values, cell.d_next, p[0].gradient, p[1].gradient, p[2].gradient,
                          cell.rows, hidden);
        assert_gradients(&(struct gradient_check){cell_reference, &cell}, cell.parameters, 3);
        layer_rig_close(&rig);
    }
}

static void no_sessions_are_no_steps(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct unit unit;
    layer_rig_open(&rig, test_seed(4));
    make(&unit, &rig, (struct shape){1, 1, 2, 3});
    unit.sessions = (struct packed){0, (const uint32_t[]){0}};
    forward(&unit);
    backward(&unit, &rig, unit.parameters[X].gradient);
    for (uint32_t i = W; i < PARAMETERS; i++)
        assert_memory_equal(unit.parameters[i].gradient, unit.parameters[i].before,
                            unit.parameters[i].count * sizeof(float));
    layer_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_and_gradients_are_those_of_the_reference),
        cmocka_unit_test(weights_get_their_gradients_when_nobody_asks_for_that_of_x),
        cmocka_unit_test(later_rows_and_other_sessions_change_nothing),
        cmocka_unit_test(sessions_that_change_places_take_outputs_and_gradients_along),
        cmocka_unit_test(the_step_of_a_cell_and_its_gradients_are_those_of_the_reference),
        cmocka_unit_test(no_sessions_are_no_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
