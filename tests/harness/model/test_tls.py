"""What a TLS connection verifies."""

import ssl

import pytest

from harness.model.tls import Tls, tls_context


def test_a_certificate_is_verified_by_default() -> None:
    """The authority and the host are verified. The host is not verified if any host of the authority is accepted."""
    assert (tls_context(Tls()).verify_mode, tls_context(Tls()).check_hostname) == (ssl.CERT_REQUIRED, True)
    loose = tls_context(Tls(any_host=True))
    assert (loose.verify_mode, loose.check_hostname) == (ssl.CERT_REQUIRED, False)
    assert tls_context(Tls(insecure=True)).verify_mode == ssl.CERT_NONE


def test_authorities_that_are_no_certificates() -> None:
    with pytest.raises(ssl.SSLError):
        tls_context(Tls(authorities="none"))
