// SPDX-License-Identifier: Apache-2.0
#pragma once
/* config: everything a user can set, as one struct that embeds the core's own option structs. What can be set, with
 * default, range and text, is one table (config/options.c); the YAML file, the environment, --set, `eddy config dump`
 * and docs/CONFIGURATION.md all come from it. Adding an option is a field here (or in the core) and a row there.
 *
 *   defaults < YAML file < EDDY_SECTION_KEY < --set key=value, then config_check()
 *
 * A config owns its texts; config_release() frees them; {0} may be released. Not thread-safe while being filled, const
 * and shared afterwards. Complaints name the place (file:line, variable, --set), the key and what to do; they and the
 * dump never show a secret. Failures: CONFIG, MEMORY, IO (file not readable), LIMIT (file too big). After a failure
 * the config may hold some of the new values: release it. */
#include "app/dead_watch.h"
#include "app/log.h"

#include <eddy/core/catalogue.h>
#include <eddy/core/codec.h>
#include <eddy/core/engine.h>
#include <eddy/core/hashing.h>
#include <eddy/core/intent.h>
#include <eddy/core/model_record.h>
#include <eddy/core/updater.h>
#include <eddy/io/kafka.h>

enum topic {
    TOPIC_CLICKS,
    TOPIC_ITEMS,
    TOPIC_RECOMMENDATIONS,
    TOPIC_SESSIONS,
    TOPIC_LATE_CLICKS,
    TOPIC_DEAD_LETTERS,
    TOPIC_MODELS,
    TOPIC_COUNT
};

#define TOPIC_NAME_MAX 249 /* bytes; Kafka's limit */

enum embedder_provider { EMBEDDER_NONE, EMBEDDER_HASH, EMBEDDER_ENCODER };

enum delivery { DELIVERY_AT_LEAST_ONCE, DELIVERY_EXACTLY_ONCE };

/* Where to begin on a partition for which the group has no committed offset. */
struct start_position {
    enum { START_STORED, START_EARLIEST, START_LATEST, START_TIME } kind; /* STORED: refuse to begin there */
    int64_t time_ms;                                                      /* START_TIME */
};

/* What a schema's subject in the registry is called. */
enum subject_naming { SUBJECT_TOPIC, SUBJECT_RECORD, SUBJECT_TOPIC_RECORD };
/* Where the name of a record's schema is written: before its value, or in a header. */
enum id_place { ID_IN_PAYLOAD, ID_IN_HEADER };

struct text_list {
    char **texts;
    size_t count;
};

enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_SET };
struct config_origin {
    enum config_source source;
    int line; /* CONFIG_FILE */
};

struct kafka_setting { /* kafka.<name>: for librdkafka as it is */
    char *name, *value;
    bool secret;
    struct config_origin origin;
};

struct schema_file { /* schema_ids.<id> */
    int32_t id;
    char *path;
    struct config_origin origin;
};

struct config {
    /* For the core, ready to be handed to its open functions. engine.partition is the task's to set. */
    struct engine_options engine;
    struct learned_options learned;
    struct learner_options learner;
    struct catalogue_options catalogue;
    struct click_limits clicks;
    struct encoding encodings[RECORD_TYPE_COUNT];

    /* For the application. Texts are never NULL after config_defaults(); "" is none. */
    char *group_id;
    struct {
        char *prefix;
        char *names[TOPIC_COUNT];                   /* without the prefix */
        char full[TOPIC_COUNT][TOPIC_NAME_MAX + 1]; /* with it; made by config_check() */
        uint32_t partitions, replication;           /* of topics that eddy creates */
    } topics;
    struct start_position start;
    enum delivery delivery;
    bool static_membership;
    uint32_t shards; /* 0: one per CPU */
    uint32_t batch_clicks;
    uint32_t commit_clicks, commit_sessions;
    int64_t commit_interval_ms; /* 0 becomes the delivery's own in config_check() */
    int64_t session_idle_ms;    /* 0: the wall clock never moves a watermark */
    struct dead_limits dead_limits;
    int64_t learn_history_ms; /* 0: the whole sessions topic */
    char *learn_snapshot;
    int64_t learn_save_interval_ms;       /* 0: never */
    struct text_list categories_excluded; /* engine.fusion.filters points to it after config_check() */
    bool items_enabled;
    struct {
        char *directory;
        size_t map_size_bytes;
        bool sync;
    } state;
    struct {
        uint32_t backbone;            /* of backbones[] */
        struct model_options options; /* its backbone is set by config_check() */
    } model;
    struct {
        char *model; /* "": none */
    } neural;
    struct {
        bool enabled;
        char *name;
        uint32_t keep;
        enum model_precision payload;
        size_t size_max_bytes;
        int64_t wait_ms;
    } models;
    struct {
        struct trainer_options options;
        uint32_t patience; /* epochs; 0: all are trained */
        uint32_t threads;
    } train;
    struct {
        struct text_list names;
        bool recommend, train; /* made by config_check() */
    } roles;
    struct {
        struct updater_options options; /* its model, training and items_max are set by config_check() */
        int64_t interval_ms;            /* 0: time alone makes no update due */
        uint32_t clicks;                /* 0: clicks alone do not */
        uint32_t first_clicks;          /* before the first model is trained */
    } update;
    struct {
        enum embedder_provider provider;
        char *folder; /* of the encoder */
        struct hashing_options hashing;
    } embedder;
    struct semantic_options semantic;
    struct localize_options localize;
    struct intent_options intent;
    char *http_listen;
    struct {
        char *url; /* "": there is none */
        char *user, *password, *ca, *certificate, *key, *key_password;
        bool verify, registers;
        enum subject_naming subjects;
        enum id_place id_place;
        int64_t timeout_ms, unknown_ms;
        uint32_t retries;
    } registry;
    struct {
        enum log_level level;
        enum log_format format;
    } log;

