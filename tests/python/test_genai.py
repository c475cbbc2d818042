"""Exports of spacer-nano and the golden checkpoint: every graph passes onnx.checker; the `trt` profile equals the `ort`
profile on ONNX Runtime; an independent runtime, onnxruntime-genai, loads the package and answers as we do.

The exports and our engine's answers come from the example `genai_reference` of the crate `tests`, which `cargo test` builds.
The Python packages live in a virtual environment of their own, made at the first run."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

from outside_packages import built_example, genai_python, without_python_paths

REPO = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = REPO / "tests/golden/qwen2_5_vl_tiny"
NANO = REPO / "models/zoo/spacer-nano"
CHECKPOINTS = {"golden": GOLDEN / "tiny-qwen2_5_vl", "nano": NANO}
PRECISIONS = ["f32", "f16", "int8", "int4", "int4_asymmetric"]
# Promised for f32: profiles and runtimes agree to rounding.
F32_TOLERANCE = 1e-4
# Seen on spacer-nano's logits against f32, relative to the largest, with room: 16-bit, 8-bit and 4-bit weights.
TOLERANCES = {"f32": F32_TOLERANCE, "f16": 1e-2, "int8": 5e-2, "int4": 0.5, "int4_asymmetric": 0.5}


def test_every_graph_passes_the_checker(out):
    import onnx

    count = 0
    for graph in sorted(pathlib.Path(out).glob("*/*/*.onnx")):
        onnx.checker.check_model(str(graph), full_check=True)
        domains = {node.domain for node in onnx.load(str(graph), load_external_data=False).graph.node}
        assert "trt-" not in str(graph) or domains == {""}, f"{graph}: expected standard operators, found {domains}"
        count += 1
    assert count == (2 * 9 + 2) * 3, f"expected 60 graphs, found {count}"


def nano_cases(out):
    import numpy as np

    folder = pathlib.Path(out) / "nano"
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    grid = [reference["grid_thw"]]
    pixels = np.fromfile(folder / "pixels.f32", np.float32).reshape(grid[0][0] * grid[0][1] * grid[0][2], -1)
    for case in reference["cases"]:
        vision = (pixels, grid) if case["name"] == "image" else None
        yield case, vision


def test_profiles_and_precisions_agree(out):
    import numpy as np
    from exported_graphs import Package, relative

    for profile in ("ort", "trt"):
        for precision in PRECISIONS:
            folder = f"{out}/nano/{profile}-{precision}"
            if not os.path.isdir(folder):
                assert (profile, precision) == ("trt", "int4_asymmetric"), folder
                continue
            package = Package(folder, NANO)
            for case, vision in nano_cases(out):
                features = package.encode(*vision) if vision else None
                positions = np.array(case["position_ids"])
                logits, tokens = package.generate(case["input_ids"], positions, case["rope_delta"], features)
                deviation = relative(logits[-1], np.array(case["logits"], np.float32))
                same = sum(a == b for a, b in zip(tokens, case["tokens"]))
                print(f"nano {profile} {precision} {case['name']}: logits {deviation:.1e}, tokens {same}/{len(tokens)}")
                assert deviation < TOLERANCES[precision], f"{deviation} of {TOLERANCES[precision]}"
                assert precision != "f32" or tokens == case["tokens"]


def test_an_adapter_beside_the_graphs_is_the_merged_one(out):
    import numpy as np
    from exported_graphs import Package, relative

    merged = Package(f"{out}/nano/adapter-merged", NANO)
    kept, without = (Package(f"{out}/nano/adapter-kept", NANO, with_adapter) for with_adapter in (True, False))
    for case, vision in nano_cases(out):
        features = merged.encode(*vision) if vision else None
        prompt = (case["input_ids"], np.array(case["position_ids"]), case["rope_delta"], features)
        expected, tokens = merged.generate(*prompt)
        found = kept.generate(*prompt)
        base = without.generate(*prompt)
        print(f"adapter {case['name']}: {relative(found[0], expected):.1e} kept, {relative(base[0], expected):.1e} without")
        assert relative(found[0], expected) < F32_TOLERANCE and found[1] == tokens
        assert base[1] == case["tokens"] and relative(base[0], expected) > 0.01


def test_logits_of_the_last_tokens_are_those_of_all(out):
    import numpy as np
    from exported_graphs import Package, relative

    for precision in ("f32", "int4"):
        package = Package(f"{out}/nano/ort-{precision}", NANO)
        case = next(case for case, vision in nano_cases(out) if vision is None)
        rows = {}
        for keep in (None, 0, 1, 5, 10_000):
            package.reset()
            rows[keep] = package.step(case["input_ids"], np.array(case["position_ids"]), keep=keep)
        count = len(case["input_ids"])
        assert [len(rows[keep]) for keep in (None, 0, 1, 5, 10_000)] == [count, count, 1, 5, count]
        assert all(relative(rows[keep], rows[None][-len(rows[keep]):]) < F32_TOLERANCE for keep in (0, 1, 5, 10_000))


class Genai:
    """onnxruntime-genai with an exported package."""

    def __init__(self, folder):
        import onnxruntime_genai

        self.api = onnxruntime_genai
        self.model = onnxruntime_genai.Model(folder)
        self.processor = self.model.create_multimodal_processor()

    def greedy(self, feed, count):
        """Last row of the prompt's logits and `count` greedy tokens; `feed` gives the generator its prompt."""
        import numpy as np

        params = self.api.GeneratorParams(self.model)
        params.set_search_options(do_sample=False, max_length=1024)
        generator = self.api.Generator(self.model, params)
        feed(generator)
        logits, tokens = None, []
        while len(tokens) < count and not generator.is_done():
            generator.generate_next_token()
            if logits is None:
                logits = generator.get_output("logits").astype(np.float32)
                logits = logits.reshape(-1, logits.shape[-1])[-1]
            tokens.append(int(generator.get_next_tokens()[0]))
        return logits, tokens

    def with_image(self, prompt, picture):
        """The prompt's ids as genai's own tokenizer and image processor make them, and the answer to it."""
        images = self.api.Images.open(picture) if picture else None
        inputs = self.processor(prompt, images=images)
        ids = inputs["input_ids"].as_numpy().reshape(-1).tolist()
        return ids, lambda generator: generator.set_inputs(inputs)


