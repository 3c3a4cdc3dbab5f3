"""Reads the responses of servers with the official clients of OpenAI and Anthropic.

Each line of the standard input is a server, `{"profile": …, "url": …}`. Each line of the standard
output is what the clients made of it: a list with the name of each request, `ask`, and of each way
to read, `way`, and `seen`, the members that a program sees, by name, among them `exception`.
"""

import json
import logging
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai

TIMEOUT = 60
QUESTION = [{"role": "user", "content": "What is the weather in Kyoto?"}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Texts(dict):
    """Texts that come in pieces, by name."""

    def add(self, name, piece):
        # As programs do it: a piece that is not a string is an exception.
        self[name] = self.get(name, "") + piece


def known(value):
    return value.model_dump(mode="json", exclude_none=True) if hasattr(value, "model_dump") else value


def chat_each(client, ask, seen):
    for chunk in client.chat.completions.create(**ask):
        seen.update(id=chunk.id, model=chunk.model, created=chunk.created)
        if chunk.usage:
            seen["usage"] = known(chunk.usage)
        if "stream_options" not in ask:
            # Programs that did not ask for the usage read the first choice of each chunk.
            chunk.choices[0]
        for choice in chunk.choices:
            of = f"choice {choice.index}"
            if choice.delta.role:
                seen[f"{of} role"] = choice.delta.role
            if choice.delta.content is not None:
                seen.add(f"{of} text", choice.delta.content)
            for call in choice.delta.tool_calls or []:
                if call.id:
                    seen[f"{of} call {call.index} id"] = call.id
                if call.function and call.function.name:
                    seen[f"{of} call {call.index} name"] = call.function.name
                if call.function and call.function.arguments:
                    seen.add(f"{of} call {call.index} arguments", call.function.arguments)
            if choice.finish_reason:
                seen[f"{of} finish_reason"] = choice.finish_reason
    for name, arguments in seen.items():
        if name.endswith(" arguments"):
            json.loads(arguments)


def chat_joined(client, ask, seen):
    ask = {name: value for name, value in ask.items() if name != "stream"}
    with client.chat.completions.stream(**ask) as stream:
        for event in stream:
            if event.type == "content.delta":
                seen.add("text of the deltas", event.delta)
            elif event.type == "tool_calls.function.arguments.delta":
                seen.add("arguments of the deltas", event.arguments_delta)
        whole = stream.get_final_completion()
    seen.update(id=whole.id, model=whole.model, created=whole.created, usage=known(whole.usage))
    for choice in whole.choices:
        of, message = f"choice {choice.index}", choice.message
        seen[f"{of} finish_reason"] = choice.finish_reason
        seen[f"{of} role"], seen[f"{of} text"] = message.role, message.content
        for index, call in enumerate(message.tool_calls or []):
            seen[f"{of} call {index} id"] = call.id
            seen[f"{of} call {index} name"] = call.function.name
            seen[f"{of} call {index} arguments"] = call.function.arguments


def item_of(item, of, seen):
    seen[f"{of} id"] = item.id
    if item.type == "function_call":
        seen[f"{of} call"] = [item.call_id, item.name, json.loads(item.arguments)]
    elif item.type == "message":
        seen[f"{of} text"] = [part.text for part in item.content if part.type == "output_text"]
    elif item.type == "reasoning":
        seen[f"{of} summary"] = [part.text for part in item.summary]


def output_of(response, seen):
    seen.update(id=response.id, model=response.model, status=response.status)
    seen["usage"] = known(response.usage)
    for index, item in enumerate(response.output):
        item_of(item, f"item {index}", seen)


def responses_each(client, ask, seen):
    for event in client.responses.create(**ask):
        if event.type == "response.output_text.delta":
            of = f"item {event.output_index} part {event.content_index}"
            seen.add(f"{of} text of the deltas", event.delta)
        elif event.type == "response.reasoning_summary_text.delta":
            of = f"item {event.output_index} summary {event.summary_index}"
            seen.add(f"{of} text of the deltas", event.delta)
        elif event.type == "response.function_call_arguments.delta":
            seen.add(f"item {event.output_index} arguments of the deltas", event.delta)
        elif event.type == "response.output_text.done":
            seen[f"item {event.output_index} text when done"] = event.text
        elif event.type == "response.output_item.done":
            item_of(event.item, f"done item {event.output_index}", seen)
        elif event.type == "response.created":
            seen["id at the start"] = event.response.id
        elif event.type == "response.completed":
            output_of(event.response, seen)
        elif event.type == "response.failed":
            seen["failed"] = event.response.error.message


def responses_joined(client, ask, seen):
    ask = {name: value for name, value in ask.items() if name != "stream"}
    with client.responses.stream(**ask) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                seen.add("text of the deltas", event.delta)
        output_of(stream.get_final_response(), seen)


def block_of(block, of, seen):
    if block.type == "text":
        seen[f"{of} text"] = block.text
    elif block.type == "thinking":
        seen[f"{of} thinking"], seen[f"{of} signature"] = block.thinking, block.signature
    elif block.type == "tool_use":
        seen[f"{of} tool"] = [block.id, block.name, block.input]


def message_of(message, seen):
    seen.update(id=message.id, model=message.model, role=message.role)
    seen.update(stop_reason=message.stop_reason, usage=known(message.usage))
    for index, block in enumerate(message.content):
        block_of(block, f"block {index}", seen)


TEXTS = {
    "text_delta": "text",
    "input_json_delta": "partial_json",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}


def messages_each(client, ask, seen):
    for event in client.messages.create(**ask):
        if event.type == "message_start":
            start = event.message
            seen.update(id=start.id, model=start.model, input_tokens=start.usage.input_tokens)
        elif event.type == "content_block_start":
            block = event.content_block
            name = [block.id, block.name] if block.type == "tool_use" else None
            seen[f"block {event.index}"] = [block.type, name]
        elif event.type == "content_block_delta":
            name = TEXTS.get(event.delta.type)
            if name:
                seen.add(f"block {event.index} {name}", getattr(event.delta, name))
        elif event.type == "message_delta":
            seen.update(stop_reason=event.delta.stop_reason, output_tokens=event.usage.output_tokens)
        seen["last event"] = event.type


def messages_joined(client, ask, seen):
    ask = {name: value for name, value in ask.items() if name != "stream"}
    with client.messages.stream(**ask) as stream:
        for event in stream:
            if event.type == "text":
                seen.add("text of the deltas", event.text)
            elif event.type == "content_block_stop":
                block_of(event.content_block, f"stopped block {event.index}", seen)
        message_of(stream.get_final_message(), seen)


def messages_run(client, ask, seen):
    """The tool runner, up to the request with the result of the tool."""

    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """The weather of a city.

        Args:
            city: Its name.
        """
        seen["tool was run"] = city
        return "sunny"

    if "tools" in ask:
        ask = ask | {"tools": [get_weather], "max_iterations": 2}
        for stream in client.beta.messages.tool_runner(**ask):
            stream.get_final_message()


def of_chat(**ask):
    return {"model": "m", "stream": True, "messages": QUESTION} | ask


def of_responses(**ask):
    return {"model": "m", "stream": True, "input": "What is the weather in Kyoto?"} | ask


def of_messages(**ask):
    return {"model": "m", "stream": True, "max_tokens": 2048, "messages": QUESTION} | ask


FUNCTION = {"type": "function", "name": "get_weather", "parameters": CITY}
ASKS = {
    "openai-chat": {
        "whole": of_chat(),
        "usage": of_chat(stream_options={"include_usage": True}),
        "choices": of_chat(n=2),
        "tools": of_chat(
            tools=[{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}],
            tool_choice="required",
        ),
        "refused": of_chat(extra_body={"messages": "none"}),
    },
    "openai-responses": {
        "whole": of_responses(),
        "tools": of_responses(tools=[FUNCTION], tool_choice="required"),
        "refused": of_responses(extra_body={"input": 7}),
    },
    "anthropic-messages": {
        "whole": of_messages(),
        "tools": of_messages(
            tools=[{"name": "get_weather", "input_schema": CITY}], tool_choice={"type": "any"}
        ),
        "thinking": of_messages(thinking={"type": "enabled", "budget_tokens": 1024}),
        "refused": of_messages(extra_body={"messages": "none"}),
    },
}
# The client, the path of its API, and how a program reads: event by event, by the helper that joins
# the events, and by the helper that runs tools.
READERS = {
    "openai-chat": (openai.OpenAI, "/v1", {"each": chat_each, "joined": chat_joined}),
    "openai-responses": (openai.OpenAI, "/v1", {"each": responses_each, "joined": responses_joined}),
    "anthropic-messages": (
        anthropic.Anthropic,
        "",
        {"each": messages_each, "joined": messages_joined, "run": messages_run},
    ),
}


def read(make, url, reader, ask):
    seen = Texts()
    try:
        with make(api_key="none", base_url=url, max_retries=0, timeout=TIMEOUT) as client:
            reader(client, ask, seen)
    except Exception as error:
        seen["exception"] = f"{type(error).__name__}: {error}"
    return seen


def main():
    # The clients complain of the mutants, too.
    logging.disable()
    warnings.simplefilter("ignore")
    print(json.dumps([["openai", openai.__version__], ["anthropic", anthropic.__version__]]))
    with ThreadPoolExecutor(max_workers=24) as threads:
        servers = []
        for server in map(json.loads, sys.stdin):
            make, path, readers = READERS[server["profile"]]
            runs = []
            for name, ask in ASKS[server["profile"]].items():
                for way, reader in readers.items():
                    run = threads.submit(read, make, server["url"] + path, reader, ask)
                    runs.append((name, way, run))
            servers.append(runs)
        for runs in servers:
            found = [{"ask": ask, "way": way, "seen": run.result()} for ask, way, run in runs]
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
