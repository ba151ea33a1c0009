#!/usr/bin/env python3
"""A second verifier of trade-agent's receipts, written from docs/RECEIPTS.md alone.

    python3 verify_receipt.py THUMBPRINT FILE...

Needs the package `cryptography`. Prints a line for each file, and exits with 1 where one does not hold.
"""
import base64, hashlib, json, re, sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_UP, Decimal, getcontext
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

getcontext().prec = 40
DRAFTS = {"order": lambda s: [s], "replace": lambda s: [s["draft"]], "batch": lambda s: s["orders"]}
SAFE, DEPTH, CLOCKS_APART, LONGEST = 2**53 - 1, 32, timedelta(minutes=1), timedelta(days=1)


class NoReceipt(Exception):
    pass


WRONG = (ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError, RecursionError)


def need(holds, fault):
    if not holds:
        raise NoReceipt(fault)


@contextmanager
def named(fault):
    """Names whatever is wrong within."""
    try:
        yield
    except NoReceipt:
        raise
    except (InvalidSignature, *WRONG) as error:
        raise NoReceipt(fault) from error


def plain(value, fault, depth=0):
    """JSON that every parser reads alike."""
    if isinstance(value, str):
        need(not any(0xD800 <= ord(one) <= 0xDFFF for one in value), fault)
    elif isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        need(isinstance(value, int) and abs(value) <= SAFE, fault)
    elif isinstance(value, (dict, list)):
        need(depth < DEPTH, fault)
        for name in value if isinstance(value, dict) else ():
            need(name != "__proto__" and not re.fullmatch("[0-9]+", name), fault)
            plain(name, fault)
        for one in value.values() if isinstance(value, dict) else value:
            plain(one, fault, depth + 1)


def jcs(value):
    """RFC 8785, for what a receipt holds: no number but whole ones."""
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


def unb64std(text):
    raw = base64.b64decode(text, validate=True)
    need(base64.b64encode(raw).decode() == text, "record")
    return raw


def sha256(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).digest()


# The form: a function for each value, which raises where it is not one.


def text(pattern=None, check=None):
    def form(value):
        need(isinstance(value, str) and (pattern is None or re.fullmatch(pattern, value)), "form")
        need(check is None or check(value), "form")
    return form


def one_of(*values):
    return lambda value: need(isinstance(value, type(values[0])) and value in values, "form")


def whole(least, most=SAFE):
    return lambda value: need(isinstance(value, int) and not isinstance(value, bool) and least <= value <= most, "form")


def or_null(form):
    return lambda value: value is None or form(value)


def many(form, least=0, most=None):
    def check(value):
        need(isinstance(value, list) and len(value) >= least and (most is None or len(value) <= most), "form")
        for one in value:
            form(one)
    return check


def members(given, optional=None):
    optional = optional or {}
    def check(value):
        need(isinstance(value, dict) and set(given) <= set(value) <= set(given) | set(optional), "form")
        for name, one in value.items():
            (given.get(name) or optional[name])(one)
    return check


def any_object(value):
    need(isinstance(value, dict), "form")


def truth(value):
    need(isinstance(value, bool), "form")


def is_date(value):
    datetime.fromisoformat(value.replace("Z", "+00:00"))
    return True


def symbol_ok(symbol):
    option = OPTION.fullmatch(symbol)
    return not option or is_date("20%s-%s-%s" % option.groups()[1:4])


