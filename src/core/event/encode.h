// SPDX-License-Identifier: Apache-2.0
#pragma once
/* encode: what the encoders of Avro (encode.c) and of JSON (json_encode.c) share. */
#include <eddy/base/bytes.h>

#define REASON_MAX           512 /* bytes of a reason with its NUL */
#define LEARNED_VERSION_SIZE 16

/* The version as 16 hexadecimal digits in `text`, which has room for LEARNED_VERSION_SIZE. */
struct bytes learned_version_text(uint64_t version, char *text);
