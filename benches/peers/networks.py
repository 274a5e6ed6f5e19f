#!/usr/bin/env python3
"""Networks that people bring, written down in PyTorch with random weights, and their ONNX files: the cases `network/` of all sides.

    pip install torch onnx numpy
    python networks.py DIR

Each is as its paper and its usual code have it: ProGAN at 256 pixels with the widths of GAN Dissection, StyleGAN2 at 256 pixels (configuration F,
modulation as scales of inputs and outputs, fixed noise), ESPNet for CamVid, ResNet-50, and the Inception network of FID without its last layer.
"""
import pathlib
import sys
import warnings

import torch
from torch import nn
from torch.nn import functional


class Normed(nn.Module):
    """Numbers of one cell over their root mean square."""

    def forward(self, x):
        return x / torch.sqrt(x.square().mean(1, keepdim=True) + 1e-8)


class ScaledConv(nn.Module):
    """A convolution with weights of variance 1, whose inputs are scaled instead, and its bias: equalised learning rate."""

    def __init__(self, before, after, size, padding):
        super().__init__()
        self.conv = nn.Conv2d(before, after, size, padding=padding, bias=False)
        self.scale = nn.Parameter(torch.tensor((2 / (before * size * size)) ** 0.5))
        self.b = nn.Parameter(torch.randn(after) / 8)
        nn.init.normal_(self.conv.weight)

    def forward(self, x):
        return self.conv(x) * self.scale + self.b[None, :, None, None]


def progan():
    """Pixel norm, then two convolutions of 3x3 at each size; the first covers the smallest map."""
    widths = {8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64}
    layers = [Normed(), ScaledConv(512, 512, 4, 3), nn.LeakyReLU(0.2), Normed()]
    layers += [ScaledConv(512, 512, 3, 1), nn.LeakyReLU(0.2), Normed()]
    width = 512
    for after in widths.values():
        layers += [nn.UpsamplingNearest2d(scale_factor=2), ScaledConv(width, after, 3, 1), nn.LeakyReLU(0.2), Normed()]
        layers += [ScaledConv(after, after, 3, 1), nn.LeakyReLU(0.2), Normed()]
        width = after
    return nn.Sequential(*layers, ScaledConv(width, 3, 1, 0)), (512, 1, 1)


class Dense(nn.Module):
    """A linear layer with scaled weights."""

    def __init__(self, before, after, bias=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / before**0.5)
        self.bias = nn.Parameter(torch.full((after,), bias))

    def forward(self, x):
        return functional.linear(x, self.weight, self.bias)


class Filtered(nn.Module):
    """Each map through the filter (1, 3, 3, 1) in both directions, enlarged by what `padding` says."""

    def __init__(self, channels, padding):
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("kernel", (torch.outer(taps, taps) / 16).repeat(channels, 1, 1, 1))
        self.padding, self.channels = padding, channels

    def forward(self, x):
        return functional.conv2d(functional.pad(x, self.padding), self.kernel, groups=self.channels)


