"""Writes `fixtures/inception.npz` with PyTorch: what the Inception network of pytorch-fid gives, with narrow layers and weights by a formula;
and `fixtures/inception.txt`: its convolutions, with the shapes of their weights.

    python make_inception.py [WEIGHTS.pth]

Written with Python 3.11, torch 2.15 and NumPy 2.4, after the papers and the names of the published file. With a path, a network of full width
with random weights is written there as pytorch-fid's file, and its features and logits beside it as WEIGHTS.npz.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

MASK = (1 << 64) - 1


def numbers(name, count):
    """From -1 to 1: SplitMix64 from the FNV-1a hash of the name."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1


class Inception:
    """Every layer makes its weights when it is first met; `narrow` divides widths."""

    def __init__(self, narrow):
        self.narrow, self.state = narrow, {}

    def tensor(self, name, shape, middle, reach):
        if name not in self.state:
            values = middle + reach * numbers(name, int(np.prod(shape)))
            self.state[name] = torch.tensor(values.astype(np.float32)).reshape(shape)
        return self.state[name]

    def conv(self, x, name, maps, kernel, stride=1, padding=0):
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        maps, inputs = maps // self.narrow, x.shape[1]
        fan = inputs * kernel[0] * kernel[1]
        x = F.conv2d(x, self.tensor(f"{name}.conv.weight", (maps, inputs, *kernel), 0, (6 / fan) ** 0.5), None, stride, padding)
        part = lambda what, middle, reach: self.tensor(f"{name}.bn.{what}", (maps,), middle, reach)
        mean, variance = part("running_mean", 0, 0.2), part("running_var", 1, 0.5)
        return F.relu(F.batch_norm(x, mean, variance, part("weight", 1, 0.25), part("bias", 0, 0.1), False, 0.1, 1e-3))

    def pooled(self, x, name, maps, how):
        if how == "max":
            x = F.max_pool2d(x, 3, 1, 1)
        else:
            x = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return self.conv(x, f"{name}.branch_pool", maps, 1)

    def a(self, x, name, maps):
        c = lambda x, part, *rest: self.conv(x, f"{name}.{part}", *rest)
        double = c(c(c(x, "branch3x3dbl_1", 64, 1), "branch3x3dbl_2", 96, 3, 1, 1), "branch3x3dbl_3", 96, 3, 1, 1)
        five = c(c(x, "branch5x5_1", 48, 1), "branch5x5_2", 64, 5, 1, 2)
        return torch.cat([c(x, "branch1x1", 64, 1), five, double, self.pooled(x, name, maps, "mean")], 1)

    def b(self, x, name):
        c = lambda x, part, *rest: self.conv(x, f"{name}.{part}", *rest)
        double = c(c(c(x, "branch3x3dbl_1", 64, 1), "branch3x3dbl_2", 96, 3, 1, 1), "branch3x3dbl_3", 96, 3, 2)
        return torch.cat([c(x, "branch3x3", 384, 3, 2), double, F.max_pool2d(x, 3, 2)], 1)

    def c(self, x, name, w):
        c = lambda x, part, *rest: self.conv(x, f"{name}.{part}", *rest)
        wide, high = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
        seven = c(c(c(x, "branch7x7_1", w, 1), "branch7x7_2", w, *wide), "branch7x7_3", 192, *high)
        double = c(c(x, "branch7x7dbl_1", w, 1), "branch7x7dbl_2", w, *high)
        double = c(c(double, "branch7x7dbl_3", w, *wide), "branch7x7dbl_4", w, *high)
        double = c(double, "branch7x7dbl_5", 192, *wide)
        return torch.cat([c(x, "branch1x1", 192, 1), seven, double, self.pooled(x, name, 192, "mean")], 1)

    def d(self, x, name):
        c = lambda x, part, *rest: self.conv(x, f"{name}.{part}", *rest)
        three = c(c(x, "branch3x3_1", 192, 1), "branch3x3_2", 320, 3, 2)
        seven = c(c(x, "branch7x7x3_1", 192, 1), "branch7x7x3_2", 192, (1, 7), 1, (0, 3))
        seven = c(c(seven, "branch7x7x3_3", 192, (7, 1), 1, (3, 0)), "branch7x7x3_4", 192, 3, 2)
        return torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)

    def e(self, x, name, how):
        c = lambda x, part, *rest: self.conv(x, f"{name}.{part}", *rest)
        fork = lambda x, part: [c(x, part + "a", 384, (1, 3), 1, (0, 1)), c(x, part + "b", 384, (3, 1), 1, (1, 0))]
        three = fork(c(x, "branch3x3_1", 384, 1), "branch3x3_2")
        double = fork(c(c(x, "branch3x3dbl_1", 448, 1), "branch3x3dbl_2", 384, 3, 1, 1), "branch3x3dbl_3")
        return torch.cat([c(x, "branch1x1", 320, 1), *three, *double, self.pooled(x, name, 192, how)], 1)

    def __call__(self, x):
        x = (127.5 * x - 0.5) / 128
        x = self.conv(x, "Conv2d_1a_3x3", 32, 3, 2)
        x = self.conv(x, "Conv2d_2a_3x3", 32, 3)
        x = F.max_pool2d(self.conv(x, "Conv2d_2b_3x3", 64, 3, 1, 1), 3, 2)
        x = self.conv(x, "Conv2d_3b_1x1", 80, 1)
        x = F.max_pool2d(self.conv(x, "Conv2d_4a_3x3", 192, 3), 3, 2)
        for name, maps in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)]:
            x = self.a(x, name, maps)
        x = self.b(x, "Mixed_6a")
        for name, maps in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)]:
            x = self.c(x, name, maps)
        x = self.e(self.d(x, "Mixed_7a"), "Mixed_7b", "mean")
        x = self.e(x, "Mixed_7c", "max").mean((2, 3))
        weight = self.tensor("fc.weight", (1008, x.shape[1]), 0, (3 / x.shape[1]) ** 0.5)
        self.tensor("fc.bias", (1008,), 0, 0.5)
        return x, x @ weight.T


def run(narrow, images):
    network = Inception(narrow)
    x = torch.tensor(numbers("x", images * 3 * 299 * 299).astype(np.float32)).reshape(images, 3, 299, 299)
    with torch.no_grad():
        pool, logits = network(x)
    return network.state, {"pool": pool.numpy(), "logits": logits.numpy()}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        path = Path(sys.argv[1])
        state, found = run(1, 2)
        torch.save(state, path)
        np.savez(path.with_suffix(".npz"), **found)
    else:
        folder = Path(__file__).parent / "fixtures"
        state, found = run(16, 1)
        np.savez(folder / "inception.npz", **found)
        shapes = [f"{name} {' '.join(map(str, tensor.shape))}\n" for name, tensor in state.items() if tensor.ndim == 4]
        (folder / "inception.txt").write_text("".join(shapes))
