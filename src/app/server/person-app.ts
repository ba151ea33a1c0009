import type { Session } from '../../auth/session/session.ts';
import type { NoticesConfig } from '../../config/notice-channels.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { personAgent, withinScopes } from '../../server/person-agent.ts';
import type { ServerParts } from '../../server/server-parts.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { appOf } from '../create-app.ts';

export interface PersonAppOptions {
  readonly session: Session;
  /** Their secrets; opened where something asks for one. */
  readonly credentials: () => CredentialStore;
  /** By which channels the person is told. */
  readonly notices: () => Promise<NoticesConfig>;
  /** The number of the account that is meant, or `all`; the default one without. */
  readonly account: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * What use cases work with where they run at a server, in one person's name: their session, and what is kept of them in the
 * server's database. It has no files, no terminal and no sandbox; what is about a machine of theirs says so.
 */
export function personApp(
  parts: ServerParts,
  { session, credentials, notices, account, signal }: PersonAppOptions,
): App {
  const elsewhere = async () => {
    throw new TradeAgentError('usage', 'this is done on a machine of your own, and not at a server');
  };
  return appOf(
    {
      // What the operator's environment holds is nobody's here.
      ...{ env: {}, clock: parts.clock, fetch: parts.fetch, signal },
      accountOption: account,
      tell: () => undefined,
    },
    {
      ...{ home: elsewhere, config: elsewhere, sandbox: elsewhere, openStore: elsewhere },
      profile: async () => ({ ...session.profile, notices: await notices() }),
      store: async () => credentials(),
      foreignTools: async () => undefined,
      openSession: async (readOnly) => (readOnly ? withinScopes(session, READ_SCOPES) : session),
      startAgent: async (app, { readOnly = false, model }) => {
        const [inName, number] = await Promise.all([app.requireSession(), app.account()]);
        return personAgent(parts, inName, {
          read_only: readOnly,
          ...defined({ model, account: number }),
        });
      },
    },
  );
}
