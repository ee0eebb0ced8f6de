// SPDX-License-Identifier: Apache-2.0
#include "app/model_ranks.h"

#include "app/progress.h"

#include <eddy/core/ranking.h>

static struct status rank_session(struct ranking *ranking, const uint32_t *items, uint32_t length, uint32_t *ranks)
{
    for (uint32_t seen = 1; seen < length; seen++)
        TRY(ranking_ask(ranking, items, seen, items[seen], &ranks[seen - 1]));
    return OK;
}

static struct status rank_all(struct ranking *ranking, const struct evaluation_data *data, struct progress *progress,
                              const atomic_bool *stop, uint32_t *ranks)
{
    size_t done = 0;
    for (size_t i = 0; i < data->test_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->test[i]];
        TRY(rank_session(ranking, data->log.items + session->start, session->length, ranks + done));
        done += session->length - 1;
        progress_advance(progress, session->length - 1, data->predictions);
        if (*stop)
            return FAIL(INTERRUPTED, done, "ranking was stopped");
    }
    return ranking_flush(ranking);
}

struct status model_ranks(const struct model *model, const struct evaluation_data *data, struct parallel parallel,
                          const atomic_bool *stop, uint32_t *ranks)
{
    struct ranking *ranking;
    TRY(ranking_open(model, &ranking));
    ranking_run_on(ranking, parallel);
    struct progress progress = progress_start("predictions");
    struct status status = rank_all(ranking, data, &progress, stop, ranks);
    progress_end(&progress);
    ranking_close(ranking);
    return status;
}
