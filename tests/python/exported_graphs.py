"""Runs exported packages of either profile on ONNX Runtime's CPU provider, the way a host would: text and image prompts
prefilled whole, then one token at a time. Needs numpy, onnx, onnxruntime, safetensors-free: arrays come from the caller."""
import json
import os

import numpy as np
import onnxruntime as ort


def session(folder, name):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return ort.InferenceSession(os.path.join(folder, name), options, providers=["CPUExecutionProvider"])


def half_type(port):
    return np.float16 if port.type == "tensor(float16)" else np.float32


class Config:
    """What a host must know of `config.json`, flat or nested."""

    def __init__(self, checkpoint):
        with open(os.path.join(checkpoint, "config.json"), encoding="utf-8") as file:
            root = json.load(file)
        text, vision = root.get("text_config", root), root["vision_config"]
        rope = text.get("rope_parameters") or text.get("rope_scaling")
        self.head_dim = text.get("head_dim") or text["hidden_size"] // text["num_attention_heads"]
        self.theta = rope.get("rope_theta") or text["rope_theta"]
        self.sections = rope["mrope_section"]
        self.merge, self.patch = vision["spatial_merge_size"], vision["patch_size"]
        self.window = vision["window_size"] // self.merge // self.patch
        self.vision_head_dim = vision["hidden_size"] // vision["num_heads"]


def decoder_angles(config, positions):
    """cos and sin [s, head_dim / 2] of `positions` [3, s]: each frequency at its section's position stream."""
    half = config.head_dim // 2
    frequencies = (1.0 / config.theta ** (np.arange(0, 2 * half, 2) / (2 * half))).astype(np.float32)
    stream = np.repeat(np.arange(3), config.sections)
    angles = positions[stream].T.astype(np.float32) * frequencies
    return np.cos(angles), np.sin(angles)


def vision_inputs(config, grids):
    """cos, sin, window_ids and pair_ids of patches in 2×2-merge order."""
    rows, columns, windows, pairs, pair = [], [], [], [], 0
    for t, h, w in grids:
        merged = np.indices((h // config.merge, w // config.merge, config.merge, config.merge))
        big_row, big_column, small_row, small_column = (axis.reshape(-1) for axis in merged)
        for _ in range(t):
            rows.append(big_row * config.merge + small_row)
            columns.append(big_column * config.merge + small_column)
            windows.append(pair << 32 | (big_row // config.window) << 16 | big_column // config.window)
            pairs.append(np.full(h * w, pair))
            pair += 1
    quarter = config.vision_head_dim // 4
    frequencies = (1.0 / 10_000.0 ** (np.arange(0, 2 * quarter, 2) / (2 * quarter))).astype(np.float32)
    angles = np.concatenate([np.outer(np.concatenate(axis), frequencies) for axis in (rows, columns)], 1)
    angles = angles.astype(np.float32)
    ids = {"window_ids": np.concatenate(windows).astype(np.int64), "pair_ids": np.concatenate(pairs).astype(np.int64)}
    return {"cos": np.cos(angles), "sin": np.sin(angles), **ids}


class Package:
    """The three graphs of a directory, with an adapter if it has one that is to be active; keeps the KV cache of one
    sequence."""

    def __init__(self, folder, checkpoint, with_adapter=False):
        self.run_options = ort.RunOptions()
        if with_adapter:
            self.adapter = ort.LoraAdapter()
            self.adapter.Load(os.path.join(folder, "adapter.onnx_adapter"))
            self.run_options.add_active_adapter(self.adapter)
        self.config = Config(checkpoint)
        self.vision, self.embedding, self.model = (
            session(folder, f"{name}.onnx") for name in ("vision", "embedding", "model"))
        self.inputs = {port.name: port for port in self.model.get_inputs()}
        self.is_static = "past_length" in self.inputs
        self.float = half_type(self.inputs["inputs_embeds"])
        self.hidden = self.inputs["inputs_embeds"].shape[2]
        self.reset()

    def reset(self):
        self.length = 0
        self.cache = {}
        for name, port in self.inputs.items():
            if name.startswith("past_key_values."):
                shape = [1, port.shape[1], port.shape[2] if self.is_static else 0, port.shape[3]]
                self.cache[name] = np.zeros(shape, self.float)

    def encode(self, pixels, grids):
        """Features [m, hidden] of images or frame pairs."""
        if self.is_static:
            feed = vision_inputs(self.config, grids)
        else:
            feed = {"image_grid_thw": np.asarray(grids, np.int64)}
        return self.vision.run(None, {"pixel_values": pixels, **feed})[0]

    def step(self, ids, positions, features=None, keep=None):
        """Reads `ids` [s] at `positions` [3, s]; returns the logits [s, vocab] as f32, or those of the last `keep` tokens."""
        if features is None:
            features = np.zeros((0, self.hidden), self.float)
        ids = np.asarray(ids, np.int64)[None]
        embeds = self.embedding.run(None, {"input_ids": ids, "image_features": features})[0]
        end = self.length + ids.shape[1]
        feed = {"inputs_embeds": embeds, **self.cache}
        if self.is_static:
            feed["cos"], feed["sin"] = decoder_angles(self.config, positions)
            feed["past_length"] = np.array([self.length], np.int64)
        else:
            feed["attention_mask"] = np.ones((1, end), np.int64)
            feed["position_ids"] = positions[:, None].astype(np.int64)
        if keep is not None:
            feed["logits_to_keep"] = np.array([keep], np.int64)
        out = dict(zip((port.name for port in self.model.get_outputs()), self.model.run(None, feed, self.run_options)))
        for name in self.cache:
            present = out[name.replace("past_key_values", "present")]
            if self.is_static:
                self.cache[name][:, :, self.length:end] = present
            else:
                self.cache[name] = present
        self.length = end
        return out["logits"][0].astype(np.float32)

    def generate(self, ids, positions, delta, features=None, count=24):
        """Logits of the prompt [s, vocab] and `count` greedy tokens after it."""
        self.reset()
        prompt = logits = self.step(ids, positions, features)
        tokens = []
        for _ in range(count):
            tokens.append(int(logits[-1].argmax()))
            logits = self.step(tokens[-1:], np.full((3, 1), self.length + delta))
        return prompt, tokens


def relative(found, expected):
    """Largest absolute difference over the largest expected magnitude."""
    assert found.shape == expected.shape, f"expected shape {expected.shape}, found {found.shape}"
    return float(np.abs(found.astype(np.float32) - expected).max() / np.abs(expected).max())
