// SPDX-License-Identifier: Apache-2.0
/* narm: NARM (Li et al. 2017): a GRU over the clicks; its last state stands for the whole session, and attention from
 * there over all states for what it is after; both side by side, through a matrix, are the session's vector. Both pass
 * dropout before it, as the items' rows do. The GRU has biases, which RecBole's has not. */
#include "core/model/readout.h"
#include "core/model/recurrent.h"
#include "core/model/room.h"

static const struct readout_tensors readout = {.first = GRU_TENSORS, .drops = true};

struct trace {
    struct recurrent_trace recurrent;
    struct readout_trace readout;
};

static struct start items(const struct model_options *options)
{
    (void)options;
    return (struct start){START_NORMAL, 0.05f};
}

static void declare(const struct model_options *options, struct parameters *parameters)
{
    uint32_t width = options->width;
    recurrent_declare(options, parameters);
    parameters_declare(parameters, "state.w", width, width, start_xavier(width, width), 1);
    parameters_declare(parameters, "last.w", width, width, start_xavier(width, width), 1);
    parameters_declare(parameters, "v", 1, width, start_xavier(width, 1), 1);
    parameters_declare(parameters, "out.w", width, 2 * width, start_xavier(2 * width, width), 1);
}

static struct status forward(const struct model_options *options, const struct parameters *parameters,
                             const struct backbone_batch *batch, struct arena *arena, struct session_vectors *vectors,
                             const void **ret_trace)
{
    const struct readout_vectors made = {
        .gathered = vectors->local, .last = vectors->global, .session = vectors->session};
    struct trace trace;
    TRY(recurrent_forward(options, parameters, batch, arena, &trace.recurrent));
    TRY(readout_forward(readout, parameters, batch, trace.recurrent.states, options->width, arena, &made,
                        &trace.readout));
    return room_keep(arena, &trace, sizeof trace, ret_trace);
}

static struct status backward(const struct model_options *options, const struct parameters *parameters,
                              const struct backbone_batch *batch, const void *trace_of, struct arena *arena,
                              struct session_vectors *d, float *d_x)
{
    const struct trace *trace = trace_of;
    const struct readout_vectors d_made = {.gathered = d->local, .last = d->global, .session = d->session};
    struct room room = {.arena = arena};
    float *d_states = ROOM(&room, float, (size_t)packed_rows(batch->sessions) * options->width);
    TRY(room_taken(&room));
    TRY(readout_backward(readout, parameters, &trace->readout, arena, &d_made, d_states));
    recurrent_backward(options, parameters, batch, &trace->recurrent, d_states, d_x);
    return OK;
}

const struct backbone backbone_narm = {"narm", "NARM", items, declare, forward, backward};
