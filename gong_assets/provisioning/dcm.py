"""The declaration as a project of Snowflake's Database Change Management (DCM).

DCM compares definitions with the account itself, by `snow dcm plan`. It has no users and resource monitors,
attaches no policy to a tag, and grants nothing on the account, a share, or objects that do not exist yet:
these statements are in `pre_deploy.sql` and `post_deploy.sql`, which can be repeated.
https://docs.snowflake.com/en/user-guide/dcm-projects/dcm-projects-overview
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import yaml  # type: ignore[import-untyped]

from gong_assets.provisioning.objects import Account
from gong_assets.provisioning.statements import Statement, script_of, statements

# File of the definitions by the kind of object.
_FILES = {
    "ROLE": "roles",
    "WAREHOUSE": "warehouses",
    "DATABASE": "databases",
    "SCHEMA": "databases",
    "TABLE": "databases",
    "TAG": "policies",
    "MASKING POLICY": "policies",
    "ROW ACCESS POLICY": "policies",
    "AUTHENTICATION POLICY": "policies",
    "NETWORK POLICY": "policies",
}
_CREATES = re.compile(rf"CREATE (OR ALTER )?({'|'.join(_FILES)}) (IF NOT EXISTS )?(?!.* FROM SHARE )")
_BEFORE = re.compile(r"CREATE USER |ALTER USER \S+ SET DEFAULT_ROLE |CREATE DATABASE .* FROM SHARE ")
_IS_GRANTED_AFTERWARDS = re.compile(r" ON ACCOUNT | IMPORTED PRIVILEGES | ON FUTURE | SNOWFLAKE\.")


def dcm_project(account: Account, account_identifier: str, name: str) -> dict[str, str]:
    """Return the text of each file by its path in the project's directory.

    Args:
        name: full name of the DCM project, in a schema that it does not define.
    """
    definitions: defaultdict[str, list[str]] = defaultdict(list)
    before: list[Statement] = []
    after: list[Statement] = []
    for statement in statements(account):
        sql = statement.sql
        if found := _CREATES.match(sql):
            definitions[_FILES[found[2]]].append(_define(sql, found[2]))
        elif _BEFORE.match(sql):
            before.append(statement)
        elif sql.startswith("GRANT ") and not statement.is_late and not _IS_GRANTED_AFTERWARDS.search(sql):
            definitions["grants"].append(sql)
        else:
            after.append(statement)
    files = {
        f"sources/definitions/{file}.sql": "".join(f"{sql};\n" for sql in lines)
        for file, lines in definitions.items()
    }
    return {
        "manifest.yml": _manifest(account_identifier, name),
        **files,
        "pre_deploy.sql": script_of(before),
        "post_deploy.sql": script_of(after),
    }


def _define(sql: str, kind: str) -> str:
    defined = _CREATES.sub(f"DEFINE {kind} ", sql, count=1)
    # The properties of a warehouse must follow WITH.
    return re.sub(r"^(DEFINE WAREHOUSE \S+) ", r"\1 WITH ", defined)


def _manifest(account_identifier: str, name: str) -> str:
    target = {
        "account_identifier": account_identifier,
        "project_name": name,
        "project_owner": "ACCOUNTADMIN",
    }
    manifest: Mapping[str, object] = {
        "manifest_version": 2,
        "type": "DCM_PROJECT",
        "default_target": "PRODUCTION",
        "targets": {"PRODUCTION": target},
    }
    return str(yaml.safe_dump(manifest, sort_keys=False))