class Modulated(nn.Module):
    """A convolution whose inputs are scaled by a style and whose outputs, if wanted, have variance 1 again."""

    def __init__(self, before, after, size, up=False, demodulate=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, size, size) / (before * size * size) ** 0.5)
        self.style = Dense(512, before, 1.0)
        self.filter = Filtered(after, (1, 1, 1, 1)) if up else None
        self.demodulate = demodulate

    def forward(self, x, w):
        style = self.style(w)
        x = x * style[:, :, None, None]
        if self.filter:
            x = self.filter(functional.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2))
        else:
            x = functional.conv2d(x, self.weight, padding=self.weight.shape[2] // 2)
        if self.demodulate:
            squares = functional.linear(style.square(), self.weight.square().sum((2, 3)))
            x = x * torch.rsqrt(squares + 1e-8)[:, :, None, None]
        return x


class Styled(nn.Module):
    """A modulated convolution, noise, bias, activation."""

    def __init__(self, before, after, side, up=False):
        super().__init__()
        self.conv = Modulated(before, after, 3, up)
        self.noise = nn.Parameter(torch.randn(1, 1, side, side))
        self.strength = nn.Parameter(torch.tensor(0.1))
        self.bias = nn.Parameter(torch.randn(after) / 8)

    def forward(self, x, w):
        x = self.conv(x, w) + self.noise * self.strength + self.bias[None, :, None, None]
        return functional.leaky_relu(x, 0.2) * 2**0.5


class StyleGan(nn.Module):
    def __init__(self):
        super().__init__()
        widths = {8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128}
        self.mapping = nn.ModuleList(Dense(512, 512) for _ in range(8))
        self.start = nn.Parameter(torch.randn(1, 512, 4, 4))
        self.first = Styled(512, 512, 4)
        self.colours = nn.ModuleList([Modulated(512, 3, 1, demodulate=False)])
        self.register_buffer("spread", torch.ones(3, 1, 1, 1))
        self.filter = Filtered(3, (2, 1, 2, 1))
        self.layers, width = nn.ModuleList(), 512
        for side, after in widths.items():
            self.layers.append(Styled(width, after, side, up=True))
            self.layers.append(Styled(after, after, side))
            self.colours.append(Modulated(after, 3, 1, demodulate=False))
            width = after

    def forward(self, z):
        w = Normed()(z)
        for layer in self.mapping:
            w = functional.leaky_relu(layer(w), 0.2) * 2**0.5
        x = self.first(self.start.expand(z.shape[0], -1, -1, -1), w)
        image = self.colours[0](x, w)
        for level, colour in enumerate(self.colours[1:]):
            x = self.layers[2 * level](x, w)
            x = self.layers[2 * level + 1](x, w)
            spread = functional.conv_transpose2d(image, self.spread, stride=2, output_padding=1, groups=3)
            image = self.filter(spread) + colour(x, w)
        return image


def stylegan2():
    return StyleGan(), (512,)


class Pyramid(nn.Module):
    """Convolutions of one input whose taps lie 1, 2, 4, 8 and 16 cells apart, added up from the second on."""

    def __init__(self, before, after, stride=1, skip=True):
        super().__init__()
        n = after // 5
        size = 3 if stride == 2 else 1
        self.c1 = nn.Conv2d(before, n, size, stride, padding=size // 2, bias=False)
        of = lambda width, d: nn.Conv2d(n, width, 3, padding=d, dilation=d, bias=False)
        self.d1 = of(after - 4 * n, 1)
        self.wide = nn.ModuleList(of(n, d) for d in (2, 4, 8, 16))
        self.end = norm_prelu(after)
        self.skip = skip and stride == 1

    def forward(self, x):
        r = self.c1(x)
        parts, total = [self.d1(r)], None
        for layer in self.wide:
            total = layer(r) if total is None else total + layer(r)
            parts.append(total)
        y = torch.cat(parts, 1)
        return self.end(y + x if self.skip else y)


def norm_prelu(width):
    return nn.Sequential(nn.BatchNorm2d(width, eps=1e-3), nn.PReLU(width))


class EspNet(nn.Module):
    def __init__(self, classes=12):
        super().__init__()
        conv = lambda before, after, size, stride=1: nn.Conv2d(before, after, size, stride, size // 2, bias=False)
        up = lambda: nn.ConvTranspose2d(classes, classes, 2, 2, bias=False)
        self.pool = nn.AvgPool2d(3, 2, 1)
        self.level1 = nn.Sequential(conv(3, 16, 3, 2), norm_prelu(16))
        self.b1 = norm_prelu(19)
        self.down2, self.level2 = Pyramid(19, 64, 2), nn.Sequential(*(Pyramid(64, 64) for _ in range(2)))
        self.b2 = norm_prelu(131)
        self.down3, self.level3 = Pyramid(131, 128, 2), nn.Sequential(*(Pyramid(128, 128) for _ in range(8)))
        self.b3 = norm_prelu(256)
        self.k2, self.br, self.u3 = conv(256, classes, 1), nn.BatchNorm2d(classes, eps=1e-3), up()
        self.k1, self.m, self.fuse = conv(131, classes, 1), norm_prelu(24), Pyramid(24, 12, skip=False)
        self.u2 = nn.Sequential(up(), norm_prelu(classes))
        self.conv = nn.Sequential(conv(classes + 19, classes, 3), norm_prelu(classes))
        self.last = up()

    def forward(self, x):
        p1 = self.pool(x)
        p2 = self.pool(p1)
        c0 = self.b1(torch.cat([self.level1(x), p1], 1))
        d1 = self.down2(c0)
        c1 = self.b2(torch.cat([self.level2(d1), d1, p2], 1))
        d2 = self.down3(c1)
        c2 = self.b3(torch.cat([d2, self.level3(d2)], 1))
        m = self.m(torch.cat([self.k1(c1), self.u3(self.br(self.k2(c2)))], 1))
        return self.last(self.conv(torch.cat([self.u2(self.fuse(m)), c0], 1)))


def espnet():
    return EspNet(), (3, 360, 480)


def conv_norm(before, after, size, stride=1, padding=None, eps=1e-5):
    padding = size // 2 if padding is None else padding
    return nn.Sequential(nn.Conv2d(before, after, size, stride, padding, bias=False), nn.BatchNorm2d(after, eps=eps))


class Bottleneck(nn.Module):
    def __init__(self, before, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(before, width, 1), nn.ReLU(), conv_norm(width, width, 3, stride), nn.ReLU(), conv_norm(width, 4 * width, 1)
        )
        same = stride == 1 and before == 4 * width
        self.beside = nn.Identity() if same else conv_norm(before, 4 * width, 1, stride)

    def forward(self, x):
        return functional.relu(self.body(x) + self.beside(x))


def resnet50():
    layers = [conv_norm(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    before = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            layers.append(Bottleneck(before, width, 2 if block == 0 and width > 64 else 1))
            before = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000)), (3, 224, 224)


def basic(before, after, size, stride=1, padding=None):
    """Convolution, norm, ReLU; `size` is a number or height and width."""
    size = (size, size) if isinstance(size, int) else size
    padding = tuple(side // 2 for side in size) if padding is None else padding
    norm = nn.BatchNorm2d(after, eps=1e-3)
    return nn.Sequential(nn.Conv2d(before, after, size, stride, padding, bias=False), norm, nn.ReLU())


class Beside(nn.Module):
    """Branches side by side."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def chain(before, *layers):
    """Layers of (width, size, stride, padding), the last two as usual where they are left out."""
    made = []
    for width, *rest in layers:
        made.append(basic(before, width, *rest))
        before = width
    return nn.Sequential(*made)


def inception():
    """The network of 2015 to the features of FID. Means leave out what lies outside of the map; the last pool takes maxima."""
    means = lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    halved = lambda: nn.MaxPool2d(3, 2)

    def a(before, pool):
        return Beside(
            chain(before, (64, 1)),
            chain(before, (48, 1), (64, 5)),
            chain(before, (64, 1), (96, 3), (96, 3)),
            nn.Sequential(means(), basic(before, pool, 1)),
        )

    def c(wide):
        across, down = (1, 7), (7, 1)
        return Beside(
            chain(768, (192, 1)),
            chain(768, (wide, 1), (wide, across), (192, down)),
            chain(768, (wide, 1), (wide, down), (wide, across), (wide, down), (192, across)),
            nn.Sequential(means(), basic(768, 192, 1)),
        )

    def e(before, pool):
        both = lambda: Beside(basic(384, 384, (1, 3)), basic(384, 384, (3, 1)))
        return Beside(
            chain(before, (320, 1)),
            nn.Sequential(basic(before, 384, 1), both()),
            nn.Sequential(chain(before, (448, 1), (384, 3)), both()),
            nn.Sequential(pool, basic(before, 192, 1)),
        )

    return nn.Sequential(
        chain(3, (32, 3, 2, 0), (32, 3, 1, 0), (64, 3)),
        halved(),
        chain(64, (80, 1), (192, 3, 1, 0)),
        halved(),
        *(a(192, 32), a(256, 64), a(288, 64)),
        Beside(chain(288, (384, 3, 2, 0)), chain(288, (64, 1), (96, 3), (96, 3, 2, 0)), halved()),
        *(c(wide) for wide in (128, 160, 160, 192)),
        Beside(chain(768, (192, 1), (320, 3, 2, 0)), chain(768, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, 0)), halved()),
        *(e(1280, means()), e(2048, nn.MaxPool2d(3, 1, 1))),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ), (3, 299, 299)


NETWORKS = {"progan256": progan, "stylegan2-256": stylegan2, "espnet": espnet, "resnet50": resnet50, "inception": inception}


def make(name):
    """A network with random weights, the same each time, and the shape of one input. Running statistics are those of some inputs: with
    others, numbers would grow or vanish from layer to layer."""
    torch.manual_seed(0)
    network, shape = NETWORKS[name]()
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    if norms:
        for layer in norms:
            layer.momentum = None
        with torch.no_grad():
            network.train()(torch.randn(2, *shape))
    return network.eval(), shape


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for name in NETWORKS:
        network, shape = make(name)
        path = folder / f"{name}.onnx"
        x = torch.randn(2, *shape)
        with torch.no_grad():
            y = network(x)
            torch.onnx.export(
                network, (x,), str(path), dynamo=False, opset_version=17, input_names=["x"], output_names=["y"],
                dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
            )
        parameters = sum(p.numel() for p in network.parameters())
        print(f"{path}: {parameters:,} parameters, {tuple(x.shape)} to {tuple(y.shape)}, spread {y.std():.3g}")


if __name__ == "__main__":
    main()
