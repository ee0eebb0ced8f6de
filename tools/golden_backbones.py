# SPDX-License-Identifier: Apache-2.0
"""What PyTorch makes of the session models of src/core/model, small ones with random weights: vectors, scores, loss,
and gradients by autograd. tests/golden/test_backbones.c holds eddy against it.

usage: golden_backbones.py FILE    (./dev golden models makes the environment and writes tests/golden/backbones.txt)

Written from the papers and the public code of their authors and of RecBole, not from eddy: sessions are padded behind
their end and masked, item 0 is the padding, layers are those of torch.nn. Where eddy says that it departs from them, so
does this. Of a model's tensors each has the name and the shape that eddy gives it.
"""
import sys

from golden_layers import SEED, Tensors, random

import torch
import torch.nn.functional as F
from torch import nn

WIDTH, ITEMS, LENGTH_MAX, TEMPERATURE = 7, 12, 5, 0.5
# Clicks and what is clicked next: one click, and of item 0; a pair that comes again; more than are seen, so that an
# item and a pair are not, with a loop; an item of another session, twice.
SESSIONS = [([0], 9), ([11, 4], 0), ([3, 7, 5, 3, 7], 3), ([9, 2, 2, 6, 1, 2, 2], 8), ([4, 8, 4, 8], 10)]


class Batch:
    """clicks: (sessions, LENGTH_MAX) item + 1, then 0; mask: the same, whether there is a click."""

    def __init__(self):
        seen = [clicks[-LENGTH_MAX:] for clicks, _ in SESSIONS]
        self.clicks = torch.tensor(
            [[item + 1 for item in clicks] + [0] * (LENGTH_MAX - len(clicks)) for clicks in seen])
        self.mask = self.clicks > 0
        self.lengths = self.mask.sum(dim=1)
        self.targets = torch.tensor([target for _, target in SESSIONS])

    def last(self, rows):
        return rows[torch.arange(len(rows)), self.lengths - 1]

    def mean(self, rows):
        return (rows * self.mask[:, :, None]).sum(dim=1) / self.lengths[:, None]


def linear(inputs, outputs, bias=False):
    return nn.Linear(inputs, outputs, bias=bias)


class PwCore(nn.Module):
    """CORE (RecBole, core.py) with a table of logits for an encoder, by length and by distance from the end."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.empty(LENGTH_MAX, LENGTH_MAX))

    def tensors(self):
        return {"position_logits": self.table}

    def forward(self, batch, x):
        from_end = batch.lengths[:, None] - 1 - torch.arange(LENGTH_MAX)
        logits = self.table[batch.lengths[:, None] - 1, from_end.clamp(min=0)]
        weights = F.softmax(logits.masked_fill(~batch.mask, -torch.inf), dim=1)
        session = torch.einsum("sl,slw->sw", weights, x)
        return batch.last(x), session, session


class Stamp(nn.Module):
    """RecBole, stamp.py: w_1, w_2, w_3 and w_0 of eq. 7, and the mean that is added to what attention gathers. The row
    of the padding, which is not masked, is a parameter of its own and no item."""

    def __init__(self):
        super().__init__()
        self.w_1, self.w_2, self.w_3 = (linear(WIDTH, WIDTH) for _ in range(3))
        self.w_0, self.b_a = linear(WIDTH, 1), nn.Parameter(torch.empty(WIDTH))
        self.padding = nn.Parameter(torch.empty(WIDTH))
        self.mlp_a, self.mlp_b = linear(WIDTH, WIDTH, bias=True), linear(WIDTH, WIDTH, bias=True)

    def tensors(self):
        return {"row.w": self.w_1.weight, "last.w": self.w_2.weight, "mean.w": self.w_3.weight, "bias": self.b_a,
                "v": self.w_0.weight, "gathered.w": self.mlp_a.weight, "gathered.bias": self.mlp_a.bias,
                "last_side.w": self.mlp_b.weight, "last_side.bias": self.mlp_b.bias, "empty": self.padding}

    def forward(self, batch, x):
        x = torch.where(batch.mask[:, :, None], x, self.padding)
        m_t, m_s = batch.last(x), x.sum(dim=1) / batch.lengths[:, None]
        shares = self.w_0(torch.sigmoid(self.w_1(x) + self.w_2(m_t)[:, None] + self.w_3(m_s)[:, None] + self.b_a))
        m_a = (shares * x).sum(dim=1) + m_s
        h_s, h_t = torch.tanh(self.mlp_a(m_a)), torch.tanh(self.mlp_b(m_t))
        return h_t, h_s, h_s * h_t


def gru_tensors(cell, layer=""):
    return {"gru.w": getattr(cell, "weight_ih" + layer), "gru.u": getattr(cell, "weight_hh" + layer),
            "gru.b": getattr(cell, "bias_ih" + layer), "gru.c": getattr(cell, "bias_hh" + layer)}


class Narm(nn.Module):
    """RecBole, narm.py, but for the biases of its recurrent unit, which it does without."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.a_1, self.a_2, self.v_t = linear(WIDTH, WIDTH), linear(WIDTH, WIDTH), linear(WIDTH, 1)
        self.b = linear(2 * WIDTH, WIDTH)

    def tensors(self):
        return {**gru_tensors(self.gru, "_l0"), "state.w": self.a_1.weight, "last.w": self.a_2.weight,
                "v": self.v_t.weight, "out.w": self.b.weight}

    def forward(self, batch, x):
        states = self.gru(x)[0]
        c_global = batch.last(states)
        shares = self.v_t(torch.sigmoid(self.a_1(states) + self.a_2(c_global)[:, None])) * batch.mask[:, :, None]
        c_local = (shares * states).sum(dim=1)
        return c_local, c_global, self.b(torch.cat([c_local, c_global], dim=1))


