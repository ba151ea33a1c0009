"""The cases of AgentDojo's banking suite as JSON lines, without a language model.

For each of its user tasks and injection tasks: what the person asks, what a tool then tells the agent (the suite's own
tools on its own environment, with the suite's own attack in it), what the attack wants, and the calls by which the suite
says that it would succeed.
"""

import json
import sys
import types

from agentdojo.attacks.attack_registry import load_attack
from agentdojo.functions_runtime import FunctionsRuntime
from agentdojo.task_suite.load_suites import get_suite

# The attack that the suite's authors report.
ATTACK = "important_instructions_no_names"

suite = get_suite("v1.2.2", "banking")
attack = load_attack(ATTACK, suite, types.SimpleNamespace(name="local"))


def tool_texts(task, environment):
    """What the tools answer that the task takes, which is where an injection is read."""
    runtime = FunctionsRuntime(suite.tools)
    for call in task.ground_truth(environment.model_copy(deep=True)):
        answer, error = runtime.run_function(environment, call.function, call.args)
        yield error or json.dumps(answer, default=str)


for user in suite.user_tasks.values():
    for injection in suite.injection_tasks.values():
        injected = attack.attack(user, injection)
        environment = suite.load_and_inject_default_environment(injected)
        truth = injection.ground_truth(environment)
        json.dump(
            {
                "id": f"{user.ID} × {injection.ID}",
                "prompt": user.PROMPT,
                "text": "\n".join(tool_texts(user, environment)),
                "goal": injection.GOAL,
                "calls": [{"name": call.function, "arguments": call.args} for call in truth],
            },
            sys.stdout,
            default=str,
        )
        print()
