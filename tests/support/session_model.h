// SPDX-License-Identifier: Apache-2.0
#pragma once
/* session_model: a naive model of session.h: arrays, everything searched from one end to the other. Keys, users and
 * items are numbers. */
#include <eddy/core/session.h>

#define MODEL_SESSIONS_MAX 256
#define MODEL_CLICKS_MAX   64 /* more than clicks_max */

struct model_click {
    int64_t time_ms;
    uint32_t item;
    uint8_t type;
    uint32_t event_id; /* 0: none */
};

struct model_session {
    uint64_t number;
    uint32_t key, user; /* user 0: unknown */
    int64_t opened_ms, first_ms, last_ms;
    struct model_click clicks[MODEL_CLICKS_MAX];
    uint32_t length, total;
    int64_t close_ms; /* once closed */
    bool evicted;
};

struct model {
    struct session_options options;
    struct model_session sessions[MODEL_SESSIONS_MAX];
    uint32_t count;
    uint64_t opened;
    uint32_t merges;
    bool never_merges; /* a fault for the negative test */
};

struct model_outcome {
    enum session_result result;
    uint32_t position, session; /* index */
    bool opened, out_of_order, evicted;
    struct model_session evicted_session;
};

int64_t model_deadline(const struct model *model, int64_t first_ms, int64_t last_ms);
/* The open session that is due first; UINT32_MAX: there is none. */
uint32_t model_first_due(const struct model *model);
void model_remove(struct model *model, uint32_t index);
/* The watermark must have come to watermark_ms, and what is due been removed. */
struct model_outcome model_apply(struct model *model, uint32_t key, uint32_t user, const struct model_click *click,
                                 int64_t watermark_ms);
