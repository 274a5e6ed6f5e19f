"""Writes the files of `fixtures/` with PyTorch: a small ProGAN as GAN Dissection keeps them, and what it gives.

    python make_fixtures.py

Written with Python 3.11, torch 2.15 and NumPy 2.4. The network is written down after the paper and the layout of the published files
(`layerN.conv.weight`, `layerN.wscale.b`, `output_RxR.conv.weight`); a layer's value is that after LeakyReLU and before the next pixel norm.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent / "fixtures"
SIZES = [(8, 8), (8, 8), (8, 6), (6, 6), (6, 4), (4, 4)]


def weights():
    torch.manual_seed(19)
    state = OrderedDict()
    for number, (i, o) in enumerate(SIZES, 1):
        state[f"layer{number}.conv.weight"] = torch.randn(o, i, *(4, 4) if number == 1 else (3, 3))
        state[f"layer{number}.wscale.b"] = torch.randn(o) * 0.1
    state["output_16x16.conv.weight"] = torch.randn(3, SIZES[-1][1], 1, 1)
    state["output_16x16.wscale.b"] = torch.randn(3) * 0.1
    return state


def forward(state, z):
    norm = lambda x: x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()
    x, values = z[:, :, None, None], OrderedDict()
    for number, (i, _) in enumerate(SIZES, 1):
        x = norm(x)
        if number % 2 == 1 and number > 1:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        kernel, padding = (4, 3) if number == 1 else (3, 1)
        x = F.conv2d(x, state[f"layer{number}.conv.weight"], padding=padding) * (2**0.5 / (kernel * i**0.5))
        x = F.leaky_relu(x + state[f"layer{number}.wscale.b"][:, None, None], 0.2)
        values[f"layer{number}"] = x
    x = F.conv2d(norm(x), state["output_16x16.conv.weight"]) / SIZES[-1][1] ** 0.5
    values["output_16x16"] = x + state["output_16x16.wscale.b"][:, None, None]
    return values


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    state = weights()
    torch.save(state, HERE / "progan.pth", _use_new_zipfile_serialization=False)
    old = OrderedDict()
    for name, tensor in state.items():
        first, rest = name.split(".", 1)
        first = "output" if first.startswith("output") else f"features.{int(first.removeprefix('layer')) - 1}"
        old[f"{first}.{rest}"] = tensor
    torch.save({"state_dict": old}, HERE / "progan-old.pth", _use_new_zipfile_serialization=False)
    z = torch.randn(2, SIZES[0][0])
    values = forward({name: tensor.double() for name, tensor in state.items()}, z.double())
    np.save(HERE / "z.npy", z.numpy())
    np.save(HERE / "x.npy", values["output_16x16"].float().numpy())
    np.savez_compressed(HERE / "activations.npz", **{name: value.float().numpy() for name, value in values.items()})
