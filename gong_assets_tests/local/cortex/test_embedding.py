"""Embeddings: dimensions, ranking by meaning, and determinism."""

from __future__ import annotations

import numpy as np
import pytest

from gong_assets.local.cortex import embedding
from gong_assets.local.cortex.errors import UnknownModelError


def cosine(left: str, right: str) -> float:
    a, b = embedding.embed("e5-base-v2", [left, right])
    return float(a @ b)


@pytest.mark.parametrize(("model", "spec"), embedding.MODELS.items())
def test_vectors_have_the_dimension_of_their_model(model: str, spec: embedding.EmbeddingModel) -> None:
    vectors = embedding.embed(model, ["hello", ""])

    assert vectors.shape == (2, spec.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_paraphrases_are_more_similar_than_texts_with_a_common_word() -> None:
    assert cosine("The quote is too expensive.", "We cannot afford this.") > cosine(
        "The quote is too expensive.", "He likes to quote Shakespeare."
    )


def test_a_vector_does_not_depend_on_the_other_texts_of_a_batch() -> None:
    texts = ["short", "a somewhat longer sentence about pricing", "x " * 300]
    together = embedding._encode(texts)
    alone = np.vstack([embedding._encode([text]) for text in texts])

    assert np.sum(together * alone, axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_prefixes_of_the_model_are_ignored() -> None:
    assert cosine("query: price", "passage: price") == pytest.approx(1, abs=1e-5)
    assert cosine("query: price", "note: price") < 0.999


def test_unusual_texts_have_finite_vectors() -> None:
    vectors = embedding.embed("e5-base-v2", ["", "  ", "😀", "\x00", "日本語", "word " * 5000, "\ud800"])

    assert np.isfinite(vectors).all()


def test_an_unknown_model_raises_an_error_that_lists_the_supported_ones() -> None:
    with pytest.raises(UnknownModelError, match=r"Unknown model 'text-embedding-3' for AI_EMBED.*e5-base-v2"):
        embedding.embed("text-embedding-3", ["x"])


def test_the_cache_evicts_the_least_recently_used_vectors() -> None:
    cache = embedding._VectorCache(2)
    vector = np.zeros(384, np.float32)
    cache.put_many({b"a": vector, b"b": vector})
    cache.get_many([b"a"])

    cache.put_many({b"c": vector})

    assert set(cache.get_many([b"a", b"b", b"c"])) == {b"a", b"c"}


def test_classification_returns_the_most_similar_label() -> None:
    texts = ["The invoice charged us twice.", "It crashes when I open the report."]

    assert embedding.classify(texts, ["billing", "software bug", "weather"]) == ["billing", "software bug"]


def test_a_modified_model_file_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "MODEL_SHA256", "0" * 64)

    with pytest.raises(RuntimeError, match="sha256"):
        embedding._inference_session.__wrapped__()
