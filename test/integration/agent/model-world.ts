import { LLMock } from '@copilotkit/aimock';
import { onTestFinished } from 'vitest';
import type { CreateAgentOptions } from '../../../src/agent/run/create-agent.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';
import type { Decision } from './proposals-stand-in.ts';
import { createWorld } from './world.ts';

export const API_KEY = 'PLANTED-API-KEY';

/** A world whose agent has a scripted language model, by OpenAI's chat API. */
export async function modelWorld(
  decision?: Decision,
  options: Partial<CreateAgentOptions> = {},
  model: Partial<ResolvedProfile['model']> = {},
) {
  const world = await createWorld(decision);
  const mock = new LLMock({ port: 0 });
  await mock.start();
  onTestFinished(() => mock.stop());
  const profile = {
    ...world.profile,
    model: { provider: 'openai' as const, name: 'gpt-test', base_url: `${mock.url}/v1`, ...model },
  };
  const agent = await world.agent({ profile, env: { TRADE_AGENT_API_KEY: API_KEY }, ...options });
  return { world, mock, agent };
}

export const call = (name: string, args: unknown) => ({
  name,
  arguments: typeof args === 'string' ? args : JSON.stringify(args),
});
