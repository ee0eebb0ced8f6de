// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/fusion.h>

/* Tuned together on the validation sessions of three public clickstreams (bench/README.md). */
struct fusion_options fusion_options_default(void)
{
    return (struct fusion_options){
        .list_size = 20,
        .knn = {.formula = KNN_EDDY,
                .sample_max = 1000,
                .neighbours_max = 250,
                .query_items_max = 6,
                .query_decay = 1.9f,
                .query_idf_power = 1.35f,
                .match_decay = 6,
                .recency_sessions = 185000,
                .recency_ms = 0,
                .similarity_power = 1.4f,
                .forward_decay = 2.4f,
                .backward_decay = 1.75f,
                .backward_weight = 0.55f,
                .self_weight = 0.15f,
                .frequency_power = 0.2f,
                .sharpness = 1.6f},
        .transition = {.query_items_max = 3, .query_decay = 0.93f, .backward_weight = 1.1f},
        .walk = {.starts_max = 16, .rules_max = 24, .backward_weight = 0.5f},
        .repeat = {.evidence_power = 0.27f, .scale = 1.25f, .current_prior = 12, .earlier_prior = 5},
        .filters = {.seen = SEEN_LEARNED, .available_only = true},
    };
}
