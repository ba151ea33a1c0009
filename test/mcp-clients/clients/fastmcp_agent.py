"""An agent of few lines on FastMCP's client: signs in, and has the scripted model call tools until it says something."""

import asyncio
import json
import sys
import urllib.request
from pathlib import Path

from fastmcp import Client
from fastmcp.client.auth import OAuth
from key_value.aio.stores.filetree import (
    FileTreeStore,
    FileTreeV1CollectionSanitizationStrategy,
    FileTreeV1KeySanitizationStrategy,
)


def ask(model, messages, tools):
    body = json.dumps({"model": "scripted", "messages": messages, "tools": tools, "stream": True})
    request = urllib.request.Request(f"{model}/v1/chat/completions", body.encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        first = next(line for line in answer if line.startswith(b"data: "))
    return json.loads(first[6:])["choices"][0]["delta"]


async def main(endpoint, model, folder, words):
    tokens = FileTreeStore(
        data_directory=folder,
        key_sanitization_strategy=FileTreeV1KeySanitizationStrategy(Path(folder)),
        collection_sanitization_strategy=FileTreeV1CollectionSanitizationStrategy(Path(folder)),
    )
    async with Client(endpoint, auth=OAuth(token_storage=tokens)) as client:
        tools = [
            {"type": "function", "function": {"name": tool.name, "parameters": tool.input_schema}}
            for tool in await client.list_tools()
        ]
        print(f"{len(tools)} tools")
        messages = [{"role": "user", "content": words}]
        while words:
            said = ask(model, messages, tools)
            messages.append(said)
            if "tool_calls" not in said:
                print(said["content"])
                return
            for call in said["tool_calls"]:
                function = call["function"]
                result = await client.call_tool(
                    function["name"], json.loads(function["arguments"]), raise_on_error=False
                )
                shown = json.dumps(result.structured_content)
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": shown})


asyncio.run(main(*sys.argv[1:]))
