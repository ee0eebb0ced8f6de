// SPDX-License-Identifier: Apache-2.0
#pragma once
/* schema: an Avro schema (Avro 1.11) as a tree, parsed from JSON text that may be hostile: the text of a writer's
 * schema comes from a registry or a file's header.
 *
 * Refused, with a complaint that names the field: more than 64 KiB of text, types nested deeper than 32, more than 512
 * named types or 1024 fields of a record, names longer than 255 bytes, types that contain themselves, arrays and maps
 * of values that take no bytes (a datum of a few bytes could hold 10^12 of them), and whatever the specification
 * forbids.
 *
 * schema_skip() walks a datum: it is the bounds check that everything else relies on. Its time is proportional to the
 * bytes walked. A document owns its tree; schemas and names live until its release. */
#include "core/event/wire.h"

#include <eddy/base/arena.h>

enum schema_kind {
    SCHEMA_NULL,
    SCHEMA_BOOLEAN,
    SCHEMA_INT,
    SCHEMA_LONG,
    SCHEMA_FLOAT,
    SCHEMA_DOUBLE,
    SCHEMA_BYTES,
    SCHEMA_STRING,
    SCHEMA_ARRAY,
    SCHEMA_MAP,
    SCHEMA_UNION,
    SCHEMA_FIXED,
    SCHEMA_ENUM,
    SCHEMA_RECORD,
    SCHEMA_KIND_COUNT
};

struct json_t; /* jansson's */

struct schema_field {
    const char *name;
    const char *path; /* "clicks.item_id": the name behind that of the field around it, for complaints */
    const struct schema *type;
    const struct json_t *fallback; /* the default, NULL without one */
    const struct json_t *aliases;  /* array of strings, or NULL */
};

struct schema {
    enum schema_kind kind;
    bool open;           /* its fields are being parsed: a reference to it would be a recursion */
    const char *name;    /* full name of a record, enum or fixed */
    const char *logical; /* logicalType, NULL without one */
    size_t size;         /* fixed: bytes */
    size_t size_min;     /* least bytes of a datum; 0 only for types that never take any */
    unsigned height;     /* 1 + that of the highest part */
    uint32_t count;      /* fields, symbols or parts */
    struct schema_field *fields;
    uint32_t *sized; /* places of the fields that take bytes, sized_count: only these are walked, so that no datum makes
                        us step more often than it has bytes */
    uint32_t sized_count;
    const struct schema **parts; /* branches of a union; the one entry type of an array or map */
    const char **symbols;
    int64_t symbol_default;       /* of an enum; -1 without one */
    const struct json_t *aliases; /* array of strings, or NULL */
};

struct schema_document {
    struct arena memory;
    struct json_t *json; /* owns the names */
    const struct schema *root;
};

MUST_CHECK struct status schema_parse(struct bytes text, struct schema_document *ret_document,
                                      struct complaint *complaint);
void schema_document_release(struct schema_document *document);

/* Walks one datum. `field`, or the field of a record within, is named when it is malformed. */
bool schema_skip(const struct schema *schema, struct reader *reader, const char *field);

/* "string", "record", ... */
const char *schema_kind_text(enum schema_kind kind);
/* The name without its namespace. */
const char *schema_short_name(const char *full_name);
/* True when the name of `writer` (a record, enum or fixed) is that of `reader` or one of its aliases, whatever the
 * namespaces. */
bool schema_names_match(const struct schema *writer, const struct schema *reader);
/* True when every datum of `writer` is one of `reader` with the same bytes and meaning, and the other way round; a
 * writer's plain long may stand for any of the reader's logical types. */
bool schema_is_same(const struct schema *writer, const struct schema *reader);
