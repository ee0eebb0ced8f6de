// SPDX-License-Identifier: Apache-2.0
#include "llm_stand_in/stand_in.h"

static const char *const names[] = {
#define X(name, text, what) [STAND_IN_##name] = text,
    FAULTS(X)
#undef X
};

const char *fault_name(enum fault_of fault)
{
    return names[fault];
}

static bool find(const char *name, enum fault_of *ret_fault)
{
    for (size_t i = 0; name && i < STAND_IN_FAULT_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *ret_fault = (enum fault_of)i;
            return true;
        }
    return false;
}

static bool read_next(struct faults *faults, const json_t *next)
{
    size_t i;
    const json_t *name;
    if (json_array_size(next) > NEXT_MAX)
        return false;
    json_array_foreach(next, i, name)
    {
        if (!find(json_string_value(name), &faults->next[i]))
            return false;
        faults->next_count = i + 1;
    }
    return !next || json_is_array(next);
}

static bool read_rates(struct faults *faults, json_t *rates)
{
    const char *name;
    const json_t *rate;
    double sum = 0;
    json_object_foreach(rates, name, rate)
    {
        enum fault_of fault;
        if (!find(name, &fault) || !json_is_number(rate) || json_number_value(rate) < 0)
            return false;
        faults->rates[fault] = json_number_value(rate);
        sum += faults->rates[fault];
    }
    return sum <= 1.000001 && (!rates || json_is_object(rates));
}

bool faults_tell(struct faults *faults, struct bytes body, int64_t now_us)
{
    struct faults told = {.until_us = INT64_MAX};
    json_error_t error;
    json_t *root = json_loadb(body.size ? (const char *)body.data : "", body.size, 0, &error);
    const json_t *for_ms = json_object_get(root, "for_ms");
    const char *retry_after = json_string_value(json_object_get(root, "retry_after"));
    bool good = json_is_object(root) && read_next(&told, json_object_get(root, "next")) &&
                read_rates(&told, json_object_get(root, "rates"));
    told.refuse = json_is_true(json_object_get(root, "refuse"));
    if (json_is_integer(for_ms))
        told.until_us = now_us + json_integer_value(for_ms) * 1000;
    snprintf(told.retry_after, sizeof told.retry_after, "%s", retry_after ? retry_after : "1");
    json_decref(root);
    if (good)
        *faults = told;
    return good;
}

bool faults_refuse(struct faults *faults, int64_t now_us)
{
    return faults->refuse && now_us < faults->until_us;
}

enum fault_of faults_take(struct faults *faults, struct random *random, int64_t now_us)
{
    if (faults->next_at < faults->next_count)
        return faults->next[faults->next_at++];
    double at = random_unit(random);
    for (size_t i = 0; i < STAND_IN_FAULT_COUNT && now_us < faults->until_us; i++) {
        if (at < faults->rates[i])
            return (enum fault_of)i;
        at -= faults->rates[i];
    }
    return STAND_IN_OK;
}
