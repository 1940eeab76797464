import json
import os
from pathlib import Path

import openai
from house import KEY, PLACE, QUESTION, SCHEMA, SYSTEM, TARGETS, TEXT, URL, broken, held, limited_once, raises, same

home = Path(os.environ["LLM_USER_PATH"])
home.mkdir(parents=True, exist_ok=True)
FAULTS = ("", "-500", "-context", "-inband", "-cut", "-429")
rows = [
    f"- model_id: {name}\n  model_name: {name}\n  api_key_name: tollgate\n  api_base: {URL}/v1\n  supports_schema: true\n  supports_tools: true\n"
    for name in [f"t-{one}{fault}" for one in TARGETS for fault in FAULTS] + ["nobody"]
]
# Its ids must be its own: it knows many models already.
(home / "extra-openai-models.yaml").write_text("".join(rows).replace("model_name: t-", "model_name: "))

import llm  # noqa: E402  (it reads the file above)


def get_weather(city: str, days: int) -> str:
    """Tells the weather."""
    return f"{city} is fine for {days} days"


for target in TARGETS:
    model = llm.get_model(f"t-{target}")
    same(model.prompt(QUESTION, system=SYSTEM, stream=False, key=KEY).text(), TEXT)
    pieces = list(model.prompt(QUESTION, system=SYSTEM, key=KEY))
    same("".join(pieces), TEXT)
    held(target, "chat and stream")
    same(json.loads(model.prompt(QUESTION, schema=SCHEMA, stream=False, key=KEY).text()), PLACE)
    held(target, "structured output")
    chained = model.chain(QUESTION, tools=[get_weather], key=KEY)
    same(chained.text().endswith(TEXT), True)
    held(target, "tools")

    def ask(fault):
        return llm.get_model(f"t-{target}-{fault}").prompt(QUESTION, key=KEY)

    raises(openai.InternalServerError, lambda: ask("500").text())
    same(raises(openai.BadRequestError, lambda: ask("context").text()).code, "context_length_exceeded")
    for fault in ("inband", "cut"):
        broken(openai.APIError, lambda: ask(fault))
    limited_once()
    same(ask("429").text(), TEXT)
    held(target, "errors")
nobody = llm.get_model("nobody")
raises(openai.AuthenticationError, lambda: llm.get_model("t-openai").prompt(QUESTION, key="sk-wrong").text())
same("nobody" in str(raises(Exception, lambda: nobody.prompt(QUESTION, key=KEY).text())), True)
held("all", "refusals")
