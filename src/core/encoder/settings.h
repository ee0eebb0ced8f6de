// SPDX-License-Identifier: Apache-2.0
#pragma once
/* settings: what the JSON files of an encoder's folder say, checked: all that changes a vector is honoured or refused.
 */
#include "core/text/words.h"

#include <eddy/core/encoder.h>

struct encoder_settings {
    uint32_t width, heads, layers, inner; /* inner: of the layer between */
    uint32_t vocabulary, positions, types;
    float epsilon; /* of the layer normalisations */
    uint32_t length_max;
    struct word_rules rules;
};

/* BAD_INPUT, LIMIT; the complaint names file and key. */
MUST_CHECK struct status encoder_settings_read(const struct encoder_files *files, struct encoder_settings *ret_settings,
                                               struct complaint *complaint);
