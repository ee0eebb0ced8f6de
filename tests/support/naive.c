// SPDX-License-Identifier: Apache-2.0
#include "support/naive.h"
#include "support/support.h"

#include <math.h>

void naive_learn(struct naive *naive, struct learned *learned, const struct naive_session *session)
{
    int64_t times_ms[NAIVE_CLICKS];
    for (uint32_t i = 0; i < session->length; i++)
        times_ms[i] = session->time_ms;
    struct closed_session closed = {.view = {.session_id = BYTES("s"),
                                             .items = session->items,
                                             .times_ms = times_ms,
                                             .types = session->types,
                                             .length = session->length,
                                             .total = session->length},
                                    .close_ms = session->time_ms};
    assert_ok(learned_learn(learned, &closed));
    assert_true(naive->count < NAIVE_SESSIONS);
    naive->sessions[naive->count++] = *session;
}

/* A session as it is learned: cut to its last clicks, clicks on one item in a row taken as one. */
static struct naive_session cut(const struct naive *naive, const struct naive_session *session)
{
    struct naive_session result = {.time_ms = session->time_ms};
    uint32_t most = naive->options.session_items_max;
    for (uint32_t i = session->length > most ? session->length - most : 0; i < session->length; i++) {
        result.items[result.length] = session->items[i];
        result.types[result.length++] = session->types[i];
    }
    return result;
}

static struct naive_session collapse(const struct naive *naive, const struct naive_session *session)
{
    struct naive_session clicks = cut(naive, session), result = {.time_ms = session->time_ms};
    for (uint32_t i = 0; i < clicks.length; i++) {
        if (result.length && result.items[result.length - 1] == clicks.items[i]) {
            uint8_t *type = &result.types[result.length - 1];
            if (naive->options.type_weights[clicks.types[i]] > naive->options.type_weights[*type])
                *type = clicks.types[i];
            continue;
        }
        result.items[result.length] = clicks.items[i];
        result.types[result.length++] = clicks.types[i];
    }
    return result;
}

static bool has(const struct naive_session *session, uint32_t item)
{
    for (uint32_t i = 0; i < session->length; i++)
        if (session->items[i] == item)
            return true;
    return false;
}

/* ---- the index: the newest sessions of two clicks and more, and what the postings still say of them */

struct held {
    struct naive_session session;
    uint32_t posted[NAIVE_CLICKS]; /* items whose postings have it */
    uint32_t posted_count;
};

static uint32_t held_sessions(const struct naive *naive, struct held *held)
{
    static uint32_t numbers[NAIVE_SESSIONS];
    uint32_t indexed = 0;
    for (uint32_t i = 0; i < naive->count; i++)
        if (naive->sessions[i].length > 1)
            numbers[indexed++] = i;
    uint32_t first = indexed > naive->options.sessions_max ? indexed - naive->options.sessions_max : 0;
    uint32_t newer[NAIVE_ITEMS] = {0};
    for (uint32_t i = indexed; i-- > first;) {
        struct held *one = &held[i - first];
        *one = (struct held){.session = collapse(naive, &naive->sessions[numbers[i]])};
        for (uint32_t item = 0; item < NAIVE_ITEMS; item++)
            if (has(&one->session, item) && newer[item]++ < naive->options.postings_max)
                one->posted[one->posted_count++] = item;
    }
    return indexed - first;
}

static bool is_posted(const struct held *held, uint32_t item)
{
    for (uint32_t i = 0; i < held->posted_count; i++)
        if (held->posted[i] == item)
            return true;
    return false;
}

static double frequency(const struct held *held, uint32_t count, uint32_t item)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += has(&held[i].session, item);
    return sum;
}

/* ---- kNN */

struct lookup {
    uint32_t item;
    double weight;
};

static double type_weight(const struct naive *naive, const struct query *query, uint32_t item)
{
    double weight = 0;
    for (uint32_t i = 0; i < query->length; i++)
        if (query->items[i] == item)
            weight =
                fmax(weight, (double)naive->options.type_weights[query->types ? query->types[i] : CLICK_TYPE_CLICK]);
    return weight;
}