OPTION = re.compile("([A-Z][A-Z0-9]{0,5})([0-9]{2})([0-9]{2})([0-9]{2})([CP])([0-9]{8})")
CRYPTO = re.compile("[A-Z0-9]{2,10}/(USD|USDT|USDC|BTC)")
SYMBOL = text("[A-Z][A-Z0-9]{0,9}([.][A-Z0-9]{1,4})?|" + CRYPTO.pattern + "|[A-Z][A-Z0-9]{0,5}[0-9]{6}[CP][0-9]{8}", symbol_ok)
PLAIN = "-?(0|[1-9][0-9]{0,17})([.][0-9]{1,12})?"
DECIMAL, POSITIVE = text(PLAIN), text(PLAIN, lambda value: Decimal(value) > 0)
FEES = text(PLAIN, lambda value: not value.startswith("-"))
DAY, CLOCK = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}:[0-9]{2}"
TIME, SECONDS = text(f"{DAY}T{CLOCK}[.][0-9]{{3}}Z", is_date), text(f"{DAY}T{CLOCK}Z", is_date)
B64URL, DIGEST = text("[A-Za-z0-9_-]+", lambda value: unb64(value) is not None), text("[A-Za-z0-9_-]{43}")
HASH = text("[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
PRINTED = text("[ -~]{1,80}")
METHOD, STATES = one_of("webauthn", "software"), "drafted requested approved executing executed denied expired cancelled blocked unknown".split()
KINDS = "order message cancel replace batch lift mandate policy_change access".split()
CLASS, INTENT = one_of("bracket", "oco", "oto"), one_of("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")
PRICES = "limit_price stop_price trail_price trail_percent take_profit_limit_price stop_loss_stop_price stop_loss_limit_price".split()
PROVENANCE = members(
    {"fields": lambda value: (any_object(value), [
        (text("[a-z_]{1,32}")(name), members({"source": one_of("user", "default", "computed", "other")}, {"from": PRINTED})(one))
        for name, one in value.items()])},
    {"sentence": text(check=lambda value: 1 <= len(value.encode("utf-16-le")) // 2 <= 500), "tainted_by": many(PRINTED, most=10)},
)
PROPOSAL = members(
    {
        "id": text(), "kind": one_of(*KINDS), "sub": text(), "client": text(), "requested_by": or_null(text()), "code": text(),
        "nonce": or_null(text()), "digest": DIGEST, "subject": any_object, "provenance": or_null(PROVENANCE), "created_at": TIME,
        "worst_case": or_null(members({"cash": or_null(DECIMAL), "price": or_null(DECIMAL), "text": text()})),
    },
    {"proposed_by": text(), "code_entry": one_of("typed"), "policy": DIGEST},
)
APPROVAL = members({
    "sub": text(), "origin": text(), "rp_id": text(),
    "evidence": members({
        "method": METHOD, "credential_id": B64URL, "authenticator_data": B64URL, "client_data_json": B64URL, "signature": B64URL,
        "statement": any_object,
    }),
    "key": members({
        "credential_id": B64URL, "public_key": B64URL, "algorithm": whole(-SAFE), "method": METHOD,
        "device_type": one_of("singleDevice", "multiDevice"), "name": text(), "enrolled_at": TIME,
    }),
})
DRAFT = members(
    {
        "account": text("[ -~]{1,64}"), "environment": one_of("paper", "live"), "symbol": SYMBOL, "side": one_of("buy", "sell"),
        "type": one_of("market", "limit", "stop", "stop_limit", "stop_market", "trailing_stop"),
        "time_in_force": one_of("day", "gtc", "opg", "cls", "ioc", "fok"), "extended_hours": truth, "reference_price": POSITIVE,
        "max_slippage": text(PLAIN, lambda value: 0 < Decimal(value) <= Decimal("0.10")),
        "client_order_id": text("[A-Za-z0-9_-]{8,48}"), "expires_at": SECONDS,
    },
    {
        "max_fees": FEES, "coin_fee": FEES, "qty": POSITIVE, "notional": POSITIVE, "order_class": CLASS, "position_intent": INTENT, "mandate": text("M-[A-Za-z0-9_-]{10}"),
        "slot": text("[0-9]{4}-(W[0-9]{2}|[0-9]{2}(-[0-9]{2})?)"), **{name: POSITIVE for name in PRICES},
    },
)
ANSWER = (
    {
        **{name: text() for name in "id client_order_id symbol side type time_in_force status submitted_at".split()},
        **{name: or_null(DECIMAL) for name in "qty notional limit_price stop_price trail_price trail_percent filled_avg_price".split()},
        "extended_hours": truth, "filled_qty": DECIMAL, "filled_at": or_null(text()),
    },
    {"order_class": text(), "asset_class": text(), "position_intent": text()},
)
BROKER_ORDER = members(ANSWER[0], {**ANSWER[1], "legs": many(members(*ANSWER))})
RECEIPT = members({
    "type": one_of("trade-agent.receipt"), "v": whole(1, 1), "gateway": text(), "issued_at": TIME, "state": one_of(*STATES),
    "proposal": PROPOSAL, "approvals": many(APPROVAL, most=2),
    "mandate": or_null(members({"id": text(), "proposal": PROPOSAL, "approvals": many(APPROVAL, most=2)})),
    "decision": or_null(members({"at": TIME, "effect": one_of("allow", "deny"), "policy": text(), "reasons": many(text())})),
    "orders": many(members({
        "client_order_id": text(), "order": DRAFT, "state": one_of("intent", "placed", "rejected", "unknown"), "submissions": whole(1),
        "submitted_at": or_null(TIME), "problem": or_null(any_object),
        "answered": or_null(BROKER_ORDER),
    }), least=1),
    "record": many(members({"leaf": whole(0), "line": text(), "proof": many(HASH)})),
    "checkpoint": text(), "signature": members({"protected": B64URL, "signature": B64URL}),
})


TERMS = members({
    "kind": one_of("device", "agent", "registration", "recovery_code", "connection"), "sub": text(), "client": or_null(text()),
    "client_name": or_null(text()), "scopes": many(text()), "resources": many(text()), "accounts": one_of("all"),
    "from": or_null(text()), "ends_at": or_null(SECONDS),
})
GRANT_RECEIPT = members({
    "type": one_of("trade-agent.grant-receipt"), "v": whole(1, 1), "gateway": text(), "issued_at": TIME, "approval": APPROVAL,
    "grant": members({"id": text("gr_[A-Za-z0-9_-]{22,64}"), "digest": DIGEST, "terms": TERMS}),
    "record": many(members({"leaf": whole(0), "line": text(), "proof": many(HASH)})),
    "checkpoint": text(), "signature": members({"protected": B64URL, "signature": B64URL}),
})


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
    need(kind == 5, "phone_signature")
    members = {}
    for _ in range(value):
        key, at = cbor(raw, at)
        members[key], at = cbor(raw, at)
    return members, at


def signed_by(thumbprint, sealed, payload, typ):
    x = json.loads(unb64(sealed["protected"]))["jwk"]["x"]
    kid = b64(sha256(jcs({"crv": "Ed25519", "kty": "OKP", "x": x})))
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid}
    header = json.dumps({"alg": "EdDSA", "typ": typ, "kid": kid, "jwk": jwk}, separators=(",", ":"))
    need(sealed["protected"] == b64(header.encode()), "gateway_signature")
    signing_input = (sealed["protected"] + "." + b64(payload.encode())).encode()
    ed25519.Ed25519PublicKey.from_public_bytes(unb64(x)).verify(unb64(sealed["signature"]), signing_input)
    need(kid == thumbprint, "signer")


def phone_signed(key, signed, signature):
    cose, end = cbor(unb64(key["public_key"]))
    need(end == len(unb64(key["public_key"])) and cose[3] == key["algorithm"], "phone_signature")
    if cose[3] == -7:
        need(cose[1] == 2 and cose[-1] == 1, "phone_signature")
        numbers = ec.EllipticCurvePublicNumbers(*(int.from_bytes(cose[n], "big") for n in (-2, -3)), ec.SECP256R1())
        numbers.public_key().verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    elif cose[3] == -8:
        need(cose[1] == 1 and cose[-1] == 6, "phone_signature")
        ed25519.Ed25519PublicKey.from_public_bytes(cose[-2]).verify(signature, signed)
    elif cose[3] == -257:
        need(cose[1] == 3, "phone_signature")
        numbers = rsa.RSAPublicNumbers(*(int.from_bytes(cose[n], "big") for n in (-2, -1)))
        numbers.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise NoReceipt("phone_signature")


OPTIONAL = ("proposed_by", "code_entry", "policy")


def digested(proposal):
    covered = {name: proposal[name] for name in "kind subject worst_case provenance requested_by client".split()}
    covered["v"] = 1
    covered.update({name: proposal[name] for name in OPTIONAL if name in proposal})
    need(b64(sha256(jcs(covered))) == proposal["digest"], "proposal")


def approved(gateway, proposal, approvals):
    digested(proposal)
    need(approvals and approvals[0]["sub"] == proposal["sub"], "not_signed")
    need(len({one["sub"] for one in approvals}) == len(approvals), "not_signed")
    need(proposal["nonce"] is not None, "statement")
    for one in approvals:
        statement = {"v": 1, "purpose": "trade-agent.approval", "decision": "approve", "gateway": gateway, "sub": one["sub"]}
        statement.update({"proposal": proposal["id"]}, **{n: proposal[n] for n in "digest code worst_case nonce".split()})
        software_live = one["evidence"]["method"] == "software" and '"environment":"live"' in jcs(proposal["subject"])
        need(not software_live, "phone_key")
        assertion_holds(statement, one)


def assertion_holds(statement, one):
    evidence, key = one["evidence"], one["key"]
    need(jcs(evidence["statement"]) == jcs(statement), "statement")
    need((key["credential_id"], key["method"]) == (evidence["credential_id"], evidence["method"]), "phone_key")
    with named("phone_key"):
        page = urlsplit(one["origin"])
        host = page.hostname or ""
        need(page.port is None or 0 <= page.port <= 65535, "phone_key")
    need(host == one["rp_id"] or host.endswith("." + one["rp_id"]), "phone_key")
    with named("phone_signature"):
        data, client = unb64(evidence["authenticator_data"]), unb64(evidence["client_data_json"])
        said = json.loads(client)
        need(said["type"] == "webauthn.get" and said["origin"] == one["origin"], "phone_signature")
        need(said["challenge"] == b64(sha256(jcs(statement))), "phone_signature")
        need(not said.get("crossOrigin", False) and "topOrigin" not in said, "phone_signature")
        synced, flags = key["device_type"] == "multiDevice", data[32]
        need(data[:32] == sha256(one["rp_id"]) and flags & 1 and flags & 4, "phone_signature")
        need(bool(flags & 8) == synced and not (flags & 16 and not synced), "phone_signature")
        phone_signed(key, data + sha256(client), unb64(evidence["signature"]))


def amount(value):
    return None if value is None else Decimal(value)


def moment(value):
    return datetime.fromisoformat(value.replace("Z", "+00:00"))


def multiplier(symbol):
    return 100 if OPTION.fullmatch(symbol) else 1


def places(price, symbol):
    """Decimals of a price: the tick of its market."""
    if CRYPTO.fullmatch(symbol):
        return 9
    return 2 if OPTION.fullmatch(symbol) or abs(price) >= 1 else 4


def priced(price, symbol):
    decimals = places(price, symbol)
    price = price.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    if not CRYPTO.fullmatch(symbol):
        return f"{price:f}"
    whole_part, part = f"{price:f}".split(".")
    return whole_part + "." + part.rstrip("0").ljust(2, "0")


def worst_price(side, around, slippage, symbol):
    exact = Decimal(around) * (1 + Decimal(slippage) * (1 if side == "buy" else -1))
    return priced(exact.quantize(Decimal(1).scaleb(-places(exact, symbol)), ROUND_FLOOR if side == "buy" else ROUND_CEILING), symbol)


def sent_limit(draft):
    band = {"market": "reference_price", "stop": "stop_price"}.get(draft["type"])
    around = None if band is None else draft.get(band)
    if around is None:
        return draft.get("limit_price")
    return worst_price(draft["side"], around, draft["max_slippage"], draft["symbol"])


def stop_loss_limit(draft):
    stop = draft.get("stop_loss_stop_price")
    given = draft.get("stop_loss_limit_price")
    return given if stop is None or given is not None else worst_price("sell", stop, draft["max_slippage"], draft["symbol"])


def fees(draft):
    return Decimal(draft.get("max_fees", "0"))


def sent_quantity(draft):
    """The quantity that is sent: an amount in dollars pays for shares and their fees at the limit."""
    limit = sent_limit(draft)
    if "qty" in draft or "notional" not in draft or limit is None:
        return amount(draft.get("qty"))
    dollars, price = Decimal(draft["notional"]), Decimal(limit)
    if draft["side"] == "buy":
        dollars = max(dollars - fees(draft), Decimal(0))
    else:
        price = max(price, Decimal(draft["reference_price"]))
    return (dollars / price).quantize(Decimal("0.000000001"), ROUND_DOWN)


def counted(draft):
    """What an order counts toward a mandate, in dollars; None without a bound."""
    limit, option = sent_limit(draft), OPTION.fullmatch(draft["symbol"])
    units = (sent_quantity(draft) or 0) * multiplier(draft["symbol"])
    if option and draft.get("position_intent") == "sell_to_open":
        return units * Decimal(option.group(6)) / 1000
    if draft["side"] == "buy":
        return None if limit is None else units * Decimal(limit) + fees(draft)
    return units * max(Decimal(draft["reference_price"]), Decimal(limit or draft.get("take_profit_limit_price", "0")))


def worst_case(draft):
    """The cash and the price of an order's worst case."""
    limit, oco, buys = sent_limit(draft), draft.get("order_class") == "oco", draft["side"] == "buy"
    if oco:
        limit = stop_loss_limit(draft) or "0"
    if limit is None:
        return None, None
    exact = (sent_quantity(draft) or 0) * Decimal(limit) * multiplier(draft["symbol"])
    exact = exact + fees(draft) if buys else exact - fees(draft)
    return f"{exact.quantize(Decimal('0.01'), ROUND_UP if buys else ROUND_FLOOR):f}", limit


def worst_case_holds(proposal, drafts):
    said, all_cases = proposal["worst_case"], [(draft["side"], *worst_case(draft)) for draft in drafts]
    total = lambda side: sum((Decimal(cash or 0) for of, cash, _ in all_cases if of == side), Decimal("0.00"))
    bounded = all(cash is not None for _, cash, _ in all_cases)
    cash = f"{total('buy') or total('sell'):.2f}" if bounded else None
    price = None if proposal["kind"] == "batch" else all_cases[0][2]
    need(said is not None and said["cash"] == cash and said["price"] == price, "proposal")
    need(cash is None or f"${Decimal(cash):,.2f}" in said["text"], "proposal")


def slot_of(cadence, at):
    day = at.astimezone(ZoneInfo("America/New_York")).date()
    year, week, _ = day.isocalendar()
    return {"daily": day.isoformat(), "weekly": f"{year:04}-W{week:02}", "monthly": day.isoformat()[:7]}.get(cadence)


def in_band(band, draft):
    worst, reference = amount(sent_limit(draft)), Decimal(draft["reference_price"])
    if band is None or worst is None:
        return band is None
    named = Decimal(draft.get("limit_price", draft["reference_price"]))
    low, high = (min(named, reference), worst) if draft["side"] == "buy" else (worst, max(named, reference))
    return low >= Decimal(band.get("min", low)) and high <= Decimal(band.get("max", high))


def is_standing(standing, draft):
    if standing is None:
        return True
    order = standing["order"]
    same = all(draft[name] == order[name] for name in ("symbol", "side", "type", "time_in_force"))
    same = same and amount(draft.get("limit_price")) == amount(order.get("limit_price"))
    if order["side"] == "sell" and "notional" in order:
        return same and "qty" in draft and Decimal(draft["qty"]) * Decimal(draft["reference_price"]) <= Decimal(order["notional"])
    return same and all(amount(draft.get(name)) == amount(order.get(name)) for name in ("qty", "notional"))


def mandated(receipt, mandate):
    proposal, granted = receipt["proposal"], mandate["proposal"]
    digested(proposal)
    approved(receipt["gateway"], granted, mandate["approvals"])
    terms = granted["subject"]
    need(granted["kind"] == "mandate" and terms["mandate_id"] == mandate["id"], "mandate")
    need(proposal["kind"] == "order" and not receipt["approvals"] and granted["sub"] == proposal["sub"], "mandate")
    need(proposal["nonce"] is None, "mandate")
    draft, at, dollars = proposal["subject"], moment(proposal["created_at"]), counted(proposal["subject"])
    need(draft.get("mandate") == mandate["id"], "mandate")
    need(all(terms[name] == draft[name] for name in ("account", "environment")), "mandate")
    need(draft["symbol"] in terms["symbols"] and draft["side"] in terms["sides"], "mandate")
    need(draft["type"] in terms["order_types"] and draft["time_in_force"] in terms["times_in_force"], "mandate")
    need("order_class" not in draft and not draft["extended_hours"], "mandate")
    for name in ("max_order_notional", "max_day_notional", "max_total_notional"):
        need(name not in terms or (dollars is not None and dollars <= Decimal(terms[name])), "mandate")
    need(in_band(terms.get("price", {}).get(draft["symbol"]), draft), "mandate")
    need(Decimal(draft["max_slippage"]) <= Decimal(terms["max_slippage"]), "mandate")
    need(draft.get("slot") == slot_of(terms["cadence"], at) and is_standing(terms.get("standing"), draft), "mandate")
    need(moment(terms["not_before"]) <= at < moment(terms["expires_at"]), "mandate")
    need(proposal.get("policy") == terms["policy"], "mandate")


def orders_hold(drafts, orders):
    ids, last = [one["client_order_id"] for one in drafts], -1
    for one in orders:
        name, answered = one["client_order_id"], one["answered"]
        need(name in ids and jcs(drafts[ids.index(name)]) == jcs(one["order"]) and ids.index(name) > last, "order")
        last = ids.index(name)
        need((one["state"] == "placed") == (answered is not None), "order")
        need((one["state"] == "rejected") == (one["problem"] is not None), "order")
        if answered is not None:
            need(all(answered[n] == one["order"][n] for n in ("client_order_id", "symbol", "side")), "order")


ORDER_STATES = {
    "approved": {"intent", "rejected"}, "executing": {"intent", "placed", "rejected", "unknown"},
    "unknown": {"intent", "placed", "rejected", "unknown"}, "executed": {"placed", "rejected"},
    "blocked": {"intent", "rejected", "unknown"}, "expired": {"intent", "rejected"}, "cancelled": {"intent", "rejected"},
}


def states_hold(receipt):
    state, orders = receipt["state"], receipt["orders"]
    for one in orders:
        need(one["state"] in ORDER_STATES.get(state, ()), "state")
        if one["submitted_at"] is None:
            need(one["state"] not in ("placed", "unknown"), "state")
        elif one["state"] == "intent":
            need(state in ("executing", "unknown", "blocked"), "state")
    placed = sum(one["state"] == "placed" for one in orders)
    if state == "executed":
        need(placed > 0 and (receipt["proposal"]["kind"] == "batch" or placed == len(orders)), "state")


def within_worst_case(receipt, reports):
    spent = Decimal(0)
    for one in receipt["orders"]:
        draft, dollars = one["order"], [Decimal(0)]
        answers = [answer for answer in reports if answer["client_order_id"] == one["client_order_id"]]
        for answered in answers + ([one["answered"]] if one["answered"] else []):
            for at, part in enumerate([answered, *answered.get("legs", [])]):
                entry = at == 0 and draft.get("order_class") != "oco"
                bound = amount(sent_limit(draft) if entry else stop_loss_limit(draft))
                worse = (lambda price: price > bound) if entry and draft["side"] == "buy" else (lambda price: price < bound)
                quantity, dollar = sent_quantity(draft), amount(draft.get("notional"))
                for name, most in (("qty", quantity), ("filled_qty", quantity), ("notional", dollar)):
                    need(part[name] is None or most is None or Decimal(part[name]) <= most, "exceeded")
                for name in ("filled_avg_price", "limit_price"):
                    need(part[name] is None or bound is None or not worse(Decimal(part[name])), "exceeded")
            price = amount(answered["filled_avg_price"]) or 0
            dollars.append(Decimal(answered["filled_qty"]) * price * multiplier(draft["symbol"]))
        spent += max(dollars) + fees(draft) if draft["side"] == "buy" else 0
    cash = amount((receipt["proposal"]["worst_case"] or {}).get("cash"))
    need(cash is None or spent.quantize(Decimal("0.01"), ROUND_DOWN) <= cash, "exceeded")


def signed_tree(note, gateway, public):
    """The size and root of a checkpoint (C2SP tlog-checkpoint), where the gateway's key signed it (C2SP signed-note)."""
    need(len(note.encode("utf-16-le")) // 2 <= 16384 and note.endswith("\n") and "\n\n" in note, "record")
    split = note.rindex("\n\n")
    text, signatures, origin = note[: split + 1], note[split + 2 : -1], gateway.replace("+", "%2B")
    name, size, root, *more = text[:-1].split("\n")
    need(name == origin and re.fullmatch("0|[1-9][0-9]{0,14}", size) and len(unb64std(root)) == 32, "record")
    need(not more or (len(more) == 1 and re.fullmatch(f"day {DAY}", more[0]) and is_date(more[0][4:])), "record")
    key_id, ours = sha256(origin.encode() + b"\n\x01" + public)[:4], None
    for line in signatures.split("\n"):
        found = re.fullmatch("\u2014 ([!-*,-~]+) ([!-~]+)", line)
        need(found, "record")
        raw = unb64std(found.group(2))
        need(len(raw) > 4, "record")
        if ours is None and found.group(1) == origin and raw[:4] == key_id:
            ours = raw[4:]
    need(ours is not None, "record")
    ed25519.Ed25519PublicKey.from_public_bytes(public).verify(ours, text.encode())
    return int(size), unb64std(root)


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


OPEN = {"drafted", "requested", "approved"}
STEPS = {  # event: the states before it, and its own
    "proposed": ({None}, {"drafted"}), "requested": ({"drafted"}, {"requested"}),
    "asked_again": ({"requested"}, {"drafted", "requested"}),
    "owner_approved": ({"requested"}, {"requested"}), "second_requested": ({"requested"}, {"requested"}),
    "approved": ({"requested"}, {"approved"}), "approved_by_mandate": ({"drafted"}, {"approved"}),
    "executing": ({"approved", "executing", "unknown"}, {"executing"}), "not_taken": ({"executing"}, {"approved"}),
    "unknown": ({"executing"}, {"unknown"}), "executed": ({"executing", "unknown", "expired", "executed"}, {"executed"}),
    "blocked": (OPEN | {"executing", "unknown"}, {"blocked"}), "expired": (OPEN | {"executing", "unknown"}, {"expired"}),
    "cancelled": (OPEN, {"cancelled"}),
}
FACTS = "sub client kind code digest subject worst_case requested_by provenance".split()


def proven_lines(receipt):
    x = json.loads(unb64(receipt["signature"]["protected"]))["jwk"]["x"]
    size, root = signed_tree(receipt["checkpoint"], receipt["gateway"], unb64(x))
    last, lines = -1, []
    for one in receipt["record"]:
        need(one["leaf"] > last, "record")
        need(included_root(one["leaf"], size, one["line"], [unb64std(beside) for beside in one["proof"]]) == root, "record")
        line, last = json.loads(one["line"]), one["leaf"]
        need(isinstance(line, dict), "record")
        plain(line, "record")
        need(json.dumps(line, ensure_ascii=False, separators=(",", ":")) == one["line"], "record")
        need(isinstance(line.get("event"), str) and isinstance(line.get("at"), str), "record")
        need(re.fullmatch(f"{DAY}T{CLOCK}[.][0-9]{{3}}Z", line["at"]) and is_date(line["at"]), "record")
        lines.append(line)
    return lines


def in_order(steps):
    need(all(step >= 0 for step in steps) and all(one < other for one, other in zip(steps, steps[1:])), "record")


def place_of(lines, holds):
    return next((at for at, line in enumerate(lines) if holds(line)), -1)


def of(event):
    return lambda line: line["event"] == event


def tells_signature(one):
    key = one["key"]
    wanted = {"event": "signed", "sub": one["sub"], "credential_id": key["credential_id"], "method": key["method"]}
    wanted.update(device_type=key["device_type"], backed_up=bool(unb64(one["evidence"]["authenticator_data"])[32] & 16))
    return lambda line: all(jcs(line.get(name)) == jcs(value) for name, value in wanted.items())


def before(one, other):
    need(moment(one) <= moment(other) + CLOCKS_APART, "time")


def steps_hold(lines):
    """No line is missing, and each names the approval request of the line before, where it begins no other."""
    state = request = None
    for place, line in enumerate(lines):
        before(lines[max(place - 1, 0)]["at"], line["at"])
        if line["event"] == "signed":
            continue
        first, then = STEPS.get(line["event"], ((), ()))
        need(state in first and line.get("state") in then, "record")
        state, named = line["state"], line.get("auth_req_hash")
        if line["event"] in ("requested", "second_requested", "asked_again"):
            is_one = isinstance(named, str) and re.fullmatch("[A-Za-z0-9_-]{43}", named)
            need("auth_req_hash" not in line if state == "drafted" else is_one, "record")
            request = named
        need(named == request and ("auth_req_hash" in line) == (request is not None), "record")


def granted_holds(terms, lines):
    began = next((line["at"] for line in lines if line["event"] == "executing"), None)
    for line in lines:
        if line["event"] == "executed":
            result, when = line.get("result"), terms.get("standing", {}).get("when", {})
            told(members({"mandate": text(), "granted_at": text()}, {"replaced": text(), "next_at": text()}), result)
            need(result["mandate"] == terms["mandate_id"] and result.get("replaced") == terms.get("replaces"), "record")
            need(("next_at" in result) == ("every" in when), "record")
            for at in (result["granted_at"], result.get("next_at", result["granted_at"])):
                need(re.fullmatch(f"{DAY}T{CLOCK}Z", at) and is_date(at) and at >= result["granted_at"], "time")
            before(began, result["granted_at"])
            before(result["granted_at"], line["at"])


def history_holds(proposal, approvals, lines):
    for line in lines:
        need(line.get("digest") == proposal["digest"], "record")
        if line["event"] == "signed":
            need(line.get("sub") in [one["sub"] for one in approvals], "record")
            continue
        need(all(name in line and jcs(line[name]) == jcs(proposal[name]) for name in FACTS), "record")
        for name in OPTIONAL:
            need((name in line) == (name in proposal) and jcs(line.get(name)) == jcs(proposal.get(name)), "record")
    steps_hold(lines)
    executing = place_of(lines, of("executing"))
    in_order([place_of(lines, of("proposed")), executing])
    need(lines[0]["event"] == "proposed" and sum(map(of("proposed"), lines)) == 1, "record")
    need(lines[0]["at"] == proposal["created_at"], "time")
    second = approvals[1]["sub"] if len(approvals) > 1 else None
    need(not approvals or lines[0].get("second") == second, "record")
    for one in approvals:
        in_order([0, place_of(lines, tells_signature(one)), executing])


def key_holds(one, lines):
    key, fingerprint = one["key"], b64(sha256(unb64(one["key"]["public_key"])))
    mine = [line for line in lines if line["event"] == "key_enrolled" and line.get("credential_id") == key["credential_id"]]
    wanted = {"sub": one["sub"], "fingerprint": fingerprint, "at": key["enrolled_at"]}
    wanted.update({name: key[name] for name in ("method", "device_type", "name")})
    need(len(mine) == 1 and all(jcs(mine[0].get(name)) == jcs(value) for name, value in wanted.items()), "record")
    need(mine[0].get("by") in ("pairing", "key", "machine") and isinstance(mine[0].get("backed_up"), bool), "record")
    need(key["device_type"] == "multiDevice" or mine[0]["backed_up"] is False, "record")
    signed = place_of(lines, lambda line: line["event"] == "signed" and line.get("credential_id") == key["credential_id"])
    in_order([lines.index(mine[0]), signed])


def told(form, value):
    """Whether a value in a line has this form."""
    try:
        form(value)
    except NoReceipt:
        raise NoReceipt("record")
    return value


def reports_of(result, kind, drafts):
    """What the broker reported, in the result of an order or of each order of a batch."""
    if kind != "batch":
        return [told(BROKER_ORDER, result)]
    reason = members({"code": text(), "text": text()})
    line = members({"client_order_id": text(), "outcome": one_of("placed", "refused", "not_sent")}, {"order": BROKER_ORDER, "reason": reason})
    lines = told(members({"lines": many(line)}), result)["lines"]
    need([one["client_order_id"] for one in lines] == [draft["client_order_id"] for draft in drafts], "record")
    need(all((one["outcome"] == "placed") == ("order" in one) for one in lines), "record")
    orders = [(one["client_order_id"], one["order"]) for one in lines if "order" in one]
    need(all(name == order["client_order_id"] for name, order in orders), "record")
    return [order for _, order in orders]


def outcome_holds(receipt, drafts, own):
    last, kind = [line for line in own if line["event"] != "signed"][-1], receipt["proposal"]["kind"]
    need(last["state"] == receipt["state"], "record")
    reports = [one for line in own if line["event"] == "executed" for one in reports_of(line.get("result"), kind, drafts)]
    listed = {one["client_order_id"]: one["order"] for one in receipt["orders"]}
    for one in reports:
        sent = listed.get(one["client_order_id"])
        need(sent and all(one[name] == sent[name] for name in ("symbol", "side")), "record")
    attempts = sum(map(of("executing"), own))
    for one in receipt["orders"]:
        need(one["submissions"] <= attempts, "record")
        if receipt["state"] == "executed" and one["answered"] is not None:
            need(jcs(one["answered"]) in map(jcs, reports), "record")
        if receipt["state"] == "blocked" and kind != "batch" and one["problem"] and one["submitted_at"]:
            reason = last.get("reason") or {}
            need(jcs(reason.get("code")) == jcs(one["problem"].get("code")), "record")
            need(jcs(reason.get("text")) == jcs(one["problem"].get("detail")), "record")
    return reports


def times_hold(receipt, drafts, lines, own):
    created, issued, decision = receipt["proposal"]["created_at"], receipt["issued_at"], receipt["decision"]
    began = next(line["at"] for line in own if line["event"] == "executing")
    ended = next((line["at"] for line in own if line["event"] == "executed"), issued)
    for draft in drafts:
        ends = moment(draft["expires_at"])
        need(moment(created) < ends <= moment(created) + LONGEST + CLOCKS_APART, "time")
        before(began, draft["expires_at"])
    for line in lines:
        before(line["at"], issued)
    for line in own:
        before(created, line["at"])
    for at in [decision["at"]] if decision else []:
        before(began, at)
        before(at, ended)
        before(at, issued)
    for at in [one["submitted_at"] for one in receipt["orders"] if one["submitted_at"]]:
        before(began, at)
        before(at, ended)
        before(at, issued)


def record_holds(receipt, drafts):
    proposal, approvals, mandate = receipt["proposal"], receipt["approvals"], receipt["mandate"]
    lines, signers = proven_lines(receipt), approvals + (mandate["approvals"] if mandate else [])
    about = lambda which: [line for line in lines if which["id"] in (line.get("proposal"), line.get("approval"))]
    own, granted = about(proposal), about(mandate["proposal"]) if mandate else []
    ids = [one["key"]["credential_id"] for one in signers]
    enrolled = [line for line in lines if line["event"] == "key_enrolled" and line.get("credential_id") in ids]
    need(len(own) + len(granted) + len(enrolled) == len(lines), "record")
    history_holds(proposal, approvals, own)
    if mandate:
        history_holds(mandate["proposal"], mandate["approvals"], granted)
        at = lambda which, event: place_of(lines, lambda line: line["event"] == event and line in which)
        in_order([at(granted, "executed"), at(own, "executing")])
        granted_holds(mandate["proposal"]["subject"], granted)
    need(all(line["event"] == "signed" or line.get("mandate") == (mandate["id"] if mandate else None) for line in own), "record")
    for one in signers:
        key_holds(one, lines)
    reports = outcome_holds(receipt, drafts, own)
    times_hold(receipt, drafts, lines, own)
    return reports


def granted_access(receipt):
    """The receipt of a grant: whose key gave whom access."""
    grant, one, terms = receipt["grant"], receipt["approval"], receipt["grant"]["terms"]
    covered = {"v": 1, "identifier": grant["id"], "grant": terms}
    need(b64(sha256(jcs(covered))) == grant["digest"], "grant")
    need(one["sub"] == terms["sub"], "not_signed")
    bits = int.from_bytes(unb64(grant["digest"])[:3], "big")
    code = "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> shift & 31] for shift in (19, 14, 9, 4))
    assertion_holds({
        "v": 1, "purpose": "trade-agent.grant", "decision": "approve", "gateway": receipt["gateway"], "proposal": grant["id"],
        "digest": grant["digest"], "sub": one["sub"], "code": code, "worst_case": None, "nonce": grant["digest"],
    }, one)
    with named("record"):
        grant_recorded(receipt)


def grant_recorded(receipt):
    grant, one, terms, lines = receipt["grant"], receipt["approval"], receipt["grant"]["terms"], proven_lines(receipt)
    need([line["event"] for line in lines] == ["key_enrolled", "signed"], "record")
    key_holds(one, lines)
    signed = lines[1]
    need(signed.get("approval") == grant["id"] and signed.get("digest") == grant["digest"], "record")
    need(tells_signature(one)(signed) and jcs(signed.get("grant")) == jcs(terms), "record")
    need(moment(signed["at"]) <= moment(receipt["issued_at"]) + CLOCKS_APART, "time")
    need(terms["ends_at"] is None or moment(signed["at"]) <= moment(terms["ends_at"]) + CLOCKS_APART, "time")


def verify(raw, thumbprint):
    """Raises NoReceipt where the file does not show what it says; what else it raises is a refusal too."""
    receipt = json.loads(raw.decode())
    plain(receipt, "form")
    grants = isinstance(receipt, dict) and receipt.get("type") == "trade-agent.grant-receipt"
    (GRANT_RECEIPT if grants else RECEIPT)(receipt)
    grants or many(DRAFT, least=1)(DRAFTS[receipt["proposal"]["kind"]](receipt["proposal"]["subject"]))
    need((jcs(receipt) + "\n").encode() == raw, "form")
    payload = jcs({name: value for name, value in receipt.items() if name != "signature"})
    with named("gateway_signature"):
        signed_by(thumbprint, receipt["signature"], payload, "trade-agent-receipt+jws")
    if grants:
        granted_access(receipt)
        return receipt
    proposal, mandate, decision = receipt["proposal"], receipt["mandate"], receipt["decision"]
    if mandate is None:
        need("mandate" not in proposal["subject"], "mandate")
        approved(receipt["gateway"], proposal, receipt["approvals"])
    else:
        with named("mandate"):
            mandated(receipt, mandate)
    drafts = DRAFTS[proposal["kind"]](proposal["subject"])
    worst_case_holds(proposal, drafts)
    orders_hold(drafts, receipt["orders"])
    states_hold(receipt)
    need("policy" in proposal, "decision")
    if decision:
        need(decision["policy"] == proposal["policy"] and decision["effect"] == "allow" and not decision["reasons"], "decision")
    with named("record"):
        reports = record_holds(receipt, drafts)
    within_worst_case(receipt, reports)
    return receipt


def verdict(raw, thumbprint):
    """`holds`, or what does not."""
    try:
        verify(raw, thumbprint)
        return "holds"
    except NoReceipt as fault:
        return str(fault)
    except WRONG:
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
