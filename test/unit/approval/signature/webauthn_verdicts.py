"""Says which assertions the package `webauthn` accepts: a line of 0 and 1 for each JSON array on standard input.

    python3 webauthn_verdicts.py CHALLENGE ORIGIN RP_ID
"""
import json, sys

from webauthn import verify_authentication_response
from webauthn.helpers import base64url_to_bytes

challenge, origin, rp_id = base64url_to_bytes(sys.argv[1]), sys.argv[2], sys.argv[3]


def accepts(one):
    credential = {"id": one["id"], "rawId": one["id"], "type": "public-key", "response": one["response"]}
    try:
        verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(one["key"]),
            credential_current_sign_count=one["counter"],
            require_user_verification=True,
        )
    except Exception:
        return False
    return True


for line in sys.stdin:
    print("".join("1" if accepts(one) else "0" for one in json.loads(line)), flush=True)
