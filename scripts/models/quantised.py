"""Writes a model with random weights of 8 bits (Q8_0) as a GGUF file, to measure speed: it depends on no weights.

quantised.py FILE tiny|large NAME   NAME of architectures.py
quantised.py --names                prints the names that have a large model

As in a file that llama.cpp quantised, the largest of each 32 weights of a row is 127 times their scale. Vectors and
the router of experts are 32-bit floats. A part of a tensor is in memory at a time. Only Python's standard library
is used.
"""

import math
import random
import struct
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path

from architectures import ARCHITECTURES, LARGE, Model
from write import F32, SEED, gguf_head, little, metadata, padding, rotary_factors, shapes

# The number of the type in a GGUF file; the weights of a block, and its bytes: a scale of 16 bits before them.
Q8_0, BLOCK, BLOCK_BYTES = 8, 32, 34
# Blocks that are in memory at a time.
PART = 1 << 16
# The width in which weights reach as far as shapes() states. Sums over more inputs stay as large.
WIDTH = 64
# By the value of a random byte: a weight, which is never -128, and the largest weight with one of two signs.
WEIGHTS = bytes(129 if byte == 128 else byte for byte in range(256))
LARGEST = bytes(127 if byte < 128 else 129 for byte in range(256))


def blocks(numbers: random.Random, count: int, reach: float) -> bytes:
    """So many blocks with weights of up to about `reach`."""
    data = bytearray(count * BLOCK_BYTES)
    # Scales differ in the lower eight bits.
    data[0::BLOCK_BYTES] = numbers.randbytes(count)
    data[1::BLOCK_BYTES] = struct.pack("<e", reach / 127)[1:] * count
    weights = numbers.randbytes(count * BLOCK).translate(WEIGHTS)
    for place in range(BLOCK):
        data[2 + place :: BLOCK_BYTES] = weights[place * count : (place + 1) * count]
    data[2 + numbers.randrange(BLOCK) :: BLOCK_BYTES] = numbers.randbytes(count).translate(LARGEST)
    return bytes(data)


def is_quantised(name: str, shape: tuple[int, ...]) -> bool:
    return len(shape) > 1 and not name.endswith("ffn_gate_inp.weight")


def tensor(numbers: random.Random, name: str, shape: tuple[int, ...], middle: float, reach: float) -> Iterator[bytes]:
    """The data of a tensor, in parts."""
    count = math.prod(shape)
    if len(shape) > 1:
        reach *= math.sqrt(WIDTH / shape[-1])
    if not is_quantised(name, shape):
        yield little(array("f", (middle + numbers.uniform(-reach, reach) for _ in range(count))))
        return
    for first in range(0, count // BLOCK, PART):
        yield blocks(numbers, min(PART, count // BLOCK - first), reach)


def write(path: Path, name: str, model: Model) -> None:
    listed = []
    for in_gguf, _, shape, *_ in shapes(model):
        count = math.prod(shape)
        if is_quantised(in_gguf, shape):
            assert shape[-1] % BLOCK == 0, f"{in_gguf} has rows of {shape[-1]} weights"
            listed.append((in_gguf, shape, Q8_0, count // BLOCK * BLOCK_BYTES))
        else:
            listed.append((in_gguf, shape, F32, 4 * count))
    factors = rotary_factors(model)
    listed += [(factor, (len(values),), F32, 4 * len(values)) for factor, values in factors.items()]
    numbers = random.Random(f"{SEED} {name}")
    with path.open("wb") as file:
        file.write(gguf_head(metadata(name, model), listed))
        for in_gguf, _, shape, middle, reach in shapes(model):
            size = 0
            for part in tensor(numbers, in_gguf, shape, middle, reach):
                size += file.write(part)
            file.write(padding(size))
        for values in factors.values():
            data = little(values)
            file.write(data + padding(len(data)))


def main(*arguments: str) -> None:
    match arguments:
        case ["--names"]:
            print("\n".join(LARGE))
        case [file, "tiny", name] if name in ARCHITECTURES:
            write(Path(file), f"Tiny {name} with weights of 8 bits", ARCHITECTURES[name])
        case [file, "large", name] if name in LARGE:
            write(Path(file), f"Large {name} with weights of 8 bits", LARGE[name])
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
