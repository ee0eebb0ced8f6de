# SPDX-License-Identifier: Apache-2.0
"""Trains a session model of RecBole on the sessions before a time, and predicts every click of the later ones from
those before it: full ranking, ties against the model. After each epoch it says what the measures and the CPU time are;
the lists of the best epoch by MRR@20, which is what `eddy train` keeps, are dumped as eddy dumps its own.

RecBole's model, loss, data loader and training epoch are used as they are; only the samples and the ranking are made
here. Both sides get the same: all prefixes, cut to the last clicks.
"""
import argparse
import json
import os
import tempfile
import time

from sessions import open_text, prefixes, read_sessions, split

BATCH_PREDICT, CUTOFF = 512, 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", required=True)
    parser.add_argument("--valid-from", type=int, required=True, help="milliseconds since 1970")
    parser.add_argument("--test-from", type=int, default=2**63 - 1)
    parser.add_argument("--model", required=True, choices=["SRGNN", "STAMP", "NARM", "GRU4Rec"])
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--length-max", type=int, default=20)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0.001)
    parser.add_argument("--decay", type=float, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any setting of RecBole's")
    parser.add_argument("--dump", help="where the best epoch's lists go")
    parser.add_argument("--json", help="where the measures of each epoch go")
    return parser.parse_args()


def write_samples(folder, train, valid, length_max):
    """RecBole's own format; the samples of both are all prefixes. The third file must be there."""
    os.makedirs(os.path.join(folder, "clicks"))
    for part, sessions in (("train", train), ("valid", valid), ("test", valid[:1])):
        with open(os.path.join(folder, "clicks", f"clicks.{part}.inter"), "w", encoding="utf-8") as out:
            out.write("session_id:token\titem_id_list:token_seq\titem_id:token\n")
            for name, _, before, item in prefixes(sessions, length_max):
                out.write(f"{name}\t{' '.join(before)}\t{item}\n")


def settings(options, folder):
    own = {
        "data_path": folder, "checkpoint_dir": folder, "benchmark_filename": ["train", "valid", "test"],
        "alias_of_item_id": ["item_id_list"], "USER_ID_FIELD": "session_id", "load_col": None,
        "MAX_ITEM_LIST_LENGTH": options.length_max, "train_neg_sample_args": None, "loss_type": "CE",
        "embedding_size": options.width, "hidden_size": options.width, "train_batch_size": options.batch,
        "learning_rate": options.rate, "weight_decay": options.decay, "seed": options.seed, "use_gpu": False,
        "nproc": 1, "worker": 0, "state": "ERROR", "show_progress": False, "log_wandb": False,
    }
    for setting in options.set:
        key, value = setting.split("=", 1)
        own[key] = json.loads(value)
    return own


def open_model(options, folder):
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.trainer import Trainer
    from recbole.utils import get_model, init_seed
    import torch

    torch.set_num_threads(1)
    config = Config(model=options.model, dataset="clicks", config_dict=settings(options, folder))
    init_seed(config["seed"], True)
    dataset = create_dataset(config)
    train_data = data_preparation(config, dataset)[0]
    init_seed(config["seed"], True)
    model = get_model(options.model)(config, train_data.dataset)
    return dataset, train_data, model, Trainer(config, model)


class Questions:
    """All prefixes of the sessions to predict, in the model's own numbers."""

    def __init__(self, dataset, valid, length_max):
        import torch

        self.lines = list(prefixes(valid, length_max))
        number = dataset.field2token_id["item_id"]
        self.names = dataset.field2id_token["item_id"]
        self.lengths = torch.tensor([len(before) for _, _, before, _ in self.lines])
        self.clicks = torch.zeros(len(self.lines), length_max, dtype=torch.long)
        for row, (_, _, before, _) in enumerate(self.lines):
            self.clicks[row, :len(before)] = torch.tensor([number[item] for item in before])
        self.truth = torch.tensor([number[item] for _, _, _, item in self.lines])

    def lists(self, model):
        """The first items of each; the true one behind all that score the same."""
        from recbole.data.interaction import Interaction
        import torch

        model.eval()
        made = []
        with torch.no_grad():
            for at in range(0, len(self.lines), BATCH_PREDICT):
                part = slice(at, at + BATCH_PREDICT)
                scores = model.full_sort_predict(
                    Interaction({"item_id_list": self.clicks[part], "item_length": self.lengths[part]}))
                scores[:, 0] = -torch.inf  # the padding
                rows, truth = torch.arange(len(scores)), self.truth[part]
                scores[rows, truth] = torch.nextafter(scores[rows, truth], torch.tensor(-torch.inf))
                made.append(scores.topk(CUTOFF).indices)
        return torch.cat(made)

    def measure(self, lists):
        found = lists == self.truth[:, None]
        places = found.int().argmax(dim=1) + 1
        hits = found.any(dim=1)
        return hits.double().mean().item(), (hits.double() / places).mean().item()

    def dump(self, lists, path):
        with open_text(path, "wt") as out:
            for (session, position, _, item), row in zip(self.lines, lists.tolist()):
                out.write(f"{session}\t{position}\t{item}\t{','.join(self.names[i] for i in row)}\n")


def train(options, folder):
    sessions = read_sessions(options.clicks)
    training, valid = split(sessions, options.valid_from, options.test_from)
    write_samples(folder, training, valid, options.length_max)
    dataset, train_data, model, trainer = open_model(options, folder)
    questions = Questions(dataset, valid, options.length_max)
    samples = sum(len(items) - 1 for _, items in training)
    print(f"{options.model}: {len(training)} sessions, {samples} samples, {dataset.item_num - 1} items; "
          f"{len(questions.lines)} predictions", flush=True)
    best, epochs = -1.0, []
    for epoch in range(options.epochs):
        start = time.process_time()
        loss = trainer._train_epoch(train_data, epoch, show_progress=False)
        seconds = time.process_time() - start
        lists = questions.lists(model)
        hit_rate, reciprocal = questions.measure(lists)
        epochs.append({"loss": loss / len(train_data), "hit_rate_20": hit_rate, "mrr_20": reciprocal,
                       "clicks_per_cpu_second": samples / seconds})
        print(f"epoch {epoch + 1}: loss {loss / len(train_data):.4f}, HR@20 {hit_rate:.4f}, MRR@20 {reciprocal:.4f}, "
              f"{samples / seconds:.0f} samples per CPU-second", flush=True)
        if reciprocal > best:
            best = reciprocal
            if options.dump:
                questions.dump(lists, options.dump)
    return epochs


def main():
    options = arguments()
    for name in ("clicks", "dump", "json"):
        if getattr(options, name):
            setattr(options, name, os.path.abspath(getattr(options, name)))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # RecBole writes its logs where it stands
        epochs = train(options, folder)
        os.chdir("/")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"model": options.model, "seed": options.seed, "epochs": epochs}, out)


if __name__ == "__main__":
    main()
