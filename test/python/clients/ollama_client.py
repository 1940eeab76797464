import base64
import json

import ollama
from house import KEY, MESSAGES, PIXEL, PLACE, PROMPT, QUESTION, SCHEMA, TARGETS, TEXT, URL, WORDS, broken, held, limited_once, raises, same

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

# Whoever talks to a Claude must not notice.
claude = "anthropic"
listed = next(one for one in client.list().models if one.model == f"{claude}:latest")
same((listed.digest is not None, listed.modified_at is not None, listed.details.family), (True, True, claude))
shown = client.show(claude)
same({"completion", "tools", "vision", "thinking"} <= set(shown.capabilities), True)
same((shown.details.family, shown.template, isinstance(shown.modelinfo, dict)), (claude, "", True))
held(claude, "list and show")

for stream in (False, True):
    answer = client.chat(model=claude, messages=MESSAGES, think=True, keep_alive="5m", stream=stream)
    parts = list(answer) if stream else [answer]
    same("".join(part.message.content or "" for part in parts), TEXT)
    same("Let" in "".join(part.message.thinking or "" for part in parts), True)
    last = parts[-1]
    same((last.done, last.done_reason, last.prompt_eval_count), (True, "stop", PROMPT))
    same(last.total_duration >= last.load_duration + last.prompt_eval_duration + last.eval_duration > 0, True)
    same(last.eval_count / last.eval_duration > 0, True)
held(claude, "thinking, durations and done_reason")

pixel = {"role": "user", "content": QUESTION, "images": [base64.b64decode(PIXEL)]}
same(client.chat(model=claude, messages=[pixel]).message.content, TEXT)
shaped = client.chat(model=claude, messages=MESSAGES, format=SCHEMA, options={"num_ctx": 8192, "num_predict": 500})
same((json.loads(shaped.message.content), shaped.done_reason), (PLACE, "stop"))
short = client.generate(model=claude, prompt=QUESTION, options={"num_predict": 5})
same((short.done_reason, short.eval_count, TEXT.startswith(short.response)), ("length", 5, True))
same(client.chat(model=claude).done_reason, "load")
same(client.generate(model=claude, keep_alive=0).done_reason, "unload")
held(claude, "images, format, loading")

stranger = ollama.Client(host=URL, headers={"authorization": "Bearer sk-wrong"})
same(raises(ollama.ResponseError, lambda: stranger.chat(model="openai", messages=MESSAGES)).status_code, 401)
same(raises(ollama.ResponseError, lambda: client.chat(model="nobody", messages=MESSAGES)).status_code, 404)
names = {one.model for one in client.list().models}
same(any(name.startswith("gemini") for name in names), True)
same(client.show("gemini").capabilities is not None, True)
held("all", "refusals, list and show")
