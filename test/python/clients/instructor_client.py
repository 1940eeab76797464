import instructor
import openai
from house import KEY, MESSAGES, PLACE, TARGETS, URL, held, limited_once, raises, same
from instructor.core.exceptions import InstructorRetryException
from pydantic import BaseModel


class Place(BaseModel):
    city: str
    days: int


def client_of(mode=instructor.Mode.TOOLS, key=KEY, retries=0):
    return instructor.from_openai(openai.OpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=retries), mode=mode)


def ask(client, model):
    return client.chat.completions.create(model=model, messages=MESSAGES, response_model=Place, max_retries=1)


def fails(kind, act):
    """It wraps what the SDK raises, after the tries that it was told."""
    cause = raises(InstructorRetryException, act).__cause__
    same(isinstance(cause, kind), True)
    return cause


for model in TARGETS:
    for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
        # No tool can be forced on Ollama.
        if model == "ollama" and mode is instructor.Mode.TOOLS:
            continue
        client = client_of(mode)
        same(ask(client, model).model_dump(), PLACE)
        *_, last = client.chat.completions.create_partial(model=model, messages=MESSAGES, response_model=Place)
        same(last.model_dump(), PLACE)
        held(model, mode.name, "whole and streamed")
    client = client_of(instructor.Mode.JSON_SCHEMA)
    fails(openai.InternalServerError, lambda: ask(client, f"{model}-500"))
    same(fails(openai.BadRequestError, lambda: ask(client, f"{model}-context")).code, "context_length_exceeded")
    for fault in ("inband", "cut"):
        parts = []

        def read():
            stream = client.chat.completions.create_partial(
                model=f"{model}-{fault}", messages=MESSAGES, response_model=Place, max_retries=1
            )
            for part in stream:
                parts.append(part)

        same("not the whole answer" in str(fails(openai.APIError, read)), True)
        same(PLACE in [part.model_dump() for part in parts], False)
    limited_once()
    same(ask(client_of(instructor.Mode.JSON_SCHEMA, retries=3), f"{model}-429").model_dump(), PLACE)
    held(model, "errors")
fails(openai.NotFoundError, lambda: ask(client_of(), "nobody"))
fails(openai.AuthenticationError, lambda: ask(client_of(key="sk-wrong"), "openai"))
held("all", "refusals")
