#!/usr/bin/env python3
"""Seconds of one training step with torch, a step for each line on standard input. Called by bench_training.py.

    bench_torch.py sft MODEL BATCH.safetensors     transformers' Qwen2.5-VL and torch's AdamW
    bench_torch.py grpo MODEL TASK.json            TRL's GRPOTrainer, rollouts and rewards included
"""

import json
import pathlib
import sys
import tempfile
import time

import torch
from transformers import Qwen2_5_VLForConditionalGeneration

RATE = 1e-6


def supervised(model, path):
    from safetensors.torch import load_file

    network = Qwen2_5_VLForConditionalGeneration.from_pretrained(model, dtype=torch.float32)
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, fused=True)
    batch = load_file(path)
    print(batch["input_ids"].numel(), flush=True)

    for _ in sys.stdin:
        start = time.perf_counter()
        network(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        print(time.perf_counter() - start, flush=True)


def processor_of(model):
    """The model directory has no tokenizer_config.json, which AutoProcessor would want."""
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    folder = pathlib.Path(model)
    settings = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    size = {"shortest_edge": settings["min_pixels"], "longest_edge": settings["max_pixels"]}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<|endoftext|>", eos_token="<|vision_pad|>",
        image_token="<|image_pad|>", video_token="<|video_pad|>", padding_side="left")
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size), video_processor=Qwen2VLVideoProcessor(), tokenizer=tokenizer,
        chat_template=(folder / "chat_template.jinja").read_text(encoding="utf-8"))


def reinforced(model, path):
    import PIL.Image
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    lengths = []

    class Turns(TrainerCallback):
        """Makes each step wait for its turn."""

        def on_step_begin(self, *_, **__):
            if not sys.stdin.readline():
                sys.exit()
            self.start = time.perf_counter()

        def on_step_end(self, *_, **__):
            print(time.perf_counter() - self.start, sum(lengths) / len(lengths), flush=True)

    task = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    picture = PIL.Image.frombytes("RGB", tuple(task["size"]), pathlib.Path(task["picture"]).read_bytes())
    rows = [{"prompt": [{"role": "user", "content": question}], "images": [picture]} for question in task["questions"]]
    group = task["group_size"]

    def reward(completions, completion_ids, **_):
        lengths[:] = map(len, completion_ids)
        words = [set(completion[0]["content"].split()) for completion in completions]
        return [len(found & {"about", "two", "metres"}) / 3 for found in words]

    with tempfile.TemporaryDirectory() as out:
        arguments = GRPOConfig(
            output_dir=out, use_cpu=True, bf16=False, report_to=[], disable_tqdm=True, save_strategy="no", logging_steps=10**6,
            per_device_train_batch_size=group * len(rows), num_generations=group, learning_rate=RATE, beta=0.04,
            max_completion_length=task["completion_tokens"], temperature=1.0, top_p=0.95, top_k=0, num_iterations=1,
            max_grad_norm=5.0, max_steps=10**6, gradient_checkpointing=False, loss_type="grpo", shuffle_dataset=False)
        trainer = GRPOTrainer(
            model=Qwen2_5_VLForConditionalGeneration.from_pretrained(model, dtype=torch.float32), args=arguments,
            reward_funcs=reward, train_dataset=Dataset.from_list(rows), processing_class=processor_of(model),
            callbacks=[Turns()])
        trainer.train()


def main():
    mode, model, path = sys.argv[1:]
    torch.set_num_threads(2)
    {"sft": supervised, "grpo": reinforced}[mode](model, path)


main()
