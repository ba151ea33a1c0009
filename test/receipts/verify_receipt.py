#!/usr/bin/env python3
"""A second verifier of trade-agent's receipts, written from docs/RECEIPTS.md alone.

    python3 verify_receipt.py THUMBPRINT FILE...

Needs the package `cryptography`. Prints a line for each file, and exits with 1 where one does not hold.
"""
import base64, hashlib, json, sys
from datetime import datetime
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

MEMBERS = "type v gateway issued_at state proposal approvals mandate decision orders record checkpoint signature".split()
DRAFTS = {"order": lambda s: [s], "replace": lambda s: [s["draft"]], "batch": lambda s: s["orders"]}


class NoReceipt(Exception):
    pass


def need(holds, fault):
    if not holds:
        raise NoReceipt(fault)


def jcs(value):
    """RFC 8785, for what a receipt holds: no number but whole ones."""
    if isinstance(value, float):
        raise NoReceipt("form")
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(jcs(key) + ":" + jcs(value[key]) for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def unb64(text):
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(b64(raw) == text, "form")
    return raw


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sha256(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).digest()


def cbor(raw, at=0):
    """A COSE_Key: whole numbers, byte strings, one map (RFC 8949 §3)."""
    kind, small, at = raw[at] >> 5, raw[at] & 31, at + 1
    length = {24: 1, 25: 2}.get(small, 0)
    value = int.from_bytes(raw[at : at + length], "big") if length else small
    at += length
    if kind == 0:
        return value, at
    if kind == 1:
        return -1 - value, at
    if kind == 2:
        return raw[at : at + value], at + value
    need(kind == 5, "phone_key")
    members = {}
    for _ in range(value):
        key, at = cbor(raw, at)
        members[key], at = cbor(raw, at)
    return members, at


def signed_by(thumbprint, sealed, payload, typ):
    header = json.loads(unb64(sealed["protected"]))
    jwk = {name: header["jwk"][name] for name in ("crv", "kty", "x")}
    need(header["alg"] == "EdDSA" and header["typ"] == typ, "gateway_signature")
    need((jwk["kty"], jwk["crv"], sorted(sealed)) == ("OKP", "Ed25519", ["protected", "signature"]), "gateway_signature")
    signing_input = (sealed["protected"] + "." + b64(payload.encode())).encode()
    ed25519.Ed25519PublicKey.from_public_bytes(unb64(jwk["x"])).verify(unb64(sealed["signature"]), signing_input)
    need(b64(sha256(jcs(jwk))) == thumbprint, "signer")


def phone_signed(key, signed, signature):
    cose, end = cbor(unb64(key["public_key"]))
    need(end == len(unb64(key["public_key"])) and cose[3] == key["algorithm"], "phone_key")
    if cose[3] == -7:
        need(cose[1] == 2 and cose[-1] == 1, "phone_key")
        numbers = ec.EllipticCurvePublicNumbers(*(int.from_bytes(cose[n], "big") for n in (-2, -3)), ec.SECP256R1())
        numbers.public_key().verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    elif cose[3] == -8:
        need(cose[1] == 1 and cose[-1] == 6, "phone_key")
        ed25519.Ed25519PublicKey.from_public_bytes(cose[-2]).verify(signature, signed)
    elif cose[3] == -257:
        need(cose[1] == 3, "phone_key")
        numbers = rsa.RSAPublicNumbers(*(int.from_bytes(cose[n], "big") for n in (-2, -1)))
        numbers.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise NoReceipt("phone_key")


def approved(gateway, proposal, approvals):
    digested = {name: proposal[name] for name in "kind subject worst_case provenance requested_by client".split()}
    digested.update({"v": 1}, **({"proposed_by": proposal["proposed_by"]} if "proposed_by" in proposal else {}))
    need(b64(sha256(jcs(digested))) == proposal["digest"], "proposal")
    need(approvals and approvals[0]["sub"] == proposal["sub"], "not_signed")
    need(len({one["sub"] for one in approvals}) == len(approvals), "not_signed")
    need(proposal["nonce"] is not None, "statement")
    for one in approvals:
        statement = {"v": 1, "purpose": "trade-agent.approval", "decision": "approve", "gateway": gateway, "sub": one["sub"]}
        statement.update({"proposal": proposal["id"]}, **{n: proposal[n] for n in "digest code worst_case nonce".split()})
        evidence, key, host = one["evidence"], one["key"], urlsplit(one["origin"]).hostname or ""
        software_live = evidence["method"] == "software" and '"environment":"live"' in jcs(proposal["subject"])
        need(not software_live, "phone_key")
        need(jcs(evidence["statement"]) == jcs(statement), "statement")
        need((key["credential_id"], key["method"]) == (evidence["credential_id"], evidence["method"]), "phone_key")
        need(host == one["rp_id"] or host.endswith("." + one["rp_id"]), "phone_key")
        data, client = unb64(evidence["authenticator_data"]), unb64(evidence["client_data_json"])
        said = json.loads(client)
        need(said["type"] == "webauthn.get" and said["origin"] == one["origin"], "phone_signature")
        need(said["challenge"] == b64(sha256(jcs(statement))), "phone_signature")
        need(not said.get("crossOrigin", False) and "topOrigin" not in said, "phone_signature")
        synced, flags = key["device_type"] == "multiDevice", data[32]
        need(data[:32] == sha256(one["rp_id"]) and flags & 1 and flags & 4, "phone_signature")
        need(bool(flags & 8) == synced and not (flags & 16 and not synced), "phone_signature")
        phone_signed(key, data + sha256(client), unb64(evidence["signature"]))


def mandated(receipt, mandate):
    proposal, granted = receipt["proposal"], mandate["proposal"]
    approved(receipt["gateway"], granted, mandate["approvals"])
    terms, draft = granted["subject"], DRAFTS[proposal["kind"]](proposal["subject"])[0]
    moment = datetime.fromisoformat
    need(granted["kind"] == "mandate" and terms["mandate_id"] == mandate["id"] == draft.get("mandate"), "mandate")
    need(not receipt["approvals"] and granted["sub"] == proposal["sub"], "mandate")
    need(all(terms[name] == draft[name] for name in ("account", "environment")), "mandate")
    need(draft["symbol"] in terms["symbols"] and draft["side"] in terms["sides"], "mandate")
    need(moment(terms["not_before"]) <= moment(proposal["created_at"]) < moment(terms["expires_at"]), "mandate")


def orders_hold(proposal, orders):
    drafts, seen = {one["client_order_id"]: one for one in DRAFTS[proposal["kind"]](proposal["subject"])}, set()
    need(orders, "form")
    for one in orders:
        name, answered = one["client_order_id"], one["answered"]
        need(name in drafts and name not in seen and jcs(drafts[name]) == jcs(one["order"]), "order")
        seen.add(name)
        need((one["state"] == "placed") == (answered is not None), "order")
        need((one["state"] == "rejected") == (one["problem"] is not None), "order")
        if answered is not None:
            need(all(answered[n] == one["order"][n] for n in ("client_order_id", "symbol", "side")), "order")


def signed_tree(note, gateway, public):
    """The size and root of a checkpoint (C2SP tlog-checkpoint), where the gateway's key signed it (C2SP signed-note)."""
    text, signatures = note.rsplit("\n\n", 1)
    text, origin = text + "\n", gateway.replace("+", "%2B")
    name, size, root = text.split("\n")[:3]
    need(name == origin and size.isdecimal() and str(int(size)) == size, "record")
    key_id = sha256(origin.encode() + b"\n\x01" + public)[:4]
    for line in signatures.splitlines():
        dash, signer, encoded = line.split(" ")
        raw = base64.b64decode(encoded, validate=True)
        if dash == "\u2014" and signer == origin and raw[:4] == key_id:
            ed25519.Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
            return int(size), base64.b64decode(root, validate=True)
    raise NoReceipt("record")


def included_root(leaf, size, line, proof):
    """RFC 9162 section 2.1.3.2."""
    need(0 <= leaf < size, "record")
    at, last, root = leaf, size - 1, sha256(b"\x00" + line.encode())
    for beside in proof:
        need(last > 0, "record")
        if at % 2 == 1 or at == last:
            root = sha256(b"\x01" + beside + root)
            while at % 2 == 0 and at > 0:
                at, last = at // 2, last // 2
        else:
            root = sha256(b"\x01" + root + beside)
        at, last = at // 2, last // 2
    need(last == 0, "record")
    return root


def record_holds(receipt):
    proposal, approvals, mandate = receipt["proposal"], receipt["approvals"], receipt["mandate"]
    keys = {one["key"]["credential_id"] for one in approvals or (mandate or {}).get("approvals", [])}
    header = json.loads(unb64(receipt["signature"]["protected"]))
    size, root = signed_tree(receipt["checkpoint"], receipt["gateway"], unb64(header["jwk"]["x"]))
    last, steps, signed = -1, [], set()
    for one in receipt["record"]:
        need(sorted(one) == ["leaf", "line", "proof"], "form")
        text, line = one["line"], json.loads(one["line"])
        need(json.dumps(line, ensure_ascii=False, separators=(",", ":")) == text and one["leaf"] > last, "record")
        proof = [base64.b64decode(beside, validate=True) for beside in one["proof"]]
        need(included_root(one["leaf"], size, text, proof) == root, "record")
        last, about = one["leaf"], {line.get("proposal"), line.get("approval")}
        if line["event"] == "key_enrolled" and line.get("credential_id") in keys:
            continue
        if mandate is not None and mandate["proposal"]["id"] in about:
            continue
        need(proposal["id"] in about and line.get("digest") == proposal["digest"], "record")
        steps.append(line["event"])
        signed |= {line["credential_id"]} if line["event"] == "signed" else set()
    wanted = ["proposed"] + (["signed"] if approvals else []) + ["executing"]
    need(all(step in steps for step in wanted), "record")
    places = [steps.index(step) for step in wanted]
    need(places == sorted(places) and {one["key"]["credential_id"] for one in approvals} <= signed, "record")


def verify(raw, thumbprint):
    """Raises NoReceipt where the file does not show what it says; what else it raises is a refusal too."""
    receipt = json.loads(raw.decode())
    need(sorted(receipt) == sorted(MEMBERS) and receipt["type"] == "trade-agent.receipt" and receipt["v"] == 1, "form")
    need((jcs(receipt) + "\n").encode() == raw, "form")
    payload = jcs({name: value for name, value in receipt.items() if name != "signature"})
    signed_by(thumbprint, receipt["signature"], payload, "trade-agent-receipt+jws")
    proposal, mandate, decision = receipt["proposal"], receipt["mandate"], receipt["decision"]
    if mandate is None:
        need("mandate" not in proposal["subject"], "mandate")
        approved(receipt["gateway"], proposal, receipt["approvals"])
    else:
        mandated(receipt, mandate)
    orders_hold(proposal, receipt["orders"])
    need(decision is None or decision["effect"] == "allow", "decision")
    record_holds(receipt)
    return receipt


def verdict(raw, thumbprint):
    """`holds`, or what does not."""
    try:
        verify(raw, thumbprint)
        return "holds"
    except NoReceipt as fault:
        return str(fault)
    except InvalidSignature:
        return "signature"
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return "form"


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    verdicts = []
    for name in sys.argv[2:]:
        with open(name, "rb") as file:
            verdicts.append(verdict(file.read(), sys.argv[1]))
        print(f"{name}: {verdicts[-1]}")
    sys.exit(0 if set(verdicts) == {"holds"} else 1)
