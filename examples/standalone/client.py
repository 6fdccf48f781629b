"""Signs a new user in on two devices, and one of them out."""

import sys
from uuid import uuid4

import httpx


def main(url: str) -> None:
    """Sign a user in on two devices and sign one of them out to a Gatepost at a URL."""
    account = {"email": f"{uuid4().hex}@acme.com", "password": "correct horse battery"}
    with httpx.Client(base_url=url) as http:
        phone = http.post("/v1/auth/register", json=account | {"device_name": "phone"}).json()
        laptop = http.post("/v1/auth/login", json=account | {"device_name": "laptop"}).json()

        on_laptop = {"Authorization": f"Bearer {laptop['access_token']}"}
        sessions = http.get("/v1/sessions", headers=on_laptop).json()["items"]
        print("Signed in on:", ", ".join(session["name"] for session in sessions))

        revoked = http.delete("/v1/sessions", headers=on_laptop).json()["revoked"]
        print(f"Signed out {revoked} other device.")

        on_phone = {"Authorization": f"Bearer {phone['access_token']}"}
        rejected = http.get("/v1/sessions", headers=on_phone)
        problem = rejected.json()
        print(f"The phone gets {rejected.status_code} {problem['code']}: {problem['reason']}")


if __name__ == "__main__":
    main(sys.argv[1])
