// SPDX-License-Identifier: Apache-2.0
#include "io/llm/client.h"

#include <eddy/core/chat.h>
#include <stdio.h>

/* ---- a call ends */

static void describe(const struct llm_client *client, struct call *call, enum call_outcome outcome,
                     const struct transfer *last)
{
    struct complaint complaint = {""}, said = {""};
    struct llm_result *result = &call->result;
    result->text[0] = 0;
    if (outcome == CALL_ANSWERED)
        return;
    const char *where = result->endpoint >= 0 ? client->targets[result->endpoint].base : "no endpoint was asked";
    if (last)
        chat_read_error(buffer_bytes(&last->body), &said);
    const char *why = *said.text ? said.text : last && *last->problem ? last->problem : "";
    struct status ignored =
        complain(&complaint, OK, "%.100s: %s%s%.100s", where, call_outcome_text(outcome), *why ? ": " : "", why);
    (void)ignored;
    struct bytes text = bytes_utf8_prefix(bytes_of_text(complaint.text), sizeof result->text - 1);
    memcpy(result->text, text.data, text.size);
    result->text[text.size] = 0;
}

static void finish(struct llm_client *client, struct call *call, enum call_outcome outcome, int64_t now_us)
{
    call->result.user = call->user;
    call->result.outcome = outcome;
    call->result.took_us = now_us - call->begun_us;
    call->result.body = buffer_bytes(&call->answer);
    client->report.calls_by[outcome]++;
    if (outcome == CALL_ANSWERED)
        histogram_record(&client->latency, call->result.took_us > 0 ? (uint64_t)call->result.took_us : 0);
    call_move(client, call, STATE_FINISHED);
}

/* ---- requests end */

static void end_transfer(struct llm_client *client, struct transfer *transfer, enum call_outcome outcome,
                         int64_t hint_ms, int64_t now_us)
{
    endpoints_end(&client->endpoints, transfer->endpoint, outcome, hint_ms, transfer->begun_us, now_us);
    client->report.endpoints[transfer->endpoint].requests_by[outcome]++;
    transfer_end(client, transfer);
}

static void drop_transfers(struct llm_client *client, struct call *call, enum call_outcome outcome, int64_t now_us)
{
    for (size_t i = 0; i < 2; i++)
        if (call->transfers[i].easy)
            end_transfer(client, &call->transfers[i], outcome, -1, now_us);
}

static void note_answer(struct call *call, struct transfer *transfer, int code)
{
    struct buffer other = call->answer;
    call->answer = transfer->body;
    transfer->body = other;
    call->result.code = code;
}

/* One of a call's requests ended. While another is in flight, a failure of this one is not the call's. */
static void ended(struct llm_client *client, struct transfer *transfer, enum call_outcome outcome, int64_t hint_ms,
                  int code)
{
    struct call *call = transfer->call;
    int64_t now_us = client_now_us(client);
    end_transfer(client, transfer, outcome, hint_ms, now_us);
    bool again =
        attempts_go_on(&call->attempts, &client->endpoints, transfer->endpoint, outcome, now_us, &client->random);
    bool other = call->transfers[0].easy || call->transfers[1].easy;
    if (other && outcome != CALL_ANSWERED)
        return;
    drop_transfers(client, call, CALL_CANCELLED, now_us);
    call->result.endpoint = (int)transfer->endpoint;
    describe(client, call, outcome, transfer);
    note_answer(call, transfer, code);
    if (again) {
        client->report.retries++;
        call_move(client, call, STATE_WAITING);
    } else {
        finish(client, call, outcome, now_us);
    }
}

static void take_done(struct llm_client *client)
{
    CURLMsg *message;
    int left, code;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct transfer *transfer;
        int64_t hint_ms;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        enum call_outcome outcome = transfer_outcome(client, transfer, message->data.result, &hint_ms, &code);
        ended(client, transfer, outcome, hint_ms, code);
    }
}

/* ---- what time ends */

/* When the request is cut, unless more of its answer comes. */
static int64_t cut_us(const struct llm_client *client, const struct transfer *transfer)
{
    const struct llm_options *options = &client->options;
    int64_t cut = INT64_MAX;
    if (options->request_timeout_ms > 0)
        cut = transfer->begun_us + (int64_t)options->request_timeout_ms * 1000;
    if (options->slow_ms > 0 && transfer->marked_us) {
        int64_t slow_us = transfer->marked_us + (int64_t)options->slow_ms * 1000;
        cut = slow_us < cut ? slow_us : cut;
    }
    return cut;
}

