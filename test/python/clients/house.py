"""What every script knows: where the gateway is, and what the mock behind it says. One line for each check that held."""

import json
import os

FACTS = json.loads(os.environ["TOLLGATE_FACTS"])
URL, KEY = FACTS["url"], FACTS["key"]
TEXT, SYSTEM, QUESTION = FACTS["text"], FACTS["system"], FACTS["question"]
PROMPT, WORDS = FACTS["prompt"], FACTS["words"]
TARGETS = FACTS["targets"]
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
