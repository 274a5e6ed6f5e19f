"""The shipped networks as their files say: a list of nodes and the tensors by name. Needs numpy."""
import json
import pathlib
import struct

import numpy

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "crates" / "shipped" / "models"
FILES = {"generator": "scenes.safetensors", "segmenter": "scenes-segmenter.safetensors"}
BATCHES = (1, 16, 64)


def read(name):
    """The nodes in order, each a dictionary, and the parameters as arrays of f32 by name."""
    data = (FOLDER / FILES[name]).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    nodes = json.loads(header.pop("__metadata__")["ganatomy"])["graph"]["nodes"]
    tensors = {}
    for tensor, about in header.items():
        start, end = (8 + length + offset for offset in about["data_offsets"])
        kind = {"F16": "<f2", "F32": "<f4"}[about["dtype"]]
        tensors[tensor] = numpy.frombuffer(data[start:end], kind).reshape(about["shape"]).astype(numpy.float32)
    return nodes, tensors


def names():
    return [f"infer/{name}/b{batch}" for name in FILES for batch in BATCHES]


def wanted(case):
    """Network and batch of a case."""
    _, name, batch = case.split("/")
    return name, int(batch[1:])


def input_shape(nodes):
    return next(node["shape"] for node in nodes if node["op"] == "input")
