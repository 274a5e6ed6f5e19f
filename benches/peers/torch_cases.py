#!/usr/bin/env python3
"""The cases of this crate in PyTorch, under the same names: the other side of compare.py.

    pip install torch numpy
    python torch_cases.py [--filter F] [--seconds S] [--threads N] [--bf16] [--channels-last] [--list | --stdin]

Prints one line about the engine, then one JSON line for each case, like the crate's own runner. Networks, batches and
order of computation are those of plain training code; nothing is shared that such code would not share.
"""
import json
import sys

import torch
from torch import nn
from torch.nn import functional

import brought
import networks
import shipped
import timing

SETTINGS = [(64, 64), (64, 128), (32, 128)]  # batch, width
LATENT = 100
EVALUATION = 256
GAMMA = 1e-4


def uniform(*shape):
    return torch.rand(*shape) * 2 - 1


class Bench:
    """Makes the cases; what a case needs is made when it is asked for."""

    def __init__(self, bf16, channels_last, folder):
        self.bf16, self.folder = bf16, folder
        self.layout = torch.channels_last if channels_last else torch.contiguous_format

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bf16)

    def maps(self, *shape):
        """Maps or kernels as a layer gets them: in the precision and order in memory that were asked for."""
        made = uniform(*shape).to(memory_format=self.layout)
        return made.bfloat16() if self.bf16 else made

    def vector(self, n):
        return uniform(n).bfloat16() if self.bf16 else uniform(n)

    def cases(self):
        """Name and maker of each case; a maker returns a function that does the work once."""
        found = {}
        for batch, width in SETTINGS:
            tag = f"b{batch}w{width}"
            # Kind, name, channels in and out, side of the input, bias.
            layers = [
                ("conv", "d0", 3, width, 32, True),
                ("conv", "d1", width, 2 * width, 16, False),
                ("conv", "d2", 2 * width, 4 * width, 8, False),
                ("deconv", "g1", 4 * width, 2 * width, 4, True),
                ("deconv", "g2", 2 * width, width, 8, True),
                ("deconv", "g3", width, 3, 16, True),
            ]
            for kind, name, *shape in layers:
                for wanted in ("forward", "input-gradient", "weight-gradient"):
                    make = self.maker(self.convolution, kind == "deconv", wanted, batch, *shape)
                    found[f"{kind}/{name}/{wanted}/{tag}"] = make
            for wanted in ("forward", "weight-gradient"):
                found[f"linear/g0/{wanted}/{tag}"] = self.maker(self.linear, wanted, batch, LATENT, 64 * width)
            for name, channels, side in (("d1", 2 * width, 8), ("d2", 4 * width, 4)):
                for wanted in ("forward", "backward"):
                    make = self.maker(self.norm, wanted, batch, channels, side)
                    found[f"norm/{name}/{wanted}/{tag}"] = make
            found[f"step/g/{tag}"] = self.maker(self.step_g, batch, width)
            found[f"step/d/{tag}"] = self.maker(self.step_d, batch, width)
        for width in (64, 128):
            found[f"adam/g/w{width}"] = self.maker(self.adam, generator, width)
            found[f"adam/d/w{width}"] = self.maker(self.adam, discriminator, width)
        found["generation/paper/b32w128"] = self.maker(self.generation, 32, 128)
        for side in (8, 16, 32):
            for form in ("per-label", "matmul"):
                found[f"tally/{form}/u512s{side}"] = self.maker(self.tally, form, 512, side)
        for case in shipped.names():
            name, batch = shipped.wanted(case)
            found[case] = self.maker(self.infer, lambda name=name: shipped_network(name), batch)
        for case in brought.names(self.folder):
            name, batch = brought.wanted(case)
            found[case] = self.maker(self.infer, lambda name=name: networks.make(name), batch)
        return found

    @staticmethod
    def maker(function, *arguments):
        return lambda: function(*arguments)

    def convolution(self, transposed, wanted, batch, inputs, outputs, side, bias):
        after = side * 2 if transposed else side // 2
        x, dy = self.maps(batch, inputs, side, side), self.maps(batch, outputs, after, after)
        w = self.maps(inputs, outputs, 4, 4) if transposed else self.maps(outputs, inputs, 4, 4)
        if wanted == "forward":
            b = self.vector(outputs) if bias else None
            function = functional.conv_transpose2d if transposed else functional.conv2d
            return lambda: function(x, w, b, 2, 1)
        # Only the gradient that is asked for: (input, weight, bias).
        mask = [wanted == "input-gradient", wanted == "weight-gradient", False]
        backward = torch.ops.aten.convolution_backward
        return lambda: backward(dy, x, w, None, [2, 2], [1, 1], [1, 1], transposed, [0, 0], 1, mask)

    def linear(self, wanted, batch, inputs, outputs):
        kind = torch.bfloat16 if self.bf16 else torch.float32
        x, w, dy = (uniform(*s).to(kind) for s in ((batch, inputs), (outputs, inputs), (batch, outputs)))
        return (lambda: x @ w.t()) if wanted == "forward" else (lambda: dy.t() @ x)

    def norm(self, wanted, batch, channels, side):
        x, dy = self.maps(batch, channels, side, side), self.maps(batch, channels, side, side)
        scale, shift = torch.ones(channels), torch.zeros(channels)
        mean, variance = torch.zeros(channels), torch.ones(channels)

        def forward():
            return torch.ops.aten.native_batch_norm(x, scale, shift, mean, variance, True, 0.1, 1e-5)

        if wanted == "forward":
            return forward
        _, kept_mean, kept_deviation = forward()
        backward = torch.ops.aten.native_batch_norm_backward
        return lambda: backward(
            dy, x, scale, mean, variance, kept_mean, kept_deviation, True, 1e-5, [True, True, True]
        )

    def adam(self, network, width):
        parameters = list(network(width).parameters())
        for p in parameters:
            p.grad = p.detach() * 0.1
        optimizer = adam(parameters)

        def step():
            with torch.enable_grad():
                optimizer.step()

        return step

    def networks(self, width):
        return generator(width).to(memory_format=self.layout), discriminator(width).to(memory_format=self.layout)

    def images(self, n):
        return uniform(n, 3, 32, 32).to(memory_format=self.layout)

    def step_g(self, batch, width):
        """The mutation `heuristic`: D's weights take no gradient."""
        g, d = self.networks(width)
        d.requires_grad_(False)
        optimizer = adam(g.parameters())

        def step():
            with torch.enable_grad(), self.autocast():
                optimizer.zero_grad()
                heuristic(d(g(uniform(batch, LATENT)))).backward()
                optimizer.step()

        return step

    def step_d(self, batch, width):
        """Given fakes."""
        _, d = self.networks(width)
        optimizer = adam(d.parameters())
        real, fake = self.images(batch), self.images(batch)

        def step():
            with torch.enable_grad(), self.autocast():
                optimizer.zero_grad()
                d_loss(d(real), d(fake)).backward()
                optimizer.step()

        return step

    def infer(self, make, batch):
        """A network in inference."""
        network, shape = make()
        network = network.eval().to(memory_format=self.layout)
        x = torch.randn(batch, *shape)
        x = x.to(memory_format=self.layout) if x.dim() == 4 else x

        def step():
            with torch.inference_mode(), self.autocast():
                network(x)

        return step

    def tally(self, form, units, side, pixels=128, labels=64, level=2.0):
        """Pixels of each unit above its level and in each label, on one image: GAN Dissection. Always f32: a half cannot
        count to 2,049."""
        maps, levels = torch.randn(units, side, side), torch.full((units, 1, 1), level)
        patches = torch.randint(0, 12, (8, 8)) * 5
        classes = patches.repeat_interleave(pixels // 8, 0).repeat_interleave(pixels // 8, 1).flatten()

        def above():
            larger = functional.interpolate(maps[None], size=(pixels, pixels), mode="bilinear", align_corners=False)[0]
            return (larger > levels).flatten(1)

        def per_label():
            on = above()
            both = torch.zeros(units, labels)
            for label in classes.unique():
                inside = classes == label
                both[:, label] = on[:, inside].sum(1).float()
            return both, on.sum(1)

        def matmul():
            on = above().float()
            return on @ functional.one_hot(classes, labels).float(), on.sum(1)

        return per_label if form == "per-label" else matmul

    def generation(self, batch, width, d_steps=3):
        """One parent, three children, the fittest survives, D learns from its images: as published. Each mutation has
        noise and passes of its own, each child is judged on fresh noise, and each judgement takes D's gradient on the
        reals anew."""
        g, d = self.networks(width)
        of_g, of_d = adam(g.parameters()), adam(d.parameters())
        reals, judges = self.images(batch * d_steps), self.images(EVALUATION)

        def mutate(parent, mutation):
            g.load_state_dict(parent[0])
            of_g.load_state_dict(parent[1])
            d.requires_grad_(False)
            of_g.zero_grad()
            mutation(d(g(uniform(batch, LATENT)))).backward()
            of_g.step()
            d.requires_grad_(True)

        def judge():
            with torch.no_grad():
                fakes = g(uniform(EVALUATION, LATENT))
            on_fakes = d(fakes)
            gradients = torch.autograd.grad(d_loss(d(judges), on_fakes), list(d.parameters()))
            length = torch.stack([part.float().square().sum() for part in gradients]).sum().sqrt()
            return (torch.sigmoid(on_fakes.detach()).mean() - GAMMA * length.log()).item(), fakes

        def step():
            with torch.enable_grad(), self.autocast():
                parent = state(g, of_g)
                fittest = None
                for mutation in (minimax, heuristic, least_squares):
                    mutate(parent, mutation)
                    fitness, fakes = judge()
                    if fittest is None or fitness > fittest[0]:
                        fittest = fitness, fakes, state(g, of_g)
                g.load_state_dict(fittest[2][0])
                of_g.load_state_dict(fittest[2][1])
                pool = fittest[1][torch.randperm(EVALUATION)]
                for real, fake in zip(reals.split(batch), pool.split(batch)):
                    of_d.zero_grad()
                    d_loss(d(real), d(fake)).backward()
                    of_d.step()

        return step


def shipped_network(name):
    """A shipped network, and the shape of one input."""
    network = Shipped(name)
    return network, network.shape


class Shipped(nn.Module):
    """A network from its file: modules with weights, and functions between them."""

    def __init__(self, name):
        super().__init__()
        self.nodes, tensors = shipped.read(name)
        self.shape = shipped.input_shape(self.nodes)
        self.layers = nn.ModuleDict()
        for node in self.nodes:
            kind, weights = node["op"], [torch.tensor(tensors[i]) for i in node.get("inputs", []) if i in tensors]
            if kind == "batch_norm":
                layer = nn.BatchNorm2d(len(weights[0]), node["epsilon"])
                parts = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
            elif kind in ("conv2d", "conv_transpose2d"):
                first, second, *kernel = weights[0].shape
                transposed = kind == "conv_transpose2d"
                make = nn.ConvTranspose2d if transposed else nn.Conv2d
                ends = (first, second) if transposed else (second, first)
                layer = make(*ends, kernel, node["conv"]["stride"], node["conv"]["padding"], bias=len(weights) > 1)
                parts = (layer.weight, layer.bias)
            else:
                continue
            for part, value in zip(parts, weights):
                part.data.copy_(value)
            self.layers[node["name"].replace(".", "_")] = layer

    def forward(self, x):
        values = {}
        for node in self.nodes:
            kind, name = node["op"], node["name"]
            read = [values[i] for i in node.get("inputs", []) if i in values]
            if kind == "input":
                values[name] = x
            elif kind == "reshape":
                values[name] = read[0].reshape(-1, *node["shape"])
            elif kind == "concat":
                values[name] = torch.cat(read, node.get("axis", 1))
            elif kind == "relu":
                values[name] = functional.relu(read[0])
            elif kind == "tanh":
                values[name] = torch.tanh(read[0])
            elif kind != "param":
                values[name] = self.layers[name.replace(".", "_")](read[0])
        return values[name]


def generator(width):
    return nn.Sequential(
        nn.Linear(LATENT, 64 * width),
        nn.Unflatten(1, (4 * width, 4, 4)),
        nn.ReLU(),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(width, 3, 4, 2, 1),
        nn.Tanh(),
    )


def discriminator(width):
    return nn.Sequential(
        nn.Conv2d(3, width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(4 * width),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(64 * width, 1),
    )


def adam(parameters):
    return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999))