/* A server may think for long before it begins to answer; from then on bytes must come. */
static void mark(const struct llm_client *client, struct transfer *transfer, int64_t now_us)
{
    if (transfer->body.size == 0)
        return;
    bool enough = transfer->body.size - transfer->marked >= client->options.slow_bytes;
    bool over = now_us >= transfer->marked_us + (int64_t)client->options.slow_ms * 1000;
    if (transfer->marked_us && !(over && enough))
        return;
    transfer->marked_us = now_us;
    transfer->marked = transfer->body.size;
}

static void watch(struct llm_client *client, struct transfer *transfer, int64_t now_us)
{
    if (!transfer->easy)
        return;
    mark(client, transfer, now_us);
    if (now_us < cut_us(client, transfer))
        return;
    snprintf(transfer->problem, sizeof transfer->problem, "%zu bytes came in %lld ms", transfer->body.size,
             (long long)((now_us - transfer->begun_us) / 1000));
    ended(client, transfer, CALL_SLOW, -1, 0);
}

/* The deadline of a call says something about an endpoint only when that had a good part of the time for itself. */
static void expire(struct llm_client *client, struct call *call, int64_t now_us)
{
    int64_t half_us = (call->attempts.deadline_us - call->begun_us) / 2;
    const struct transfer *last = NULL;
    for (size_t i = 0; i < 2; i++) {
        struct transfer *transfer = &call->transfers[i];
        if (!transfer->easy)
            continue;
        bool blamed = now_us - transfer->begun_us >= half_us;
        end_transfer(client, transfer, blamed ? CALL_SLOW : CALL_DEADLINE, -1, now_us);
        call->result.endpoint = (int)transfer->endpoint;
        last = transfer;
    }
    if (last || !*call->result.text)
        describe(client, call, CALL_DEADLINE, NULL);
    finish(client, call, CALL_DEADLINE, now_us);
}

static void watch_in_flight(struct llm_client *client, int64_t now_us)
{
    for (struct call *call = client->calls[STATE_IN_FLIGHT].first, *next; call; call = next) {
        next = call->next;
        if (now_us >= call->attempts.deadline_us) {
            expire(client, call, now_us);
            continue;
        }
        watch(client, &call->transfers[0], now_us);
        if (call->state == STATE_IN_FLIGHT)
            watch(client, &call->transfers[1], now_us);
    }
}

/* ---- requests begin */

static void begin(struct llm_client *client, struct call *call, size_t place, size_t endpoint, int64_t now_us)
{
    struct transfer *transfer = &call->transfers[place];
    call->result.endpoint = (int)endpoint;
    if (!transfer_begin(client, transfer, call, endpoint, now_us)) {
        if (call->state == STATE_WAITING) {
            describe(client, call, CALL_NO_MEMORY, NULL);
            finish(client, call, CALL_NO_MEMORY, now_us);
        }
        return;
    }
    endpoints_begin(&client->endpoints, endpoint, call->tokens, now_us);
    call->result.requests++;
    if (call->state == STATE_WAITING)
        call_move(client, call, STATE_IN_FLIGHT);
}

/* When time alone lets a call that waits be sent, and why not now. Most calls exclude no endpoint. */
struct outlook {
    int64_t ready_us;
    enum call_outcome reason;
};

static struct outlook outlook_for(struct endpoints *endpoints, const struct call *call, int64_t now_us,
                                  const struct outlook *common)
{
    struct outlook own = *common;
    if (call->attempts.excluded)
        own.ready_us = endpoints_ready_us(endpoints, call->attempts.excluded, now_us, &own.reason);
    return own;
}

/* Ends a call that waits and will wait in vain; true when it did. */
static bool give_up(struct llm_client *client, struct call *call, int64_t now_us, const struct outlook *common)
{
    if (now_us >= call->attempts.deadline_us) {
        expire(client, call, now_us);
        return true;
    }
    struct outlook outlook = outlook_for(&client->endpoints, call, now_us, common);
    if (outlook.ready_us < call->attempts.deadline_us)
        return false;
    if (!*call->result.text)
        describe(client, call, outlook.reason, NULL);
    finish(client, call, outlook.reason, now_us);
    return true;
}

