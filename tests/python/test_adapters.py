"""LoRA adapters go both ways: PEFT gives our logits with an adapter that we wrote, and we give its with one that it wrote,
on spacer-nano in transformers.

Our side is the example `adapters` of the crate `policy`, which `cargo test` builds."""

import pathlib
import subprocess
import sys
import tempfile
import warnings

from outside_packages import REPO, built_example, checkpoint, training_python, without_python_paths

NANO = REPO / "models/zoo/spacer-nano"
# Differences of two implementations in f32, relative to the largest logit.
TOLERANCE = 1e-4


def network():
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = checkpoint(NANO, pathlib.Path(scratch) / "nano")
        return Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)


def write(out):
    """An adapter of PEFT's own, with what `q_proj` and `gate_proj` of all layers gain away from zero."""
    import torch
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(network(), LoraConfig(r=8, lora_alpha=4, target_modules=["q_proj", "gate_proj"]))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    adapted.save_pretrained(out / "peft")


def compare(out):
    from peft import PeftModel
    from safetensors.torch import load_file

    found = load_file(out / "reference.safetensors")
    inputs = {"input_ids": found["input_ids"][None], "position_ids": found["position_ids"],
              "pixel_values": found["pixel_values"], "image_grid_thw": found["image_grid_thw"][None]}
    logits = {"base": network()(**inputs).logits[0].detach()}
    for name in ("ours", "peft"):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            adapted = PeftModel.from_pretrained(network(), out / name)
        assert not any("adapter keys" in str(warning.message) for warning in said), said
        logits[name] = adapted(**inputs).logits[0].detach()
    scale = logits["base"].abs().max()
    for name, expected in logits.items():
        difference = ((found[name] - expected).abs().max() / scale).item()
        moved = ((expected - logits["base"]).abs().max() / scale).item()
        print(f"{name}: logits {difference:.1e} apart, {moved:.1e} away from those without an adapter")
        assert difference < TOLERANCE, difference
        assert name == "base" or moved > 100 * TOLERANCE, moved


def main():
    if len(sys.argv) == 3:
        {"write": write, "compare": compare}[sys.argv[1]](pathlib.Path(sys.argv[2]))
        return
    python, example = training_python(), built_example("adapters")
    with tempfile.TemporaryDirectory() as out:
        for command in ([python, __file__, "write", out], [example, NANO, out], [python, __file__, "compare", out]):
            subprocess.run(command, env={**without_python_paths(), "HF_HUB_OFFLINE": "1"}, check=True)


if __name__ == "__main__":
    main()
