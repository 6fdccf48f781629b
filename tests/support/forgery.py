"""The service's own signing key, for tokens that it would never issue itself."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from gatepost.runtime import open_runtime
from tests.support.service import Device, Service


@dataclass(frozen=True)
class Forger:
    """Signs access tokens; with the service's own key, only their claims can be wrong."""

    kid: str
    key: EllipticCurvePrivateKey

    def sign(self, device: Device, *, key: Any = None, kid: Any = None, algorithm: str = "ES256", **claims: Any) -> str:
        """Return the access token of a device with other claims (None: without the claim)."""
        now = int(time.time())
        genuine = jwt.decode(device.access_token, options={"verify_signature": False})
        changed = genuine | {"iat": now, "exp": now + 300} | claims
        payload = json.dumps({name: value for name, value in changed.items() if value is not None})
        signing_key = self.key if key is None else key
        # Not `jwt.encode`, which refuses claims that no genuine token has.
        return jwt.PyJWS().encode(payload.encode(), signing_key, algorithm, headers={"kid": kid or self.kid})


async def steal_signing_key(service: Service) -> Forger:
    """Return the signing key of a service, as whoever holds its database and its secret key could."""
    async with open_runtime(service.settings) as runtime:
        await runtime.signing_keys.reload()
        return Forger(*runtime.signing_keys.signing())


def bearer(token: str) -> dict[str, str]:
    """Return the header that presents a token."""
    return {"Authorization": f"Bearer {token}"}
