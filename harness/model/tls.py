"""How connections to a cluster that already runs are encrypted and verified."""

import functools
import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """``authorities`` are certificates as PEM text, trusted in place of the system's; empty: the system's own.

    ``insecure``: any certificate is accepted. ``any_host``: the certificate may be another host's.
    """

    authorities: str = ""
    insecure: bool = False
    any_host: bool = False


@functools.cache
def tls_context(tls: Tls) -> ssl.SSLContext:
    """The context of every connection that is verified in this way. Raises ssl.SSLError if ``authorities`` are not
    certificates."""
    context = ssl.create_default_context(cadata=tls.authorities or None)
    context.set_alpn_protocols(["http/1.1"])
    context.check_hostname = not (tls.insecure or tls.any_host)
    if tls.insecure:
        context.verify_mode = ssl.CERT_NONE
    return context


def certificate_problem(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is not accepted, and what to do, in words."""
    return (
        f"its certificate is not accepted: {error.verify_message.rstrip('.') or error.reason}; name the authority that "
        "signed it with --ca FILE, or accept any certificate with --insecure"
    )
