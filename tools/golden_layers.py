# SPDX-License-Identifier: Apache-2.0
"""What PyTorch makes of the layers of src/core/model/layers.h and of the optimizers of arithmetic.h, on small random
inputs: outputs, and gradients by autograd. test_layers.c and test_training.c in tests/golden hold eddy against it.

usage: golden_layers.py FILE    (./dev golden models makes the environment and writes tests/golden/layers.txt)

PyTorch computes in double, from inputs that a float holds exactly: differences are eddy's alone, and the file does not
depend on the processor. Tensors are rows by columns, a vector one row. Sessions lie one behind the other.
"""
import sys
import warnings

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")

import torch  # noqa: E402 (what it says of numpy, which is not used, is silenced first)
import torch.nn.functional as F  # noqa: E402

SEED = 20190127
ROUNDING = 1e-15  # what is left where sums come to nothing, and is another on another processor
LENGTHS = [3, 1, 6, 2]  # neither ascending nor descending, and one without neighbours
# Edges that are repeated, and share their beginning (3-7, 3-5) or end (6-1, 8-1) with others; no edge; a loop.
CLICKS = [[3, 7, 5, 3, 7, 3, 5], [4], [2, 2], [6, 1, 9, 6, 1, 8, 1]]
ROWS = sum(LENGTHS)


class Tensors:
    """Collects tensors as text: a line "name rows columns", then a line for each row."""

    def __init__(self):
        self.lines = []

    def put(self, name, tensor):
        rows = tensor.detach().reshape(-1, tensor.shape[-1] if tensor.dim() else 1)
        self.lines.append(f"{name} {rows.shape[0]} {rows.shape[1]}")
        self.lines += [" ".join(f"{value if abs(value) > ROUNDING else 0:.9g}" for value in row)
                       for row in rows.tolist()]

    def layer(self, name, function, **inputs):
        """A layer's inputs, its output y, a random gradient d_y of y, and what autograd makes of it for each input."""
        for argument, value in inputs.items():
            self.put(f"{name}.{argument}", value.requires_grad_())
        y = function(**inputs)
        d_y = random(*y.shape)
        y.backward(d_y)
        self.put(f"{name}.y", y)
        self.put(f"{name}.d_y", d_y)
        for argument, value in inputs.items():
            self.put(f"{name}.d_{argument}", value.grad)

    def write(self, path, gradients):
        version = torch.__version__.partition("+")[0]
        head = [f"# PyTorch {version}, in double, seed {SEED}; written by: ./dev golden models",
                f"# name rows columns, then the rows; {gradients}"]
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(head + self.lines) + "\n")


def random(*shape):
    """Multiples of 1/64: a float holds them, and few digits show them."""
    return torch.round(torch.randn(shape, dtype=torch.float64) * 48) / 64 + 0.0  # no -0


def of_sessions(function, *tensors):
    """The function of each session's rows, one behind the other."""
    return torch.cat([function(*rows) for rows in zip(*(tensor.split(LENGTHS) for tensor in tensors))])


def row_layers(tensors):
    tensors.layer("linear", lambda x, w, bias: F.linear(x, w, bias), x=random(7, 6), w=random(8, 6), bias=random(8))
    tensors.layer("l2", lambda x: F.normalize(x), x=random(6, 12))
    x = random(6, 12)
    x[1] /= 64  # so that 1e-5 is not lost in the variance
    tensors.layer("layer_norm", lambda x, gain, bias: F.layer_norm(x, (12,), gain, bias, eps=1e-5), x=x,
                  gain=random(12), bias=random(12))


def pooling(tensors):
    tensors.layer("softmax", lambda logits: of_sessions(lambda rows: F.softmax(rows, dim=0), logits),
                  logits=4 * random(ROWS))
    tensors.layer("pool", lambda x, weights: of_sessions(lambda rows, shares: (shares @ rows)[None], x, weights),
                  x=random(ROWS, 8), weights=random(ROWS))


def additive_attention(tensors):
    def logits(x, context, w_x, w_c, bias, v):
        contexts = context.repeat_interleave(torch.tensor(LENGTHS), dim=0)
        return torch.sigmoid(x @ w_x.T + contexts @ w_c.T + bias) @ v

    tensors.layer("additive", logits, x=random(ROWS, 8), context=random(len(LENGTHS), 8), w_x=random(6, 8),
                  w_c=random(6, 8), bias=random(6), v=random(6))


def self_attention(tensors, name, causal, heads):
    def attend(qkv):
        query, key, value = (part.unflatten(1, (heads, -1)).transpose(0, 1) for part in qkv.chunk(3, dim=1))
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return attended.transpose(0, 1).flatten(1)

    tensors.layer(name, lambda qkv: of_sessions(attend, qkv), qkv=2 * random(ROWS, 3 * 12))


def gru(tensors):
    module = torch.nn.GRU(6, 8).double()
    names = dict(w="weight_ih_l0", u="weight_hh_l0", b="bias_ih_l0", c="bias_hh_l0")

    def run(x, **weights):
        parameters = {names[short]: value for short, value in weights.items()}
        return of_sessions(lambda rows: torch.func.functional_call(module, parameters, (rows,))[0], x)

    tensors.layer("gru", run, x=random(ROWS, 6), w=random(24, 6), u=random(24, 8), b=random(24), c=random(24))


