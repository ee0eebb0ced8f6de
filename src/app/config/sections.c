// SPDX-License-Identifier: Apache-2.0
/* What each section of options is about, in their order. */
#include "app/config/options.h"

const struct option_section option_sections[] = {
    {"", "The process as a whole."},
    {"topics", "Names of the topics, and how `eddy topics create` makes them."},
    {"formats",
     "How record values are written: `avro` is bare Avro binary in eddy's own schema (schemas/), `confluent` "
     "is Avro with the 5-byte header of a schema id, `json` one object per record."},
    {"schema_ids",
     "Confluent schema ids. `schema_ids.<id>: <path of an .avsc>` makes the writer schema of an id known; "
     "the keys below are the ids that eddy writes."},
    {"registry",
     "A schema registry that speaks Confluent's API (for Apicurio Registry, http://HOST:8080/apis/ccompat/v7). With it "
     "topics whose format is `confluent` need no schema_ids: the ids of what eddy writes come from it at the start, "
     "and "
     "the schema of an id that is met for the first time is fetched. While it cannot be reached, the partitions whose "
     "next record needs it wait; a record whose id it does not know, or whose schema cannot be used, is a dead letter. "
     "`eddy schemas` registers and checks what it holds."},
    {"session", "What a session is. All times are event time."},
    {"dead_letters",
     "How many clicks may be dead letters. Past a limit `eddy run` commits what is done and ends with exit code 5 and "
     "the most frequent reason; started again it goes on where it stopped. See OPERATIONS.md."},
    {"learn", "What is learned from closed sessions, and within which bounds."},
    {"knn", "The kNN scorer: sessions like this one (VMIS-kNN)."},
    {"transition", "The transition scorer: what follows the last items."},
    {"walk", "The walk scorer: what follows the best candidates of the two."},
    {"repeat", "The repeat scorer: whether an item of the session comes again."},
    {"fusion", "How the scorers' answers become one list."},
    {"filters", "What must not be recommended."},
    {"items", "The catalogue."},
    {"recommend", "The answer to a click."},
    {"neural", "The session model at work."},
    {"embedder", "What turns texts into vectors. This section and the next three are for `eddy evaluate` so far."},
    {"semantic", "What is like a session by its texts."},
    {"localize", "Which items of the catalogue a language model's words come to."},
    {"agent", "The items that a language model names."},
    {"model", "The learned session model (`eddy train`)."},
    {"train", "How it is trained."},
    {"models", "Versions of session models in the models topic: what processes score with, and what `eddy model` "
               "publishes, lists "
               "and takes back. See MODELS.md."},
    {"update",
     "How it goes on learning from the sessions that close (`eddy evaluate --mode learning`). Batch, negatives, "
     "optimiser, dropout and decay are those of `train`. See TRAINING.md."},
    {"state", "What outlives the process: open sessions in LMDB, one environment per partition."},
    {"http", "Metrics and health."},
    {"log", "The log, on standard error."},
    {0},
};
