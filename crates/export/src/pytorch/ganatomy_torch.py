"""Networks that ganatomy has exported, as PyTorch modules.

    from ganatomy_torch import load

    generator = load("exported")                      # the folder, or its model.safetensors
    images = generator(torch.randn(4, 64))            # what the network gives, here -1 to 1
    maps = generator(z, fetch=["1b", "x"])            # any nodes, by name
    off = generator(z, edit={"1b": lambda x: x * 0})  # a node changed on its way

The state dict has the names and layouts of PyTorch's layers. Needs torch and safetensors.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open


def load(path, device="cpu"):
    """The network of a folder, or of a model file."""
    path = Path(path)
    if path.is_dir():
        path = path / "model.safetensors"
    with safe_open(str(path), framework="pt", device=device) as file:
        description = json.loads(file.metadata()["ganatomy"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    return Network(description, tensors)


class Network(torch.nn.Module):
    """Runs a description node by node."""

    def __init__(self, description, tensors):
        super().__init__()
        graph = description["graph"]
        self.nodes, self.output = graph["nodes"], graph["output"]
        self.notes = dict(description.get("notes", []))
        self.inputs = [node["name"] for node in self.nodes if node["op"] == "input"]
        self._places = {}
        for node in self.nodes:
            if node["op"] == "param":
                self._register(node["name"], tensors[node["name"]], node["trainable"])

    def _register(self, name, tensor, trainable):
        tensor = tensor.float() if tensor.is_floating_point() else tensor
        # A dotted name is a path of modules, so that the state dict has the very name.
        *path, leaf = name.split(".")
        module = self
        for part in path:
            if part not in module._modules:
                module.add_module(part, torch.nn.Module())
            module = module._modules[part]
        if trainable:
            module.register_parameter(leaf, torch.nn.Parameter(tensor))
        else:
            module.register_buffer(leaf, tensor)
        self._places[name] = (module, leaf)

    def forward(self, *inputs, fetch=None, edit=None):
        """The output; with `fetch`, the named nodes as a dict. `edit` maps a node's name to a function of its value."""
        if len(inputs) != len(self.inputs):
            raise ValueError(f"{len(inputs)} inputs; the network reads {', '.join(self.inputs)}")
        given, edit = dict(zip(self.inputs, inputs)), edit or {}
        unknown = [name for name in [*(fetch or []), *edit] if all(name != node["name"] for node in self.nodes)]
        if unknown:
            raise KeyError(f"there is no node {unknown[0]!r}")
        batch = inputs[0].shape[0] if inputs else 1
        values = {}
        for node in self.nodes:
            name, op = node["name"], node["op"]
            if op == "input":
                value = given[name]
            elif op == "param":
                module, leaf = self._places[name]
                value = getattr(module, leaf)
            else:
                like = values[node["like"]] if "like" in node else None
                value = OPS[op](node, [values[i] for i in node.get("inputs", [])], like, batch)
            values[name] = edit[name](value) if name in edit else value
        return {name: values[name] for name in fetch} if fetch else values[self.output]


def lengths(shape, batch):
    """A shape in which "n" is the batch and "2n" twice the batch."""
    return [length if isinstance(length, int) else int(length[:-1] or 1) * batch for length in shape]


def pair(value):
    return tuple(value) if isinstance(value, list) else (value, value)


def sides(value):
    """Padding as above, below, left, right."""
    if isinstance(value, int):
        return (value,) * 4
    return tuple(side for axis in value for side in (axis if isinstance(axis, list) else (axis, axis)))


def per_channel(x, numbers):
    return numbers.reshape([1, -1] + [1] * (x.dim() - 2))


def moving(conv):
    return {"stride": pair(conv["stride"]), "dilation": pair(conv.get("dilation", 1)), "groups": conv.get("groups", 1)}


def conv2d(node, inputs, like, batch):
    (x, weight, *bias), conv = inputs, node["conv"]
    above, below, left, right = sides(conv["padding"])
    return F.conv2d(F.pad(x, (left, right, above, below)), weight, *bias, **moving(conv))


def conv_transpose2d(node, inputs, like, batch):
    (x, weight, *bias), conv = inputs, node["conv"]
    above, below, left, right = sides(conv["padding"])
    whole = F.conv_transpose2d(x, weight, **moving(conv))
    size = node.get("size") or (like.shape[2:] if like is not None else None)
    if size is None:
        more = node.get("output_padding", 0)
        size = (whole.shape[2] - above - below + more, whole.shape[3] - left - right + more)
    # Cut at the beginning; the end is cut or filled with zeros to the size.
    whole = F.pad(whole, (-left, size[1] + left - whole.shape[3], -above, size[0] + above - whole.shape[2]))
    return whole + per_channel(whole, bias[0]) if bias else whole


def batch_norm(node, inputs, like, batch):
    x, gamma, beta, mean, variance = inputs
    return F.batch_norm(x, mean, variance, gamma, beta, False, 0.0, node["epsilon"])


def minibatch_std(node, inputs, like, batch):
    (x,) = inputs
    deviation = (((x - x.mean(0, keepdim=True)) ** 2).mean(0, keepdim=True) + 1e-8).sqrt().mean()
    return torch.cat([x, deviation.expand(x.shape[0], 1, *x.shape[2:])], 1)


def reduce(node, inputs, like, batch):
    kinds = {"sum": torch.sum, "max": torch.amax, "min": torch.amin}
    return kinds[node["reduction"]](inputs[0], dim=node["axes"], keepdim=True)


def taken(x, node):
    places = node["start"] + node["step"] * torch.arange(node["length"], device=x.device)
    return x.index_select(node["axis"], places)


