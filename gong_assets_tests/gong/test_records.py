"""Records keep their bytes, valid or not, and say what is wrong with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gong_assets.gong import Call, Transcript, User, content_hash, validation_error
from gong_assets.gong.endpoints import CALLS
from gong_assets.gong.pages.pagination import parse_page
from gong_assets.gong.records import read_call, read_transcript, read_user

CALL = (
    b'{"metaData": {"id": "7782342274025937895", "started": "2026-08-30T03:00:00.816562-07:00"},'
    b' "context": []}'
)


def raw_call(**meta: Any) -> bytes:
    return json.dumps({"metaData": {"id": "1", "started": "2026-01-01T00:00:00Z", **meta}}).encode()


def test_a_call_keeps_its_bytes_and_has_its_start_in_utc() -> None:
    record = read_call(CALL)
    assert record.raw == CALL
    assert record.id == "7782342274025937895"
    assert record.started == datetime(2026, 8, 30, 10, 0, 0, 816562, tzinfo=UTC)
    assert validation_error(record) is None


def test_the_scheduled_time_replaces_a_missing_start() -> None:
    record = read_call(raw_call(started=None, scheduled="2026-01-01T01:00:00+02:00"))
    assert record.started == datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "digits", ["7782342274025937895", "99999999999999999999", "123456789012345678901234"]
)
def test_an_id_sent_as_a_number_is_exact(digits: str) -> None:
    started = '"started": "2026-01-01T00:00:00Z"'
    assert read_call(f'{{"metaData": {{"id": {digits}, {started}}}}}'.encode()).id == digits
    assert read_transcript(f'{{"callId": {digits}}}'.encode()).id == digits
    assert read_user(f'{{"id": {digits}}}'.encode()).id == digits
    assert Transcript.model_validate_json(f'{{"callId": {digits}}}').call_id == digits


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (b"{}", "metaData"),
        (b"null", "metaData"),
        (b"[1, 2]", "metaData"),
        (b'{"metaData": null}', "metaData"),
        (b'{"metaData": "text"}', "metaData"),
        (b'{"metaData": {"started": "2026-01-01T00:00:00Z"}}', "metaData.id"),
        (raw_call(id=""), "metaData.id"),
        (raw_call(id=True), "metaData.id"),
        (raw_call(id="7" * 101), "metaData.id"),
        (raw_call(started="yesterday"), "metaData.started"),
        (raw_call(started="2026-01-01T00:00:00"), "metaData.started"),
        (raw_call(started=1767225600), "metaData.started"),
        (raw_call(started=None), "neither started nor scheduled"),
    ],
)
def test_an_invalid_call_has_a_validation_error_of_one_line(raw: bytes, wrong: str) -> None:
    record = read_call(raw)
    error = validation_error(record)
    assert error is not None
    assert wrong in error
    assert "\n" not in error
    assert record.started is None
    assert record.raw == raw


def test_a_call_without_a_readable_time_keeps_its_id_and_privacy() -> None:
    record = read_call(raw_call(id="42", started="never", isPrivate=True))
    assert record.id == "42"
    assert record.is_private


@pytest.mark.parametrize(
    ("private", "expected"), [(True, True), (False, False), (None, False), ("true", True)]
)
def test_private_calls_are_recognized(private: Any, expected: bool) -> None:
    assert read_call(raw_call(isPrivate=private)).is_private is expected


def test_transcripts_and_users_without_an_id_are_invalid() -> None:
    assert "callId" in str(validation_error(read_transcript(b'{"transcript": []}')))
    assert "id" in str(validation_error(read_user(b'{"id": null}')))
    assert validation_error(read_transcript(b'{"callId": "1", "transcript": null}')) is None


def test_records_without_an_id_are_distinguished_by_their_content() -> None:
    assert read_user(b'{"title": "a"}').key != read_user(b'{"title": "b"}').key


def test_models_accept_null_missing_and_unknown_fields() -> None:
    call = Call.model_validate_json(
        b"""{"metaData": {"id": "1", "started": "2026-01-01T00:00:00Z", "duration": null, "title": null},
        "parties": [{"id": 5, "speakerId": null, "context": null, "new": 1}, {}], "content": null,
        "interaction": {},
        "collaboration": {}, "context": [{"system": "HubSpot", "objects": [{"objectType": "Opportunity",
        "fields": [{"name": "amount", "value": 1.5}, {"name": "won", "value": "false"}]}]}], "later": {}}"""
    )
    assert call.parties[0].id == "5"
    assert call.parties[0].speaker_id is None
    assert call.content is None
    assert call.interaction is not None
    assert [field.value for field in call.context[0].objects[0].fields] == [1.5, "false"]
    assert User.model_validate_json(
        b'{"id": "1", "created": "2026-06-10T21:50:07.428+02:00"}'
    ).created == datetime(2026, 6, 10, 19, 50, 7, 428000, UTC)


def test_a_block_of_an_unknown_shape_counts_as_missing() -> None:
    call = Call.model_validate_json(
        b'{"metaData": {"id": "1", "started": "2026-01-01T00:00:00Z", "duration": "long"},'
        b' "parties": {"a": 1},'
        b' "content": [], "interaction": {"speakers": "none", "questions": {"companyCount": 3}}}'
    )
    assert call.meta_data.duration is None
    assert call.parties == []
    assert call.content is None
    assert call.interaction is not None
    assert call.interaction.questions is not None
    assert call.interaction.questions.company_count == 3


def test_the_content_hash_ignores_the_media_links() -> None:
    one = b'{"a": {"media": {"x": 1}}, "b": "t", "media": {"audioUrl": "signed-1"}}'
    other = b'{"a": {"media": {"x": 1}}, "b": "t", "media":{"audioUrl":"signed-2"}}'
    without = b'{"a":{"media": {"x": 1}},"b":"t"}'
    assert content_hash(one) == content_hash(other) == content_hash(without)
    assert len(content_hash(one)) == 64


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a": 1}', b'{"a": 2}'),
        (b'{"id": 99999999999999999999}', b'{"id": 99999999999999999998}'),
        (b'{"a": 9007199254740992.0}', b'{"a": 9007199254740993.0}'),
        (b'{"a": 1e400}', b'{"a": 1e401}'),
        (b'{"a": [1, 2]}', b'{"a": [2, 1]}'),
        (b'{"a": null}', b"{}"),
        (b'{"metaData": {"media": "Video"}}', b'{"metaData": {"media": "Audio"}}'),
        (b'{"a": {"media": {"x": 1}}}', b'{"a": {"media": {"x": 2}}}'),
        (b'[{"media": {"x": 1}}]', b'[{"media": {"x": 2}}]'),
    ],
)
def test_the_content_hash_differs_for_any_other_difference(one: bytes, other: bytes) -> None:
    assert content_hash(one) != content_hash(other)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(records=st.lists(json_values, max_size=4))
def test_a_page_keeps_any_record_byte_for_byte(records: list[Any]) -> None:
    """The text is as a server may send it: not escaped, and without lone surrogates."""
    sent = [json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") for record in records]
    page = parse_page(CALLS, b'{"records": {"totalRecords": 1}, "calls": [' + b", ".join(sent) + b"]}")
    assert [record.raw for record in page.records] == sent
    assert all(content_hash(record.raw) for record in page.records)


def test_a_lone_surrogate_is_replaced_and_the_call_stays_valid() -> None:
    title = rb"cut \ud83d and whole \ud83d\ude00 \\ud83d"
    cut = b'{"metaData":{"id":"1","started":"2026-01-01T00:00:00Z","title":"' + title + b'"}}'
    page = parse_page(CALLS, b'{"calls":[' + cut + b"]}")
    assert validation_error(page.records[0]) is None
    parsed = Call.model_validate_json(page.records[0].raw).meta_data.title
    assert parsed == "cut \ufffd and whole \U0001f600 \\ud83d"


@pytest.mark.parametrize("odd", [b"NaN", b'"\x01"', b'"\xff"', b'"\xed\xa0\xbd"'])
def test_nearly_valid_json_is_parsed_and_made_valid(odd: bytes) -> None:
    page = parse_page(
        CALLS, b'{"calls":[{"metaData":{"id":18446744073709551616},"n":1.50,"odd":' + odd + b"}]}"
    )
    record = page.records[0]
    assert record.id == "18446744073709551616"
    assert b"1.50" in record.raw
    json.loads(record.raw.decode())


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"<html>", b'{"calls": [{}', b'{"calls": null}', b"{}", b'{"calls":' + b"[" * 9999],
)
def test_a_body_that_is_not_a_page_is_rejected(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's, json's or our own
        parse_page(CALLS, body)


@pytest.mark.parametrize("started", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_outside_the_years_1_to_9999_in_utc_counts_as_unreadable(started: str) -> None:
    record = read_call(raw_call(started=started))
    assert record.started is None
