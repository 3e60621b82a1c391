"""DuckDB macros for the functions of OBJECTs, which are stored as JSON.

The docstring of array_macros explains how the bodies are written.
"""

from __future__ import annotations

from gong_assets.local.snowflake.sql.array_macros import failure, unsupported
from gong_assets.local.snowflake.sql.names import MACRO_SCHEMA as _SCHEMA


def _value(element: str) -> str:
    """Return a member's value for an element of a list of JSON, which may be NULL or missing."""
    return f"coalesce({element}, CAST('null' AS JSON))"


# The members of a JSON object: https://docs.snowflake.com/en/sql-reference/functions/object_construct
# A member without a key or a value is NULL, and is left out of the object.
_PAIR = "(k, v) AS CAST(to_json(k) AS VARCHAR) || ':' || CAST(to_json(v) AS VARCHAR)"
_OBJECT = "(pairs) AS CAST('{' || coalesce(array_to_string(pairs, ','), '') || '}' AS JSON)"

# The key of the n-th array is $n. Elements that are missing or NULL are JSON nulls:
# https://docs.snowflake.com/en/sql-reference/functions/arrays_zip
_ARRAYS_ZIP = f"""
(arrays) AS list_transform([list_transform(arrays, lambda a: CAST(a AS JSON[]))], lambda s: CASE
    WHEN list_contains(list_transform(s, lambda l: l IS NULL), TRUE) THEN NULL
    WHEN len(flatten(s)) = 0 THEN {unsupported("ARRAYS_ZIP of empty arrays", "s")}
    ELSE to_json(list_transform(range(1, list_max(list_transform(s, lambda l: len(l))) + 1),
        lambda i: {_SCHEMA}._object(list_transform(s,
            lambda l, n: {_SCHEMA}._pair('$' || n, {_value("l[i]")}))))) END)[1]
"""
# https://docs.snowflake.com/en/sql-reference/functions/arrays_to_object
_ARRAYS_TO_OBJECT = f"""
(k, x) AS list_transform([struct_pack(k := CAST(to_json(k) AS JSON[]), x := CAST(to_json(x) AS JSON[]))],
    lambda s: list_transform([list_filter(s['k'], lambda v: v IS NOT NULL)], lambda u: CASE
        WHEN len(s['k']) <> len(s['x'])
        THEN {failure("Key array and value array had unequal lengths in ARRAYS_TO_OBJECT", "s")}
        WHEN list_contains(list_transform(u, lambda v: json_type(v) = 'VARCHAR'), FALSE)
        THEN {failure("Key supplied for ARRAYS_TO_OBJECT does not have string type", "s")}
        WHEN len(list_distinct(u)) < len(u)
        THEN {unsupported("ARRAYS_TO_OBJECT with a key that occurs twice", "s")}
        WHEN s['k'] IS NOT NULL AND s['x'] IS NOT NULL
        THEN {_SCHEMA}._object(list_transform(
            list_filter(list_zip(s['k'], s['x']), lambda p: p[1] IS NOT NULL),
            lambda p: {_SCHEMA}._pair(p[1] ->> '$', {_value("p[2]")}))) END)[1])[1]
"""


def _duplicate(key: str) -> str:
    return failure(f"Duplicate field key ' || {key} || '", key)


# The members of an object as a list of structs, NULL for a null.
_MEMBERS = f"""
(o) AS list_transform([to_json(o)], lambda j: CASE
    WHEN json_type(j) = 'OBJECT' THEN list_transform(json_keys(j), lambda k: struct_pack(
        k := k, v := json_extract(j, '/' || replace(replace(k, '~', '~0'), '/', '~1'))))
    WHEN json_type(j) <> 'NULL' THEN {failure("Failed to cast variant value to OBJECT", "j")} END)[1]
"""


def _object_of(members: str) -> str:
    return f"{_SCHEMA}._object(list_transform({members}, lambda e: {_SCHEMA}._pair(e['k'], e['v'])))"