static double decay(double distance, double scale)
{
    return scale > 0 ? exp(-distance / scale) : 1;
}

/* The query's distinct items, the latest first. */
static uint32_t distinct_items(const struct query *query, uint32_t *ret_items)
{
    uint32_t count = 0;
    for (uint32_t i = query->length; i-- > 0;) {
        bool known = false;
        for (uint32_t j = 0; j < count; j++)
            known |= ret_items[j] == query->items[i];
        if (!known && count < QUERY_ITEMS_MAX)
            ret_items[count++] = query->items[i];
    }
    return count;
}

/* By rank; rank of KNN_VMIS counts clicks. An item that is not looked up has weight 0. */
static uint32_t lookups_of(const struct naive *naive, const struct held *held, uint32_t count,
                           const struct query *query, const struct knn_options *options, struct lookup *lookups)
{
    uint32_t items[QUERY_ITEMS_MAX], used = 0;
    if (options->formula == KNN_VMIS) {
        uint32_t window = query->length < options->query_items_max ? query->length : options->query_items_max;
        for (uint32_t back = 0; back < window; back++) {
            lookups[used] = (struct lookup){query->items[query->length - 1 - back], window - back};
            for (uint32_t i = 0; i < used; i++)
                if (lookups[i].item == lookups[used].item)
                    lookups[used].weight = 0;
            used++;
        }
        return used;
    }
    uint32_t distinct = distinct_items(query, items);
    for (; used < distinct && used < options->query_items_max; used++) {
        double idf = fmax(0.1, log(count / fmax(1, frequency(held, count, items[used]))));
        lookups[used] = (struct lookup){items[used], decay(used, (double)options->query_decay) *
                                                         pow(idf, (double)options->query_idf_power) *
                                                         type_weight(naive, query, items[used])};
    }
    return used;
}

struct neighbour {
    uint32_t place, rank;
    double similarity;
};

static int newer_first(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;
    return (x->place < y->place) - (x->place > y->place);
}

static int similar_first(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;
    double margin = 1e-5 * (x->similarity + y->similarity); /* what float cannot tell apart is tested elsewhere */
    if (fabs(x->similarity - y->similarity) > margin)
        return (x->similarity < y->similarity) - (x->similarity > y->similarity);
    return newer_first(a, b);
}

static uint32_t choose(const struct naive *naive, const struct held *held, uint32_t count, const struct query *query,
                       const struct knn_options *options, struct neighbour *neighbours)
{
    struct lookup lookups[QUERY_ITEMS_MAX];
    uint32_t used = lookups_of(naive, held, count, query, options, lookups), found = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct neighbour neighbour = {i, UINT32_MAX, 0};
        for (uint32_t rank = used; rank-- > 0;)
            if (lookups[rank].weight > 0 && is_posted(&held[i], lookups[rank].item)) {
                neighbour.similarity += lookups[rank].weight;
                neighbour.rank = rank;
            }
        if (neighbour.rank != UINT32_MAX)
            neighbours[found++] = neighbour;
    }
    qsort(neighbours, found, sizeof *neighbours, newer_first);
    if (found > options->sample_max)
        found = options->sample_max;
    if (options->formula == KNN_EDDY)
        for (uint32_t i = 0; i < found; i++) {
            struct neighbour *one = &neighbours[i];
            double age_s = (double)(query->now_ms / 1000 - held[one->place].session.time_ms / 1000);
            one->similarity *= decay(one->rank, (double)options->match_decay) *
                               decay(count - 1 - one->place, (double)options->recency_sessions) *
                               decay(fmax(0, age_s) * 1000, (double)options->recency_ms);
        }
    qsort(neighbours, found, sizeof *neighbours, similar_first);
    return found < options->neighbours_max ? found : options->neighbours_max;
}

uint32_t naive_neighbours(const struct naive *naive, const struct query *query, const struct knn_options *options,
                          uint32_t *ret_places)
{
    static struct held held[NAIVE_SESSIONS];
    static struct neighbour neighbours[NAIVE_SESSIONS];
    uint32_t count = held_sessions(naive, held);
    uint32_t found = choose(naive, held, count, query, options, neighbours), place = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < found; j++)
            if (neighbours[j].place == i)
                ret_places[place++] = i;
    return found;
}

