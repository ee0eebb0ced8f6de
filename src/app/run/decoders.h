// SPDX-License-Identifier: Apache-2.0
#pragma once
/* decoders: decoders as the configuration wants them: format, and the writer schemas of schema_ids. */
#include "app/config.h"

/* CONFIG when a schema file cannot be read or is no schema for this type. */
MUST_CHECK struct status decoder_open_configured(const struct config *config, enum record_type type,
                                                 struct decoder **ret_decoder, struct complaint *complaint);
