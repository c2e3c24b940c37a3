"""Requantises a GGUF file to Q8_0: requantise.py SOURCE TARGET.

Matrices are dequantised to f32 and quantised to Q8_0 (int8 in blocks of 32 with an f16 scale), the
form nearest to Noema's own weights; vectors and metadata stay as they are.
"""

import os
import sys

import gguf

SKIPPED = {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture", "general.file_type"}


def main(source: str, target: str) -> None:
    reader = gguf.GGUFReader(source)
    architecture = reader.get_field("general.architecture").contents()
    part = target + ".part"
    writer = gguf.GGUFWriter(part, architecture)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
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
        q8_0 = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(tensor.name, gguf.quants.quantize(values, q8_0), raw_dtype=q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    # The file gets its name only once it is complete.
    os.replace(part, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
