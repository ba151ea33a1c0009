import { modelUrl } from '../../agent/model/model-server.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { storeModelKey } from '../../secrets/model-key.ts';
import type { App } from '../app.ts';
import { namedProfile } from './named-profile.ts';

/**
 * Keeps the API key of the language model's server in the credential store of a profile: the one in use unless named.
 * @param ask gives the key for the server at a URL; asked once the store is known to work
 * @throws {TradeAgentError} `usage` where the model needs none, `credential_store_…`, and what `ask` throws
 */
export async function setModelKey(
  app: App,
  name: string | undefined,
  ask: (url: string) => Promise<string>,
): Promise<{ readonly name: string; readonly url: string }> {
  const profile = await namedProfile(app, name);
  if (profile.model.provider === 'builtin') {
    throw new TradeAgentError(
      'usage',
      `profile "${profile.name}" uses the built-in planner, which needs no key`,
      {
        hint: `First "trade-agent config set profiles.${profile.name}.model.provider openai", and model.name.`,
      },
    );
  }
  const url = modelUrl(profile.model);
  const store = await app.openStore(profile);
  await store.probe();
  await storeModelKey(store, url, await ask(url));
  return { name: profile.name, url };
}
