# Every recipe does its own set-up; `make help` lists them.
SHELL := /bin/bash
ASK ?= how far is the door?
export ASK

.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench furniture-extra ros-env fmt lint

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | sed "s/[$$][$$]/$$/" | expand -t 18

setup: ## install and cache what the build needs: apt packages, ROS 2 prefix, messages, ONNX Runtime
	@scripts/setup.sh

build: setup ## build the whole workspace, ROS nodes included
	@scripts/build.sh

demo: setup ## simulated room on real ROS 2, one question, the answer beside the truth; ASK="..." asks another
	@scripts/demo.sh

test: setup ## every check that CI runs
	@scripts/test.sh

bench: setup ## latency and throughput figures
	@scripts/bench.sh

furniture-extra: ## build the cached pack of more furniture for training, from the apt package sweethome3d-furniture
	@scripts/furniture_extra.sh

ros-env: setup ## print the ROS environment:  eval "$$(make -s ros-env)"
	@scripts/ros_env.sh

fmt: ## format the Rust sources
	@cargo fmt --all

lint: setup ## formatting and clippy, as in `make test`
	@scripts/lint.sh
