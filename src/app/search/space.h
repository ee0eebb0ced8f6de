// SPDX-License-Identifier: Apache-2.0
#pragma once
/* trial_space: which options a search varies, and how; and the points of it as texts, as --set takes them.
 *
 *   train.rate=0.0005..0.01,log      a number, its logarithm evenly
 *   train.dropout=0..0.5             a number
 *   model.backbone=pw_core|narm      a choice, also among numbers
 *
 * Each bound and choice is set once by way of the configuration, so that one place says what is allowed. A space is
 * plain data and owns nothing. */
#include "app/config.h"

#include <eddy/core/search.h>

#define SPACE_WORDS_MAX 16
#define SPACE_TEXT_SIZE 40

struct trial_parameter {
    char key[SPACE_TEXT_SIZE];
    char given[SPACE_TEXT_SIZE];                  /* as the configuration has it, within the space or not */
    char words[SPACE_WORDS_MAX][SPACE_TEXT_SIZE]; /* of a choice */
};

struct trial_space {
    struct search_space search;
    struct trial_parameter parameters[SEARCH_PARAMETERS_MAX];
};

/* The space of --over's texts; without any, of what matters to the model that is configured. The configuration is used
 * to check values, and is afterwards as before. CONFIG with a complaint, MEMORY. */
MUST_CHECK struct status trial_space_make(struct config *config, const char *const *texts, size_t text_count,
                                          struct trial_space *ret_space, struct complaint *complaint);
uint64_t trial_space_hash(const struct trial_space *space);

/* The configuration as it was given. */
struct search_point trial_space_given(const struct trial_space *space);
/* A value as text. */
void trial_space_write(const struct trial_space *space, uint32_t parameter, double value, struct buffer *out);
/* "train.rate=0.002 model.directed=true". */
void trial_space_write_point(const struct trial_space *space, const struct search_point *point, struct buffer *out);
/* The choice that a word is; SEARCH_CHOICE's none when it is the given one alone. False: it is neither. */
bool trial_space_choice(const struct trial_space *space, uint32_t parameter, struct bytes word, double *ret_value);
/* Sets the options to a point's values. CONFIG with a complaint. */
MUST_CHECK struct status trial_space_set(const struct trial_space *space, const struct search_point *point,
                                         struct config *config, struct complaint *complaint);
