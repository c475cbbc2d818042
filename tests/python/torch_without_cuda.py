"""Makes PyPI's torch importable without the CUDA libraries that it is linked to (about 2 GB of wheels).

    python torch_without_cuda.py

Run by the interpreter whose site-packages hold torch, installed with --no-deps. Every missing library becomes a small one
whose functions answer that there is no device. Needs gcc and binutils."""

import collections
import ctypes.util
import pathlib
import re
import subprocess
import sysconfig
import tempfile

NO_DEVICE = 100
CUDA_NAME = re.compile(r"(__cuda|cu|nccl|nv)")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def body(symbol):
    if "ErrorString" in symbol or "ErrorName" in symbol:
        return f'const char *{symbol}(void) {{ return "no CUDA here"; }}'
    # Registration of kernels at load time hands out a pointer that nobody follows.
    return f"long {symbol}(void) {{ return {0 if symbol.startswith('__cuda') else NO_DEVICE}; }}"


def main():
    site = pathlib.Path(sysconfig.get_paths()["purelib"])
    folder = site / "torch/lib"
    libraries = [*folder.glob("*.so*"), *(site / "torchvision").glob("*.so")]
    # What torchvision brings is under names of its own, where torch doesn't look.
    present = {library.name for library in [*libraries, *site.glob("torchvision.libs/*")]}
    needed, missing_symbols, defined, owners = set(), set(), set(), {}
    for library in libraries:
        needed |= set(re.findall(r"\(NEEDED\).*\[(.+?)\]", output("readelf", "-d", library)))
        for line in output("readelf", "-V", library).splitlines():
            if file := re.search(r"File: (\S+)", line):
                owner = file[1]
            elif version := re.search(r"Name: (\S+).*Version: \d+$", line):
                owners[version[1]] = owner
        for line in output("nm", "-D", library).splitlines():
            *_, kind, name = line.split()
            name, _, version = name.partition("@")
            if kind in "Uw":
                missing_symbols.add((name, version.lstrip("@")))
            else:
                defined.add(name)
    # The driver is opened when a device is used only.
    missing = {name for name in needed - present - {"libcuda.so.1"} if re.match(r"lib(cu|nv|nccl)", name)
               and not ctypes.util.find_library(name.split(".")[0].removeprefix("lib"))}
    symbols = collections.defaultdict(lambda: collections.defaultdict(list))
    for name, version in sorted(missing_symbols):
        if name not in defined and CUDA_NAME.match(name) and (not version or owners.get(version) in missing):
            # Symbols without a version are found wherever they are.
            symbols[owners[version] if version else min(missing)][version].append(name)
    for library in sorted(missing):
        with tempfile.TemporaryDirectory() as scratch:
            source, versions = pathlib.Path(scratch) / "stub.c", pathlib.Path(scratch) / "stub.map"
            names = [name for group in symbols[library].values() for name in group]
            source.write_text("\n".join(map(body, names)) + "\n")
            command = ["gcc", "-w", "-fno-builtin", "-shared", "-fPIC", f"-Wl,-soname,{library}", "-o", folder / library,
                       source]
            tagged = {version: group for version, group in symbols[library].items() if version}
            if tagged:
                versions.write_text("\n".join(
                    f"{version} {{ global: {' '.join(name + ';' for name in group)} }};"
                    for version, group in tagged.items()))
                command.append(f"-Wl,--version-script={versions}")
            subprocess.run(command, check=True)
    print(f"{len(missing)} libraries stand in for CUDA's")


if __name__ == "__main__":
    main()