class Gru4Rec(nn.Module):
    """The authors' code (github.com/hidasib/GRU4Rec_PyTorch_Official) with its constrained embedding, but for the bias
    that an item's score has there."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(WIDTH, WIDTH)

    def tensors(self):
        return gru_tensors(self.cell)

    def forward(self, batch, x):
        state = torch.zeros(len(x), WIDTH)
        for i in range(LENGTH_MAX):
            state = torch.where(batch.mask[:, i, None], self.cell(x[:, i], state), state)
        return batch.last(x), state, state


class SrGnn(nn.Module):
    """The authors' code (github.com/CRIPAC-DIG/SR-GNN, pytorch_code), one step, hybrid. Normalised it is NISER, whose
    graph has rows of length 1."""
    unit_rows = True

    def __init__(self):
        super().__init__()
        self.edge_in, self.edge_out = linear(WIDTH, WIDTH, bias=True), linear(WIDTH, WIDTH, bias=True)
        self.b_iah, self.b_oah = nn.Parameter(torch.empty(WIDTH)), nn.Parameter(torch.empty(WIDTH))
        self.cell = nn.GRUCell(2 * WIDTH, WIDTH)
        self.one, self.two, self.three = linear(WIDTH, WIDTH, bias=True), linear(WIDTH, WIDTH), linear(WIDTH, 1)
        self.transform = linear(2 * WIDTH, WIDTH, bias=True)

    def tensors(self):
        return {"in.w": self.edge_in.weight, "in.b": self.edge_in.bias, "out.w": self.edge_out.weight,
                "out.b": self.edge_out.bias, "bias_in": self.b_iah, "bias_out": self.b_oah, **gru_tensors(self.cell),
                "state.w": self.two.weight, "last.w": self.one.weight, "v": self.three.weight,
                "readout.w": self.transform.weight, "last.b": self.one.bias, "readout.b": self.transform.bias}

    @staticmethod
    def graph(clicks):
        """A session's click-by-node matrix, one 1 a row, its A_in and A_out. The padding is a node without edges."""
        alias = torch.unique(clicks, return_inverse=True)[1]
        picks = F.one_hot(alias, LENGTH_MAX + 1).double()
        edges = torch.zeros(LENGTH_MAX + 1, LENGTH_MAX + 1)
        for i in range(1, int((clicks > 0).sum())):
            edges[alias[i - 1], alias[i]] = 1  # however often
        a_in = edges.T / edges.sum(dim=0).clamp(min=1)[:, None]
        a_out = edges / edges.sum(dim=1).clamp(min=1)[:, None]
        return picks, a_in, a_out

    def forward(self, batch, x):
        picks, a_in, a_out = (torch.stack(parts) for parts in zip(*(self.graph(clicks) for clicks in batch.clicks)))
        clicks_of_nodes = picks.transpose(1, 2)
        nodes = clicks_of_nodes @ x / clicks_of_nodes.sum(dim=2, keepdim=True).clamp(min=1)  # those of a node are alike
        from_before = a_in @ self.edge_in(nodes) + self.b_iah
        from_behind = a_out @ self.edge_out(nodes) + self.b_oah
        arriving = torch.cat([from_before, from_behind], dim=2)
        after = self.cell(arriving.flatten(0, 1), nodes.flatten(0, 1)).view_as(nodes)
        states = picks @ after
        last = batch.last(states)
        shares = self.three(torch.sigmoid(self.one(last)[:, None] + self.two(states)))
        gathered = (shares * states * batch.mask[:, :, None]).sum(dim=1)
        return last, gathered, self.transform(torch.cat([gathered, last], dim=1))


