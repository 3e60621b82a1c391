"""Users, roles, grants, tags and policies: how they are declared, kept and enforced.

Statements on the account always take effect. Privileges and sign-ins are enforced as soon as a user was
created: until then every user has every privilege, so that a fresh server needs no set-up. Policies apply
from the moment they are attached.
"""
