"""What this machine can run: cores, memory, instruction sets, and which model and number format suit them.

Reads /proc and /sys where they exist and falls back to what Python knows. Chooses by rules measured on two
cores of an AMD EPYC (see `choose_models`); knows nothing of how models are loaded or run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import torch

Dtype = Literal["float32", "bfloat16", "float16", "int8"]

CONTROL_GROUP = Path("/sys/fs/cgroup")
GIB = 1024**3
CODER_1_5B = "Qwen/Qwen2.5-Coder-1.5B-Instruct"
CODER_0_5B = "Qwen/Qwen2.5-Coder-0.5B-Instruct"
SMALLEST = "HuggingFaceTB/SmolLM2-135M-Instruct"
GPU_MODELS = (
    # bf16 weights take 2 bytes a parameter; the rest is for keys, values and the embedder.
    (16 * GIB, "Qwen/Qwen3-4B-Instruct-2507"),  # and the 1.5B beside it, which checks
    (5 * GIB, CODER_1_5B),
    (2 * GIB, CODER_0_5B),
)
LEAST_GPU = GPU_MODELS[-1][0]
"""Free memory of a GPU in bytes below which the CPU is used."""


def choose_models(gpu_free_bytes: int | None, cpu_capability: str, ram_bytes: int) -> tuple[str, ...]:
    """The models for a machine whose settings say "auto": the best that it can run, then smaller ones.

    `cpu_capability` is `torch.backends.cpu.get_cpu_capability()`, e.g. "AVX2" or "AVX512"; `ram_bytes` what
    is free for use.
    """
    mirrored = (CODER_1_5B, CODER_0_5B, SMALLEST)  # each smaller than the one before
    for needed, name in GPU_MODELS:
        if gpu_free_bytes is not None and gpu_free_bytes >= needed:
            return mirrored[mirrored.index(name) :] if name in mirrored else (name, *mirrored)
    # Without an int8 engine (not x86) weights stay in float32 or bfloat16: only the smaller model is quick enough.
    is_x86 = cpu_capability.startswith(("AVX", "AMX"))
    return mirrored if is_x86 and ram_bytes >= 6 * GIB else mirrored[1:]


def physical_cores() -> int:
    """Cores that this process may use, hyper-threads counted once, bounded by a container's CPU quota."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    siblings = set()
    for cpu in allowed:
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        siblings.add(path.read_text().strip() if path.exists() else str(cpu))
    return max(1, min(len(siblings), _quota()))


def _quota() -> int:
    """Whole CPUs that the control group allows; a large number where there is no limit."""
    path = CONTROL_GROUP / "cpu.max"
    try:
        limit, period = path.read_text().split()
    except (OSError, ValueError):
        return 1_000_000
    return 1_000_000 if limit == "max" else max(1, int(limit) // int(period))


def available_ram() -> int:
    """Bytes of memory free for use, bounded by a container's limit."""
    free = 8 * GIB
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    try:
        used = int((CONTROL_GROUP / "memory.current").read_text())
        cached = dict(line.split() for line in (CONTROL_GROUP / "memory.stat").read_text().splitlines())
        used -= int(cached["inactive_file"]) + int(cached["active_file"])  # files read, let go of when room is needed
        free = min(free, int((CONTROL_GROUP / "memory.max").read_text()) - used)
    except (OSError, ValueError, KeyError):  # no control group, or "max"
        pass
    return free


def cpu_capability() -> str:
    """The widest instruction set that PyTorch's own kernels use here, e.g. "AVX2" or "AVX512"."""
    return str(torch.backends.cpu.get_cpu_capability())


def gpu_free_bytes() -> int | None:
    """Free memory of the current CUDA device, or None without one."""
    if not torch.cuda.is_available():
        return None
    free, _total = torch.cuda.mem_get_info()
    return int(free) + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # PyTorch keeps what it let go of
