//! ONNX files made field by field, right or wrong.

#![allow(dead_code, reason = "each test uses some")]

/// A number of seven bits a byte.
pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field that holds a number.
pub(crate) fn number(field: u64, value: i64) -> Vec<u8> {
    [varint(field << 3), varint(value as u64)].concat()
}

/// A field that holds bytes, a text or a message.
pub(crate) fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

pub(crate) fn text(field: u64, content: &str) -> Vec<u8> {
    bytes(field, content.as_bytes())
}

/// A tensor of 32-bit numbers as raw bytes.
pub(crate) fn reals(name: &str, shape: &[i64], values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 1, shape, &bytes(9, &raw))
}

/// A tensor of whole numbers as a packed list.
pub(crate) fn wholes(name: &str, values: &[i64]) -> Vec<u8> {
    let packed: Vec<u8> = values.iter().flat_map(|&value| varint(value as u64)).collect();
    tensor(name, 7, &[values.len() as i64], &bytes(7, &packed))
}

/// A tensor with its data as they are given.
pub(crate) fn tensor(name: &str, kind: i64, shape: &[i64], data: &[u8]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|&length| number(1, length)).collect();
    [shape, number(2, kind), text(8, name), data.to_vec()].concat()
}

pub(crate) fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    let list: Vec<u8> = values.iter().flat_map(|&value| number(8, value)).collect();
    bytes(5, &[text(1, name), list, number(20, 7)].concat())
}

pub(crate) fn int(name: &str, value: i64) -> Vec<u8> {
    bytes(5, &[text(1, name), number(3, value), number(20, 2)].concat())
}

pub(crate) fn word(name: &str, value: &str) -> Vec<u8> {
    bytes(5, &[text(1, name), text(4, value), number(20, 3)].concat())
}

/// A node with its attributes.
pub(crate) fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| text(1, name)).collect();
    let outputs: Vec<u8> = outputs.iter().flat_map(|name| text(2, name)).collect();
    [inputs, outputs, text(4, operator), attributes.concat()].concat()
}

/// An input or output; a length of -1 is called `batch`.
pub(crate) fn port(name: &str, shape: &[i64]) -> Vec<u8> {
    let axis = |&length: &i64| bytes(1, &if length < 0 { text(2, "batch") } else { number(1, length) });
    let shape: Vec<u8> = shape.iter().flat_map(axis).collect();
    let kind = bytes(1, &[number(1, 1), bytes(2, &shape)].concat());
    [text(1, name), bytes(2, &kind)].concat()
}

/// A model of nodes, initializers, inputs and outputs.
pub(crate) fn model(
    opset: i64,
    nodes: &[Vec<u8>],
    initializers: &[Vec<u8>],
    inputs: &[Vec<u8>],
    outputs: &[Vec<u8>],
) -> Vec<u8> {
    let all = |field: u64, messages: &[Vec<u8>]| messages.iter().flat_map(|m| bytes(field, m)).collect::<Vec<u8>>();
    let graph = [all(1, nodes), text(2, "g"), all(5, initializers), all(11, inputs), all(12, outputs)].concat();
    [number(1, 8), text(2, "by hand"), bytes(7, &graph), bytes(8, &number(2, opset))].concat()
}

/// A small network with most of what exporters write: convolution, batch norm, shape arithmetic, attention, resizing.
pub(crate) fn small() -> Vec<u8> {
    let ramp = |count: usize| -> Vec<f32> { (0..count).map(|i| (i * 7 % 13) as f32 / 8.0 - 0.75).collect() };
    let nodes = [
        node("Conv", &["x", "w", "b"], &["conv"], &[ints("pads", &[1, 1, 1, 1]), ints("kernel_shape", &[3, 3])]),
        node("BatchNormalization", &["conv", "scale", "b", "mean", "var"], &["norm"], &[]),
        node("Relu", &["norm"], &["relu"], &[]),
        node("MaxPool", &["relu"], &["pool"], &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
        node(
            "Resize",
            &["pool", "", "scales"],
            &["large"],
            &[
                word("mode", "nearest"),
                word("nearest_mode", "floor"),
                word("coordinate_transformation_mode", "asymmetric"),
            ],
        ),
        node("Concat", &["relu", "large"], &["both"], &[int("axis", 1)]),
        node("Pad", &["both", "pads"], &["padded"], &[]),
        node("Shape", &["padded"], &["shape"], &[]),
        node("Gather", &["shape", "zero"], &["n"], &[int("axis", 0)]),
        node("Concat", &["n", "rest"], &["target"], &[int("axis", 0)]),
        node("Reshape", &["padded", "target"], &["tokens"], &[]),
        node("Transpose", &["tokens"], &["turned"], &[ints("perm", &[0, 2, 1])]),
        node("MatMul", &["tokens", "turned"], &["scores"], &[]),
        node("Softmax", &["scores"], &["shares"], &[int("axis", -1)]),
        node("MatMul", &["shares", "tokens"], &["mixed"], &[]),
        node("ReduceMean", &["mixed"], &["mean_of_tokens"], &[ints("axes", &[2]), int("keepdims", 0)]),
        node("Gemm", &["mean_of_tokens", "matrix", "c"], &["y"], &[int("transB", 1)]),
    ];
    let initializers = [
        reals("w", &[2, 1, 3, 3], &ramp(18)),
        reals("b", &[2], &[0.5, -0.25]),
        reals("scale", &[2], &[1.5, 0.5]),
        reals("mean", &[2], &[0.125, 0.25]),
        reals("var", &[2], &[1.0, 0.5]),
        reals("scales", &[4], &[1.0, 1.0, 2.0, 2.0]),
        reals("matrix", &[3, 4], &ramp(12)),
        reals("c", &[3], &[0.0, 1.0, 2.0]),
        wholes("pads", &[0, 0, 0, 1, 0, 0, 0, 1]),
        wholes("zero", &[0]),
        wholes("rest", &[4, -1]),
    ];
    model(17, &nodes, &initializers, &[port("x", &[-1, 1, 4, 4])], &[port("y", &[-1, 3])])
}
