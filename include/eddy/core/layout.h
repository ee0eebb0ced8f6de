// SPDX-License-Identifier: Apache-2.0
#pragma once
/* layout: the files of public data sets, as they are published, into clicks and items. A layout is a row of a table:
 * which columns (or JSON members) there are and what each means. Adding a data set is a row in layouts[].
 *
 *   line -> fields --> layout_read_fields --+
 *                                           +-> layout_record (a click, or an item)
 *   line (JSON)    --> layout_read_json   --+
 *
 * Pure: files, and cutting lines into fields, are the reader's (io/layout_file.h). What a record's bytes point to lives
 * as long as the line and `batch`. BAD_INPUT with a bare reason for what does not fit. */
#include <eddy/base/arena.h>
#include <eddy/base/buffer.h>
#include <eddy/core/catalogue.h>
#include <eddy/core/click.h>

enum layout_role {
    ROLE_NONE,
    ROLE_SESSION,
    ROLE_USER,
    ROLE_ITEM,
    ROLE_TIME_S,
    ROLE_TIME_MS,
    ROLE_TIME_TEXT, /* RFC 3339 */
    ROLE_DATE,      /* 2016-05-09; the day's first millisecond */
    ROLE_OFFSET_MS, /* added to the time */
    ROLE_TYPE,
    ROLE_RATING,
    ROLE_EVENTS, /* JSON only: an array of objects, a click each */
    ROLE_TITLE,
    ROLE_CATEGORIES, /* parted by '|'; JSON: an array, or arrays of arrays of which the first is taken */
    ROLE_DESCRIPTION,
    ROLE_PRICE,
    ROLE_PROPERTY, /* the name of a property of the item, whose value stands beside it */
    ROLE_VALUE,
    ROLE_PARENT, /* the category that has this one in it */
    ROLE_COUNT
};

static inline bool layout_role_is_time(enum layout_role role)
{
    return role == ROLE_TIME_S || role == ROLE_TIME_MS || role == ROLE_TIME_TEXT || role == ROLE_DATE;
}

#define LAYOUT_NAMES_MAX     16
#define LAYOUT_POSITIONS_MAX 8

struct layout_column {
    const char *name;
    enum layout_role role;
};

/* One kind of file of a data set. */
struct layout_side {
    const char *separators[3]; /* which of them stands in the first line is the file's; NULL: JSON only */
    struct layout_column names[LAYOUT_NAMES_MAX]; /* of a first line of names, or JSON members; the upper row is taken
                                                     of two with one role; a name that is NULL ends them */
    enum layout_role positions[LAYOUT_POSITIONS_MAX]; /* the columns of a file without names */
    uint32_t position_count;                          /* 0: there is always a line of names */
};

struct layout {
    const char *name;
    const char *about;
    struct layout_side clicks, items, categories; /* without any name or position: there is no such file */
    bool purchases;                               /* its clicks are; the file does not say so */
    int64_t gap_ms; /* clicks without session: a user's sessions end after so long without one */
};

extern const struct layout layouts[]; /* ends with a name that is NULL */

/* NULL when there is none of that name. */
const struct layout *layout_find(const char *name);
bool layout_side_exists(const struct layout_side *side);
/* Appends what such a file looks like, for people. */
void layout_describe(const struct layout_side *side, struct buffer *out);

struct layout_record {
    struct click click;           /* of a file of clicks; session_id may be empty when user_id is not */
    struct item item;             /* of a file of items; of one of categories its item_id is the category */
    struct bytes property, value; /* of a file of items with a property of one on each line, and its time in `click` */
    struct bytes parent;          /* of a file of categories; empty: it is a root */
    bool has_rating;
    double rating;
};

enum layout_kind { LAYOUT_CLICKS, LAYOUT_ITEMS, LAYOUT_CATEGORIES };

const char *layout_kind_text(enum layout_kind kind);
const struct layout_side *layout_side_of(const struct layout *layout, enum layout_kind kind);
/* Whether a column of the side's files has that role. */
bool layout_side_has(const struct layout_side *side, enum layout_role role);

struct layout_visitor {
    enum layout_kind kind; /* what the file holds */
    struct status (*visit)(void *context, const struct layout_record *record);
    void *context;
};

/* Binds a line of names to roles. False when it lacks what every record needs: a click an item, a session or
 * user, and a time; an item its id, and where its properties stand on lines of their own the property, its value and a
 * time; a category its id and its parent. Then it is no such line. */
bool layout_bind(const struct layout_side *side, enum layout_kind kind, const struct bytes *names, size_t count,
                 uint8_t *ret_roles);

MUST_CHECK struct status layout_read_fields(const uint8_t *roles, const struct bytes *fields, size_t count,
                                            struct arena *batch, const struct layout_visitor *visitor,
                                            struct complaint *complaint);
/* One JSON object; of one with events each. Events that are broken are passed over: the failure that tells of them
 * comes when the others have been handed out, and *ret_broken is their number (1 where it is the object that is
 * broken). */
MUST_CHECK struct status layout_read_json(const struct layout_side *side, struct bytes line, struct arena *batch,
                                          const struct layout_visitor *visitor, uint64_t *ret_broken,
                                          struct complaint *complaint);
