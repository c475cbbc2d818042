#!/usr/bin/env python3
"""Compares an export of the golden checkpoint with transformers' tensors, every case, on ONNX Runtime (CPU).
Needs: onnxruntime, onnx, numpy, safetensors. Usage: check_golden.py EXPORT_DIR [GOLDEN_DIR]
Exits 1 if a feature or logit is off by more than 1e-4 (relative to the tensor's largest value) or a greedy token
differs."""
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from safetensors.numpy import load_file

TOLERANCE = 1e-4
GOLDEN = os.path.join(os.path.dirname(__file__), "../../../tests/golden/qwen2_5_vl_tiny")


def relative(found, expected):
    """Largest absolute difference over the largest expected value."""
    assert found.shape == expected.shape, f"expected shape {expected.shape}, found {found.shape}"
    return float(np.abs(found - expected).max() / np.abs(expected).max())


class Model:
    def __init__(self, folder):
        for name in ("vision", "embedding", "model"):
            path = os.path.join(folder, f"{name}.onnx")
            onnx.checker.check_model(path)
            setattr(self, name, ort.InferenceSession(path, providers=["CPUExecutionProvider"]))
        self.caches = [i for i in self.model.get_inputs() if i.name.startswith("past_key_values.")]
        self.hidden = self.model.get_inputs()[0].shape[2]

    def encode(self, pixels, grid):
        return self.vision.run(None, {"pixel_values": pixels, "image_grid_thw": grid})[0]

    def step(self, ids, features, positions, cache):
        """One prefill or decode step; returns the logits [s, vocab] and the new cache."""
        embeds = self.embedding.run(None, {"input_ids": ids, "image_features": features})[0]
        past = next(iter(cache.values())).shape[2] if cache else 0
        feed = {"inputs_embeds": embeds, "position_ids": positions,
                "attention_mask": np.ones((1, past + ids.shape[1]), np.int64)}
        for port in self.caches:
            feed[port.name] = cache.get(port.name, np.zeros((1, port.shape[1], 0, port.shape[3]), np.float32))
        names = [o.name for o in self.model.get_outputs()]
        out = dict(zip(names, self.model.run(None, feed)))
        return out["logits"][0], {n.replace("present", "past_key_values"): v for n, v in out.items() if n != "logits"}


def encode_case(model, tensors, case):
    """Features of images, then videos (the order of every golden prompt), and the worst deviations."""
    features, worst = [np.zeros((0, model.hidden), np.float32)], {}
    for kind, pixels in (("image", "pixel_values"), ("video", "pixel_values_videos")):
        if f"{case}.{pixels}" not in tensors:
            continue
        pixels, grid = tensors[f"{case}.{pixels}"], tensors[f"{case}.{kind}_grid_thw"]
        whole = model.encode(pixels, grid)
        worst[f"{kind}_embeds"] = relative(whole, tensors[f"{case}.{kind}_embeds"])
        t, h, w = grid[0]
        pairs = [model.encode(pixels[i * h * w:(i + 1) * h * w], np.array([[1, h, w]])) for i in range(t)]
        worst[f"{kind}_pair_by_pair"] = relative(np.concatenate(pairs), tensors[f"{case}.{kind}_embeds"])
        features.append(whole)
    return np.concatenate(features), worst


def check_case(model, tensors, case):
    features, worst = encode_case(model, tensors, case)
    ids, positions = tensors[f"{case}.input_ids"], tensors[f"{case}.position_ids_legacy"][:, None]
    logits, cache = model.step(ids, features, positions, {})
    worst["logits"] = relative(logits[-8:], tensors[f"{case}.logits_legacy_last8"])
    delta, none = int(tensors[f"{case}.rope_delta_legacy"][0]), np.zeros((0, model.hidden), np.float32)
    tokens, length = [], ids.shape[1]
    for index in range(24):
        tokens.append(int(logits[-1].argmax()))
        position = np.full((3, 1, 1), length + index + delta, np.int64)
        logits, cache = model.step(np.array([[tokens[-1]]]), none, position, cache)
    same = int((np.array(tokens) == tensors[f"{case}.greedy_legacy"]).sum())
    return worst, same


def check_joint(model, tensors):
    """Image and video of the mixed case in one call: several grids of different sizes."""
    pixels = np.concatenate([tensors["mixed.pixel_values"], tensors["mixed.pixel_values_videos"]])
    grids = np.concatenate([tensors["mixed.image_grid_thw"], tensors["mixed.video_grid_thw"]])
    expected = np.concatenate([tensors["mixed.image_embeds"], tensors["mixed.video_embeds"]])
    return relative(model.encode(pixels, grids), expected)


def main():
    model = Model(sys.argv[1])
    tensors = load_file(os.path.join(sys.argv[2] if len(sys.argv) > 2 else GOLDEN, "oracle.safetensors"))
    failed = False
    for case in sorted({name.split(".")[0] for name in tensors}):
        worst, same = check_case(model, tensors, case)
        failed |= same != 24 or max(worst.values()) > TOLERANCE
        print(f"{case:14} tokens {same}/24  " + "  ".join(f"{k} {v:.1e}" for k, v in worst.items()))
    joint = check_joint(model, tensors)
    print(f"mixed, one vision call for both grids: {joint:.1e}")
    sys.exit(failed or joint > TOLERANCE)


if __name__ == "__main__":
    main()
