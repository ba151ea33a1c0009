import { randomBytes } from 'node:crypto';
import { keptReads } from '../../home/phone/dashboard/kept-reads.ts';
import { requireHost } from '../../net/host-check.ts';
import { listenerOf, listenOnLoopback } from '../../net/http-server.ts';
import { followEvents } from '../../tools/gateway/follow-events.ts';
import { ALL_ACCOUNTS } from '../../trading/account-entry.ts';
import type { App } from '../app.ts';
import { gatewayWithImported } from '../portfolio/account-history.ts';
import { servedUntilStopped } from '../served-until-stopped.ts';
import { agentData } from './agent-data.ts';
import { createWebPages } from './web-pages.ts';

export interface WebReady {
  /** With the secret that opens the page once, after `#`. */
  readonly url: string;
  readonly port: number;
}

/**
 * Serves the dashboard to a browser of this machine, in the name of whoever is signed in, until the signal aborts. No token of
 * theirs reaches the page.
 * @param options.port 0 for a free one
 * @throws {TradeAgentError} `login_required`, `port_in_use`
 */
export async function serveWeb(
  app: App,
  { port, ready }: { readonly port: number; readonly ready: (web: WebReady) => Promise<void> },
): Promise<void> {
  const { clock, signal, ofAll } = app;
  // Of all accounts, what is of none is read as of the default one.
  const one = ofAll ? app.inAccount(undefined) : app;
  const [gateway, profile] = await Promise.all([
    gatewayWithImported(one),
    app.profile(),
    app.requireSession(),
  ]);
  const secret = randomBytes(32).toString('base64url');
  const server = await listenOnLoopback(port, () => clock.now());
  const closing = new AbortController();
  const pages = createWebPages({
    origin: server.url,
    secret,
    about: { name: 'trade-agent', environment: profile.environment ?? 'live', simulated: profile.sandbox },
    data: keptReads(
      {
        ...gateway,
        halt: () => gateway.halt(),
        follow: (until, changed) => followEvents(gateway, { clock, signal: until, changed }),
        agent: agentData(one, ofAll),
      },
      () => clock.now(),
    ),
    ...(ofAll ? { account: ALL_ACCOUNTS } : {}),
    clock,
    closing: AbortSignal.any([closing.signal, signal]),
  });
  const isForUs = requireHost([server.url]);
  const answer = listenerOf({ fetch: (request) => pages.fetch(request) });
  server.serve((request, response) => {
    if (isForUs(request, response)) answer(request, response);
  });
  const close = async () => {
    closing.abort();
    await server.close();
    if (one !== app) await one.close();
  };
  try {
    await ready({ url: `${server.url}/#${secret}`, port: server.port });
  } catch (error) {
    await close();
    throw error;
  }
  await servedUntilStopped(signal, close);
}
