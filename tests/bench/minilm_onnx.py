"""MiniLM as an ONNX graph made from its safetensors, so that onnxruntime can be a peer where no torch is installed to export it.

The graph is the one that torch's exporter gives for transformers' BertModel with eager attention (opset 17): MatMul and Add for
linear layers, LayerNormalization, GELU spelt with Erf, scores divided by sqrt(32), a large negative number where the mask is 0.
onnxruntime 1.32 makes BiasGelu and FusedMatMul (scores with their scale) of it, which is its fastest form on a CPU: with the shapes
declared that let it join residuals and norms (SkipLayerNormalization), or with attention as one node (its optimizer for BERT), it took
0 to 5 % more CPU time at 16, 96 and 128 tokens in alternated rounds; ../shared/peers found the same of torch's export.
Used by embed_peer.py; embed.py compares the rows with modnet's, and what GELU became.
"""
import json
import os

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file


class Graph:
    """Nodes and constants in the order in which they are made; every value has one name."""

    def __init__(self, tensors):
        self.tensors = tensors
        self.nodes = []
        self.constants = {}

    def constant(self, name, value):
        self.constants.setdefault(name, numpy_helper.from_array(numpy.array(value, order="C"), name))
        return name

    def weight(self, name):
        return self.constant(name, self.tensors[name])

    def op(self, kind, *inputs, **attributes):
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def linear(self, x, name):
        product = self.op("MatMul", x, self.constant(name + ".weight.T", self.tensors[name + ".weight"].T))
        return self.op("Add", product, self.weight(name + ".bias"))

    def norm(self, x, name, epsilon):
        return self.op("LayerNormalization", x, self.weight(name + ".weight"), self.weight(name + ".bias"), axis=-1, epsilon=epsilon)

    def gelu(self, x):
        erf = self.op("Erf", self.op("Div", x, self.constant("sqrt2", numpy.float32(2**0.5))))
        return self.op("Mul", self.op("Mul", x, self.op("Add", erf, self.constant("one", numpy.float32(1)))),
                       self.constant("half", numpy.float32(0.5)))


def embeddings(graph, epsilon):
    """[batch, tokens, width] from the three inputs."""
    ids = [graph.weight(f"embeddings.{name}_embeddings.weight") for name in ("word", "token_type", "position")]
    tokens = graph.op("Gather", graph.op("Shape", "input_ids"), graph.constant("axis1", numpy.int64(1)), axis=0)
    end = graph.op("Unsqueeze", tokens, graph.constant("axes0", numpy.array([0])))
    table = graph.constant("embeddings.position_ids", graph.tensors["embeddings.position_ids"].astype("i8"))
    places = graph.op("Slice", table, graph.constant("zero", numpy.array([0])), end, graph.constant("axes1", numpy.array([1])))
    x = graph.op("Add", graph.op("Gather", ids[0], "input_ids"), graph.op("Gather", ids[1], "token_type_ids"))
    x = graph.op("Add", x, graph.op("Gather", ids[2], places))
    return graph.norm(x, "embeddings.LayerNorm", epsilon)


def mask(graph):
    """[batch, 1, 1, tokens]: 0 where there is a token, the lowest float where there is none."""
    wide = graph.op("Unsqueeze", "attention_mask", graph.constant("axes1", numpy.array([1])))
    wide = graph.op("Unsqueeze", wide, graph.constant("axes2", numpy.array([2])))
    absent = graph.op("Sub", graph.constant("one", numpy.float32(1)), graph.op("Cast", wide, to=TensorProto.FLOAT))
    return graph.op("Mul", absent, graph.constant("lowest", numpy.finfo("f4").min))


def layer(graph, x, bias, name, heads, epsilon):
    width = graph.tensors["embeddings.LayerNorm.weight"].shape[0]
    split = graph.constant("split", numpy.array([0, 0, heads, width // heads]))
    parts = [graph.op("Reshape", graph.linear(x, f"{name}.attention.self.{part}"), split) for part in ("query", "key", "value")]
    query, key, value = (graph.op("Transpose", part, perm=perm) for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])))
    scale = graph.constant("scale", numpy.float32((width // heads) ** 0.5))
    scores = graph.op("Add", graph.op("Div", graph.op("MatMul", query, key), scale), bias)
    heads_out = graph.op("Transpose", graph.op("MatMul", graph.op("Softmax", scores, axis=-1), value), perm=[0, 2, 1, 3])
    joined = graph.op("Reshape", heads_out, graph.constant("join", numpy.array([0, 0, width])))
    x = graph.norm(graph.op("Add", graph.linear(joined, name + ".attention.output.dense"), x), name + ".attention.output.LayerNorm", epsilon)
    wide = graph.gelu(graph.linear(x, name + ".intermediate.dense"))
    return graph.norm(graph.op("Add", graph.linear(wide, name + ".output.dense"), x), name + ".output.LayerNorm", epsilon)


def write_graph(folder, path):
    """Writes the graph of the model in `folder`: input_ids, attention_mask, token_type_ids → last_hidden_state."""
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    epsilon = config["layer_norm_eps"]
    graph = Graph(load_file(os.path.join(folder, "model.safetensors")))
    x, bias = embeddings(graph, epsilon), mask(graph)
    for i in range(config["num_hidden_layers"]):
        x = layer(graph, x, bias, f"encoder.layer.{i}", config["num_attention_heads"], epsilon)
    graph.nodes[-1].output[0] = "last_hidden_state"
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
              for name in ("input_ids", "attention_mask", "token_type_ids")]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", config["hidden_size"]])
    whole = helper.make_graph(graph.nodes, "minilm", inputs, [output], list(graph.constants.values()))
    onnx.save(helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def write_int8(path, out):
    """The same graph with dynamically quantised products, one scale a channel, as onnxruntime makes it."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(path, out, weight_type=QuantType.QInt8, per_channel=True, extra_options={"DefaultTensorType": TensorProto.FLOAT})


def operators_run(path):
    """{operator: count} of what onnxruntime makes of the graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = path + ".optimised"
    options.log_severity_level = 3  # not: "only for this machine"
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    counts = {}
    for node in onnx.load(options.optimized_model_filepath, load_external_data=False).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    os.remove(options.optimized_model_filepath)
    return counts
