// SPDX-License-Identifier: Apache-2.0
#include "app/models/listing.h"

#include "app/json_writer.h"
#include "app/session_model.h"

#include <eddy/base/timestamp.h>

#define MIB ((double)(1 << 20))

struct model_state model_state_of(const struct model_directory *directory, const struct model_manifest *manifest)
{
    const struct model_manifest *current = model_directory_current(directory);
    const struct model_manifest *pinned = model_directory_pinned(directory);
    struct model_state state = {.current = current && current->version == manifest->version,
                                .pinned = pinned && pinned->version == manifest->version};
    struct status status = model_directory_check(directory, manifest, &state.missing);
    (void)status; /* the complaint says it */
    return state;
}

/* The versions in descending order; returns how many. */
static uint32_t sorted(const struct model_directory *directory, const struct model_manifest *list[MODEL_SLOTS_MAX])
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < MODEL_SLOTS_MAX; slot++) {
        const struct model_manifest *manifest = model_directory_slot(directory, slot);
        uint32_t at = count;
        if (!manifest)
            continue;
        for (; at && list[at - 1]->version < manifest->version; at--)
            list[at] = list[at - 1];
        list[at] = manifest;
        count++;
    }
    return count;
}

/* ---- for people */

static const char *state_text(const struct model_state *state)
{
    if (state->missing.text[0])
        return "broken";
    if (state->pinned)
        return state->current ? "current, pinned" : "pinned";
    return state->current ? "current" : "kept";
}

/* Control characters, which could speak to a terminal, as ?. */
static void append_plain(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        buffer_append_byte(out, text.data[i] < 0x20 || text.data[i] == 0x7f ? '?' : text.data[i]);
}

static void write_row(const struct model_directory *directory, const struct model_manifest *manifest,
                      struct buffer *out)
{
    char version[MODEL_VERSION_SIZE], time[TIMESTAMP_TEXT_MAX];
    struct model_state state = model_state_of(directory, manifest);
    model_version_write(manifest->version, manifest->sha256, version);
    buffer_format(out, "%-24s %-16s %-24s %8.1f %-8s %9u  ", version, state_text(&state),
                  timestamp_text(manifest->created_ms, time), (double)manifest->size / MIB,
                  model_precision_name(manifest->precision), manifest->item_count);
    if (manifest->gate.predictions)
        buffer_format(out, "%6.4f %6.4f  ", manifest->gate.mrr, manifest->gate.mrr_before);
    else
        buffer_append_text(out, "     -      -  ");
    append_plain(out, bytes_utf8_prefix(manifest->note, 60));
    buffer_append_byte(out, '\n');
}

void model_listing_table(const struct model_directory *directory, struct buffer *out)
{
    const struct model_manifest *list[MODEL_SLOTS_MAX];
    uint32_t count = sorted(directory, list);
    buffer_format(out, "%-24s %-16s %-24s %8s %-8s %9s  %6s %6s  %s\n", "VERSION", "STATE", "CREATED", "MIB", "AS",
                  "ITEMS", "MRR", "BEFORE", "NOTE");
    for (uint32_t i = 0; i < count; i++)
        write_row(directory, list[i], out);
}

static void write_measures(const struct model_manifest *manifest, struct buffer *out)
{
    const struct model_gate *gate = &manifest->gate;
    const struct model_training *training = &manifest->training;
    if (gate->predictions)
        buffer_format(out,
                      "measured    on %lld predictions, lists of %u: MRR %.4f (before: %.4f), hit rate %.4f (before: "
                      "%.4f)\n",
                      (long long)gate->predictions, gate->cutoff, gate->mrr, gate->mrr_before, gate->hit_rate,
                      gate->hit_rate_before);
    if (training->sessions)
        buffer_format(out, "trained     on %lld sessions, %lld clicks, in %lld ms; loss %.4f\n",
                      (long long)training->sessions, (long long)training->clicks, (long long)training->ms,
                      training->loss);
    for (uint32_t i = 0; i < manifest->session_count; i++)
        buffer_format(out, "%-12spartition %d up to offset %lld\n", i ? "" : "sessions",
                      manifest->sessions[i].partition, (long long)manifest->sessions[i].offset);
}