# https://docs.snowflake.com/en/sql-reference/functions/object_keys
_OBJECT_KEYS = f"(o) AS to_json(list_transform({_SCHEMA}._members(o), lambda e: e['k']))"
# The members whose keys are in the list, or are not.
_SELECTED = "list_filter(s['m'], lambda e: list_contains(s['keys'], e['k']) = (s['f'] = 'OBJECT_PICK'))"
_OBJECT_SELECT = f"""
(o, keys, f) AS list_transform([struct_pack(m := {_SCHEMA}._members(o), keys := keys, f := f)], lambda s: CASE
    WHEN list_contains(list_transform(s['keys'], lambda k: k IS NULL), TRUE)
    THEN {unsupported("' || s['f'] || ' with a NULL as a key", "s")}
    WHEN s['m'] IS NOT NULL THEN {_object_of(_SELECTED)} END)[1]
"""
# https://docs.snowflake.com/en/sql-reference/functions/object_delete
_OBJECT_DELETE = f"""
(o, keys) AS {_SCHEMA}._object_select(o, list_transform(keys, lambda k: CASE json_type(k)
    WHEN 'ARRAY' THEN {unsupported("OBJECT_DELETE with an array as a key", "k")}
    ELSE k ->> '$' END), 'OBJECT_DELETE')
"""
# A key may be an array of keys: https://docs.snowflake.com/en/sql-reference/functions/object_pick
_OBJECT_PICK = f"""
(o, keys) AS {_SCHEMA}._object_select(o, flatten(list_transform(keys, lambda k: CASE json_type(k)
    WHEN 'ARRAY' THEN list_transform(CAST(k AS JSON[]), lambda v: v ->> '$')
    ELSE [k ->> '$'] END)), 'OBJECT_PICK')
"""
# https://docs.snowflake.com/en/sql-reference/functions/object_insert
_OTHERS = "list_filter(s['m'], lambda e: e['k'] <> s['k'])"
_OBJECT_INSERT = f"""
(o, k, x, up) AS list_transform(
    [struct_pack(m := {_SCHEMA}._members(o), k := to_json(k) ->> '$', x := to_json(x), up := up)],
    lambda s: list_transform([list_contains(list_transform(s['m'], lambda e: e['k']), s['k'])], lambda b: CASE
        WHEN b AND s['up'] IS NOT TRUE THEN {_duplicate("s['k']")}
        WHEN b AND s['x'] IS NULL THEN {unsupported("OBJECT_INSERT of a NULL for a key that exists", "s")}
        WHEN s['m'] IS NULL THEN NULL
        WHEN s['k'] IS NULL OR s['x'] IS NULL THEN {_object_of("s['m']")}
        ELSE {_object_of(f"{_OTHERS} || [struct_pack(k := s['k'], v := s['x'])]")} END)[1])[1]
"""
_MEMBER = "(k, x) AS struct_pack(k := to_json(k) ->> '$', v := to_json(x))"
# Of the members of a group: https://docs.snowflake.com/en/sql-reference/functions/object_agg
_OBJECT_AGG = f"""
(members) AS list_transform([members], lambda s: list_transform([list_transform(s, lambda e: e['k'])],
    lambda k: CASE
        WHEN s IS NULL THEN {unsupported("OBJECT_AGG of no values", "s")}
        WHEN len(list_distinct(k)) < len(k)
        THEN {_duplicate("list_filter(k, lambda w, i: list_position(k, w) < i)[1]")}
        ELSE {_object_of("s")} END)[1])[1]
"""

MACROS = {
    "_pair": _PAIR,
    "_object": _OBJECT,
    "_arrays_zip": _ARRAYS_ZIP,
    "_arrays_to_object": _ARRAYS_TO_OBJECT,
    "_members": _MEMBERS,
    "_object_keys": _OBJECT_KEYS,
    "_object_select": _OBJECT_SELECT,
    "_object_delete": _OBJECT_DELETE,
    "_object_pick": _OBJECT_PICK,
    "_object_insert": _OBJECT_INSERT,
    "_member": _MEMBER,
    "_object_agg": _OBJECT_AGG,
}