static double full_offset_weight(const struct knn_options *options, int distance)
{
    if (distance > 0)
        return decay(distance - 1, (double)options->forward_decay);
    if (distance < 0)
        return (double)options->backward_weight * decay(-distance - 1, (double)options->backward_decay);
    return (double)options->self_weight;
}

/* Votes of less than 1/10,000 of the strongest are not cast. */
static double offset_weight(const struct knn_options *options, int distance)
{
    double strongest =
        fmax(full_offset_weight(options, 0), fmax(full_offset_weight(options, 1), full_offset_weight(options, -1)));
    double weight = full_offset_weight(options, distance);
    return weight > 1e-4 * strongest ? weight : 0;
}

static void votes_of(const struct naive *naive, const struct held *held, uint32_t count, const struct query *query,
                     const struct knn_options *options, double votes[NAIVE_ITEMS])
{
    static struct neighbour neighbours[NAIVE_SESSIONS];
    struct lookup lookups[QUERY_ITEMS_MAX];
    lookups_of(naive, held, count, query, options, lookups);
    uint32_t found = choose(naive, held, count, query, options, neighbours);
    memset(votes, 0, NAIVE_ITEMS * sizeof *votes);
    for (uint32_t i = 0; i < found; i++) {
        const struct naive_session *session = &held[neighbours[i].place].session;
        if (options->formula == KNN_VMIS) {
            double weight = neighbours[i].similarity * (1 - 0.1 * (neighbours[i].rank + 1));
            for (uint32_t item = 0; item < NAIVE_ITEMS; item++)
                votes[item] += has(session, item) ? weight : 0;
            continue;
        }
        int match = 0;
        for (uint32_t j = 0; j < session->length; j++)
            if (session->items[j] == lookups[neighbours[i].rank].item)
                match = (int)j;
        double weight = pow(neighbours[i].similarity, (double)options->similarity_power);
        for (uint32_t j = 0; j < session->length; j++)
            votes[session->items[j]] += weight * offset_weight(options, (int)j - match) *
                                        (double)naive->options.type_weights[session->types[j]];
    }
}

static void finish(const struct held *held, uint32_t count, const struct knn_options *options,
                   double votes[NAIVE_ITEMS])
{
    double pairs = 0;
    for (uint32_t item = 0; item < NAIVE_ITEMS; item++)
        pairs += frequency(held, count, item);
    for (uint32_t item = 0; item < NAIVE_ITEMS; item++) {
        double often = fmax(1, frequency(held, count, item));
        if (!(votes[item] > 0))
            continue;
        if (options->formula == KNN_VMIS)
            votes[item] *= log(pairs / often);
        else
            votes[item] = pow(votes[item] * pow(often, -(double)options->frequency_power), (double)options->sharpness);
    }
}

void naive_knn(const struct naive *naive, const struct query *query, const struct knn_options *options,
               double ret_masses[NAIVE_ITEMS])
{
    static struct held held[NAIVE_SESSIONS];
    uint32_t count = held_sessions(naive, held);
    votes_of(naive, held, count, query, options, ret_masses);
    finish(held, count, options, ret_masses);
}

/* ---- rules */

struct rules { /* of one item */
    double forward[NAIVE_ITEMS], backward[NAIVE_ITEMS], forward_total, backward_total;
};

static void rules_of(const struct naive *naive, uint32_t item, struct rules *rules)
{
    const struct learned_options *options = &naive->options;
    *rules = (struct rules){0};
    uint32_t indexed = 0;
    for (uint32_t i = 0; i < naive->count; i++)
        indexed += naive->sessions[i].length > 1;
    uint32_t number = 0;
    for (uint32_t s = 0; s < naive->count; s++) {
        if (naive->sessions[s].length < 2)
            continue;
        struct naive_session session = collapse(naive, &naive->sessions[s]);
        double unit = decay(indexed - number++, (double)options->rules_decay_sessions);
        for (uint32_t i = 0; i < session.length; i++)
            for (uint32_t j = 0; j < session.length; j++) {
                int distance = (int)j - (int)i;
                if (session.items[i] != item || session.items[j] == item || abs(distance) > 8)
                    continue;
                double weight = unit * (double)options->type_weights[session.types[j]];
                if (distance > 0) {
                    rules->forward[session.items[j]] += weight * decay(distance - 1, (double)options->forward_decay);
                    rules->forward_total += weight * decay(distance - 1, (double)options->forward_decay);
                } else {
                    rules->backward[session.items[j]] += weight * decay(-distance - 1, (double)options->backward_decay);
                    rules->backward_total += weight * decay(-distance - 1, (double)options->backward_decay);
                }
            }
    }
}

