import { lookup } from 'node:dns/promises';
import { isLocalAddress } from '../../../home/settings/home-address.ts';
import type { HomeSettings } from '../../../home/settings/home-settings.ts';
import type { App } from '../../app.ts';
import { type Finding, fail, ok, skip } from '../../doctor/finding.ts';
import { homeFiles } from '../home-files.ts';
import { readHomeReady } from '../ready-file.ts';

/** For one request. */
const LIMIT_MS = 5_000;

/** Whether the name leads anywhere. That it is a name under https, or localhost, its settings say. */
export async function checkAddress({ address }: HomeSettings): Promise<Finding> {
  if (isLocalAddress(address)) return ok('address', `${address}: for browsers of this machine alone`);
  const { hostname } = new URL(address);
  try {
    const found = await lookup(hostname, { all: true });
    return ok('address', `${address} leads to ${found.map((one) => one.address).join(', ')}`);
  } catch {
    return fail(
      'address',
      `${hostname} leads nowhere from here`,
      'Have the name point to this machine, or to the proxy in front of it.',
    );
  }
}

/** Whether the home answers at its own address, and as itself. */
export async function checkServed(
  app: Pick<App, 'fetch' | 'signal'>,
  { address }: HomeSettings,
  folder: string,
): Promise<Finding> {
  const running = readHomeReady(homeFiles(folder).ready) !== undefined;
  try {
    const response = await app.fetch(`${address}/.well-known/oauth-protected-resource`, {
      redirect: 'error',
      signal: AbortSignal.any([app.signal, AbortSignal.timeout(LIMIT_MS)]),
    });
    const { resource } = (await response.json()) as { resource?: unknown };
    if (!response.ok || resource !== address) {
      return fail(
        'served',
        `something else answers at ${address}`,
        'Stop it, or give the home another address.',
      );
    }
    return ok('served', `${address} answers`);
  } catch {
    app.signal.throwIfAborted();
    return running
      ? fail(
          'served',
          `the home runs, but ${address} does not lead to it`,
          'Look at the proxy, at "listen" and at "tls" in home.yaml.',
        )
      : skip('served', 'it is not served now: trade-agent home serve');
  }
}
