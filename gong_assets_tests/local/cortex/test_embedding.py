"""Embeddings: their shape, their order by meaning, and that they are always the same."""

from __future__ import annotations

import numpy as np
import pytest

from gong_assets.local.cortex import embedding
from gong_assets.local.cortex.errors import UnknownModelError


def cosine(left: str, right: str) -> float:
    a, b = embedding.embed("e5-base-v2", [left, right])
    return float(a @ b)


@pytest.mark.parametrize(("model", "spec"), embedding.MODELS.items())
def test_every_model_has_its_dimension(model: str, spec: embedding.EmbeddingModel) -> None:
    vectors = embedding.embed(model, ["hello", ""])

    assert vectors.shape == (2, spec.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_what_means_the_same_is_nearer_than_what_shares_a_word() -> None:
    assert cosine("The quote is too expensive.", "We cannot afford this.") > cosine(
        "The quote is too expensive.", "He likes to quote Shakespeare."
    )


def test_the_same_text_has_the_same_vector_alone_and_among_others() -> None:
    texts = ["short", "a somewhat longer sentence about pricing", "x " * 300]
    together = embedding._encode(texts)
    alone = np.vstack([embedding._encode([text]) for text in texts])

    assert np.sum(together * alone, axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_a_prefix_of_the_model_is_not_read() -> None:
    assert cosine("query: price", "passage: price") == pytest.approx(1, abs=1e-5)
    assert cosine("query: price", "note: price") < 0.999


def test_odd_texts_have_finite_vectors() -> None:
    vectors = embedding.embed("e5-base-v2", ["", "  ", "😀", "\x00", "日本語", "word " * 5000, "\ud800"])

    assert np.isfinite(vectors).all()


def test_an_unknown_model_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match=r"Unknown model 'text-embedding-3' for AI_EMBED.*e5-base-v2"):
        embedding.embed("text-embedding-3", ["x"])


def test_the_cache_forgets_the_texts_that_were_not_asked_for_again() -> None:
    cache = embedding._VectorCache(2)
    vector = np.zeros(384, np.float32)
    cache.put_many({b"a": vector, b"b": vector})
    cache.get_many([b"a"])

    cache.put_many({b"c": vector})

    assert set(cache.get_many([b"a", b"b", b"c"])) == {b"a", b"c"}


def test_classification_picks_the_label_nearest_in_meaning() -> None:
    texts = ["The invoice charged us twice.", "It crashes when I open the report."]

    assert embedding.classify(texts, ["billing", "software bug", "weather"]) == ["billing", "software bug"]


def test_a_model_file_that_was_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "MODEL_SHA256", "0" * 64)

    with pytest.raises(RuntimeError, match="sha256"):
        embedding._inference_session.__wrapped__()
