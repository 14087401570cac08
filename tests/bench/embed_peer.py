"""What embeds the same texts with another engine, as ../shared/peers/embed.py does: a process that embed.py keeps and asks.

usage: embed_peer.py ort32|ortint8|st MODEL_FOLDER GRAPHS serve|cold TEXT
       embed_peer.py graphs MODEL_FOLDER GRAPHS

GRAPHS is a folder for what `graphs` writes; it prints the operators that onnxruntime makes of the f32 graph. `serve` answers each JSON line with one:
  {"texts": FILE, "out": FILE or null}  a pass over the file's lines: tokenizing, batches of 32 by length, mean over tokens,
                                        normalising; {"seconds": s, "cpu": s}, the rows written to `out` as npy
  {"text": TEXT, "calls": N}            N times that one text: {"seconds": [s…], "cpu": s}
`cold` embeds one text and ends. Needs onnxruntime, tokenizers and numpy; `graphs` onnx and safetensors; `st` sentence-transformers.
"""
import json
import os
import sys
import time

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true", OMP_NUM_THREADS="2", MKL_NUM_THREADS="2", RAYON_NUM_THREADS="2",
                  TRANSFORMERS_VERBOSITY="error", HF_HUB_DISABLE_PROGRESS_BARS="1")
import numpy  # noqa: E402

MOST_TOKENS, BATCH, THREADS = 256, 32, 2
GRAPHS = {"ort32": "minilm.onnx", "ortint8": "minilm_int8.onnx"}


def make_graphs(model, folder):
    from minilm_onnx import operators_run, write_graph, write_int8

    graph = os.path.join(folder, GRAPHS["ort32"])
    write_graph(model, graph)
    write_int8(graph, os.path.join(folder, GRAPHS["ortint8"]))
    print(json.dumps(operators_run(graph)))


def onnxruntime_engine(model, graph):
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)

    def embed(texts):
        ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        out = numpy.empty((len(texts), 384), "f4")
        order = numpy.argsort([-len(item) for item in ids], kind="stable")
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            tokens = numpy.zeros((len(batch), len(ids[batch[0]])), "i8")
            mask = numpy.zeros_like(tokens)
            for row, item in enumerate(batch):
                tokens[row, : len(ids[item])] = ids[item]
                mask[row, : len(ids[item])] = 1
            hidden = session.run(None, {"input_ids": tokens, "attention_mask": mask, "token_type_ids": numpy.zeros_like(tokens)})[0]
            weight = mask[..., None].astype("f4")
            mean = (hidden * weight).sum(1) / weight.sum(1)
            out[batch] = mean / numpy.linalg.norm(mean, axis=1, keepdims=True)
        return out

    return embed


def sentence_transformers_engine(model):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    encoder = SentenceTransformer(model, device="cpu")
    return lambda texts: encoder.encode(texts, batch_size=BATCH, show_progress_bar=False)


def answer(embed, asked):
    if "text" in asked:
        seconds, cpu = [], time.process_time()
        for _ in range(asked["calls"]):
            begin = time.perf_counter()
            embed([asked["text"]])
            seconds.append(time.perf_counter() - begin)
        return {"seconds": seconds, "cpu": time.process_time() - cpu}
    with open(asked["texts"], encoding="utf-8") as file:
        texts = file.read().split("\n")[:-1]
    begin, cpu = time.perf_counter(), time.process_time()
    rows = embed(texts)
    done = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
    if asked.get("out"):
        numpy.save(asked["out"], rows)
    return done


def main():
    engine, model, graphs = sys.argv[1:4]
    if engine == "graphs":
        make_graphs(model, graphs)
        return
    embed = sentence_transformers_engine(model) if engine == "st" else onnxruntime_engine(model, os.path.join(graphs, GRAPHS[engine]))
    if sys.argv[4] == "cold":
        embed([sys.argv[5]])
        return
    print("{}", flush=True)  # loaded
    for line in sys.stdin:
        print(json.dumps(answer(embed, json.loads(line))), flush=True)


main()
