#!/usr/bin/env python3
"""Greedy decoding with onnxruntime-genai, a round for each line on standard input.

Prints for each round a JSON list of [package, tokens per second], in the order of the packages. Called by `spacer bench`.
"""

import argparse
import json
import pathlib
import sys
import time

import onnxruntime_genai as og


def load(package, threads):
    config = og.Config(str(package))
    config.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": threads}}}}))
    return og.Model(config)


def tokens_per_second(model, ids, tokens):
    parameters = og.GeneratorParams(model)
    length = len(ids) + tokens
    parameters.set_search_options(max_length=length, min_length=length, do_sample=False)
    generator = og.Generator(model, parameters)
    generator.append_tokens(ids)
    generator.generate_next_token()
    start = time.perf_counter()
    for _ in range(tokens - 1):
        generator.generate_next_token()
    return (tokens - 1) / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="+", type=pathlib.Path)
    parser.add_argument("--ids", required=True, type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--tokens", required=True, type=int)
    parser.add_argument("--threads", required=True, type=int)
    arguments = parser.parse_args()
    models = [(package, load(package, arguments.threads)) for package in arguments.packages]
    for _ in sys.stdin:
        rounds = [[f"{p.parent.name}/{p.name}", tokens_per_second(m, arguments.ids, arguments.tokens)] for p, m in models]
        print(json.dumps(rounds), flush=True)


main()
