import instructor
import openai
from house import KEY, MESSAGES, PLACE, TARGETS, URL, held, raises, same
from pydantic import BaseModel


class Place(BaseModel):
    city: str
    days: int


raw = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
for model in TARGETS:
    for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
        # No tool can be forced on Ollama.
        if model == "ollama" and mode is instructor.Mode.TOOLS:
            continue
        client = instructor.from_openai(raw, mode=mode)
        made = client.chat.completions.create(model=model, messages=MESSAGES, response_model=Place, max_retries=1)
        same(made.model_dump(), PLACE)
        *_, last = client.chat.completions.create_partial(model=model, messages=MESSAGES, response_model=Place)
        same(last.model_dump(), PLACE)
        held(model, mode.name, "whole and streamed")
client = instructor.from_openai(raw)
raises(
    Exception,
    lambda: client.chat.completions.create(model="nobody", messages=MESSAGES, response_model=Place, max_retries=1),
)
held("all", "errors")
