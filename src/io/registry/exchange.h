// SPDX-License-Identifier: Apache-2.0
#pragma once
/* exchange: requests to the URLs of a registry over HTTP: which URL, how long, how often, and what the answer's code
 * means. */
#include <eddy/io/registry.h>

#define URLS_MAX       16
#define BODY_BYTES_MAX (1 << 20) /* a schema of 64 KiB whose every byte is escaped, with room for the rest */

struct exchange_target {
    struct registry_options options; /* owned copies of the texts */
    char *bases[URLS_MAX];           /* without a slash at the end */
    size_t count;
    _Atomic size_t first; /* the one that answered last */
};

MUST_CHECK struct status exchange_target_open(const struct registry_options *options,
                                              struct exchange_target *ret_target, struct complaint *complaint);
void exchange_target_release(struct exchange_target *target);

struct exchange_request {
    const char *path;  /* "/schemas/ids/7", escaped */
    struct bytes body; /* NULL data: a GET, otherwise a POST */
    uint32_t retries;
};

/* OK with the body of an answer of success. The failures are those of registry.h. */
MUST_CHECK struct status exchange(struct exchange_target *target, const struct exchange_request *request,
                                  struct buffer *ret_body, struct complaint *complaint);