def adjacency(alias):
    """A_in and A_out of a session as in SR-GNN's get_slice(): 1 for an edge however often it is clicked, divided by the
    sums of the columns of the matrix, or of its transpose."""
    count = int(alias.max()) + 1
    edges = torch.zeros(count, count, dtype=torch.float64)
    edges[alias[:-1], alias[1:]] = 1
    return tuple((matrix / matrix.sum(dim=0).clamp(min=1)).T for matrix in (edges, edges.T))


def gated_graph(tensors):
    """SR-GNN's GNNCell (github.com/CRIPAC-DIG/SR-GNN, pytorch_code/model.py), sessions side by side instead of padded.
    Nodes are in the order of their items, as numpy.unique() has them there."""
    aliases = [torch.unique(torch.tensor(session), return_inverse=True)[1] for session in CLICKS]
    counts = [int(alias.max()) + 1 for alias in aliases]
    matrices = [adjacency(alias) for alias in aliases]
    a_in, a_out = (torch.block_diag(*matrix) for matrix in zip(*matrices))
    starts = torch.tensor([0] + counts).cumsum(dim=0)

    def step(h, w_in, b_in, w_out, b_out, bias_in, bias_out, w, u, b, c):
        from_before = a_in @ F.linear(h, w_in, b_in) + bias_in
        from_behind = a_out @ F.linear(h, w_out, b_out) + bias_out
        arriving = torch.cat([from_before, from_behind], dim=1)
        x_r, x_z, x_n = F.linear(arriving, w, b).chunk(3, dim=1)
        h_r, h_z, h_n = F.linear(h, u, c).chunk(3, dim=1)
        reset, update = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        new = torch.tanh(x_n + reset * h_n)
        return new + update * (h - new)

    tensors.put("gated_graph.clicks", torch.tensor([0] + [len(session) for session in CLICKS]).cumsum(dim=0))
    tensors.put("gated_graph.alias", torch.cat([alias + start for alias, start in zip(aliases, starts)]))
    tensors.layer("gated_graph", step, h=random(sum(counts), 6), w_in=random(6, 6), b_in=random(6), w_out=random(6, 6),
                  b_out=random(6), bias_in=random(6), bias_out=random(6), w=random(18, 12), u=random(18, 6),
                  b=random(18), c=random(18))


def cross_entropy(tensors):
    targets = torch.tensor([3, 0, 8, 5])
    tensors.put("cross_entropy.targets", targets)
    logits = (3 * random(4, 9)).requires_grad_()
    loss = F.cross_entropy(logits, targets)
    loss.backward()
    tensors.put("cross_entropy.logits", logits)
    tensors.put("cross_entropy.loss", loss)
    tensors.put("cross_entropy.d_logits", logits.grad)


def optimizer(tensors, name, make, options, state):
    """Six steps with given gradients, some of them tiny or none; the options are those that a float holds."""
    options = torch.tensor(options).double()
    weights, gradients = random(12).requires_grad_(), random(6, 12)
    gradients[:, 3] = 0
    gradients[:, 4:6] /= 2**10
    gradients[:, 6:8] /= 2**20
    tensors.put(f"{name}.options", options)
    tensors.put(f"{name}.weights", weights)
    tensors.put(f"{name}.gradients", gradients)
    optimizer, steps = make([weights], *options.tolist()), []
    for gradient in gradients:
        weights.grad = gradient.clone()
        optimizer.step()
        steps.append(weights.detach().clone())
    tensors.put(f"{name}.steps", torch.stack(steps))
    for short, key in state.items():
        tensors.put(f"{name}.{short}", optimizer.state[weights][key])


def optimizers(tensors):
    def adam(weights, rate, beta1, beta2, epsilon, decay):
        return torch.optim.Adam(weights, lr=rate, betas=(beta1, beta2), eps=epsilon, weight_decay=decay)

    def adagrad(weights, rate, epsilon):
        return torch.optim.Adagrad(weights, lr=rate, eps=epsilon)

    moments = dict(mean="exp_avg", square="exp_avg_sq")
    optimizer(tensors, "adam", adam, [0.01, 0.9, 0.999, 1e-8, 0.0], moments)
    optimizer(tensors, "adam_decay", adam, [0.01, 0.9, 0.999, 1e-8, 0.1], moments)
    optimizer(tensors, "adagrad", adagrad, [0.05, 1e-10], dict(square="sum"))


def main(path):
    torch.manual_seed(SEED)
    tensors = Tensors()
    tensors.put("sessions.starts", torch.tensor([0] + LENGTHS).cumsum(dim=0))
    row_layers(tensors)
    pooling(tensors)
    additive_attention(tensors)
    self_attention(tensors, "attention", causal=False, heads=2)
    self_attention(tensors, "attention_causal", causal=True, heads=3)
    gru(tensors)
    gated_graph(tensors)
    cross_entropy(tensors)
    optimizers(tensors)
    tensors.write(path, "d_NAME is the gradient of sum(y d_y), or of the loss")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
