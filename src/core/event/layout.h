// SPDX-License-Identifier: Apache-2.0
#pragma once
/* layout: one record being put together from texts and their roles; what layout.c and layout_json.c share. */
#include <eddy/core/layout.h>

struct layout_builder {
    struct layout_record record;
    struct arena *batch;
    int64_t time_ms, offset_ms;
    bool set[ROLE_COUNT];
};

/* A second text of a role that was set is ignored. An empty text sets nothing. */
MUST_CHECK struct status layout_set(struct layout_builder *builder, enum layout_role role, struct bytes text,
                                    struct complaint *complaint);
/* Checks the record and hands it out. */
MUST_CHECK struct status layout_visit(struct layout_builder *builder, const struct layout_visitor *visitor,
                                      struct complaint *complaint);
/* Adds a level to the category path; beyond the bound nothing. */
void layout_add_category(struct layout_builder *builder, struct bytes level);
/* A status when the arena is full; text that is not UTF-8 is taken for ISO 8859-1, as older data sets have it. */
MUST_CHECK struct status layout_to_utf8(struct arena *batch, struct bytes *text);