def check_genai(genai, label, case, picture):
    """genai's ids, logits and greedy tokens of `case` against ours; it may end early at an end-of-sequence token."""
    import numpy as np
    from exported_graphs import relative

    ids, feed = genai.with_image(case["prompt"], picture)
    assert ids == list(case["input_ids"]), f"{label}: expected ids {case['input_ids']}, found {ids}"
    logits, tokens = genai.greedy(feed, len(case["tokens"]))
    deviation = relative(logits, np.array(case["logits"], np.float32))
    print(f"genai {label}: logits {deviation:.1e}, {len(tokens)} tokens")
    assert deviation < case.get("tolerance", F32_TOLERANCE), f"{label}: {deviation}"
    assert tokens and tokens == list(case["tokens"])[:len(tokens)], f"{label}: {case['tokens']} but {tokens}"
    return tokens


def write_png(path, pixels, width, height):
    """An RGB picture, three bytes a pixel."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[3 * width * y:3 * width * (y + 1)] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def test_genai_answers_as_our_engine(out):
    genai = Genai(f"{out}/nano/ort-f32")
    reference = json.loads(pathlib.Path(out, "nano/reference.json").read_text(encoding="utf-8"))
    picture = f"{out}/picture.png"
    write_png(picture, pathlib.Path(out, "nano/picture.rgb").read_bytes(), *reference["picture"])
    with open(NANO / "generation_config.json", encoding="utf-8") as file:
        ends = json.load(file)["eos_token_id"]
    for case in reference["cases"]:
        tokens = check_genai(genai, f"nano {case['name']}", case, picture if case["name"] == "image" else None)
        assert len(tokens) == len(case["tokens"]) or tokens[-1] in ends, f"ended early: {tokens}"


def test_genai_loads_the_committed_model_whose_weights_stand_once(out):
    import onnx

    folder = NANO / "onnx"
    assert not (NANO / "model.safetensors").exists() and (folder / "model.safetensors").exists()
    for graph in folder.glob("*.onnx"):
        onnx.checker.check_model(str(graph), full_check=True)
    genai = Genai(str(folder))
    reference = json.loads(pathlib.Path(out, "nano/reference.json").read_text(encoding="utf-8"))
    for case in reference["cases"]:
        check_genai(genai, f"committed {case['name']}", case, f"{out}/picture.png" if case["name"] == "image" else None)


def load_safetensors(path):
    """Tensors by name."""
    import numpy as np

    data = pathlib.Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    types = {"F32": np.float32, "I64": np.int64, "I32": np.int32, "U8": np.uint8}
    return {
        name: np.frombuffer(data[start + info["data_offsets"][0]:start + info["data_offsets"][1]], types[info["dtype"]])
        .reshape(info["shape"])
        for name, info in json.loads(data[8:start]).items() if name != "__metadata__"
    }


def test_genai_answers_as_transformers(out):
    genai = Genai(f"{out}/golden/ort-f32")
    tensors = load_safetensors(GOLDEN / "oracle.safetensors")
    image = tensors["image.image0_u8"].reshape(tensors["image.image0_u8"].shape[-3:])
    picture = f"{out}/golden.png"
    write_png(picture, image.tobytes(), image.shape[1], image.shape[0])
    template = ("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n"
                "<|im_start|>assistant\n")
    pad = "<|vision_start|><|image_pad|><|vision_end|>"
    prompts = {"text": "turn left", "image": pad + "How many chairs are in the room?"}
    for name, words in prompts.items():
        case = {
            "prompt": template.format(words), "input_ids": tensors[f"{name}.input_ids"].reshape(-1).tolist(),
            "logits": tensors[f"{name}.logits_legacy_last8"][-1], "tokens": tensors[f"{name}.greedy_legacy"].tolist(),
            # This picture is resized, by another filter than transformers'.
            "tolerance": F32_TOLERANCE if name == "text" else 5e-3,
        }
        tokens = check_genai(genai, f"golden {name}", case, picture if name == "image" else None)
        assert len(tokens) == 24, tokens


def main():
    if len(sys.argv) == 1:
        with tempfile.TemporaryDirectory() as out:
            subprocess.run([built_example("genai_reference"), out], check=True)
            python = genai_python()
            sys.exit(subprocess.run([python, __file__, out], env=without_python_paths(), check=False).returncode)
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test(sys.argv[1])
            print(f"{name} ok")


if __name__ == "__main__":
    main()
