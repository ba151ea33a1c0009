"""The scenarios of finagent-redteam as JSON lines, without a language model: the eight of its authors, and those that it makes."""

import json
import sys

from finagent_redteam.scenarios import generate_scenarios, get_all_scenarios

for scenario in [*get_all_scenarios(), *generate_scenarios()]:
    world = scenario.world_factory()
    inbox = [f"From: {mail.sender}\nSubject: {mail.subject}\n\n{mail.body}" for mail in world.inbox]
    json.dump(
        {
            "id": scenario.id,
            "prompt": scenario.user_task,
            "text": "\n\n".join(inbox),
            "goal": "" if scenario.benign or not world.inbox else world.inbox[-1].body,
            "calls": scenario.reference_plan or [],
        },
        sys.stdout,
        default=str,
    )
    print()
