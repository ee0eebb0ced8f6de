// SPDX-License-Identifier: Apache-2.0
#pragma once
/* options: the rows behind struct config, and reading and writing one value by its row. Inside of app/config only. */
#include "app/config.h"

enum option_kind {
    OPTION_BOOL,
    OPTION_U32,
    OPTION_I32,
    OPTION_I64,
    OPTION_SIZE,
    OPTION_FLOAT,
    OPTION_FLOATS, /* an array of fixed length */
    OPTION_TEXT,   /* owned, never NULL */
    OPTION_TEXTS,
    OPTION_START,
};

/* Keys that end in _ms take a duration ("30min"), in _bytes a size ("64MiB"); the rest are plain. */
struct config_option {
    const char *key;
    enum option_kind kind;    /* follows from the field's type */
    size_t offset, size;      /* of the field in struct config */
    const char *standard;     /* the default, as a user would write it */
    double min, max;          /* of numbers */
    const char *const *words; /* a choice: the field is the index; ends with NULL */
    const char *doc;
};

extern const struct config_option option_table[];
extern const size_t option_count;

struct option_section {
    const char *name; /* the key's part before the first dot; "" for those without */
    const char *doc;
};
extern const struct option_section option_sections[]; /* ends with {0} */

const struct config_option *option_find(const char *key);
static inline void *option_field(const struct config_option *option, struct config *config)
{
    return (char *)config + option->offset;
}

/* A value as it was written: one text, or a YAML list. */
struct raw_value {
    char *const *texts;
    size_t count;
    bool list;
};

/* Reads `value` into the option's field (whose old text is freed). The complaint says what is wrong with the value,
 * without place and key. */
MUST_CHECK struct status option_read(const struct config_option *option, const struct raw_value *value,
                                     struct config *config, struct complaint *complaint);
/* Appends the field as YAML. */
void option_write(const struct config_option *option, const struct config *config, struct buffer *out);
/* "30min .. 48h", "avro, confluent or json", "any text". */
void option_write_range(const struct config_option *option, struct buffer *out);
void option_release(const struct config_option *option, struct config *config);

void yaml_write_text(const char *text, struct buffer *out);
void text_list_release(struct text_list *list);

/* ---- config.c, for the sources */

struct config_assignment {
    const char *key;
    struct raw_value value;
    struct config_origin origin;
    const char *where; /* "eddy.yaml:12", "EDDY_GROUP_ID", "--set" */
};

/* Expands ${NAME}, keeps secrets out of files, and sets the option, kafka.* or schema_ids.* entry. */
MUST_CHECK struct status config_assign(struct config *config, const struct config_assignment *assignment,
                                       struct complaint *complaint);
/* What went wrong with an assignment, by place and key; `why` may be empty. */
MUST_CHECK struct status assignment_failed(const struct config_assignment *assignment, struct status status,
                                           const struct complaint *why, struct complaint *complaint);
/* True when the same file has set it before, and the failure to say so. */
bool assignment_repeats(const struct config_assignment *assignment, struct config_origin first);
MUST_CHECK struct status assignment_repeated(const struct config_assignment *assignment, struct config_origin first,
                                             struct complaint *complaint);

/* ---- kafka.c */
MUST_CHECK struct status config_assign_kafka(struct config *config, const struct config_assignment *assignment,
                                             const char *name, struct complaint *complaint);
MUST_CHECK struct status config_derive_kafka(struct config *config);
void config_release_kafka(struct config *config);

/* True when keys may start with "<name>.". */
bool config_is_section(const char *name);
/* FAIL(CONFIG) with a suggestion. */
MUST_CHECK struct status config_unknown_key(const char *where, const char *key, struct complaint *complaint);

/* ---- secrets.c */

/* True for names like sasl.password or ssl.key.pem. */
bool secret_name(const char *name);
/* The text with ${NAME} replaced, and for a secret with file:PATH read; owned by the caller. A secret written in full
 * is refused unless it comes from the environment. */
MUST_CHECK struct status secret_resolve(const char *text, bool secret, enum config_source source, char **ret_text,
                                        struct complaint *complaint);