static double rule(const struct rules *rules, uint32_t to, double backward_weight)
{
    double total = rules->forward_total + backward_weight * rules->backward_total;
    return total > 0 ? (rules->forward[to] + backward_weight * rules->backward[to]) / total : 0;
}

/* ---- repeats: by brute force over all prefixes ever learned */

struct situation {
    uint32_t length, twice, several, repeated, rank;
};

static uint32_t length_bucket(uint32_t clicks)
{
    static const uint32_t last[] = {1, 2, 3, 5, 9};
    uint32_t bucket = 0;
    while (bucket < 5 && clicks > last[bucket])
        bucket++;
    return bucket;
}

static struct situation situation_of(const uint32_t *items, uint32_t length, const uint32_t *distinct, uint32_t count,
                                     uint32_t rank)
{
    struct situation at = {.length = length_bucket(length), .rank = rank < 15 ? rank : 15};
    at.twice = length > 1 && items[length - 1] == items[length - 2];
    at.repeated = count < length - at.twice;
    uint32_t times = 0;
    for (uint32_t i = 0; i < length; i++)
        times += items[i] == distinct[rank];
    at.several = rank ? times > 1 : times > 1 + at.twice;
    return at;
}

struct event { /* a prefix and one of its items: was it next? */
    struct situation at;
    uint32_t item;
    bool hit;
};

static struct event events[NAIVE_SESSIONS * NAIVE_CLICKS * 8];
static double expected[NAIVE_SESSIONS * NAIVE_CLICKS * 8];

/* The probability in a situation, by the first `count` events. */
static double probability_at(struct situation at, uint32_t count)
{
    double times = 0, hits = 0, all_times = 0, all_hits = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct situation *other = &events[i].at;
        bool current = !at.rank, same_class, same_cell;
        if (current != !other->rank)
            continue;
        if (current) {
            same_class = other->length == at.length && other->twice == at.twice;
            same_cell = same_class && other->several == at.several && other->repeated == at.repeated;
        } else {
            same_class = other->rank == at.rank && other->several == at.several && other->repeated == at.repeated;
            same_cell = same_class && other->length == at.length;
        }
        times += same_cell;
        hits += same_cell && events[i].hit;
        all_times += same_class;
        all_hits += same_class && events[i].hit;
    }
    double average = at.rank ? (all_hits + 0.5) / (all_times + 20) : (all_hits + 1) / (all_times + 10);
    return (hits + 20 * average) / (times + 20);
}

static uint32_t collect_events(const struct naive *naive)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < naive->count; s++) {
        struct naive_session session = cut(naive, &naive->sessions[s]);
        for (uint32_t length = 1; length < session.length; length++) {
            uint32_t distinct[QUERY_ITEMS_MAX];
            uint32_t distinct_count =
                distinct_items(&(struct query){.items = session.items, .length = length}, distinct);
            for (uint32_t rank = 0; rank < distinct_count; rank++) {
                assert_true(count < sizeof events / sizeof *events);
                events[count] = (struct event){situation_of(session.items, length, distinct, distinct_count, rank),
                                               distinct[rank], session.items[length] == distinct[rank]};
                expected[count] = probability_at(events[count].at, count);
                count++;
            }
        }
    }
    return count;
}

