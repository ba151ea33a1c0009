import type Database from 'better-sqlite3-multiple-ciphers';
import { Hono } from 'hono';
import type { ActiveFaults } from '../../home/identity-provider/faults.ts';
import type { Clock } from '../../machine/clock.ts';
import { openJsonLog } from '../../store/sandbox/broker-tables.ts';
import { createSandboxTables } from '../../store/sandbox/schema.ts';
import { openTokenStore } from '../../store/sandbox/token-store.ts';
import { type OAuthClient, oauthRoutes } from '../paper-broker/oauth/oauth-routes.ts';
import { GMAIL_SEND_SCOPE, gmailApi } from './gmail.ts';
import { slackApi } from './slack.ts';
import type { SentItem } from './stand-in.ts';

export interface ThirdPartiesOptions {
  readonly url: string;
  readonly databases: Readonly<Record<'slack' | 'gmail', Database.Database>>;
  readonly users: readonly { username: string; password: string }[];
  readonly clients: Readonly<Record<'slack' | 'gmail', OAuthClient>>;
  readonly clock: Clock;
  readonly faults: ActiveFaults;
}

export const thirdPartyScopes = {
  slack: ['chat:write'],
  gmail: [GMAIL_SEND_SCOPE],
} as const;

/**
 * Creates stand-ins for Slack (`/slack/api`, `/slack/oauth`) and Gmail (`/gmail/v1`, `/gmail/oauth`). They store
 * messages and never send them.
 */
export function createThirdParties(options: ThirdPartiesOptions) {
  const { url, users, clock, faults } = options;
  const now = () => clock.now();
  const app = new Hono();
  const add = (name: 'slack' | 'gmail', label: string, api: typeof slackApi) => {
    const database = options.databases[name];
    createSandboxTables(database, 'thirdParty');
    const tokens = openTokenStore(database, now);
    const outbox = openJsonLog<SentItem>(database, 'sent_messages', 'item');
    const clients = [options.clients[name]];
    const scopes = thirdPartyScopes[name];
    app.route(
      `/${name}`,
      oauthRoutes({ url: `${url}/${name}`, tokens, clients, users, now, party: { label, scopes } }),
    );
    // Gmail's paths already start with /gmail, because its SDK does not support a base path.
    app.route(name === 'gmail' ? '/' : `/${name}`, api({ tokens, outbox, now, faults }));
    return outbox;
  };
  const outboxes = [add('slack', 'Slack', slackApi), add('gmail', 'Gmail', gmailApi)];
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  return { app, sent: () => outboxes.flatMap((outbox) => outbox.all()) };
}
