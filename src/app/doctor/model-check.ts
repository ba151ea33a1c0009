import { type ModelServer, modelServer, modelUrl } from '../../agent/model/model-server.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { modelKey } from '../../secrets/model-key.ts';
import type { App } from '../app.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const LIMIT_MS = 5000;

/** Asks the model's server which models it has: costs nothing, and shows whether the key is good. */
export async function checkModel(app: App, profile: ResolvedProfile, storeUsable: boolean): Promise<Finding> {
  if (profile.model.provider === 'builtin') {
    return ok('model', 'the built-in planner: offline, understands a small grammar', {
      details: { provider: 'builtin' },
    });
  }
  const stored = storeUsable ? await modelKey(await app.store(), modelUrl(profile.model)) : undefined;
  const server = modelServer(profile.model, app.env, stored);
  const host = new URL(server.url).host;
  const details = { provider: 'openai', name: server.name, url: server.url, key: server.key !== undefined };
  let response: Response;
  try {
    response = await listModels(app, server);
  } catch {
    app.signal.throwIfAborted();
    return fail('model', `${host} can't be reached`, "Start the model's server, or use --model builtin.", {
      details,
    });
  }
  if (response.status === 401 || response.status === 403) {
    return fail('model', `${host} refused the API key`, `Check ${server.keyVariable}.`, { details });
  }
  const names = response.ok ? await modelNames(response) : undefined;
  if (names === undefined) {
    return warn('model', `${host} does not list its models (HTTP status ${response.status})`, 'Try a run.', {
      details,
    });
  }
  return names.includes(server.name)
    ? ok('model', `${server.name} at ${host}`, { details })
    : warn('model', `${host} does not list ${server.name}`, 'Check model.name, or load the model there.', {
        details,
      });
}

function listModels(app: App, server: ModelServer): Promise<Response> {
  return app.fetch(`${server.url.replace(/\/+$/, '')}/models`, {
    headers: server.key === undefined ? {} : { authorization: `Bearer ${server.key}` },
    redirect: 'error',
    signal: AbortSignal.any([app.signal, AbortSignal.timeout(LIMIT_MS)]),
  });
}

async function modelNames(response: Response): Promise<string[] | undefined> {
  try {
    const { data } = (await response.json()) as { data?: unknown };
    if (!Array.isArray(data)) return undefined;
    return data.map((model: unknown) => String((model as { id?: unknown } | null)?.id));
  } catch {
    return undefined;
  }
}
