#!/usr/bin/env python3
"""Runs what `ganatomy` exports in ONNX Runtime and in PyTorch, and compares it with what `ganatomy` gives.

    cargo run -p ganatomy-export --example cases OUT
    python scripts/check-export.py OUT

Each folder of OUT holds model.onnx, model.safetensors, x.npy and y.npy. The figure is max|a - b| / max|b|. Needs numpy, onnx, onnxruntime, torch and
safetensors. Exits with 1 where a figure is above 1e-5.
"""

import importlib.util
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch

BOUND = 1e-5
ROOT = Path(__file__).resolve().parent.parent


def loader():
    path = ROOT / "crates/export/src/pytorch/ganatomy_torch.py"
    spec = importlib.util.spec_from_file_location("ganatomy_torch", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load


def in_onnx(folder, x):
    path = str(folder / "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def in_torch(folder, x, load=loader()):
    with torch.no_grad():
        return load(folder)(torch.from_numpy(x)).numpy()


def main():
    onnxruntime.set_default_logger_severity(3)
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/y.npy"))
    if not folders:
        sys.exit(f"{sys.argv[1]}: no folder with y.npy")
    worst, failed = {}, 0
    for folder in folders:
        x, y = numpy.load(folder / "x.npy"), numpy.load(folder / "y.npy")
        for name, run in [("ONNX Runtime", in_onnx), ("PyTorch", in_torch)]:
            given = run(folder, x)
            same = given.shape == y.shape
            off = float(numpy.abs(given - y).max() / max(numpy.abs(y).max(), 1e-9)) if same else float("inf")
            worst[name] = max(worst.get(name, 0.0), off)
            if off > BOUND:
                failed += 1
                print(f"{folder.name}: {name} is off by {off:.2g} of the largest value (shapes {given.shape}, {y.shape})")
    for name, off in worst.items():
        print(f"{name}: {len(folders)} networks, off by {off:.2g} at most")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
