// SPDX-License-Identifier: Apache-2.0
#pragma once
/* import: a public data set's files into clicks.tsv.gz and items.tsv.gz, sorted by time. Clicks without a session get
 * one from their user: "<user>-<n>", a new one after the layout's gap. All clicks are held in memory, 32 bytes each
 * and their ids once. */
#include "app/log_reading.h"

#include <eddy/core/layout.h>

struct import_options {
    const struct layout *layout;
    const char *const *clicks;
    size_t click_count;
    const char *const *items;
    size_t item_count;
    const char *categories; /* the tree of the items' categories; NULL: none */
    const char *folder;
    int64_t gap_ms;
    double rating_min; /* clicks with a lower rating are left out; -INFINITY: none */
    bool strict;
};

struct import_result {
    struct log_reading clicks, items, categories;
    uint64_t left_out; /* by rating_min */
    uint64_t written;  /* clicks */
    uint32_t sessions, item_count;
};

/* BAD_INPUT, and no file, when a file is not of the layout or holds nothing that can be used. */
MUST_CHECK struct status import_run(const struct import_options *options, struct import_result *ret_result,
                                    struct complaint *complaint);
