// SPDX-License-Identifier: Apache-2.0
#pragma once
/* byte_sink: bytes into a file, through gzip when asked. The file is called "<path>.partial" until it is closed, whole
 * and on disk. "-" is standard output; a device or pipe is written to as it is. Complaints name the path. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

struct byte_sink;

MUST_CHECK struct status byte_sink_open(const char *path, bool gzip, struct byte_sink **ret_sink,
                                        struct complaint *complaint);
MUST_CHECK struct status byte_sink_write(struct byte_sink *sink, struct bytes bytes, struct complaint *complaint);
/* Frees the sink in any case. */
MUST_CHECK struct status byte_sink_close(struct byte_sink *sink, struct complaint *complaint);
void byte_sink_abandon(struct byte_sink *sink);
