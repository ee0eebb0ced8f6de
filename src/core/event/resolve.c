// SPDX-License-Identifier: Apache-2.0
#include "core/event/resolve.h"

#include "core/event/json.h"

#include <jansson.h>
#include <stdio.h>

#define FIELDS_MAX  32 /* of a reader's record */
#define PROBLEM_MAX 64 /* bytes of a refusal */

enum plan_kind {
    PLAN_COPY,      /* the same bytes in both */
    PLAN_SCALE,     /* a long divided by `number`, rounding down */
    PLAN_TO_FLOAT,  /* from int or long */
    PLAN_TO_DOUBLE, /* from int, long or float */
    PLAN_ENUM,      /* `map`: the reader's symbols; `number`: what stands for others, -1: nothing */
    PLAN_ARRAY,     /* parts[0]: its entries */
    PLAN_RECORD, /* `map`: the reader's field for each sized field of the writer; parts, defaults: by reader's field */
    PLAN_BRANCH, /* the writer's union: parts by its branches */
    PLAN_WRAP,   /* into branch `number` of the reader's union; parts[0]: what goes into it */
    PLAN_REFUSE, /* a branch or symbol the reader cannot take: `problem` */
};

struct plan {
    enum plan_kind kind;
    const struct schema *writer;
    const char *field; /* for complaints */
    const char *problem;
    int64_t number;
    uint32_t count;         /* of parts */
    struct plan **parts;    /* NULL in a record: the default */
    struct bytes *defaults; /* record: of the fields without a part */
    int32_t *map;           /* -1: none */
};

struct maker {
    struct arena *memory;
    struct complaint *complaint;
};

#define NEW(maker, type, count)                                                                                        \
    __extension__({                                                                                                    \
        type *new_ = ARENA_ARRAY((maker)->memory, type, count);                                                        \
        if (!new_)                                                                                                     \
            return FAIL(MEMORY, 0, "no memory for a schema's plan");                                                   \
        memset(new_, 0, sizeof *new_ *(size_t)(count));                                                                \
        new_;                                                                                                          \
    })

static struct status make(struct maker *maker, const struct schema *writer, const struct schema *reader,
                          const char *field, struct plan **ret_plan);

static struct status mismatch(const struct maker *maker, const struct schema *writer, const struct schema *reader,
                              const char *field)
{
    const char *writer_name = writer->name ? schema_short_name(writer->name) : "";
    const char *reader_name = reader->name ? schema_short_name(reader->name) : "";
    return complain(maker->complaint, FAIL(BAD_INPUT, 0, "the writer's schema cannot be read"),
                    "%s: the writer's %s%s%.100s cannot be read as %s%s%.100s", *field ? field : "record",
                    schema_kind_text(writer->kind), *writer_name ? " " : "", writer_name,
                    schema_kind_text(reader->kind), *reader_name ? " " : "", reader_name);
}

/* ---- numbers and times */

struct time_unit {
    const char *logical;
    int64_t per_millisecond;
};

static const struct time_unit time_units[] = {
    {"timestamp-millis", 1},
    {"timestamp-micros", 1000},
    {"timestamp-nanos", 1000000},
};

/* What divides the writer's number into the reader's unit; 0 when it is another kind of time. */
static int64_t time_divisor(const struct schema *writer, const struct schema *reader)
{
    if (!reader->logical || strcmp(reader->logical, "timestamp-millis") != 0 || !writer->logical)
        return 1;
    for (size_t i = 0; i < sizeof time_units / sizeof *time_units; i++)
        if (strcmp(writer->logical, time_units[i].logical) == 0)
            return time_units[i].per_millisecond;
    return 0;
}

static struct status make_long(struct maker *maker, const struct schema *writer, const struct schema *reader,
                               struct plan *plan)
{
    plan->number = time_divisor(writer, reader);
    if (plan->number == 0)
        return complain(maker->complaint, FAIL(BAD_INPUT, 0, "the writer's logical type cannot be read"),
                        "%s: the writer's %.100s cannot be read as %s", plan->field, writer->logical, reader->logical);
    plan->kind = plan->number == 1 ? PLAN_COPY : PLAN_SCALE;
    return OK;
}

static struct status make_primitive(struct maker *maker, const struct schema *writer, const struct schema *reader,
                                    struct plan *plan)
{
    enum schema_kind from = writer->kind, to = reader->kind;
    bool texts = (from == SCHEMA_STRING || from == SCHEMA_BYTES) && (to == SCHEMA_STRING || to == SCHEMA_BYTES);
    bool whole = from == SCHEMA_INT || from == SCHEMA_LONG;
    if (to == SCHEMA_LONG && whole)
        return make_long(maker, writer, reader, plan);
    if (from == to || texts)
        plan->kind = PLAN_COPY;
    else if (to == SCHEMA_FLOAT && whole)
        plan->kind = PLAN_TO_FLOAT;
    else if (to == SCHEMA_DOUBLE && (whole || from == SCHEMA_FLOAT))
        plan->kind = PLAN_TO_DOUBLE;
    else
        return mismatch(maker, writer, reader, plan->field);
    return OK;
}

