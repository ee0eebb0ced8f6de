// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model_listing: versions of models for people and for programs. */
#include "app/models/directory.h"

/* What is said of a version: "current", "pinned", "kept", or why it cannot be used. */
struct model_state {
    bool current, pinned;
    struct complaint missing; /* "": it is whole */
};
struct model_state model_state_of(const struct model_directory *directory, const struct model_manifest *manifest);

/* All that there are, newest first: a table, or JSON Lines, always with the same keys. */
void model_listing_table(const struct model_directory *directory, struct buffer *out);
void model_listing_json(const struct model_directory *directory, struct buffer *out);
/* One version with all that its manifest says. */
void model_listing_show(const struct model_directory *directory, const struct model_manifest *manifest,
                        struct buffer *out);
void model_listing_show_json(const struct model_directory *directory, const struct model_manifest *manifest,
                             struct buffer *out);
