// SPDX-License-Identifier: Apache-2.0
#pragma once
/* codec: one decoder of each kind for the whole run of a fuzz target, since opening one costs more than most inputs. */
#include <eddy/core/codec.h>

#include <stdlib.h>

static inline struct decoder *shared_decoder(enum record_type type, enum record_format format)
{
    static struct decoder *decoders[RECORD_TYPE_COUNT][RECORD_JSON + 1];
    struct decoder **decoder = &decoders[type][format];
    if (!*decoder && failed(decoder_open(type, format, decoder)))
        abort();
    return *decoder;
}