/* ---- enums */

/* -1: it has no such symbol. */
static int64_t symbol_place(const struct schema *schema, const char *symbol)
{
    for (uint32_t i = 0; i < schema->count; i++)
        if (strcmp(schema->symbols[i], symbol) == 0)
            return i;
    return -1;
}

static struct status make_enum(struct maker *maker, const struct schema *writer, const struct schema *reader,
                               struct plan *plan)
{
    if (!schema_names_match(writer, reader))
        return mismatch(maker, writer, reader, plan->field);
    plan->map = NEW(maker, int32_t, writer->count);
    plan->number = reader->symbol_default;
    plan->kind = PLAN_COPY;
    for (uint32_t i = 0; i < writer->count; i++) {
        plan->map[i] = (int32_t)symbol_place(reader, writer->symbols[i]);
        if (plan->map[i] != (int32_t)i)
            plan->kind = PLAN_ENUM;
    }
    return OK;
}

/* ---- arrays and records */

static struct status make_array(struct maker *maker, const struct schema *writer, const struct schema *reader,
                                struct plan *plan)
{
    plan->parts = NEW(maker, struct plan *, 1);
    plan->count = 1;
    TRY(make(maker, writer->parts[0], reader->parts[0], plan->field, &plan->parts[0]));
    plan->kind = plan->parts[0]->kind == PLAN_COPY ? PLAN_COPY : PLAN_ARRAY;
    return OK;
}

/* The writer's field that feeds the reader's: of its name, else of an alias of it. */
static const struct schema_field *find_field(const struct schema *writer, const struct schema_field *wanted)
{
    for (uint32_t i = 0; i < writer->count; i++)
        if (strcmp(writer->fields[i].name, wanted->name) == 0)
            return &writer->fields[i];
    for (size_t alias = 0; alias < json_array_size(wanted->aliases); alias++)
        for (uint32_t i = 0; i < writer->count; i++)
            if (strcmp(writer->fields[i].name, json_string_value(json_array_get(wanted->aliases, alias))) == 0)
                return &writer->fields[i];
    return NULL;
}

static struct status make_default(struct maker *maker, const struct schema *writer, const struct schema_field *field,
                                  struct bytes *ret_default)
{
    if (!field->fallback)
        return complain(maker->complaint, FAIL(BAD_INPUT, 0, "the writer's schema lacks a field"),
                        "%s: the writer's %s has no such field, and it has no default", field->path, writer->name);
    AUTO(buffer) bytes = {0};
    TRY(json_to_avro(field->type, field->fallback, field->path, &bytes, maker->complaint));
    TRY(buffer_check(&bytes));
    *ret_default = arena_copy(maker->memory, buffer_bytes(&bytes));
    return ret_default->size == bytes.size ? OK : FAIL(MEMORY, 0, "no memory for a schema's plan");
}

/* True when the writer's fields are the reader's, one by one, with the same bytes. */
static bool is_same_record(const struct plan *plan, const struct schema *reader)
{
    if (plan->writer->sized_count != reader->count)
        return false;
    for (uint32_t i = 0; i < reader->count; i++)
        if (plan->map[i] != (int32_t)i || plan->parts[i]->kind != PLAN_COPY)
            return false;
    return true;
}

static struct status make_record(struct maker *maker, const struct schema *writer, const struct schema *reader,
                                 struct plan *plan)
{
    if (!schema_names_match(writer, reader))
        return mismatch(maker, writer, reader, plan->field);
    assert(reader->count <= FIELDS_MAX);
    plan->count = reader->count;
    plan->parts = NEW(maker, struct plan *, reader->count);
    plan->defaults = NEW(maker, struct bytes, reader->count);
    plan->map = NEW(maker, int32_t, writer->sized_count);
    memset(plan->map, 0xff, sizeof *plan->map * writer->sized_count);
    for (uint32_t i = 0; i < reader->count; i++) {
        const struct schema_field *field = find_field(writer, &reader->fields[i]);
        if (!field) {
            TRY(make_default(maker, writer, &reader->fields[i], &plan->defaults[i]));
            continue;
        }
        TRY(make(maker, field->type, reader->fields[i].type, reader->fields[i].path, &plan->parts[i]));
        for (uint32_t j = 0; j < writer->sized_count; j++)
            if (&writer->fields[writer->sized[j]] == field)
                plan->map[j] = (int32_t)i;
    }
    plan->kind = is_same_record(plan, reader) ? PLAN_COPY : PLAN_RECORD;
    return OK;
}

