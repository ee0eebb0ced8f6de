// SPDX-License-Identifier: Apache-2.0
#include "simulator/plan.h"

static uint32_t between(struct random *random, uint32_t least, uint32_t most)
{
    return least + random_below(random, most - least + 1);
}

static bool one_in(struct random *random, uint32_t n)
{
    return random_below(random, n) == 0;
}

static uint32_t rate(struct random *random, uint32_t most)
{
    return one_in(random, 3) ? 0 : one_in(random, 2) ? most / 10 : most;
}

/* Sessions stay well below the longest duration, see docs/adr/0006: traffic_make() ends a visit after 20 s and moves
 * its clicks by 35 s at most. Where nothing is ever rebuilt they need not. */
static struct session_options draw_sessions(struct random *random, bool rebuilds)
{
    return (struct session_options){.gap_ms = 10000,
                                    .grace_ms = one_in(random, 3) ? 0 : between(random, 1, 5000),
                                    .max_duration_ms =
                                        rebuilds ? between(random, 60000, 90000) : between(random, 5000, 90000),
                                    .clicks_max = one_in(random, 2) ? 50 : between(random, 2, 20),
                                    .open_max = one_in(random, 4) ? between(random, 2, 12) : 200,
                                    .by_user = one_in(random, 4),
                                    .infer_duplicates = one_in(random, 2)};
}

static void draw_shard(struct plan *plan, struct random *random, bool rebuilds)
{
    struct session_options session = draw_sessions(random, rebuilds);
    plan->shard = (struct shard_options){
        .engine = {.session = session, .fusion = fusion_options_default(), .learn_interval_ms = 5000, .scoring = true},
        .limits = {.future_max_ms = between(random, 0, 3000), .by_user = session.by_user},
        .topic = BYTES("clicks"),
        .batch_clicks = one_in(random, 2) ? between(random, 1, 10) : between(random, 10, 300),
        .commit_clicks = one_in(random, 3) ? between(random, 1, 40) : 1000000,
        .commit_sessions = one_in(random, 3) ? between(random, 1, 20) : 1000000,
        .commit_interval_ms = one_in(random, 3) ? between(random, 2000, 20000) : between(random, 10, 2000),
        .idle_ms = plan->idle ? between(random, 1000, 20000) : 0,
    };
    plan->shard.engine.fusion.list_size = 5;
    plan->shard.engine.closed_max = one_in(random, 2) ? between(random, 1, 6) : 1000;
}

static void draw_rates(struct plan *plan, struct random *random)
{
    plan->rates = (struct rates){.crash = rate(random, 3000),
                                 .pause = rate(random, 3000),
                                 .rebalance = rate(random, 10000),
                                 .disk_full = rate(random, 5000),
                                 .wipe = rate(random, 500000),
                                 .stop = rate(random, 3000),
                                 .outage = rate(random, 5000),
                                 .queue_full = rate(random, 10000),
                                 .refusal = rate(random, 2000),
                                 .interrupt = rate(random, 500000)};
}

void plan_draw(struct plan *plan, uint64_t seed, enum sabotage sabotage)
{
    struct random random;
    random_seed(&random, seed);
    *plan = (struct plan){.seed = seed, .sabotage = sabotage};
    plan->partitions = (int32_t)between(&random, 1, PARTITIONS_MAX);
    plan->processes = (int)between(&random, 1, PROCESSES_MAX);
    plan->lanes = between(&random, 1, LANES_MAX);
    plan->exactly_once = !one_in(&random, 3);
    plan->frozen = one_in(&random, 2);
    plan->idle = one_in(&random, 4);
    plan->static_members = one_in(&random, 2);
    plan->cooperative = one_in(&random, 3);
    plan->clicks = one_in(&random, 4) ? between(&random, 300, 1000) : between(&random, 20, 300);
    plan->visitors = between(&random, 1, 25);
    plan->backlog_ms = one_in(&random, 2) ? 0 : between(&random, 0, 300000);
    plan->session_timeout_ms = between(&random, 2000, 15000);
    plan->transaction_timeout_ms = between(&random, 500, 10000);
    plan->queue_max = one_in(&random, 2) ? between(&random, 1, 40) : 10000;
    plan->kept_bytes_max = one_in(&random, 3) ? between(&random, 1000, 10000) : 1 << 26;
    draw_rates(plan, &random);
    if (plan->partitions == 1 && plan->processes == 1 && one_in(&random, 2)) {
        plan->alone = true;
        plan->rates.rebalance = plan->rates.pause = plan->rates.outage = 0;
        plan->session_timeout_ms = INT64_C(1) << 40;
        plan->static_members = false;
    }
    draw_shard(plan, &random, plan->processes > 1 || plan->rates.wipe);
    plan->knowledge = (struct knowledge_options){
        .catalogue = {.items_max = 10000, .memory_max_bytes = 1 << 24, .title_max_bytes = 100},
        .learned = learned_options_default(),
        .learner = {.delay_ms = plan->frozen ? INT64_C(1) << 60 : 2000, .pending_max = 100000}};
    plan->knowledge.learned.sessions_max = 1000;
}

void plan_calm(const struct plan *plan, struct plan *ret_calm)
{
    struct plan calm = *plan;
    calm.sabotage = SABOTAGE_NONE;
    calm.calm = true;
    calm.processes = 1;
    calm.lanes = 1;
    calm.backlog_ms = INT64_C(1) << 40;
    calm.queue_max = 10000;
    calm.kept_bytes_max = 1 << 26;
    calm.rates = (struct rates){0};
    *ret_calm = calm;
}