static uint32_t repeats_of(const struct naive *naive, const struct query *query, const struct repeat_options *options,
                           double *probabilities, uint32_t *distinct)
{
    uint32_t count = collect_events(naive);
    uint32_t distinct_count = distinct_items(query, distinct);
    for (uint32_t rank = 0; rank < distinct_count; rank++) {
        struct situation at = situation_of(query->items, query->length, distinct, distinct_count, rank);
        double seen = rank ? (double)options->earlier_prior : (double)options->current_prior, wanted = seen;
        for (uint32_t i = 0; i < count; i++)
            if (events[i].item == distinct[rank] && !events[i].at.rank == !rank) {
                seen += events[i].hit;
                wanted += expected[i];
            }
        double p = probability_at(at, count), ratio = seen / wanted;
        probabilities[rank] = p * ratio / (p * ratio + 1 - p);
    }
    return distinct_count;
}

/* ---- popularity */

double naive_popularity(const struct naive *naive, uint32_t item)
{
    double sum = 0, all = 0;
    int64_t now_ms = naive->count ? naive->sessions[naive->count - 1].time_ms : 0;
    for (uint32_t s = 0; s < naive->count; s++) {
        struct naive_session session = collapse(naive, &naive->sessions[s]);
        double age = (double)(now_ms - session.time_ms) / (double)naive->options.popularity_half_life_ms;
        for (uint32_t i = 0; i < session.length; i++) {
            double weight = exp2(-age) * (double)naive->options.type_weights[session.types[i]];
            all += weight;
            sum += session.items[i] == item ? weight : 0;
        }
    }
    return all > 0 ? sum / all : 0;
}

/* ---- fusion */

static void walk_of(const struct naive *naive, const struct walk_options *options, const bool *seen,
                    const double scores[NAIVE_ITEMS], double walk[NAIVE_ITEMS])
{
    bool used[NAIVE_ITEMS] = {false};
    memset(walk, 0, NAIVE_ITEMS * sizeof *walk);
    for (uint32_t start = 0; start < options->starts_max; start++) {
        uint32_t best = NAIVE_ITEMS;
        for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
            if (!seen[i] && !used[i] && scores[i] > 0 && (best == NAIVE_ITEMS || scores[i] > scores[best]))
                best = i;
        if (best == NAIVE_ITEMS)
            break;
        used[best] = true;
        struct rules rules;
        rules_of(naive, best, &rules);
        for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
            walk[i] += scores[best] * rule(&rules, i, (double)options->backward_weight);
    }
}

static double sum_new(const double masses[NAIVE_ITEMS], const bool *seen)
{
    double sum = 0;
    for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
        sum += seen[i] ? 0 : masses[i];
    return sum;
}

static void transitions_of(const struct naive *naive, const struct query *query,
                           const struct transition_options *options, double masses[NAIVE_ITEMS])
{
    uint32_t distinct[QUERY_ITEMS_MAX], count = distinct_items(query, distinct);
    memset(masses, 0, NAIVE_ITEMS * sizeof *masses);
    for (uint32_t rank = 0; rank < count && rank < options->query_items_max; rank++) {
        struct rules rules;
        rules_of(naive, distinct[rank], &rules);
        for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
            masses[i] += decay(rank, (double)options->query_decay) * type_weight(naive, query, distinct[rank]) *
                         rule(&rules, i, (double)options->backward_weight);
    }
}

/* How many of the sessions held have the item. */
static uint32_t support_of(const struct held *held, uint32_t count, uint32_t item)
{
    uint32_t support = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < held[i].session.length; j++)
            if (held[i].session.items[j] == item) {
                support++;
                break;
            }
    return support;
}

static uint32_t case_of(uint32_t distinct, uint32_t support)
{
    uint32_t length = distinct == 1 ? 0 : distinct == 2 ? 1 : distinct <= 4 ? 2 : 3;
    return 3 * length + (support < 16 ? 0 : support < 128 ? 1 : 2);
}

/* Parts of 1 of the scorers with something to say; all 0 when there is none. */
static void weights_of(const struct naive *naive, uint32_t at, const double sums[MIX_SCORERS],
                       double weights[MIX_SCORERS])
{
    double all = 0;
    for (int s = 0; s < MIX_SCORERS; s++)
        all += sums[s] > 0 ? (double)naive->options.mixing.weights[s][at] : 0;
    for (int s = 0; s < MIX_SCORERS; s++)
        weights[s] = sums[s] > 0 ? (double)naive->options.mixing.weights[s][at] / all : 0;
}

