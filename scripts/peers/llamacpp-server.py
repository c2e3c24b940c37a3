"""Serves a model with llama.cpp's own server: llamacpp-server.py MODEL THREADS SLOTS.

Prints the address of its API, which is OpenAI's, and serves until it is killed.
"""

import signal
import sys

import xllamacpp

CONTEXT = 2_048


def main(model: str, threads: int, slots: int) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = CONTEXT * slots
    params.n_parallel = slots
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.n_gpu_layers = 0
    params.verbosity = -1
    params.port = 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
