// SPDX-License-Identifier: Apache-2.0
#pragma once
/* first_steps: lines for a shell that send clicks to the embedded broker and read the answers, as its configuration
 * wants them: its port, names, formats and key. */
#include "app/config.h"

/* For people; the lines to copy are indented by two blanks. After embedded_open(). */
void first_steps_write(const struct config *config, struct buffer *out);
