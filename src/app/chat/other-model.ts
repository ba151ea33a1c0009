import { modelServer, modelUrl } from '../../agent/model/model-server.ts';
import { modelKey } from '../../secrets/model-key.ts';
import type { AgentOptions, App } from '../app.ts';
import { withModel } from '../chosen-model.ts';

/**
 * How the agent is wanted once another model is to answer.
 * @throws {TradeAgentError} `usage`, `invalid_config` where that model could not
 */
export async function otherModel(app: App, options: AgentOptions, name: string): Promise<AgentOptions> {
  const { baseUrl, ...others } = options;
  const profile = await app.profile();
  // Which models there are is known at the server alone.
  if (profile.server !== undefined) return { ...others, model: name };
  const next =
    name === 'builtin' || baseUrl === undefined
      ? { ...others, model: name }
      : { ...others, model: name, baseUrl };
  const chosen = withModel(profile, next);
  // Said now, not at the next question: a name that is misspelt mostly leads to a server there is no key for.
  if (chosen.model.provider !== 'builtin') {
    const kept = await modelKey(await app.store(), modelUrl(chosen.model));
    modelServer(chosen.model, app.env, kept);
  }
  return next;
}
