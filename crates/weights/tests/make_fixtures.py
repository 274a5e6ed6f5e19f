"""Writes the files of `fixtures/` with PyTorch and NumPy, and what is in them by PyTorch's own reading (`expected.json`).

    python make_fixtures.py

Written with Python 3.11, torch 2.15 and NumPy 2.4. Values follow from names, so that the files are small and say nothing.
"""

import io
import json
import pickle
import struct
import tarfile
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path
from unittest import mock

import numpy as np
import torch

warnings.filterwarnings("ignore")
HERE = Path(__file__).parent / "fixtures"
EXPECTED = {}


def numbers(*shape, dtype=torch.float32, start=0):
    count = int(np.prod(shape)) if shape else 1
    values = torch.arange(start, start + count) * 37 % 101 - 50
    if dtype == torch.bool:
        values = values % 2
    if dtype in (torch.uint8, torch.uint16, torch.uint32, torch.uint64):
        values = values.abs()
    return values.to(dtype).reshape(shape)


def said(key, state_dict, unread=()):
    """What a reader must find: key, name, type, shape, bytes (None where they are not read)."""
    rows = []
    for name, tensor in state_dict.items():
        if not isinstance(tensor, torch.Tensor):
            continue
        dtype = str(tensor.dtype).removeprefix("torch.")
        if name in unread:
            rows.append([key, name, dtype, list(tensor.shape), None])
            continue
        flat = tensor.detach().contiguous().reshape(-1)
        data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        rows.append([key, name, dtype, list(tensor.shape), data.hex()])
    return rows


def expect(name, *dicts, container):
    EXPECTED[name] = {"container": container, "tensors": [row for rows in dicts for row in rows]}


def kinds(legacy=False):
    base = numbers(3, 4)
    tied = numbers(5, start=3)
    state = OrderedDict()
    for dtype in ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]:
        state[dtype] = numbers(2, 3, dtype=getattr(torch, dtype))
    if not legacy:
        for dtype in ["uint16", "uint32", "uint64"]:
            state[dtype] = numbers(3, dtype=getattr(torch, dtype))
    state["view"] = base[1:, 1:3]
    state["transposed"] = base.t()
    state["expanded"] = numbers(1, 2, start=9).expand(4, 2)
    state["tied.a"] = tied
    state["tied.b"] = tied
    state["scalar"] = numbers()
    state["empty"] = torch.zeros(0, 4)
    state["permuted"] = numbers(2, 3, 2).permute(2, 0, 1)
    return state


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, 3, bias=False)
        self.norm = torch.nn.BatchNorm2d(2)
        self.register_buffer("kept", numbers(2))
        self.register_buffer("dropped", numbers(3), persistent=False)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(numbers(*parameter.shape))

    def forward(self, x):
        return self.norm(self.conv(x)) + self.kept.sum()


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block()
        self.rest = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2, 1))
        with torch.no_grad():
            for parameter in self.rest.parameters():
                parameter.copy_(numbers(*parameter.shape))

    def forward(self, x):
        return self.rest(self.first(x))