void model_listing_show(const struct model_directory *directory, const struct model_manifest *manifest,
                        struct buffer *out)
{
    char version[MODEL_VERSION_SIZE], time[TIMESTAMP_TEXT_MAX];
    struct model_state state = model_state_of(directory, manifest);
    model_version_write(manifest->version, manifest->sha256, version);
    buffer_format(out, "version     %s\nstate       %s%s%s\ncreated     %s\n", version, state_text(&state),
                  state.missing.text[0] ? ": " : "", state.missing.text, timestamp_text(manifest->created_ms, time));
    buffer_append_text(out, "model       ");
    append_plain(out, bytes_utf8_prefix(manifest->backbone, 60));
    buffer_format(out, ", width %u, last %u clicks, %u items, %lld parameters\n", manifest->width, manifest->length_max,
                  manifest->item_count, (long long)manifest->parameters);
    buffer_format(out, "payload     %lld bytes as %s, %u chunks in slot %u\nsha256      " BYTES_FORMAT "\n",
                  (long long)manifest->size, model_precision_name(manifest->precision), manifest->chunk_count,
                  manifest->slot, BYTES_ARGS(manifest->sha256));
    write_measures(manifest, out);
    if (manifest->note.size) {
        buffer_append_text(out, "note        ");
        append_plain(out, manifest->note);
        buffer_append_byte(out, '\n');
    }
}

/* ---- for programs */

static void write_figures(struct json_writer *json, const struct model_manifest *manifest)
{
    const struct model_gate *gate = &manifest->gate;
    const struct model_training *training = &manifest->training;
    json_whole_number(json, "gate_predictions", gate->predictions);
    json_whole_number(json, "gate_cutoff", gate->cutoff);
    json_number(json, "gate_mrr", gate->mrr);
    json_number(json, "gate_mrr_before", gate->mrr_before);
    json_number(json, "gate_hit_rate", gate->hit_rate);
    json_number(json, "gate_hit_rate_before", gate->hit_rate_before);
    json_whole_number(json, "trained_sessions", training->sessions);
    json_whole_number(json, "trained_clicks", training->clicks);
    json_whole_number(json, "trained_ms", training->ms);
    json_number(json, "loss", training->loss);
}

static void write_sessions(struct json_writer *json, const struct model_manifest *manifest)
{
    json_begin_array(json, "sessions");
    for (uint32_t i = 0; i < manifest->session_count; i++) {
        json_begin_object(json, NULL);
        json_whole_number(json, "partition", manifest->sessions[i].partition);
        json_whole_number(json, "offset", manifest->sessions[i].offset);
        json_end_object(json);
    }
    json_end_array(json);
}

void model_listing_show_json(const struct model_directory *directory, const struct model_manifest *manifest,
                             struct buffer *out)
{
    char version[MODEL_VERSION_SIZE], time[TIMESTAMP_TEXT_MAX];
    struct model_state state = model_state_of(directory, manifest);
    struct json_writer json = json_lines_of(out);
    model_version_write(manifest->version, manifest->sha256, version);
    json_begin_object(&json, NULL);
    json_text(&json, "name", manifest->name);
    json_whole_number(&json, "version", manifest->version);
    json_text(&json, "model_version", bytes_of_text(version));
    json_truth(&json, "current", state.current);
    json_truth(&json, "pinned", state.pinned);
    if (state.missing.text[0])
        json_text(&json, "missing", bytes_of_text(state.missing.text));
    else
        json_none(&json, "missing");
    json_text(&json, "created", bytes_of_text(timestamp_text(manifest->created_ms, time)));
    json_whole_number(&json, "slot", manifest->slot);
    json_whole_number(&json, "chunks", manifest->chunk_count);
    json_whole_number(&json, "size", manifest->size);
    json_text(&json, "encoding", bytes_of_text(model_precision_name(manifest->precision)));
    json_text(&json, "sha256", manifest->sha256);
    json_text(&json, "backbone", manifest->backbone);
    json_whole_number(&json, "width", manifest->width);
    json_whole_number(&json, "length_max", manifest->length_max);
    json_whole_number(&json, "items", manifest->item_count);
    json_whole_number(&json, "parameters", manifest->parameters);
    write_sessions(&json, manifest);
    write_figures(&json, manifest);
    json_text(&json, "note", manifest->note);
    json_end_object(&json);
}

void model_listing_json(const struct model_directory *directory, struct buffer *out)
{
    const struct model_manifest *list[MODEL_SLOTS_MAX];
    uint32_t count = sorted(directory, list);
    for (uint32_t i = 0; i < count; i++)
        model_listing_show_json(directory, list[i], out);
}
