"""Initial keys: the published vectors of both versions, and every known version against aioquic where it knows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.quic_keys import VERSION_1, VERSION_2, Keys, client_keys, parameters

DCID = bytes.fromhex("8394c8f03e515708")


def test_vector_of_rfc_9001_appendix_a_1() -> None:
    key, iv, hp = (
        bytes.fromhex(text) for text in ("1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2")
    )
    assert client_keys(VERSION_1, DCID) == Keys(key, iv, hp)


def test_vector_of_rfc_9369_appendix_a_1() -> None:
    key, iv, hp = (
        bytes.fromhex(text) for text in ("8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9")
    )
    assert client_keys(VERSION_2, DCID) == Keys(key, iv, hp)


def test_drafts_differ_by_their_salt_only_where_it_changed() -> None:
    keys = {draft: client_keys(0xFF000000 | draft, DCID) for draft in range(22, 36)}
    assert keys[22] is keys[35] is None
    assert keys[23] == keys[28] != keys[29] == keys[32] != keys[33] == keys[34] == client_keys(VERSION_1, DCID)


def test_the_type_bits_of_an_initial() -> None:
    one, two = parameters(VERSION_1), parameters(VERSION_2)
    assert one is not None
    assert two is not None
    assert (one.initial_type, two.initial_type) == (0, 1)
    assert parameters(0) is None
    assert client_keys(0xFACEB002, DCID) is None


@given(st.binary(max_size=20), st.sampled_from([VERSION_1, VERSION_2]))
def test_aioquic_derives_the_same_keys(dcid: bytes, version: int) -> None:
    from aioquic.quic import crypto

    pair = crypto.CryptoPair()
    pair.setup_initial(dcid, is_client=True, version=version)
    suite = pair.send.cipher_suite
    secret = pair.send.secret
    if suite is None or secret is None:
        pytest.fail("aioquic set up no keys")
    key, iv, hp = crypto.derive_key_iv_hp(cipher_suite=suite, secret=secret, version=version)
    assert client_keys(version, dcid) == Keys(key, iv, hp)
