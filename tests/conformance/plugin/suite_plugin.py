# SPDX-License-Identifier: ISC
"""What the public conformance suite needs on Debian 12, as a pytest plugin; the suite's own files stay as they are."""
import os

from cryptography.hazmat.primitives.asymmetric import types

# Two names of types that securesystemslib annotates with, and python3-cryptography 38 has under their older names.
for new, old in (("PrivateKeyTypes", "PRIVATE_KEY_TYPES"), ("PublicKeyTypes", "PUBLIC_KEY_TYPES")):
    if not hasattr(types, new):
        setattr(types, new, getattr(types, old))


def pytest_configure(config):
    """SUITE_SCHEME=ed25519: what the simulated repositories sign with where a test does not say."""
    if os.environ.get("SUITE_SCHEME") == "ed25519":
        from tuf_conformance._internal.repository_simulator import RepositorySimulator

        RepositorySimulator.new_signer.__defaults__ = ("ed25519", "ed25519")
