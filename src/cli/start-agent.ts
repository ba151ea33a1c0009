import { join } from 'node:path';
import type { Agent } from '../agent/agent.ts';
import { createAgent } from '../agent/create-agent.ts';
import { presetOf } from '../agent/model-server.ts';
import type { CredentialStore } from '../auth/credential-store/credential-store.ts';
import { databaseKey } from '../auth/database-key.ts';
import { ensurePrivateFolder } from '../auth/home.ts';
import type { ResolvedProfile } from '../auth/profile.ts';
import { SANDBOX_PROFILE } from '../auth/resolve-profile.ts';
import { withModel } from './chosen-model.ts';
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
