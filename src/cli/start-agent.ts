import { join } from 'node:path';
import type { Agent } from '../agent/agent.ts';
import { createAgent } from '../agent/create-agent.ts';
import { presetOf } from '../agent/model-server.ts';
import type { CredentialStore } from '../auth/credential-store/credential-store.ts';
import { databaseKey } from '../auth/database-key.ts';
import { ensurePrivateFolder } from '../auth/home.ts';
import type { ResolvedProfile } from '../auth/profile.ts';
import { SANDBOX_PROFILE } from '../auth/resolve-profile.ts';
import { TradeAgentError } from '../trading/errors.ts';
import type { AgentOptions, Context } from './context.ts';

/** Puts the agent together from the parts the command's profile names. */
export async function startAgent(context: Context, options: AgentOptions): Promise<Agent> {
  const [profile, home, store, session] = await Promise.all([
    context.profile(),
    context.home(),
    context.store(),
    context.session(),
  ]);
  const folder = ensurePrivateFolder(home.data);
  const chosen = withModel(profile, options);
  return createAgent({
    profile: chosen,
    session,
    approvalClient: async () => {
      const { createApprovalClient } = await import('../auth/approval-client.ts');
      return createApprovalClient({ profile, store, home, fetch: context.fetch, clock: context.clock });
    },
    stateDb: join(folder, stateFile(profile.name)),
    auditLog: join(folder, 'audit.jsonl'),
    databaseKey: await databaseKey(store),
    clock: context.clock,
    readOnly: options.readOnly ?? false,
    ...(options.halted === undefined ? {} : { halted: options.halted }),
    apiKey: await keyFor(chosen, profile, store),
    env: context.env,
    fetch: context.fetch,
  });
}

/** The stored key was made for the profile's own server, and goes to no other. */
export async function keyFor(
  chosen: ResolvedProfile,
  profile: ResolvedProfile,
  store: CredentialStore,
): Promise<string | undefined> {
  const server = ({ model: { name, base_url } }: ResolvedProfile) => base_url ?? presetOf(name ?? '')?.preset;
  return server(chosen) === server(profile) ? (await store.get(['model_api_key'])).model_api_key : undefined;
}

/** Each profile's state has a key of its own, so it needs a file of its own: `state.db` for the sandbox's. */
function stateFile(profile: string): string {
  return profile === SANDBOX_PROFILE ? 'state.db' : `state.${profile}.db`;
}

/**
 * The profile with the model the command line asks for.
 * @throws {TradeAgentError} `usage`
 */
export function withModel(profile: ResolvedProfile, { model, baseUrl }: AgentOptions): ResolvedProfile {
  if (model === undefined && baseUrl === undefined) return profile;
  if (model === 'builtin') {
    if (baseUrl === undefined) return { ...profile, model: { provider: 'builtin' } };
    throw new TradeAgentError('usage', 'the built-in planner needs no server', {
      hint: 'Leave out --base-url, or name a model of that server with --model.',
    });
  }
  if (baseUrl !== undefined && !/^https?:\/\/[^\s]+$/.test(baseUrl)) {
    throw new TradeAgentError('usage', `--base-url is not an address: ${baseUrl}`, {
      hint: 'Write it whole: --base-url http://127.0.0.1:11434/v1',
    });
  }
  const { name: configuredName, base_url: configuredUrl } = profile.model;
  const name = model ?? configuredName;
  // A model that names its server ("ollama/…") is not asked for at the profile's.
  const base_url =
    baseUrl ?? (model !== undefined && presetOf(model) !== undefined ? undefined : configuredUrl);
  return {
    ...profile,
    model: {
      provider: 'openai',
      ...(name === undefined ? {} : { name }),
      ...(base_url === undefined ? {} : { base_url }),
    },
  };
}
