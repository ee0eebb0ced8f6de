// SPDX-License-Identifier: Apache-2.0
#pragma once
/* interner: byte strings (item ids, category names) <-> dense numbers 0, 1, 2, ... in order of arrival.
 *
 * The bytes of an added string are copied and never move or change, so a number read once can be turned back
 * into bytes by any thread without a lock. interner_find and interner_add need the caller's reader and writer
 * lock. Nothing is ever removed; `count_max` bounds the count, `bytes_max` the strings' total size. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

#define INTERNER_NONE UINT32_MAX

struct interner;

MUST_CHECK struct status interner_open(uint32_t count_max, size_t bytes_max, struct interner **ret_interner);
void interner_close(struct interner *interner);

/* The number of `text`, or INTERNER_NONE. */
uint32_t interner_find(const struct interner *interner, struct bytes text);

/* The numbers of `count` texts, sooner than one by one; returns how many of them are there. */
size_t interner_find_all(const struct interner *interner, const struct bytes *texts, size_t count, uint32_t *numbers);

/* The number of `text`, added when it is new. LIMIT when a bound would be passed. */
MUST_CHECK struct status interner_add(struct interner *interner, struct bytes text, uint32_t *ret_number);

/* The bytes of a number < interner_count(); valid until interner_close(). */
struct bytes interner_get(const struct interner *interner, uint32_t number);

uint32_t interner_count(const struct interner *interner);
/* Bytes of memory held. */
size_t interner_memory(const struct interner *interner);