/* ---- unions */

static struct status make_refusal(struct maker *maker, const struct schema *writer, const char *field,
                                  struct plan **ret_plan)
{
    char *problem = NEW(maker, char, PROBLEM_MAX);
    snprintf(problem, PROBLEM_MAX, "the writer's %s cannot be read here", schema_kind_text(writer->kind));
    struct plan *plan = NEW(maker, struct plan, 1);
    *plan = (struct plan){.kind = PLAN_REFUSE, .writer = writer, .field = field, .problem = problem};
    *ret_plan = plan;
    return OK;
}

/* The writer's union: each branch by itself; one that cannot be read is refused only when a datum has it. */
static struct status make_branches(struct maker *maker, const struct schema *writer, const struct schema *reader,
                                   struct plan *plan)
{
    struct complaint first = {0}, *outer = maker->complaint;
    struct status refusal = OK;
    bool same = reader->kind == SCHEMA_UNION;
    uint32_t readable = 0;
    plan->kind = PLAN_BRANCH;
    plan->count = writer->count;
    plan->parts = NEW(maker, struct plan *, writer->count);
    for (uint32_t i = 0; i < writer->count; i++) {
        struct complaint complaint = {0};
        maker->complaint = &complaint;
        struct status status = make(maker, writer->parts[i], reader, plan->field, &plan->parts[i]);
        maker->complaint = outer;
        if (!failed(status)) {
            struct plan *part = plan->parts[i];
            same = same && part->kind == PLAN_WRAP && part->number == i && part->parts[0]->kind == PLAN_COPY;
            readable += writer->parts[i]->kind != SCHEMA_NULL;
            continue;
        }
        if (!failed_as(status, FAULT_BAD_INPUT))
            return status;
        same = false;
        if (!*first.text || writer->parts[i]->kind != SCHEMA_NULL)
            first = complaint;
        refusal = status;
        TRY(make_refusal(maker, writer->parts[i], plan->field, &plan->parts[i]));
    }
    if (!readable && failed(refusal))
        return complain(maker->complaint, refusal, "%s", first.text);
    if (same)
        plan->kind = PLAN_COPY;
    return OK;
}

/* The reader's union: the first branch that can be read. */
static struct status make_wrap(struct maker *maker, const struct schema *writer, const struct schema *reader,
                               struct plan *plan)
{
    struct complaint *outer = maker->complaint;
    plan->kind = PLAN_WRAP;
    plan->count = 1;
    plan->parts = NEW(maker, struct plan *, 1);
    struct status status = OK;
    for (uint32_t i = 0; i < reader->count; i++) {
        bool last = i + 1 == reader->count;
        maker->complaint = last ? outer : NULL;
        status = make(maker, writer, reader->parts[i], plan->field, &plan->parts[0]);
        maker->complaint = outer;
        plan->number = i;
        if (!failed_as(status, FAULT_BAD_INPUT))
            return status;
    }
    return status;
}

static struct status make(struct maker *maker, const struct schema *writer, const struct schema *reader,
                          const char *field, struct plan **ret_plan)
{
    struct plan *plan = NEW(maker, struct plan, 1);
    *plan = (struct plan){.writer = writer, .field = field};
    if (writer->kind == SCHEMA_UNION)
        TRY(make_branches(maker, writer, reader, plan));
    else if (reader->kind == SCHEMA_UNION)
        TRY(make_wrap(maker, writer, reader, plan));
    else if (reader->kind == SCHEMA_ENUM && writer->kind == SCHEMA_ENUM)
        TRY(make_enum(maker, writer, reader, plan));
    else if (reader->kind == SCHEMA_ARRAY && writer->kind == SCHEMA_ARRAY)
        TRY(make_array(maker, writer, reader, plan));
    else if (reader->kind == SCHEMA_RECORD && writer->kind == SCHEMA_RECORD)
        TRY(make_record(maker, writer, reader, plan));
    else if (reader->kind <= SCHEMA_STRING && writer->kind <= SCHEMA_STRING)
        TRY(make_primitive(maker, writer, reader, plan));
    else
        return mismatch(maker, writer, reader, field);
    *ret_plan = plan;
    return OK;
}

struct status plan_make(const struct schema *writer, const struct schema *reader, struct arena *memory,
                        struct plan **ret_plan, struct complaint *complaint)
{
    struct maker maker = {memory, complaint};
    return make(&maker, writer, reader, "", ret_plan);
}

bool plan_is_total(const struct plan *plan)
{
    if (plan->kind == PLAN_REFUSE)
        return false;
    if (plan->kind == PLAN_ENUM && plan->number < 0)
        for (uint32_t i = 0; i < plan->writer->count; i++)
            if (plan->map[i] < 0)
                return false;
    if (plan->kind == PLAN_COPY)
        return true;
    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->parts[i] && !plan_is_total(plan->parts[i]))
            return false;
    return true;
}

