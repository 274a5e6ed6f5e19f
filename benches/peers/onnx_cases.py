#!/usr/bin/env python3
"""The cases `infer/` in ONNX Runtime, under the same names: another side for compare.py.

    pip install onnx onnxruntime numpy
    python onnx_cases.py [--filter F] [--seconds S] [--threads N] [--list | --stdin]

The networks are written down layer by layer, with batch norm as it is; folding it is the runtime's business, and all its
optimisations are on.
"""
import json
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import brought
import shipped
import timing

KINDS = {"conv2d": "Conv", "conv_transpose2d": "ConvTranspose", "relu": "Relu", "tanh": "Tanh"}


def model(name):
    """The network as ONNX: one input, one output, any batch."""
    nodes, tensors = shipped.read(name)
    made, initial = [], []
    for node in nodes:
        kind, inputs, output = node["op"], node.get("inputs", []), node["name"]
        if kind == "input":
            entry = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", *node["shape"]])
        elif kind == "param":
            initial.append(numpy_helper.from_array(tensors[output], output))
        elif kind in ("conv2d", "conv_transpose2d"):
            conv = node["conv"]
            made.append(
                helper.make_node(
                    KINDS[kind], inputs, [output], strides=[conv["stride"]] * 2, pads=[conv["padding"]] * 4
                )
            )
        elif kind == "batch_norm":
            made.append(helper.make_node("BatchNormalization", inputs, [output], epsilon=node["epsilon"]))
        elif kind == "concat":
            made.append(helper.make_node("Concat", inputs, [output], axis=node.get("axis", 1)))
        elif kind == "reshape":
            shape = numpy.array([-1, *node["shape"]], numpy.int64)
            initial.append(numpy_helper.from_array(shape, output + ".shape"))
            made.append(helper.make_node("Reshape", [*inputs, output + ".shape"], [output]))
        else:
            made.append(helper.make_node(KINDS[kind], inputs, [output]))
    last = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    graph = helper.make_graph(made, name, [entry], [last], initial)
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    whole.ir_version = 8
    return whole, shipped.input_shape(nodes)


def session(case, threads, folder):
    """The case's network ready to run, the shape of one input, and the batch."""
    if brought.is_one(case):
        name, batch = brought.wanted(case)
        whole, shape = str(folder / f"{name}.onnx"), None
    else:
        name, batch = shipped.wanted(case)
        whole, shape = model(name)
        whole = whole.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    if threads:
        options.intra_op_num_threads = threads
    made = onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    return made, shape or made.get_inputs()[0].shape[1:], batch


def prepare(case, threads, folder):
    made, shape, batch = session(case, threads, folder)
    entry = made.get_inputs()[0].name
    x = numpy.random.default_rng(0).standard_normal((batch, *shape), numpy.float32)
    return lambda: made.run(None, {entry: x})


def main():
    arguments = timing.parser(__doc__, "the runtime's own").parse_args()
    known = shipped.names() + brought.names(arguments.networks)
    chosen = timing.chosen(known, arguments.filter)
    if arguments.list:
        print("\n".join(chosen))
        return
    print(json.dumps({"engine": f"ONNX Runtime {onnxruntime.__version__}", "threads": arguments.threads}), flush=True)
    for case in (line.strip() for line in sys.stdin) if arguments.stdin else chosen:
        seconds, repeats = timing.measure(prepare(case, arguments.threads, arguments.networks), arguments.seconds)
        print(json.dumps({"case": case, "seconds": seconds, "repeats": repeats}), flush=True)


if __name__ == "__main__":
    main()
