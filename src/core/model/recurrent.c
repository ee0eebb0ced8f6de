// SPDX-License-Identifier: Apache-2.0
#include "core/model/recurrent.h"

#include "core/model/room.h"

void recurrent_declare(const struct model_options *options, struct parameters *parameters)
{
    uint32_t width = options->width;
    parameters_declare(parameters, "gru.w", 3 * width, width, start_xavier(width, 3 * width), 1);
    parameters_declare(parameters, "gru.u", 3 * width, width, start_xavier(width, 3 * width), 1);
    parameters_declare(parameters, "gru.b", 1, 3 * width, (struct start){0}, 1);
    parameters_declare(parameters, "gru.c", 1, 3 * width, (struct start){0}, 1);
}

struct status recurrent_forward(const struct model_options *options, const struct parameters *parameters,
                                const struct backbone_batch *batch, struct arena *arena,
                                struct recurrent_trace *ret_trace)
{
    size_t rows = packed_rows(batch->sessions), count = batch->sessions.count, width = options->width;
    struct room room = {.arena = arena};
    const struct recurrent_trace trace = {.states = ROOM(&room, float, rows *width),
                                          .gru = {.x_part = ROOM(&room, float, rows * 3 * width),
                                                  .h_part = ROOM(&room, float, rows * 3 * width),
                                                  .gates = ROOM(&room, float, rows * 3 * width),
                                                  .gather = ROOM(&room, float, count * 5 * width)}};
    TRY(room_taken(&room));
    const struct gru gru = {parameters_of(parameters, GRU_W), parameters_of(parameters, GRU_U),
                            parameters_of(parameters, GRU_B), parameters_of(parameters, GRU_C)};
    gru_forward(&gru, batch->x, trace.states, &trace.gru, batch->sessions, options->width, options->width);
    *ret_trace = trace;
    return OK;
}

void recurrent_backward(const struct model_options *options, const struct parameters *parameters,
                        const struct backbone_batch *batch, const struct recurrent_trace *trace, float *d_states,
                        float *d_x)
{
    const struct gru gru = {parameters_of(parameters, GRU_W), parameters_of(parameters, GRU_U),
                            parameters_of(parameters, GRU_B), parameters_of(parameters, GRU_C)};
    const struct gru_gradient gradient = {
        parameters_gradient(parameters, GRU_W), parameters_gradient(parameters, GRU_U),
        parameters_gradient(parameters, GRU_B), parameters_gradient(parameters, GRU_C)};
    gru_backward(&gru, batch->x, trace->states, &trace->gru, d_states, d_x, &gradient, batch->sessions, options->width,
                 options->width);
}
