"""What every script knows: where the gateway is, and what the mock behind it says. One line for each check that held."""

import json
import os
import urllib.request

FACTS = json.loads(os.environ["TOLLGATE_FACTS"])
URL, KEY, MOCK = FACTS["url"], FACTS["key"], FACTS["mock"]
TEXT, SYSTEM, QUESTION = FACTS["text"], FACTS["system"], FACTS["question"]
PROMPT, WORDS = FACTS["prompt"], FACTS["words"]
TARGETS = FACTS["targets"]
PIXEL = FACTS["pixel"]
PLACE = {"city": "Paris", "days": 7}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
MESSAGES = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]


def same(got, wanted):
    """Says what differs: an `assert` would not."""
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def raises(kind, act):
    """The exception of this class that `act` raises."""
    try:
        act()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def held(*names):
    print("held", *names, flush=True)


def limited_once():
    """The next request of a `-429` model is told to come back in a second; those after it are answered."""
    body = json.dumps({"key": "m!429:1", "behaviours": ["429:1", "ok"]}).encode()
    urllib.request.urlopen(f"{MOCK}/__mock/plan", data=body).read()


def broken(kind, pieces, whole=TEXT):
    """The exception of this class that a stream ends with, after words that are only the beginning of its answer."""
    said = []

    def read():
        for piece in pieces():
            said.append(piece or "")

    error = raises(kind, read)
    text = "".join(said)
    if not text or text == whole or not whole.startswith(text):
        raise AssertionError(f"got {text!r} before {error!r}")
    same("not the whole answer" in str(error), True)
    return error