class SasRec(nn.Module):
    """RecBole, sasrec.py, whose blocks are torch's encoder layers, with relu and an inner layer as wide as the rest."""

    def __init__(self):
        super().__init__()
        self.positions, self.norm = nn.Embedding(LENGTH_MAX, WIDTH), nn.LayerNorm(WIDTH)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(WIDTH, nhead=1, dim_feedforward=WIDTH, dropout=0, activation="relu",
                                       batch_first=True) for _ in range(2))

    def tensors(self):
        tensors = {"positions": self.positions.weight, "input.gain": self.norm.weight, "input.bias": self.norm.bias}
        for i, block in enumerate(self.blocks):
            attention = block.self_attn
            tensors |= {f"block{i}.qkv.w": attention.in_proj_weight, f"block{i}.qkv.b": attention.in_proj_bias,
                        f"block{i}.attention.w": attention.out_proj.weight,
                        f"block{i}.attention.b": attention.out_proj.bias,
                        f"block{i}.attention.gain": block.norm1.weight, f"block{i}.attention.bias": block.norm1.bias,
                        f"block{i}.inner.w": block.linear1.weight, f"block{i}.inner.b": block.linear1.bias,
                        f"block{i}.outer.w": block.linear2.weight, f"block{i}.outer.b": block.linear2.bias,
                        f"block{i}.outer.gain": block.norm2.weight, f"block{i}.outer.bias": block.norm2.bias}
        return tensors

    def forward(self, batch, x):
        x = self.norm(x + self.positions.weight)
        later = torch.ones(LENGTH_MAX, LENGTH_MAX, dtype=torch.bool).triu(diagonal=1)
        for block in self.blocks:
            x = block(x, src_mask=later, src_key_padding_mask=~batch.mask)
        return batch.last(x), batch.mean(x), batch.last(x)


BACKBONES = {"pw_core": PwCore, "stamp": Stamp, "narm": Narm, "gru4rec": Gru4Rec, "sr_gnn": SrGnn, "sasrec": SasRec}


def fill(parameters):
    """A gain is about 1, all else about 0."""
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(random(*parameter.shape) / 2 + name.endswith(".gain"))


def put_model(tensors, name, backbone, normalise=False, directed=False):
    """With `directed` an item that is scored has an offset of its own added to its row."""
    torch.manual_seed(SEED)
    batch, table = Batch(), nn.Embedding(ITEMS + 1, WIDTH, padding_idx=0)
    parameters = backbone.tensors()
    assert {id(value) for value in parameters.values()} == {id(value) for value in backbone.parameters()}
    fill(parameters)
    with torch.no_grad():
        table.weight[1:] = random(ITEMS, WIDTH) / 2
    offsets = nn.Parameter(random(ITEMS, WIDTH) / 2) if directed else None
    x = table(batch.clicks)
    if normalise and getattr(backbone, "unit_rows", False):
        x = F.normalize(x, dim=2)
    local, whole, session = backbone(batch, x)
    vectors, rows, temperature = session, table.weight[1:], 1
    if directed:
        rows = rows + offsets
    if normalise:
        vectors, rows, temperature = F.normalize(session), F.normalize(rows), TEMPERATURE
    scores = vectors @ rows.T / temperature
    loss = F.cross_entropy(scores, batch.targets)
    loss.backward()
    outputs = {"local": local, "global": whole, "session": session, "vectors": vectors, "scores": scores, "loss": loss}
    for output, value in outputs.items():
        tensors.put(f"{name}.{output}", value)
    tensors.put(f"{name}.items", table.weight[1:])
    tensors.put(f"{name}.d_items", table.weight.grad[1:])
    if directed:
        parameters["offsets"] = offsets
    for parameter, value in parameters.items():
        tensors.put(f"{name}.{parameter}", value)
        tensors.put(f"{name}.d_{parameter}", value.grad)


def main(path):
    torch.set_default_dtype(torch.float64)
    tensors = Tensors()
    tensors.put("sessions.starts", torch.tensor([0] + [len(clicks) for clicks, _ in SESSIONS]).cumsum(dim=0))
    tensors.put("sessions.items", torch.tensor([item for clicks, _ in SESSIONS for item in clicks]))
    tensors.put("sessions.targets", torch.tensor([target for _, target in SESSIONS]))
    for name, backbone in BACKBONES.items():
        put_model(tensors, name, backbone())
    for name in ("pw_core", "sr_gnn"):
        put_model(tensors, f"{name}_normalised", BACKBONES[name](), normalise=True)
    put_model(tensors, "gru4rec_directed", Gru4Rec(), directed=True)
    put_model(tensors, "pw_core_normalised_directed", PwCore(), normalise=True, directed=True)
    tensors.write(path, "d_NAME is the gradient of the loss")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