static double add_up(double masses[MIX_SCORERS][NAIVE_ITEMS], const double sums[MIX_SCORERS],
                     const double weights[MIX_SCORERS], uint32_t item)
{
    double sum = 0;
    for (int s = 0; s < MIX_SCORERS; s++)
        sum += sums[s] > 0 ? weights[s] * masses[s][item] / sums[s] : 0;
    return sum;
}

/* What a namer says; returns all of it but for the session's own items. */
static double named_of(const struct named *named, const bool *seen, double masses[NAIVE_ITEMS])
{
    double of_new = named->count ? 1 : 0;
    for (uint32_t i = 0; i < named->count; i++) {
        masses[named->items[i].item] = (double)named->items[i].score;
        of_new -= seen[named->items[i].item] ? (double)named->items[i].score : 0;
    }
    return of_new > 1e-3 ? of_new : 0;
}

void naive_fuse(const struct naive *naive, const struct query *query, const struct fusion_options *options,
                double ret_scores[NAIVE_ITEMS])
{
    static struct held held[NAIVE_SESSIONS];
    uint32_t count = held_sessions(naive, held), distinct[QUERY_ITEMS_MAX];
    double masses[MIX_SCORERS][NAIVE_ITEMS] = {{0}}, sums[MIX_SCORERS] = {0}, weights[MIX_SCORERS];
    double *votes = masses[MIX_KNN], repeats[QUERY_ITEMS_MAX], first[NAIVE_ITEMS], all = 0, repeated = 0;
    bool seen[NAIVE_ITEMS] = {false};
    votes_of(naive, held, count, query, &options->knn, votes);
    transitions_of(naive, query, &options->transition, masses[MIX_TRANSITION]);
    uint32_t distinct_count = repeats_of(naive, query, &options->repeat, repeats, distinct);
    uint32_t at = case_of(distinct_count, support_of(held, count, distinct[0]));
    for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
        all += votes[i];
    for (uint32_t rank = 0; rank < distinct_count; rank++) {
        seen[distinct[rank]] = true;
        double share = 0.002 + (all > 0 ? votes[distinct[rank]] / all : 0),
               power = (double)options->repeat.evidence_power;
        repeats[rank] = (double)options->repeat.scale * pow(repeats[rank], 1 - power) * pow(share, power);
        repeated += repeats[rank];
    }
    double cut = repeated < 0.98 ? repeated : 0.98, left_odds = (1 - cut) / cut;
    double of_session = 1 / (1 + left_odds * exp(-(double)naive->options.mixing.repeat_shifts[at]));
    of_session = of_session < 0.98 ? of_session : 0.98;
    finish(held, count, &options->knn, votes);
    sums[MIX_KNN] = sum_new(votes, seen);
    sums[MIX_TRANSITION] = sum_new(masses[MIX_TRANSITION], seen);
    weights_of(naive, at, sums, weights);
    for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
        first[i] = add_up(masses, sums, weights, i);
    walk_of(naive, &options->walk, seen, first, masses[MIX_WALK]);
    sums[MIX_WALK] = sum_new(masses[MIX_WALK], seen);
    for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
        masses[MIX_POPULAR][i] = naive_popularity(naive, i);
    sums[MIX_POPULAR] = sum_new(masses[MIX_POPULAR], seen);
    sums[MIX_POPULAR] = sums[MIX_POPULAR] > 1e-5 ? sums[MIX_POPULAR] : 0;
    sums[MIX_NEURAL] = named_of(&query->named[NAMER_NEURAL], seen, masses[MIX_NEURAL]);
    sums[MIX_SEMANTIC] = named_of(&query->named[NAMER_SEMANTIC], seen, masses[MIX_SEMANTIC]);
    sums[MIX_AGENT] = named_of(&query->named[NAMER_AGENT], seen, masses[MIX_AGENT]);
    weights_of(naive, at, sums, weights);
    for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
        ret_scores[i] = (1 - of_session) * add_up(masses, sums, weights, i);
    for (uint32_t rank = 0; rank < distinct_count; rank++)
        ret_scores[distinct[rank]] = repeats[rank] * of_session / repeated;
}
