"""A stand-in for the `onnxruntime` package where it is not installed: the same calls, run by onnxruntime-node.

As much of the interface as examples/check_segment.py uses. Put this folder on PYTHONPATH; NODE names the Node binary.
"""
import base64
import json
import os
import pathlib
import subprocess

import numpy as np

_process = subprocess.Popen(
    [os.environ.get("NODE", "node"), pathlib.Path(__file__).with_name("run.mjs")],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
)


def _ask(**request):
    _process.stdin.write(json.dumps(request).encode() + b"\n")
    _process.stdin.flush()
    reply = json.loads(_process.stdout.readline())
    if "error" in reply:
        raise RuntimeError(reply["error"])
    return reply


class _Output:
    def __init__(self, name):
        self.name = name


class GraphOptimizationLevel:
    ORT_DISABLE_ALL = "disabled"
    ORT_ENABLE_ALL = "all"


class SessionOptions:
    def __init__(self):
        self.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL


class InferenceSession:
    def __init__(self, model, sess_options=None, providers=None):
        assert providers == ["CPUExecutionProvider"]
        level = (sess_options or SessionOptions()).graph_optimization_level
        reply = _ask(load=base64.b64encode(model).decode(), level=level)
        self._session = reply["session"]
        self._outputs = [_Output(name) for name in reply["outputs"]]

    def get_outputs(self):
        return self._outputs

    def run(self, output_names, feeds):
        names = output_names or [output.name for output in self._outputs]
        reply = _ask(run=self._session, feeds={name: _packed(value) for name, value in feeds.items()}, outputs=names)
        return [_unpacked(value) for value in reply["outputs"]]


def _packed(value):
    return {"type": value.dtype.name, "shape": value.shape, "data": base64.b64encode(value.tobytes()).decode()}


def _unpacked(value):
    return np.frombuffer(base64.b64decode(value["data"]), value["type"]).reshape(value["shape"])