def torch_files():
    state = kinds()
    torch.save(state, HERE / "kinds.pt")
    expect("kinds.pt", said("", state), container="TorchZip")
    state = kinds(legacy=True)
    torch.save(state, HERE / "kinds-legacy.pt", _use_new_zipfile_serialization=False)
    expect("kinds-legacy.pt", said("", state), container="TorchLegacy")

    odd = OrderedDict(
        before=numbers(2),
        float8=numbers(2).to(torch.float8_e4m3fn),
        complex=torch.complex(numbers(2), numbers(2)),
        sparse=torch.eye(2).to_sparse(),
        after=numbers(3),
    )
    unread = ("float8", "complex", "sparse")
    torch.save(odd, HERE / "odd.pt")
    expect("odd.pt", said("", odd, unread), container="TorchZip")

    net = Net()
    torch.save(net, HERE / "module.pt")
    expect("module.pt", said("", net.state_dict()), container="TorchZip")
    # PyTorch would put the source of each class into the file.
    source = {"getsourcefile": "net.py", "getsourcelines": (["# the source\n"], 1)}
    with mock.patch.multiple("inspect", **{name: mock.Mock(return_value=value) for name, value in source.items()}):
        torch.save(net, HERE / "module-legacy.pt", _use_new_zipfile_serialization=False)
    expect("module-legacy.pt", said("", net.state_dict()), container="TorchLegacy")
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(net.eval()), buffer)
    source = zipfile.ZipFile(io.BytesIO(buffer.getvalue()))
    with zipfile.ZipFile(HERE / "script.pt", "w") as script:
        # What remains for messages of errors names the paths of the machine.
        for name in (name for name in source.namelist() if not name.endswith(".debug_pkl")):
            script.writestr(zipfile.ZipInfo(name), source.read(name))
    torch.jit.load(str(HERE / "script.pt"))
    # TorchScript keeps buffers that a state dict leaves out.
    scripted = OrderedDict()
    for name, tensor in net.state_dict().items():
        scripted[name] = tensor
        if name == "first.kept":
            scripted["first.dropped"] = net.first.dropped
    expect("script.pt", said("", scripted), container="TorchScript")

    small = torch.nn.Linear(2, 2)
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.copy_(numbers(*parameter.shape))
    optimiser = torch.optim.Adam(small.parameters())
    small(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.copy_(numbers(*parameter.shape))
    parallel = {f"module.{name}": tensor for name, tensor in small.state_dict().items()}
    checkpoint = {
        "epoch": 7,
        "loss": 0.25,
        "netG": small.state_dict(),
        "netD": parallel,
        "optimizerG": optimiser.state_dict(),
        "mean": numbers(2),
    }
    torch.save(checkpoint, HERE / "checkpoint.pt")
    plain = said("netG", small.state_dict())
    expect("checkpoint.pt", plain, said("netD", small.state_dict()), container="TorchZip")
    together = {f"{net}.{name}": tensor for net in ("generator", "critic") for name, tensor in small.state_dict().items()}
    torch.save({"state_dict": together, "hyper_parameters": {"lr": 1e-4}}, HERE / "together.ckpt")
    parts = [said(f"state_dict.{net}", small.state_dict()) for net in ("generator", "critic")]
    expect("together.ckpt", *parts, container="TorchZip")


def repacked():
    """The same file with its members deflated, and as a machine with the greatest byte first would have written it."""
    state = OrderedDict(a=numbers(2, 3), b=numbers(4, dtype=torch.int16), c=numbers(3, dtype=torch.float64))
    buffer = io.BytesIO()
    torch.save(state, buffer)
    source = zipfile.ZipFile(io.BytesIO(buffer.getvalue()))
    sizes = {"0": 4, "1": 2, "2": 8}
    with zipfile.ZipFile(HERE / "deflated.pt", "w", zipfile.ZIP_DEFLATED) as packed, zipfile.ZipFile(
        HERE / "big-endian.pt", "w"
    ) as swapped:
        for name in source.namelist():
            data = source.read(name)
            packed.writestr(zipfile.ZipInfo(name), data, compress_type=zipfile.ZIP_DEFLATED)
            folder, key = name.rsplit("/", 1)
            if name.endswith("byteorder"):
                data = b"big"
            elif folder.endswith("/data"):
                data = np.frombuffer(data, f"V{sizes[key]}").tobytes()
                data = b"".join(data[i : i + sizes[key]][::-1] for i in range(0, len(data), sizes[key]))
            swapped.writestr(zipfile.ZipInfo(name), data)
    for name in ("deflated.pt", "big-endian.pt"):
        again = torch.load(HERE / name)
        assert all(torch.equal(again[key], state[key]) for key in state), name
        expect(name, said("", state), container="TorchZip")


def old_tar():
    """The archives of PyTorch 0.1, which today's PyTorch reads and does not write."""

    class Named(pickle.Pickler):
        def persistent_id(self, value):
            return value.key if isinstance(value, Key) else None

    class Key:
        def __init__(self, key):
            self.key = key

    first, second = numbers(2, 3), numbers(4, dtype=torch.int64)
    dump = lambda value: pickle.dumps(value, protocol=2)
    row = lambda values: struct.pack("<q", len(values)) + values.numpy().tobytes()
    storages = dump(2) + dump((11, "cpu", torch.FloatStorage)) + row(first.reshape(-1))
    storages += dump((12, "cpu", torch.LongStorage)) + row(second) + dump([(13, 12, 1, 3)])
    place = lambda shape, strides, offset: struct.pack("<i4x", len(shape)) + struct.pack(
        f"<{2 * len(shape) + 1}q", *shape, *strides, offset
    )
    tensors = dump(3)
    tensors += dump((21, 11, torch.FloatTensor)) + place((3, 2), (1, 3), 0)
    tensors += dump((22, 12, torch.LongTensor)) + place((4,), (1,), 0)
    tensors += dump((23, 13, torch.LongTensor)) + place((2,), (1,), 1)
    buffer = io.BytesIO()
    Named(buffer, protocol=2).dump(OrderedDict(a=Key(21), b=Key(22), c=Key(23)))
    with tarfile.open(HERE / "old.pt", "w:", format=tarfile.PAX_FORMAT) as archive:
        members = [("sys_info", dump({"little_endian": True})), ("pickle", buffer.getvalue())]
        for name, data in members + [("tensors", tensors), ("storages", storages)]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    again = torch.load(HERE / "old.pt", weights_only=False)
    state = OrderedDict(a=first.t(), b=second, c=second[2:4])
    assert all(torch.equal(again[key], state[key]) for key in state), again
    expect("old.pt", said("", state), container="TorchTar")


def pickles():
    arrays = OrderedDict(
        f4=np.arange(6, dtype="f4").reshape(2, 3),
        big=np.arange(3, dtype=">f8"),
        fortran=np.asfortranarray(np.arange(6, dtype="i2").reshape(2, 3)),
        u1=np.array([0, 128, 255], "u1"),
        flags=np.array([True, False]),
        half=np.array([[0.5]], "f2"),
    )
    native = {name: torch.as_tensor(array.astype(array.dtype.newbyteorder("="))) for name, array in arrays.items()}
    for protocol in (0, 2, 4, 5):
        data = {"weights": arrays, "best": np.float32(0.75), "step": np.int64(-3)}
        (HERE / f"arrays-{protocol}.pkl").write_bytes(pickle.dumps(data, protocol=protocol))
        expect(f"arrays-{protocol}.pkl", said("weights", native), container="Pickle")
    tensors = {"a": torch.nn.Parameter(numbers(2, 2)), "b": numbers(6, dtype=torch.float16)[1:4]}
    (HERE / "tensors.pkl").write_bytes(pickle.dumps(tensors, protocol=4))
    expect("tensors.pkl", said("", tensors), container="Pickle")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    torch_files()
    repacked()
    old_tar()
    pickles()
    (HERE / "expected.json").write_text(json.dumps(EXPECTED, indent=0) + "\n")
