// SPDX-License-Identifier: Apache-2.0
/* gru4rec: GRU4Rec (Hidasi et al. 2016; Hidasi & Karatzoglou 2018): a GRU over the clicks, whose last state is the
 * session's vector; the item table is both its input and its output (their "constrained embedding"). The authors'
 * scores have a bias for each item besides, RecBole's vectors go through one more matrix: here neither is. */
#include "core/model/recurrent.h"
#include "core/model/room.h"

#include <string.h>

static struct start items(const struct model_options *options)
{
    (void)options;
    return (struct start){START_NORMAL, 0.05f};
}

static struct status forward(const struct model_options *options, const struct parameters *parameters,
                             const struct backbone_batch *batch, struct arena *arena, struct session_vectors *vectors,
                             const void **ret_trace)
{
    struct recurrent_trace trace;
    TRY(recurrent_forward(options, parameters, batch, arena, &trace));
    last_forward(trace.states, vectors->session, batch->sessions, options->width);
    last_forward(trace.states, vectors->global, batch->sessions, options->width);
    last_forward(batch->x, vectors->local, batch->sessions, options->width);
    return room_keep(arena, &trace, sizeof trace, ret_trace);
}

static struct status backward(const struct model_options *options, const struct parameters *parameters,
                              const struct backbone_batch *batch, const void *trace, struct arena *arena,
                              struct session_vectors *d, float *d_x)
{
    size_t size = (size_t)packed_rows(batch->sessions) * options->width;
    struct room room = {.arena = arena};
    float *d_states = ROOM(&room, float, size);
    TRY(room_taken(&room));
    memset(d_states, 0, size * sizeof *d_states);
    last_backward(d->session, d_states, batch->sessions, options->width);
    if (d->global)
        last_backward(d->global, d_states, batch->sessions, options->width);
    recurrent_backward(options, parameters, batch, trace, d_states, d_x);
    if (d->local)
        last_backward(d->local, d_x, batch->sessions, options->width);
    return OK;
}

const struct backbone backbone_gru4rec = {"gru4rec", "GRU4Rec", items, recurrent_declare, forward, backward};