def state(network, optimizer):
    """A copy of weights and moments: the steps that follow write in place."""

    def copied(value):
        if isinstance(value, torch.Tensor):
            return value.clone()
        if isinstance(value, dict):
            return {key: copied(inner) for key, inner in value.items()}
        return [copied(inner) for inner in value] if isinstance(value, list) else value

    return copied(dict(network.state_dict())), copied(optimizer.state_dict())


def minimax(logits):
    return functional.logsigmoid(-logits).mean()


def heuristic(logits):
    return functional.softplus(-logits).mean()


def least_squares(logits):
    return (torch.sigmoid(logits) - 1).square().mean()


def d_loss(real, fake):
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def main():
    parser = timing.parser(__doc__, "PyTorch's own")
    parser.add_argument("--bf16", action="store_true", help="PyTorch's mixed precision")
    parser.add_argument("--channels-last", action="store_true", help="channels innermost in memory")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    # A D that becomes sure makes numbers so small that they are slow; they are not what is measured.
    torch.set_flush_denormal(True)
    torch.set_grad_enabled(False)
    cases = Bench(arguments.bf16, arguments.channels_last, arguments.networks).cases()

    def say(line):
        print(json.dumps(line), flush=True)

    def run(name):
        if name not in cases:
            return say({"case": name, "error": "there is no such case"})
        try:
            with torch.enable_grad():
                step = cases[name]()
            seconds, repeats = timing.measure(step, arguments.seconds)
        except (RuntimeError, NotImplementedError) as error:
            return say({"case": name, "error": str(error).partition("\n")[0]})
        say({"case": name, "seconds": seconds, "repeats": repeats})

    chosen = timing.chosen(cases, arguments.filter)
    if arguments.list:
        print("\n".join(chosen))
        return
    say(
        {
            "engine": f"PyTorch {torch.__version__.partition('+')[0]}",
            "threads": torch.get_num_threads(),
            "instructions": torch.backends.cpu.get_cpu_capability().lower(),
            "precision": "bf16" if arguments.bf16 else "f32",
            "layout": "channels last" if arguments.channels_last else "channels first",
        }
    )
    for name in (line.strip() for line in sys.stdin) if arguments.stdin else chosen:
        run(name)


if __name__ == "__main__":
    main()
