// SPDX-License-Identifier: Apache-2.0
#pragma once
/* updater: a session model that goes on learning from the sessions that close.
 *
 *   updater_add: closed sessions -> [past: older | window | held back]        the newest clicks_max clicks
 *   updater_begin: copy of the model, rows for the window's new items
 *   updater_step:  trains the copy on the window and on older sessions, drawn again
 *                  ranks the clicks of the sessions held back, by the model and by the copy
 *                  gate: the copy becomes the model, unless it is worse
 *
 * The window is what closed since the last update, but for its newest sessions: these are held back, and neither model
 * has learned from them when they judge. They are in the next update's window: what was judged is what is published,
 * bit for bit, but for rows of items that only the judges have, which are added then. What is learned later by an
 * update is minutes, which the retrieval scorers do not wait for.
 * Older samples are drawn again so that the old is not forgotten for the new (rehearsal), an older one less often: in
 * proportion to 2^(-age / half-life), age in event time. The rate falls to 0 within an update and begins anew with the
 * next (warm restarts: Loshchilov & Hutter 2017). The optimiser's moments go on from one update to the next: an update
 * may be a step or two, and with moments from nothing each would move all that it touches by the whole rate.
 * A refused window is older from then on: it is drawn in its turn, and holds up no later one.
 *
 * What is learned bit by bit falls behind what is learned of all at once. So the first update of each `anew_ms` of
 * event time that holds back enough to judge it by (20 predictions, unless held_share is 0) makes a model from nothing,
 * of all that is past, as `training` says; the gate judges it as any other. The period of a model follows from its
 * trained_to. One that is refused is not made again by this updater before the next period, and the update after it
 * begins without moments, for which there was no room beside its own. Items that no click of the past is on keep the
 * rows they begin with.
 *
 * Without a model the first update makes one from all that is past, as `training` says, and nothing is held back.
 *
 * Items are rows of the model: numbers from 0 in the order in which the caller has met them. A new item has a row in
 * the first model that learned from a session with it, or that was judged by one; the row begins between those of the
 * items that it was clicked beside (core/model/growth.h).
 *
 * What it does is a function of model, sessions, options and when it was begun; nothing of it is in clock or threads.
 * One thread. There is no state beside model, moments and past sessions: killed between two steps, it begins again
 * from the last model that was published, with what sessions the caller adds again, and without moments.
 *
 * Memory: 4 bytes a click and 16 a session of the past, twice during an update (10 more bytes a sample that is
 * trained). Of the model's size: 3 (itself, two moments), and 4 while an update runs, which has a copy. To these the
 * trainer adds a step's gradients, and ranking 64 MiB of scores: both have a bound that is not the catalogue's. */
#include <eddy/core/trainer.h>

struct updater_options {
    struct model_options model;      /* of one that begins from nothing */
    struct trainer_options training; /* the same; of an update all but epochs and rate */
    uint32_t items_max;              /* clicks on items from here on are left out */
    uint32_t clicks_max;             /* >= 2; of the past that is kept */
    uint32_t passes;                 /* >= 1; over the window in an update */
    float rate;                      /* of the optimiser as an update begins */
    float replay;                    /* older samples for each of the window's; fewer where there are fewer */
    uint32_t samples_max;            /* of an update in all, but that the window's are all among them; 0: no limit */
    int64_t half_life_ms;            /* 0: all older samples are drawn alike */
    float held_share;  /* 0 .. <0.5 predictions for each new click are held back; 0: there is no gate. From
                          0.5 on, sessions of two clicks would all be, for ever */
    uint32_t held_max; /* but no more than so many */
    float noise;       /* refused when MRR is worse by more than so many of its standard errors */
    int64_t anew_ms; /* event time in so long periods, since 1970: the first update of each begins anew; 0: none does */
};

struct updater;

/* The model is copied; NULL: there is none yet. MEMORY. */
MUST_CHECK struct status updater_open(const struct updater_options *options, const struct model *model,
                                      struct updater **ret_updater);
void updater_close(struct updater *updater);

/* The one that was published last; NULL: none yet. Borrowed until a step ends an update. */
const struct model *updater_model(const struct updater *updater);

/* A closed session, oldest click first; in the order of closing, at any time. Sessions of one click teach nothing.
 * MEMORY: it was not added. */
MUST_CHECK struct status updater_add(struct updater *updater, const uint32_t *items, uint32_t length, int64_t time_ms);
/* What was added so far counts as older: the model has learned it. For sessions from before it was published. */
void updater_mark_learned(struct updater *updater);
/* Clicks that closed since the last update began, and are not forgotten: whether one is due is the caller's to say. */
uint32_t updater_waiting(const struct updater *updater);

struct updater_result {
    bool accepted;
    bool anew; /* from nothing */
    uint32_t window_sessions, window_clicks, new_items;
    uint64_t samples; /* trained, those that were drawn again among them */
    double loss;      /* mean over the samples */
    uint32_t held_sessions, predictions;
    double reciprocal_rank_old, reciprocal_rank_new; /* @20, of the sessions held back; equal without any */
    double hit_rate_old, hit_rate_new;
    double error; /* standard error of the difference of the first two, by session */
};

/* Begins an update. *ret_begun is false when there is nothing to learn: not two clicks in one session. Not while one
 * runs. MEMORY; LIMIT as trainer_open(): nothing has begun. */
MUST_CHECK struct status updater_begin(struct updater *updater, bool *ret_begun);
/* A step of the update that runs: well below a second. After the last one *ret_done is true, *ret_result is set, and
 * updater_model() is the new model if it was accepted. What trainer_step() fails with: the update is given up, and its
 * window waits for the next one. */
MUST_CHECK struct status updater_step(struct updater *updater, bool *ret_done, struct updater_result *ret_result);
