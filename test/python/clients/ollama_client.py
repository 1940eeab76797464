import json

import ollama
from house import KEY, MESSAGES, PLACE, PROMPT, SCHEMA, TARGETS, TEXT, URL, WORDS, broken, held, limited_once, raises, same

client = ollama.Client(host=URL, headers={"authorization": f"Bearer {KEY}"})
tools = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": SCHEMA}}
    for name in ("get_weather", "get_time")
]
for model in TARGETS:
    whole = client.chat(model=model, messages=MESSAGES)
    same(whole.message.content, TEXT)
    same((whole.prompt_eval_count, whole.eval_count, whole.done_reason), (PROMPT, WORDS, "stop"))
    parts = list(client.chat(model=model, messages=MESSAGES, stream=True))
    same("".join(part.message.content or "" for part in parts), TEXT)
    same((parts[-1].done, parts[-1].eval_count), (True, WORDS))
    held(model, "chat and stream")

    called = client.chat(model=model, messages=MESSAGES, tools=tools).message
    same(
        [(call.function.name, call.function.arguments) for call in called.tool_calls],
        [("get_weather", PLACE), ("get_time", PLACE)],
    )
    results = [
        {"role": "tool", "tool_name": call.function.name, "content": f"{call.function.name} is fine"}
        for call in called.tool_calls
    ]
    after = client.chat(model=model, messages=[*MESSAGES, called, *results], tools=tools)
    same(after.message.content, TEXT)
    held(model, "tools")

    same(json.loads(client.chat(model=model, messages=MESSAGES, format=SCHEMA).message.content), PLACE)
    held(model, "structured output")

    same(raises(ollama.ResponseError, lambda: client.chat(model=f"{model}-500", messages=MESSAGES)).status_code, 502)
    long = raises(ollama.ResponseError, lambda: client.chat(model=f"{model}-context", messages=MESSAGES))
    same((long.status_code, "maximum context length" in long.error), (400, True))
    for fault in ("inband", "cut"):
        broken(
            ollama.ResponseError,
            lambda: (
                part.message.content for part in client.chat(model=f"{model}-{fault}", messages=MESSAGES, stream=True)
            ),
        )
    # It never tries again by itself.
    limited_once()
    same(raises(ollama.ResponseError, lambda: client.chat(model=f"{model}-429", messages=MESSAGES)).status_code, 429)
    same(client.chat(model=f"{model}-429", messages=MESSAGES).message.content, TEXT)
    held(model, "errors")

stranger = ollama.Client(host=URL, headers={"authorization": "Bearer sk-wrong"})
same(raises(ollama.ResponseError, lambda: stranger.chat(model="openai", messages=MESSAGES)).status_code, 401)
same(raises(ollama.ResponseError, lambda: client.chat(model="nobody", messages=MESSAGES)).status_code, 404)
names = {one.model for one in client.list().models}
same(any(name.startswith("gemini") for name in names), True)
same(client.show("gemini").capabilities is not None, True)
held("all", "refusals, list and show")