def embed(node, inputs, like, batch):
    (x,), axis = inputs, node["axis"]
    shape = list(x.shape)
    shape[axis] = node["length"]
    places = node["start"] + node["step"] * torch.arange(x.shape[axis], device=x.device)
    return torch.full(shape, node.get("value", 0.0), dtype=x.dtype, device=x.device).index_copy(axis, places, x)


def gather(node, inputs, like, batch):
    x, indices = inputs
    axis = node["axis"]
    indices = indices.long() % x.shape[axis]
    found = x.index_select(axis, indices.reshape(-1))
    return found.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def mat_mul(node, inputs, like, batch):
    a, b = inputs
    a = a.transpose(-1, -2) if node["transpose_a"] else a
    return a @ (b.transpose(-1, -2) if node["transpose_b"] else b)


def window_max(node, inputs, like, batch):
    (v, x), window = inputs, node["window"]
    if v is not x:
        raise NotImplementedError(f"{node['name']}: values chosen by those of another node")
    above, below, left, right = sides(window["padding"])
    x = F.pad(x, (left, right, above, below), value=-math.inf)
    return F.max_pool2d(x, pair(window["size"]), pair(window["stride"]), dilation=pair(window.get("dilation", 1)))


def along(node, inputs, like, batch):
    # Other maps than repetition are stored as matrices.
    return inputs[0].repeat_interleave(node["map"]["factor"], dim=node["axis"])


def divide_by_count(node, inputs, like, batch):
    (count,) = lengths([node["count"]], batch)
    return inputs[0] / max(count - node.get("minus", 0), 1)


def unary(function):
    return lambda node, inputs, like, batch: function(inputs[0], node)


def binary(function):
    return lambda node, inputs, like, batch: function(*inputs)


OPS = {
    # Layers.
    "linear": lambda node, inputs, like, batch: F.linear(*inputs),
    "batch_norm": batch_norm,
    "pixel_norm": unary(lambda x, node: x / (x.square().mean(1, keepdim=True) + node["epsilon"]).sqrt()),
    "minibatch_std": minibatch_std,
    "avg_pool": unary(lambda x, node: F.avg_pool2d(x, node["factor"])),
    "upsample_nearest": unary(lambda x, node: F.interpolate(x, scale_factor=node["factor"], mode="nearest")),
    "conv2d": conv2d,
    "conv_transpose2d": conv_transpose2d,
    "conv_transpose2d_to": conv_transpose2d,
    "add_channel": binary(lambda x, b: x + per_channel(x, b)),
    "mul_channel": binary(lambda x, s: x * per_channel(x, s)),
    "reshape": unary(lambda x, node: x.reshape(x.shape[0], *node["shape"])),
    "narrow": unary(lambda x, node: x.narrow(node["axis"], node["start"], node["len"])),
    "broadcast": lambda node, inputs, like, batch: inputs[0].expand(like.shape),
    # Primitives.
    "select": binary(lambda condition, a, b: torch.where(condition != 0, a, b)),
    "fill": lambda node, inputs, like, batch: torch.full(lengths(node["shape"], batch), node["value"]),
    "reduce": reduce,
    "centred_squares": lambda node, inputs, like, batch: (inputs[0] - inputs[1]).square().sum(node["axes"], keepdim=True),
    "divide_by_count": divide_by_count,
    "broadcast_to": lambda node, inputs, like, batch: inputs[0].expand(lengths(node["shape"], batch)),
    "permute": unary(lambda x, node: x.permute(node["axes"])),
    "reshape_to": lambda node, inputs, like, batch: inputs[0].reshape(lengths(node["shape"], batch)),
    "slice": unary(taken),
    "embed": embed,
    "concat": lambda node, inputs, like, batch: torch.cat(inputs, node["axis"]),
    "gather": gather,
    "mat_mul": mat_mul,
    "window_max": window_max,
    "along": along,
    "stop_gradient": unary(lambda x, node: x.detach()),
    # Functions of one number.
    "abs": unary(lambda x, node: x.abs()),
    "sign": unary(lambda x, node: x.sign()),
    "floor": unary(lambda x, node: x.floor()),
    "ceil": unary(lambda x, node: x.ceil()),
    "round": unary(lambda x, node: x.round()),
    "exp": unary(lambda x, node: x.exp()),
    "log": unary(lambda x, node: x.log()),
    "sqrt": unary(lambda x, node: x.sqrt()),
    "recip": unary(lambda x, node: 1 / x),
    "sin": unary(lambda x, node: x.sin()),
    "cos": unary(lambda x, node: x.cos()),
    "tanh": unary(lambda x, node: x.tanh()),
    "sigmoid": unary(lambda x, node: x.sigmoid()),
    "softplus": unary(lambda x, node: F.softplus(x)),
    "erf": unary(lambda x, node: x.erf()),
    "relu": unary(lambda x, node: x.relu()),
    "leaky_relu": unary(lambda x, node: F.leaky_relu(x, node["slope"])),
    "elu": unary(lambda x, node: F.elu(x, node["alpha"])),
    "clamp": unary(lambda x, node: x.clamp(node["min"], node["max"])),
    "scale": unary(lambda x, node: x * node["factor"]),
    "add_scalar": unary(lambda x, node: x + node["term"]),
    # Functions of two numbers.
    "add": binary(torch.add),
    "sub": binary(torch.sub),
    "mul": binary(torch.mul),
    "div": binary(torch.div),
    "pow": binary(torch.pow),
    "min": binary(torch.minimum),
    "max": binary(torch.maximum),
    "equal": binary(lambda a, b: (a == b).float()),
    "less": binary(lambda a, b: (a < b).float()),
    "less_equal": binary(lambda a, b: (a <= b).float()),
}
