#!/usr/bin/env python3
"""The cases `figures/` in NumPy and SciPy, under the same names: another side for compare.py.

    pip install numpy scipy
    python figures_cases.py [--filter F] [--seconds S] [--threads N] [--list | --stdin]

The distance is computed in three ways: with SciPy's root of the product, as pytorch-fid and the published program do; with
NumPy's eigenvalues of the product, as torch-fidelity does; and with the eigenvalues of a symmetric matrix, the best that we
know here. The kernel distance is that of torch-fidelity, in f64.
"""
import json
import os
import sys

import timing

WIDTH, IMAGES, SUBSET, HIDDEN = 2048, 4096, 1000, 24
# Subsets, and images of a set of which they are drawn.
KERNELS = [(100, 5000), (4, 20000)]
NAMES = [
    *(f"figures/fid-{form}/d{WIDTH}" for form in ("sqrtm", "eigvals", "eigvalsh")),
    f"figures/moments/d{WIDTH}n{IMAGES}",
    *(f"figures/kid/d{WIDTH}s{subsets}x{SUBSET}n{images}" for subsets, images in KERNELS),
]


def features(numpy, images, seed, shift):
    """As a network ends: sums of what lies before, nothing below 0."""
    mix = 0.2 * numpy.random.default_rng(0).standard_normal((HIDDEN, WIDTH))
    draw = numpy.random.default_rng(seed)
    hidden = draw.standard_normal((images, HIDDEN)) + shift
    sums = 0.4 + hidden @ mix + 0.3 * draw.standard_normal((images, WIDTH))
    return numpy.maximum(sums, 0).astype(numpy.float32)


def statistics(numpy, images):
    values = images.astype(numpy.float64)
    return values.mean(axis=0), numpy.cov(values, rowvar=False)


def root(numpy, linalg, form, a, b):
    """The trace of the root of a times b."""
    if form == "sqrtm":
        return linalg.sqrtm(a @ b).real.trace()
    if form == "eigvals":
        return numpy.sqrt(numpy.linalg.eigvals(a @ b).astype(numpy.complex128)).real.sum()
    values, vectors = linalg.eigh(a)
    half = (vectors * numpy.sqrt(values.clip(0))) @ vectors.T
    return numpy.sqrt(linalg.eigvalsh(half @ b @ half).clip(0)).sum()


def kernel_distance(numpy, x, y):
    x, y = x.astype(numpy.float64), y.astype(numpy.float64)
    of = lambda a, b: (a @ b.T / WIDTH + 1) ** 3
    xx, yy, xy = of(x, x), of(y, y), of(x, y)
    n = len(x)
    own = (xx.sum() - numpy.trace(xx) + yy.sum() - numpy.trace(yy)) / (n * (n - 1))
    return own - 2 * xy.mean()


def prepare(numpy, linalg, case):
    form = case.split("/")[1]
    if form == "moments":
        images = features(numpy, IMAGES, 1, 0.0)
        return lambda: statistics(numpy, images)
    if form == "kid":
        subsets, images = next(pair for pair in KERNELS if case.endswith(f"s{pair[0]}x{SUBSET}n{pair[1]}"))
        x, y, draw = features(numpy, images, 2, 0.1), features(numpy, images, 1, 0.0), numpy.random.default_rng(3)
        subset = lambda of: of[draw.choice(len(of), SUBSET, replace=False)]
        return lambda: [kernel_distance(numpy, subset(x), subset(y)) for _ in range(subsets)]
    (m1, s1), (m2, s2) = (statistics(numpy, features(numpy, IMAGES, seed, shift)) for seed, shift in ((2, 0.1), (1, 0.0)))
    trace = numpy.trace
    form = form.removeprefix("fid-")
    return lambda: ((m1 - m2) ** 2).sum() + trace(s1) + trace(s2) - 2 * root(numpy, linalg, form, s1, s2)


def main():
    arguments = timing.parser(__doc__, "the libraries' own").parse_args()
    chosen = timing.chosen(NAMES, arguments.filter)
    if arguments.list:
        print("\n".join(chosen))
        return
    if arguments.threads:
        for library in ("OMP", "OPENBLAS", "MKL"):
            os.environ[f"{library}_NUM_THREADS"] = str(arguments.threads)
    # After the number of threads: libraries read it once.
    import numpy
    import scipy
    import scipy.linalg

    engine = f"NumPy {numpy.__version__} and SciPy {scipy.__version__}"
    print(json.dumps({"engine": engine, "threads": arguments.threads or os.cpu_count()}), flush=True)
    for case in (line.strip() for line in sys.stdin) if arguments.stdin else chosen:
        seconds, repeats = timing.measure(prepare(numpy, scipy.linalg, case), arguments.seconds)
        print(json.dumps({"case": case, "seconds": seconds, "repeats": repeats}), flush=True)


if __name__ == "__main__":
    main()
