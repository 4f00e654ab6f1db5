"""Logging: event files that TensorBoard reads."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import tensor_of, values
from tenet.spec.language import assert_equal, assert_that, case, clause, for_all, home, supported
from tenet.spec.model.dtypes import FLOATS


class Damaged(AssertionError):
    """The file is no event file."""


class Scalar(NamedTuple):
    """One logged number."""

    tag: str
    value: float
    step: int


@cache
def _remainders() -> tuple[int, ...]:
    """What a byte leaves when divided by the polynomial of CRC-32C (Castagnoli), reflected."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


def _checksum(data: bytes) -> int:
    """The masked CRC-32C that a record is stored with (source: TFRecord format)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _remainders()[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _records(content: bytes) -> Iterator[bytes]:
    """A record is its length, that length's checksum, the data, and the data's checksum."""
    place = 0
    while place < len(content):
        head = content[place : place + 8]
        [length] = struct.unpack("<Q", head)
        data = content[place + 12 : place + 12 + length]
        checks = content[place + 8 : place + 12] + content[place + 12 + length :][:4]
        if struct.unpack("<II", checks) != (_checksum(head), _checksum(data)):
            raise Damaged(f"the record at byte {place} does not match its checksums")
        yield data
        place += length + 16


def _varint(data: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 0x80:
            return number, place


def _fields(message: bytes) -> dict[int, list[Any]]:
    """The fields of a protocol-buffer message, by number: integers, or the bytes of the rest."""
    found: dict[int, list[Any]] = {}
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == 0:
            value, place = _varint(message, place)
            found.setdefault(key >> 3, []).append(value)
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None:
            size, place = _varint(message, place)
        found.setdefault(key >> 3, []).append(message[place : place + size])
        place += size
    return found


def _scalars(folder: str) -> list[Scalar]:
    """The numbers in the one event file of a folder, in the order in which they were written.

    Event: 2 the step, 3 the file's version, 5 the summary; in that 1 a value; in that 1 the tag
    and 2 the number as float32 (source: event.proto and summary.proto of TensorBoard).
    """
    [file] = Path(folder).rglob("*tfevents*")
    first, *others = [_fields(record) for record in _records(file.read_bytes())]
    if first.get(3) != [b"brain.Event:2"]:
        raise Damaged("the first record does not name the version of the format")
    found = []
    for event in others:
        [step] = event.get(2, [0])
        for summary in event.get(5, []):
            for value in _fields(summary).get(1, []):
                parts = _fields(value)
                [number] = struct.unpack("<f", parts.get(2, [bytes(4)])[0])
                signed = step - 2**64 if step >= 2**63 else step
                found.append(Scalar(parts[1][0].decode(), number, signed))
    return found


TAGS = ("loss", "Loss/train", "a/b/c", "acc_1.5", "x-y", "loss.min")
NUMBERS: tuple[float, ...] = (1.5, 0.0, -2.25, 1, 7, 1e-30, 3e38, math.inf, -math.inf, math.nan)


@clause("logging.scalars", covers=["hackmd.tensorboard"], requires={"tensorboard"}, effort=0.4)
@for_all(
    count=st.integers(0, 9),
    start=st.integers(0, 20),
    step=st.sampled_from((1, 0, 10, 2**33, 3)),
    name=st.sampled_from(FLOATS),
)
def logged_scalars_are_read_back(
    torch: Any, device: str, count: int, start: int, step: int, name: str
) -> None:
    """SummaryWriter(dir).add_scalar(tag, value, step) writes one event file into dir, made if it
    is not there, of which every record matches its checksum: each tag, value (as float32) and
    step in the order of the calls, for Python numbers and tensors of one element."""
    writer_of = import_module(f"{home(torch)}.utils.tensorboard").SummaryWriter
    for dtype in supported([name]):
        calls: list[tuple[str, Any, int]] = []
        wanted: list[Scalar] = []
        for place in range(count):
            tag, at = TAGS[(start + place) % len(TAGS)], start + place * step
            number = NUMBERS[(start * 3 + place) % len(NUMBERS)]
            array = values((), dtype, "normal", start + place)
            as_tensor = place % 3 == 2
            calls.append((tag, tensor_of(torch, device, array) if as_tensor else number, at))
            exact = float(array) if as_tensor else number
            wanted.append(Scalar(tag, float(np.asarray(exact).astype(np.float32)), at))
        with TemporaryDirectory(prefix="tenet-", ignore_cleanup_errors=True) as folder:
            target = f"{folder}/runs/one"
            writer = writer_of(log_dir=target) if start % 2 else writer_of(target)
            try:
                for place, (tag, value, at) in enumerate(calls):
                    if place % 2:
                        writer.add_scalar(tag, value, at)
                    else:
                        writer.add_scalar(tag=tag, scalar_value=value, global_step=at)
                writer.flush()
                flushed = _scalars(target)
            finally:
                writer.close()
            got = _scalars(target)
            assert_equal([(s.tag, s.step) for s in flushed], [(s.tag, s.step) for s in wanted])
            assert_equal([(s.tag, s.step) for s in got], [(s.tag, s.step) for s in wanted])
            for one, other in zip(got, wanted, strict=True):
                with case(tag=other.tag, step=other.step):
                    assert_equal(one.value, other.value)
            writers = list(Path(target).iterdir())
            assert_that(len(writers) == 1, f"there are {len(writers)} files")