/* True when a request was begun. */
static bool begin_waiting(struct llm_client *client, int64_t now_us)
{
    static const struct attempts anybody = {0};
    bool full = false, begun = false;
    struct outlook common;
    common.ready_us = endpoints_ready_us(&client->endpoints, 0, now_us, &common.reason);
    for (struct call *call = client->calls[STATE_WAITING].first, *next; call; call = next) {
        next = call->next;
        if (give_up(client, call, now_us, &common) || full || call->attempts.not_before_us > now_us)
            continue;
        int endpoint = endpoints_pick(&client->endpoints, &call->attempts, now_us, &client->random);
        if (endpoint >= 0)
            begin(client, call, 0, (size_t)endpoint, now_us);
        else
            full = endpoints_pick(&client->endpoints, &anybody, now_us, &client->random) < 0;
        begun = begun || endpoint >= 0;
    }
    return begun;
}

static int64_t hedge_us(const struct llm_client *client, const struct call *call)
{
    bool alone = call->transfers[0].easy && !call->transfers[1].easy && !call->hedged;
    return alone && client->options.hedge_after_ms > 0
               ? call->transfers[0].begun_us + (int64_t)client->options.hedge_after_ms * 1000
               : INT64_MAX;
}

static bool hedge(struct llm_client *client, int64_t now_us)
{
    bool begun = false;
    for (struct call *call = client->calls[STATE_IN_FLIGHT].first; call; call = call->next) {
        if (now_us < hedge_us(client, call))
            continue;
        uint32_t busy = (uint32_t)1 << call->transfers[0].endpoint;
        int endpoint = endpoints_pick_other(&client->endpoints, &call->attempts, busy, now_us, &client->random);
        call->hedged = true; /* once; when no other has room now, the one that was asked may answer yet */
        if (endpoint < 0)
            continue;
        client->report.hedges++;
        begin(client, call, 1, (size_t)endpoint, now_us);
        begun = true;
    }
    return begun;
}

/* ---- */

/* What was begun may have ended at once, which libcurl does not wake anybody for. */
void carry(struct llm_client *client)
{
    for (bool begun = true; begun;) {
        int running;
        curl_multi_perform(client->multi, &running);
        take_done(client);
        int64_t now_us = client_now_us(client);
        watch_in_flight(client, now_us);
        begun = begin_waiting(client, now_us);
        if (client->options.hedge_after_ms > 0)
            begun = hedge(client, now_us) || begun;
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t waiting_due_us(const struct llm_client *client, int64_t now_us)
{
    int64_t due_us = INT64_MAX;
    struct endpoints endpoints = client->endpoints; /* asking fills allowances up */
    struct outlook common;
    common.ready_us = endpoints_ready_us(&endpoints, 0, now_us, &common.reason);
    for (const struct call *call = client->calls[STATE_WAITING].first; call; call = call->next) {
        int64_t pause_us = outlook_for(&endpoints, call, now_us, &common).ready_us;
        pause_us = call->attempts.not_before_us > pause_us ? call->attempts.not_before_us : pause_us;
        if (pause_us > now_us) /* otherwise it waits for a request to end */
            due_us = sooner(due_us, pause_us);
        due_us = sooner(due_us, call->attempts.deadline_us);
    }
    return due_us;
}

int64_t carry_due_us(const struct llm_client *client)
{
    int64_t due_us = INT64_MAX;
    if (client->calls[STATE_WAITING].first)
        due_us = waiting_due_us(client, client_now_us(client));
    for (const struct call *call = client->calls[STATE_IN_FLIGHT].first; call; call = call->next) {
        due_us = sooner(due_us, sooner(call->attempts.deadline_us, hedge_us(client, call)));
        for (size_t i = 0; i < 2; i++)
            if (call->transfers[i].easy)
                due_us = sooner(due_us, cut_us(client, &call->transfers[i]));
    }
    return due_us;
}

void carry_cancel_all(struct llm_client *client)
{
    static const enum call_state states[] = {STATE_WAITING, STATE_IN_FLIGHT};
    int64_t now_us = client_now_us(client);
    for (size_t i = 0; i < 2; i++)
        for (struct call *call; (call = client->calls[states[i]].first);) {
            drop_transfers(client, call, CALL_CANCELLED, now_us);
            describe(client, call, CALL_CANCELLED, NULL);
            finish(client, call, CALL_CANCELLED, now_us);
        }
}
