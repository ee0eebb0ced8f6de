// SPDX-License-Identifier: Apache-2.0
#pragma once
/* list_dump: a file with every list that was recommended, for other programs to score or compare. A line is
 * session_id, position, item, list (best first, parted by commas), tabs between them; what position and item are of
 * (the click that was predicted, or the one that was answered) is the command's to say. */
#include <eddy/core/recommendation.h>

struct list_dump;

/* A path that ends in .gz or .zst is compressed; "-" is standard output. */
MUST_CHECK struct status list_dump_open(const char *path, const struct catalogue *catalogue,
                                        struct list_dump **ret_dump, struct complaint *complaint);

struct list_line {
    struct bytes session_id;
    uint32_t position, item;
    const struct recommended_item *list;
    uint32_t count;
};
MUST_CHECK struct status list_dump_write(struct list_dump *dump, const struct list_line *line,
                                         struct complaint *complaint);

/* Writes what is left, gives the file its name and frees the dump in any case; NULL is fine. */
MUST_CHECK struct status list_dump_close(struct list_dump *dump, struct complaint *complaint);
void list_dump_abandon(struct list_dump *dump);
