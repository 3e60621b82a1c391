"""Sign-in by key pair, programmatic access token and password, of users that were provisioned."""

from __future__ import annotations

import pytest
from snowflake.connector.errors import DatabaseError

from gong_assets_tests.local.snowflake.governance.conftest import Account, failure, key_pair

pytestmark = pytest.mark.slow


def refuse(account: Account, **arguments: object) -> int:
    with pytest.raises(DatabaseError) as raised:
        account.connect(user=account.user, **arguments)
    return int(raised.value.errno or 0)


def test_a_password_is_verified(account: Account) -> None:
    assert account.session(role=None)("select current_user()") == [(account.user,)]
    with pytest.raises(DatabaseError, match="Incorrect username or password"):
        account.session(password="wrong")
    with pytest.raises(DatabaseError, match="Incorrect username or password"):
        account.connect(user="nobody")
    with pytest.raises(DatabaseError, match="Incorrect username or password"):
        account.connect(user=account.user)  # The password of the server.


@pytest.mark.parametrize("slot", ["RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"])
def test_a_key_of_either_slot_signs_in(account: Account, slot: str) -> None:
    private, public = key_pair()
    other, _ = key_pair()
    arguments = {"password": None, "authenticator": "SNOWFLAKE_JWT", "role": account.role}
    account.admin(f"alter user {account.user} set {slot} = '{public}'")

    account.connect(user=account.user, private_key=private, **arguments)
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        account.connect(user=account.user, private_key=other, **arguments)
    account.admin(f"alter user {account.user} unset {slot}")
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        account.connect(user=account.user, private_key=private, **arguments)


def test_a_key_of_another_user_is_refused(account: Account) -> None:
    private, public = key_pair()
    account.admin(f"create user {account.name}_other rsa_public_key = '{public}'")

    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        account.connect(user=account.user, password=None, private_key=private, authenticator="SNOWFLAKE_JWT")


def test_describe_user_shows_the_fingerprints(account: Account) -> None:
    _, public = key_pair()
    account.admin(f"alter user {account.user} set rsa_public_key_2 = '{public}' type = service")

    shown = {row[0]: row[1] for row in account.admin(f"describe user {account.user}")}

    assert shown["RSA_PUBLIC_KEY_2_FP"].startswith("SHA256:")
    assert shown["RSA_PUBLIC_KEY_FP"] == "null"
    assert shown["TYPE"] == "SERVICE"
    assert "secret" not in str(shown)


def test_keys_may_be_changed_with_the_privilege_for_it_and_nothing_else(account: Account) -> None:
    change, refused = f"alter user {account.user} set rsa_public_key = '{key_pair()[1]}'", 3001
    role = account.session()
    assert failure(role, change)[0] == refused

    privilege = "modify programmatic authentication methods"
    account.admin(f"grant {privilege} on user {account.user} to role {account.role}")
    role(change)
    role(f"alter user {account.user} unset rsa_public_key;")
    role(f"alter user {account.user} add pat mine")
    for other in ("set password = 'x'", "set rsa_public_key = '' password = 'x'", "set disabled = true"):
        assert failure(role, f"alter user {account.user} {other}")[0] == refused
    assert failure(role, f"alter user local {change.partition(account.user)[2]}")[0] in (2003, refused)


def test_an_invalid_public_key_is_refused(account: Account) -> None:
    assert failure(account.admin, f"alter user {account.user} set rsa_public_key = 'MIIB'")[0] == 2016


def test_a_service_user_has_no_password(account: Account) -> None:
    account.admin(f"alter user {account.user} set type = service")

    with pytest.raises(DatabaseError, match="Incorrect username or password"):
        account.session()


def test_a_disabled_user_cannot_sign_in(account: Account) -> None:
    account.admin(f"alter user {account.user} set disabled = true")

    with pytest.raises(DatabaseError, match="User access disabled"):
        account.session()


def test_a_token_signs_in_with_its_role_only_and_can_be_removed(account: Account) -> None:
    account.admin(f"create role {account.name}_second")
    account.admin(f"grant role {account.name}_second to user {account.user}")
    ((_, secret),) = account.admin(
        f"alter user {account.user} add programmatic access token t role_restriction = '{account.role}'"
    )
    arguments = {"password": None, "token": secret, "authenticator": "PROGRAMMATIC_ACCESS_TOKEN"}
    run = account.run(account.connect(user=account.user, **arguments))

    assert run("select current_role()") == [(account.role,)]
    assert failure(run, f"use role {account.name}_second")[0] == 3013
    account.admin(f"alter user {account.user} remove programmatic access token t")
    with pytest.raises(DatabaseError, match="access token is invalid"):
        account.connect(user=account.user, **arguments)


def test_a_rotated_token_lives_on_for_the_given_hours(account: Account) -> None:
    ((_, old),) = account.admin(f"alter user {account.user} add pat t")
    ((_, new),) = account.admin(
        f"alter user {account.user} rotate pat t expire_rotated_token_after_hours = 1"
    )

    for secret in (old, new):
        account.connect(
            user=account.user, password=None, token=secret, authenticator="PROGRAMMATIC_ACCESS_TOKEN"
        )
    account.admin(f"alter user {account.user} rotate pat t expire_rotated_token_after_hours = 0")
    with pytest.raises(DatabaseError, match="access token is invalid"):
        account.connect(
            user=account.user, password=None, token=new, authenticator="PROGRAMMATIC_ACCESS_TOKEN"
        )
