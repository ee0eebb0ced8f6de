// SPDX-License-Identifier: Apache-2.0
#pragma once
/* facts: what is to be, or was, in a topic or a store: an identity and the content that belongs to it. Two sets of
 * facts are compared by identity: what is lost, what comes more often than it should, what nobody asked for, what
 * differs. */
#include <eddy/base/arena.h>
#include <eddy/base/buffer.h>
#include <eddy/base/status.h>
#include <stdio.h>

struct fact {
    int32_t partition;
    int64_t offset; /* of a click, or a hash where nothing else tells one record from another */
    uint32_t sequence;
    struct bytes content;
};

/* {0} is empty. */
struct facts {
    struct fact *facts;
    size_t count, capacity;
    struct arena memory;
};

/* Copies the content. */
MUST_CHECK struct status facts_add(struct facts *facts, struct fact fact);
/* The same for a fact whose content is all that it is. */
MUST_CHECK struct status facts_add_content(struct facts *facts, int32_t partition, struct bytes content);
void facts_release(struct facts *facts);

struct comparison {
    size_t expected, lost, repeated, unexpected, different;
};

/* Sorts both, and writes the first differences to `out`. */
struct comparison facts_compare(const char *what, struct facts *expected, struct facts *found, FILE *out);
bool comparison_holds(const struct comparison *comparison);
