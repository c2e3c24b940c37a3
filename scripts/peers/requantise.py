"""Requantises a GGUF file: requantise.py SOURCE TARGET TYPE.

Matrices are dequantised to f32 and written as TYPE: Q8_0 (int8 in blocks of 32 with an f16 scale, the
form nearest to Noema's own weights) or F32; vectors and metadata stay unchanged.
"""

import os
import sys

import gguf

SKIPPED = {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture", "general.file_type"}


FILE_TYPES = {"Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "F32": gguf.LlamaFileType.ALL_F32}


def main(source: str, target: str, name: str) -> None:
    kind_of_matrices = gguf.GGMLQuantizationType[name]
    reader = gguf.GGUFReader(source)
    architecture = reader.get_field("general.architecture").contents()
    part = target + ".part"
    writer = gguf.GGUFWriter(part, architecture)
    writer.add_file_type(FILE_TYPES[name])
    for field in reader.fields.values():
        if field.name in SKIPPED:
            continue
        kind = field.types[0]
        items = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=items)
    for tensor in reader.tensors:
        if tensor.tensor_type == gguf.GGMLQuantizationType.F32:
            writer.add_tensor(tensor.name, tensor.data)
            continue
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        packed = gguf.quants.quantize(values, kind_of_matrices)
        writer.add_tensor(tensor.name, packed, raw_dtype=kind_of_matrices)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    # The file gets its name only once it is complete.
    os.replace(part, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
