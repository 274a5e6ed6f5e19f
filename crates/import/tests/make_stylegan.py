"""Writes StyleGANs of a few numbers in the layout of NVIDIA's network pickles, with random weights, and what they give.

    python make_stylegan.py

Written with Python 3.11, torch 2.15 and NumPy 2.4. `conditional.pkl` is a StyleGAN2-ADA that reads labels, with noise and limits;
`stylegan3-r.pkl` is a StyleGAN3 of the kind R (kernels of 1x1, round filters), which reads labels as well. What they give is computed here
as the papers (arXiv 1912.04958, 2106.12423) describe it, in 64 bits: each image by itself, each with weights of its own.
"""

import io
import math
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent / "fixtures"
CLASSES, LATENT, STYLE = 3, 6, 5


def _reconstruct_persistent_obj(meta):
    raise NotImplementedError("only its name is needed")


persistence = types.ModuleType("torch_utils.persistence")
_reconstruct_persistent_obj.__module__ = persistence.__name__
persistence._reconstruct_persistent_obj = _reconstruct_persistent_obj
sys.modules["torch_utils"] = types.ModuleType("torch_utils")
sys.modules["torch_utils"].persistence = persistence
sys.modules[persistence.__name__] = persistence


class Module:
    """A module as a pickle of NVIDIA has it: the name of its class, and its state."""

    def __init__(self, class_name, parameters=None, buffers=None, modules=None, **attributes):
        parameters = {name: torch.nn.Parameter(value.float()) for name, value in (parameters or {}).items()}
        buffers = {name: None if value is None else value.float() for name, value in (buffers or {}).items()}
        self.class_name = class_name
        self.state = dict(training=False, _parameters=parameters, _buffers=buffers, _non_persistent_buffers_set=set())
        self.state.update(_modules=modules or {}, **attributes)

    def __reduce__(self):
        meta = dict(type="class", version=6, module_src="# left out", class_name=self.class_name, state=self.state)
        return _reconstruct_persistent_obj, (meta,)

    def __getattr__(self, name):
        state = self.__dict__["state"]
        for part in ("_parameters", "_buffers", "_modules"):
            if name in state[part]:
                value = state[part][name]
                return value.detach().double() if isinstance(value, torch.Tensor) else value
        return state[name]


def linear(inputs, outputs, rate=1.0, bias=0.0):
    weight, bias = torch.randn(outputs, inputs) / rate, (torch.randn(outputs) * 0.1 + bias) / rate
    gains = dict(weight_gain=rate / np.sqrt(inputs), bias_gain=rate)
    return Module("FullyConnectedLayer", dict(weight=weight, bias=bias), **gains)


def apply(layer, x):
    return x @ (layer.weight * float(layer.weight_gain)).T + layer.bias * layer.bias_gain


def lrelu(x, most=None):
    x = F.leaky_relu(x, 0.2) * math.sqrt(2)
    return x if most is None else x.clamp(-most, most)


def mapping(layers):
    modules = dict(embed=linear(CLASSES, STYLE))
    for number in range(layers):
        modules[f"fc{number}"] = linear(LATENT + STYLE if number == 0 else STYLE, STYLE, 0.01)
        modules[f"fc{number}"].state["activation"] = "lrelu"
    return Module("MappingNetwork", buffers=dict(w_avg=torch.randn(STYLE) * 0.3), modules=modules, num_layers=layers)


def styles(net, z, c, psi, cutoff, layers):
    norm = lambda x: x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()
    w = torch.cat([norm(z), norm(apply(net.embed, c))], 1)
    for number in range(net.num_layers):
        w = lrelu(apply(getattr(net, f"fc{number}"), w))
    truncated = net.w_avg + psi * (w - net.w_avg)
    return torch.stack([truncated if layer < cutoff else w for layer in range(layers)], 1)


def each(function, x, *per_image):
    return torch.cat([function(*(value[n : n + 1] for value in (x, *per_image))) for n in range(len(x))])


# StyleGAN2-ADA