    struct kafka_setting *kafka;
    size_t kafka_count;
    struct schema_file *schemas;
    size_t schema_count;

    /* Kept for messages. */
    char *file;
    struct config_origin *origins; /* by row of the option table */

    /* Made by config_check(). */
    struct bytes *category_bytes;
    struct kafka_property *kafka_properties;
};

/* Everything at its default; the first call on a config. */
MUST_CHECK struct status config_defaults(struct config *config, struct complaint *complaint);
/* A YAML file of at most 1 MiB; one a config. */
MUST_CHECK struct status config_load_file(struct config *config, const char *path, struct complaint *complaint);
/* The same from memory; `name` stands for the file in messages. */
MUST_CHECK struct status config_load_text(struct config *config, const char *name, struct bytes text,
                                          struct complaint *complaint);
/* The process's EDDY_* variables; one that names no option fails. */
MUST_CHECK struct status config_load_environment(struct config *config, struct complaint *complaint);
/* "key=value". */
MUST_CHECK struct status config_set(struct config *config, const char *assignment, struct complaint *complaint);
/* The same for a key; `where` stands for "--set" in messages. */
MUST_CHECK struct status config_set_key(struct config *config, const char *where, const char *key, const char *value,
                                        struct complaint *complaint);
/* What only several options together can get wrong; fills what is derived. The last call before use. */
MUST_CHECK struct status config_check(struct config *config, struct complaint *complaint);
void config_release(struct config *config);

/* All of the above in order; `file` may be NULL. On failure `config` is left empty. */
MUST_CHECK struct status config_make(struct config *config, const char *file, const char *const *assignments,
                                     size_t assignment_count, struct complaint *complaint);

/* The full name, after config_check(). */
const char *config_topic(const struct config *config, enum topic topic);
/* The topic that holds records of a type. */
const char *config_record_topic(const struct config *config, enum record_type type);
/* The value of kafka.<name>, NULL when it is not set. */
const char *config_kafka(const struct config *config, const char *name);
/* For the clients of io/kafka, borrowing from `config`; without a listener. CONFIG when no broker is configured, or as
 * config_check_kafka(). */
MUST_CHECK struct status config_kafka_options(const struct config *config, struct kafka_options *ret_options,
                                              struct complaint *complaint);
/* CONFIG when librdkafka does not know a name or refuses a value. config_check() does not look into that. */
MUST_CHECK struct status config_check_kafka(const struct config *config, struct complaint *complaint);

/* What values an option has, for who varies them. */
struct config_range {
    enum { CONFIG_REAL, CONFIG_WHOLE, CONFIG_CHOICE, CONFIG_TEXT } kind; /* TEXT: or a list */
    double low, high;                                                    /* of numbers */
};
/* CONFIG: there is no such option; the complaint has a suggestion. */
MUST_CHECK struct status config_range_of(const char *where, const char *key, struct config_range *ret_range,
                                         struct complaint *complaint);

/* False for a key that keeps its default. */
bool config_is_set(const struct config *config, const char *key);
/* Appends " --set key=value" for what --set has set of the keys, which end with NULL, so that another command can be
 * told the same. */
void config_write_sets(const struct config *config, const char *const *keys, struct buffer *out);
/* As YAML that loads again, one "key: value  # origin" a line; secrets are ***. */
void config_dump(const struct config *config, struct buffer *out);
/* The value of an option, as YAML and --set take it. */
void config_write_value(const struct config *config, const char *key, struct buffer *out);
/* All options of a section, as YAML that loads again. */
void config_write_section(const struct config *config, const char *section, struct buffer *out);
/* Mixing weights as YAML that loads again. */
void config_write_mixing(const struct mixing *mixing, struct buffer *out);
/* docs/CONFIGURATION.md. */
void config_document(struct buffer *out);
