// SPDX-License-Identifier: Apache-2.0
#pragma once
/* player: plays a recorded clickstream into the clicks topic and watches what comes back.
 *
 *   log -> clicks topic -> [eddy] -> recommendations topic -> watch
 *
 * The first clicks go as fast as they are answered, so that something has been learned; then it is live, at a pace that
 * people can follow, and the watch counts from zero. For one thread. */
#include "app/demo/stage.h"
#include "app/demo/view.h"

#define PLAYER_UNANSWERED_MAX 2000    /* clicks on their way at full speed */
#define PLAYER_PATIENCE_US    3000000 /* answers that did not come by then (duplicates, late clicks) will not come */

struct player_options {
    int64_t speed;                        /* live clicks a second, > 0 */
    int64_t learn;                        /* clicks before that */
    int64_t live;                         /* live clicks; 0: to the end of the stream */
    const char *clicks_path, *items_path; /* NULL: the clickstream in the binary */
};

struct player;

/* Fills the items topic and starts eddy on the stage, which must outlive the player. */
MUST_CHECK struct status player_open(const struct player_options *options, struct stage *stage,
                                     struct player **ret_player, struct complaint *complaint);
/* Says on stderr what of the stream could not be played. */
void player_close(struct player *player);

/* Sends what is due, and takes what has come, waiting a few milliseconds for it. UNAVAILABLE when no answer has come
 * for a minute. */
MUST_CHECK struct status player_step(struct player *player, struct complaint *complaint);
bool player_is_live(const struct player *player);
/* The last click was sent, and answered as far as it will be. */
bool player_is_done(const struct player *player);

struct view player_view(const struct player *player);
/* The session that was answered last; NULL at first. Valid until the next step. */
const struct watched_session *player_latest(const struct player *player);