def ada():
    blur = torch.tensor([1.0, 3.0, 3.0, 1.0])
    blur = torch.outer(blur, blur) / blur.sum() ** 2
    channels = {4: 6, 8: 4}

    def layer(inputs, outputs, side, limit):
        parameters = dict(weight=torch.randn(outputs, inputs, 3, 3), noise_strength=torch.tensor(0.3))
        parameters.update(bias=torch.randn(outputs) * 0.2)
        buffers = dict(resample_filter=blur, noise_const=torch.randn(side, side))
        affine = dict(affine=linear(STYLE, inputs, bias=1.0))
        return Module("SynthesisLayer", parameters, buffers, affine, activation="lrelu", conv_clamp=limit)

    def to_rgb(inputs, limit):
        parameters = dict(weight=torch.randn(3, inputs, 1, 1), bias=torch.randn(3) * 0.2)
        modules = dict(affine=linear(STYLE, inputs, bias=1.0))
        gain = 1 / np.sqrt(inputs)
        return Module("ToRGBLayer", parameters, None, modules, conv_clamp=limit, weight_gain=gain)

    blocks = {}
    for side, outputs in channels.items():
        limit = None if side == 4 else 1.25
        modules = {} if side == 4 else dict(conv0=layer(channels[side // 2], outputs, side, limit))
        modules.update(conv1=layer(outputs, outputs, side, limit), torgb=to_rgb(outputs, limit))
        const = dict(const=torch.randn(outputs, 4, 4)) if side == 4 else {}
        block = Module("SynthesisBlock", const, dict(resample_filter=blur), modules, architecture="skip")
        blocks[f"b{side}"] = block
    synthesis = Module("SynthesisNetwork", modules=blocks)
    return Module("Generator", modules=dict(synthesis=synthesis, mapping=mapping(2)), z_dim=LATENT, c_dim=CLASSES)


def smoothed(x, kernel, up, padding):
    """Zeros between cells, zeros around, a convolution with the kernel."""
    n, c, h, w = x.shape
    wide = torch.zeros(n, c, h * up, w * up, dtype=x.dtype)
    wide[:, :, ::up, ::up] = x
    wide = F.pad(wide, padding)
    return F.conv2d(wide, kernel.flip(0, 1).expand(c, 1, -1, -1), groups=c)


def ada_values(net, z, c, psi, cutoff):
    blocks = [net.synthesis.b4, net.synthesis.b8]
    ws = styles(net.mapping, z, c, psi, cutoff, 4)
    values = dict(ws=ws)

    def weights(layer, w, demodulates, gain=1.0):
        weight = layer.weight * (apply(layer.affine, w) * gain)[:, None, :].reshape(1, -1, 1, 1)
        return weight / (weight.square().sum([1, 2, 3], keepdim=True) + 1e-8).sqrt() if demodulates else weight

    def layer(layer, x, w, up):
        def one(x, w):
            weight = weights(layer, w, True)
            if not up:
                return F.conv2d(x, weight, padding=1)
            y = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            return smoothed(y, layer.resample_filter * 4, 1, [1, 1, 1, 1])

        y = each(one, x, w) + layer.noise_const * layer.noise_strength + layer.bias[:, None, None]
        return lrelu(y, layer.conv_clamp)

    x, image, place = blocks[0].const.expand(len(z), -1, -1, -1), None, 0
    for name, block in zip(("b4", "b8"), blocks):
        for conv in ("conv0", "conv1"):
            if conv in block.state["_modules"]:
                x = values[f"{name}.{conv}"] = layer(getattr(block, conv), x, ws[:, place], conv == "conv0")
                place += 1
        rgb = block.torgb
        y = each(lambda x, w: F.conv2d(x, weights(rgb, w, False, float(rgb.weight_gain))), x, ws[:, place])
        y = y + rgb.bias[:, None, None]
        y = y if rgb.conv_clamp is None else y.clamp(-rgb.conv_clamp, rgb.conv_clamp)
        image = y if image is None else y + smoothed(image, block.resample_filter * 4, 2, [2, 1, 2, 1])
    values["x"] = image
    return values


# StyleGAN3-R


def kaiser_beta(taps, width, rate):
    a = 2.285 * (taps - 1) * math.pi * width / (rate / 2) + 7.95
    return 0.1102 * (a - 8.7) if a > 50 else 0.5842 * max(a - 21, 0) ** 0.4 + 0.07886 * max(a - 21, 0)


def row_filter(taps, cutoff, width, rate):
    if taps == 1:
        return None
    t = (np.arange(taps) - (taps - 1) / 2) / rate
    f = np.sinc(2 * cutoff * t) * np.kaiser(taps, kaiser_beta(taps, width, rate))
    return torch.tensor(f / f.sum())


def round_filter(taps, cutoff, width, rate):
    t = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.hypot(*np.meshgrid(t, t))
    # J1 by its integral.
    angle = (np.arange(4096) + 0.5) * math.pi / 4096
    j1 = lambda x: np.cos(angle - x[..., None] * np.sin(angle)).mean(-1)
    f = j1(2 * cutoff * math.pi * r) / (math.pi * r)
    window = np.kaiser(taps, kaiser_beta(taps, width, rate))
    f = f * np.outer(window, window)
    return torch.tensor(f / f.sum())


def three():
    resolution, margin, count = 16, 2, 4
    cutoffs, rates = [2.0, 3.0, 4.0, 5.5, 5.5], [16, 16, 16, 16, 16]
    rates[0], rates[1] = 8, 8
    widths = [max(0.7, rate / 2 - cutoff) for cutoff, rate in zip(cutoffs, rates)]
    sizes = [rate + 2 * margin for rate in rates]
    sizes[-2:] = [resolution] * 2
    channels = [4, 4, 4, 3, 3]
    freqs = torch.randn(4, 2)
    radii = freqs.norm(dim=1, keepdim=True)
    buffers = dict(transform=torch.tensor([[0.9, -0.2, 0.1], [0.2, 0.9, -0.05], [0.0, 0.0, 1.0]]))
    buffers.update(freqs=freqs / (radii * radii.square().exp() ** 0.25) * 2.0, phases=torch.rand(4) - 0.5)
    # Two waves that fade in part or wholly.
    buffers["freqs"][0] *= 3.1 / buffers["freqs"][0].norm()
    buffers["freqs"][1] *= 5.0 / buffers["freqs"][1].norm()
    modules = dict(affine=linear(STYLE, 4, bias=torch.tensor([1.0, 0, 0, 0])))
    size, bandwidth = np.array([sizes[0]] * 2), np.float64(cutoffs[0])
    made = dict(size=size, sampling_rate=rates[0], bandwidth=bandwidth)
    blocks = dict(input=Module("SynthesisInput", dict(weight=torch.randn(4, 4)), buffers, modules, **made))
    for number in range(count + 1):
        before, is_rgb, is_critical = max(number - 1, 0), number == count, number >= count - 1
        inputs, outputs = channels[before], 3 if is_rgb else channels[number]
        rate = max(rates[before], rates[number]) * (1 if is_rgb else 2)
        up, down = rate // rates[before], rate // rates[number]
        up_taps, down_taps = (6 * up if up > 1 and not is_rgb else 1), (6 * down if down > 1 and not is_rgb else 1)
        is_round = not is_critical and not is_rgb
        filters = dict(up_filter=row_filter(up_taps, cutoffs[before], widths[before] * 2, rate))
        design = round_filter if is_round else row_filter
        filters["down_filter"] = design(down_taps, cutoffs[number], widths[number] * 2, rate)
        total = (sizes[number] - 1) * down + 1 - sizes[before] * up + up_taps + down_taps - 2
        low = (total + up) // 2
        made = dict(is_torgb=is_rgb, is_critically_sampled=is_critical, up_factor=up, down_factor=down)
        made.update(padding=[low, total - low] * 2, out_sampling_rate=rates[number], conv_clamp=[0.9, 256, None, 256, 0.8][number])
        made.update(out_size=np.array([sizes[number]] * 2))
        parameters = dict(weight=torch.randn(outputs, inputs, 1, 1), bias=torch.randn(outputs) * 0.2)
        modules = dict(affine=linear(STYLE, inputs, bias=1.0))
        buffers = dict(magnitude_ema=torch.tensor(0.6 + 0.2 * number), **filters)
        block = Module("SynthesisLayer", parameters, buffers, modules, **made)
        blocks[f"L{number}_{sizes[number]}_{outputs}"] = block
    synthesis = Module("SynthesisNetwork", modules=blocks, output_scale=0.25)
    return Module("Generator", modules=dict(synthesis=synthesis, mapping=mapping(2)), z_dim=LATENT, c_dim=CLASSES)


def waves(net, w):
    t = apply(net.affine, w)[0]
    t = t / t[:2].norm()
    one = lambda rows: torch.tensor(rows, dtype=torch.double)
    turn = one([[t[0], -t[1], 0], [t[1], t[0], 0], [0, 0, 1]])
    move = one([[1, 0, -t[2]], [0, 1, -t[3]], [0, 0, 1]])
    whole = turn @ move @ net.transform
    phases, freqs = net.phases + net.freqs @ whole[:2, 2], net.freqs @ whole[:2, :2]
    amplitudes = 1 - (freqs.norm(dim=1) - net.bandwidth) / (net.sampling_rate / 2 - net.bandwidth)
    side = int(net.size[0])
    along = ((torch.arange(side).double() + 0.5) / side - 0.5) * side / net.sampling_rate
    y, x = torch.meshgrid(along, along, indexing="ij")
    value = torch.sin(2 * math.pi * (freqs[:, 0, None, None] * x + freqs[:, 1, None, None] * y + phases[:, None, None]))
    value = value * amplitudes.clamp(0, 1)[:, None, None]
    return torch.einsum("oc,chw->ohw", net.weight / math.sqrt(len(phases)), value)[None]


def three_values(net, z, c, psi, cutoff):
    names = [name for name in net.synthesis.state["_modules"] if name != "input"]
    ws = styles(net.mapping, z, c, psi, cutoff, len(names) + 1)
    values = dict(ws=ws, input=torch.cat([waves(net.synthesis.input, ws[n : n + 1, 0]) for n in range(len(z))]))
    x = values["input"]

    def kernel(f):
        return torch.ones(1, 1).double() if f is None else torch.outer(f, f) if f.ndim == 1 else f

    for place, name in enumerate(names):
        layer = getattr(net.synthesis, name)
        up, down, is_rgb = layer.up_factor, layer.down_factor, layer.is_torgb

        def one(x, w):
            style, weight = apply(layer.affine, w)[0], layer.weight
            if is_rgb:
                weight = weight * (style / math.sqrt(len(style)))[:, None, None]
            else:
                weight = weight / weight.square().mean([1, 2, 3], keepdim=True).sqrt()
                weight = weight * (style / style.square().mean().sqrt())[:, None, None]
                weight = weight / (weight.square().sum([1, 2, 3], keepdim=True) + 1e-8).sqrt()
            return F.conv2d(x, weight / layer.magnitude_ema.sqrt())

        y = each(one, x, ws[:, place + 1]) + layer.bias[:, None, None]
        y = smoothed(y, kernel(layer.up_filter) * up**2, up, layer.padding)
        y = y.clamp(-layer.conv_clamp, layer.conv_clamp) if is_rgb else lrelu(y, layer.conv_clamp)
        x = values[name] = smoothed(y, kernel(layer.down_filter), 1, [0] * 4)[:, :, ::down, ::down]
    values["x"] = x * net.synthesis.output_scale
    return values


if __name__ == "__main__":
    for name, make, compute in (("conditional", ada, ada_values), ("stylegan3-r", three, three_values)):
        torch.manual_seed(19)
        net = make()
        (HERE / f"{name}.pkl").write_bytes(pickle.dumps(dict(G=None, D=None, G_ema=net)))
        z, c = torch.randn(2, LATENT), torch.eye(CLASSES)[1:]
        whole = compute(net, z.double(), c.double(), 1.0, 0)
        cut = compute(net, z.double(), c.double(), 0.6, 2)
        arrays = {key: value.float().numpy() for key, value in whole.items()}
        arrays.update(z=z.numpy(), c=c.numpy(), **{"x-psi0.6-of-2": cut["x"].float().numpy()})
        np.savez_compressed(HERE / f"{name}.npz", **arrays)