/* ---- running */

static void append_long(struct buffer *out, int64_t value)
{
    uint8_t *at = buffer_reserve(out, VARINT_MAX);
    if (at)
        out->size += (size_t)(put_long(at, value) - at);
}

static bool run_copy(const struct plan *plan, struct reader *reader, struct buffer *out)
{
    const uint8_t *start = reader->at;
    if (!schema_skip(plan->writer, reader, plan->field))
        return false;
    buffer_append(out, start, (size_t)(reader->at - start));
    return true;
}

static bool run_scale(const struct plan *plan, struct reader *reader, struct buffer *out)
{
    int64_t value;
    if (!read_long(reader, plan->field, &value))
        return false;
    int64_t rest = value % plan->number;
    append_long(out, value / plan->number - (rest < 0));
    return true;
}

static bool run_to_real(const struct plan *plan, struct reader *reader, struct buffer *out)
{
    int64_t whole = 0;
    float single = 0;
    bool from_float = plan->writer->kind == SCHEMA_FLOAT;
    if (from_float ? !read_float(reader, plan->field, &single) : !read_long(reader, plan->field, &whole))
        return false;
    uint8_t *at = buffer_reserve(out, sizeof(double));
    if (!at)
        return false;
    uint8_t *end = plan->kind == PLAN_TO_FLOAT ? put_float(at, (float)whole)
                                               : put_double(at, from_float ? (double)single : (double)whole);
    out->size += (size_t)(end - at);
    return true;
}

static bool run_enum(const struct plan *plan, struct reader *reader, struct buffer *out)
{
    uint32_t symbol;
    if (!read_index(reader, plan->field, plan->writer->count, &symbol))
        return false;
    bool known = plan->map[symbol] >= 0;
    if (!known && plan->number < 0)
        return reader_fail(reader, plan->field, "the reader's enum has no such symbol and no default");
    if (!known)
        reader->unknown = plan->writer->symbols[symbol];
    append_long(out, known ? plan->map[symbol] : plan->number);
    return true;
}

static bool run_array(const struct plan *plan, struct reader *reader, struct buffer *out)
{
    uint64_t count;
    do {
        if (!read_block(reader, plan->field, plan->writer->parts[0]->size_min, &count))
            return false;
        append_long(out, (int64_t)count);
        for (uint64_t i = 0; i < count; i++)
            if (!plan_run(plan->parts[0], reader, out))
                return false;
    } while (count);
    return true;
}

/* Runs the plan of one field on the place where it was found. */
static bool run_field(const struct plan *part, const uint8_t *start, struct reader *reader, struct buffer *out)
{
    struct reader field = *reader;
    field.at = start;
    bool good = plan_run(part, &field, out);
    reader->unknown = field.unknown;
    if (!good)
        *reader = field;
    return good;
}

static bool run_record(const struct plan *plan, struct reader *reader, struct buffer *out)
{
    const struct schema *writer = plan->writer;
    const uint8_t *starts[FIELDS_MAX];
    for (uint32_t i = 0; i < plan->count; i++)
        starts[i] = reader->at; /* of fields without bytes any place will do */
    for (uint32_t i = 0; i < writer->sized_count; i++) {
        const struct schema_field *field = &writer->fields[writer->sized[i]];
        if (plan->map[i] >= 0)
            starts[plan->map[i]] = reader->at;
        if (!schema_skip(field->type, reader, field->path))
            return false;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!plan->parts[i])
            buffer_append_bytes(out, plan->defaults[i]);
        else if (!run_field(plan->parts[i], starts[i], reader, out))
            return false;
    }
    return true;
}

static bool run_branch(const struct plan *plan, struct reader *reader, struct buffer *out)
{
    uint32_t branch;
    return read_index(reader, plan->field, plan->count, &branch) && plan_run(plan->parts[branch], reader, out);
}

bool plan_run(const struct plan *plan, struct reader *reader, struct buffer *out)
{
    switch (plan->kind) {
    case PLAN_COPY:
        return run_copy(plan, reader, out);
    case PLAN_SCALE:
        return run_scale(plan, reader, out);
    case PLAN_TO_FLOAT:
    case PLAN_TO_DOUBLE:
        return run_to_real(plan, reader, out);
    case PLAN_ENUM:
        return run_enum(plan, reader, out);
    case PLAN_ARRAY:
        return run_array(plan, reader, out);
    case PLAN_RECORD:
        return run_record(plan, reader, out);
    case PLAN_BRANCH:
        return run_branch(plan, reader, out);
    case PLAN_WRAP:
        append_long(out, plan->number);
        return plan_run(plan->parts[0], reader, out);
    case PLAN_REFUSE:
        return reader_fail(reader, plan->field, plan->problem);
    }
    return false;
}
