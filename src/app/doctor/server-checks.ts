import { z } from 'zod';
import { getProviderMetadata, supportsDpop } from '../../auth/provider/provider.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { DEVICE_GRANT, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import { TRADE_ORDER_DETAILS_TYPE } from '../../trading/approval-details.ts';
import type { App } from '../app.ts';
import { type Finding, fail, ok, skip, warn } from './finding.ts';

/** Timeout per request in seconds. It is short, so that the person does not wait long for a server that is down. */
const REQUEST_TIMEOUT_S = 5;

/** Clock difference in seconds that causes a warning. Servers tolerate about a minute when they verify tokens. */
const SKEW_WARN_S = 20;
const SKEW_FAIL_S = 60;

/** Checks the clock before the provider, because a wrong clock causes most other failures. */
export async function checkProvider(app: App, profile: ResolvedProfile): Promise<Finding[]> {
  let date: string | null = null;
  const metadata = await getProviderMetadata(profile.issuer, {
    clock: app.clock,
    timeoutSeconds: REQUEST_TIMEOUT_S,
    fetch: async (url, options) => {
      const response = await app.fetch(url, options);
      date = response.headers.get('date');
      return response;
    },
  });
  const listed = (name: string) => {
    const value = metadata[name];
    return Array.isArray(value) ? value.map(String) : undefined;
  };
  const grants = listed('grant_types_supported');
  const supports = {
    device: metadata.device_authorization_endpoint !== undefined,
    ciba: metadata.backchannel_authentication_endpoint !== undefined,
    rar: listed('authorization_details_types_supported')?.includes(TRADE_ORDER_DETAILS_TYPE) ?? null,
    dpop: supportsDpop(metadata),
    registration: metadata.registration_endpoint !== undefined,
    token_exchange: grants?.includes(TOKEN_EXCHANGE_GRANT) ?? null,
    device_grant: grants?.includes(DEVICE_GRANT) ?? null,
  };
  const words = {
    'device login': supports.device,
    CIBA: supports.ciba,
    'authorization details': supports.rar,
    DPoP: supports.dpop,
    'client registration': supports.registration,
    'token exchange': supports.token_exchange,
  };
  const summary = Object.entries(words)
    .map(([name, has]) => `${name} ${has === null ? 'unknown' : has ? 'yes' : 'no'}`)
    .join(', ');
  const message = `${profile.issuer}: ${summary}`;
  const details = { issuer: profile.issuer, ...supports };
  const missing = [...(supports.device ? [] : ['device login']), ...(supports.ciba ? [] : ['CIBA'])];
  const provider =
    missing.length > 0
      ? fail(
          'provider',
          `${message}. Missing: ${missing.join('; ')}`,
          'Enable what is missing at the provider, or use another provider.',
          details,
        )
      : supports.dpop
        ? ok('provider', message, details)
        : warn('provider', message, 'Enable DPoP at the provider. Without it, a stolen token works anywhere.', details);
  return [createClockFinding(date, app.clock.now()), provider];
}

/** Returns the finding about this machine's clock. @param date an HTTP Date header, in whole seconds */
export function createClockFinding(date: string | null, now: number): Finding {
  const served = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(served)) return skip('clock', "the provider's response has no date");
  // Adds half a second, because the header is truncated to whole seconds.
  const skew = Math.round((now - served - 500) / 1000);
  const details = { skew_seconds: skew };
  if (Math.abs(skew) <= SKEW_WARN_S) return ok('clock', "in sync with the provider's", details);
  const message = `${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} the provider's`;
  const fix = 'Sync the clock: timedatectl set-ntp true (Linux), or turn on automatic time.';
  return Math.abs(skew) < SKEW_FAIL_S
    ? warn('clock', message, fix, details)
    : fail('clock', `${message}: tokens and signatures will be rejected`, fix, details);
}

/** The part of `/readyz` that says how many seconds the gateway's clock is ahead of other clocks. */
const readinessSchema = z.object({
  clock_ahead_seconds: z.object({ provider: z.number().optional(), database: z.number().optional() }),
});

/** Checks the gateway's clock. Returns no finding if the gateway doesn't report it or doesn't respond. */
export async function checkGatewayClock(app: App, profile: ResolvedProfile): Promise<Finding[]> {
  const readiness = await fetchWithTimeout(app, `${gatewayBaseUrl(profile)}/readyz`)
    .then((response) => response.json() as Promise<unknown>)
    .catch(() => undefined);
  const found = createGatewayClockFinding(readiness);
  return found === undefined ? [] : [found];
}

const gatewayBaseUrl = ({ gateway }: ResolvedProfile): string => gateway.replace(/\/+$/, '');

function fetchWithTimeout(app: App, url: string): Promise<Response> {
  const signal = AbortSignal.any([app.signal, AbortSignal.timeout(REQUEST_TIMEOUT_S * 1000)]);
  return app.fetch(url, { signal, redirect: 'error' });
}

/** Returns the finding, or undefined if the body of `/readyz` contains no clock data. */
export function createGatewayClockFinding(readiness: unknown): Finding | undefined {
  const said = readinessSchema.safeParse(readiness).data?.clock_ahead_seconds;
  if (said === undefined) return undefined;
  const apart = Object.entries({ "the provider's": said.provider, "its database's": said.database }).flatMap(
    ([whose, seconds]) => (seconds === undefined ? [] : [{ whose, seconds }]),
  );
  const details = {
    ahead_of_provider_seconds: said.provider ?? null,
    ahead_of_database_seconds: said.database ?? null,
  };
  const off = apart.filter(({ seconds }) => Math.abs(seconds) > SKEW_WARN_S);
  if (off.length === 0) {
    const message = `the gateway's clock is in sync with ${apart.map(({ whose }) => whose).join(' and ')}`;
    return ok('gateway_clock', message, details);
  }
  const words = off.map(
    ({ whose, seconds }) => `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} ${whose}`,
  );
  return warn(
    'gateway_clock',
    `the gateway's clock is ${words.join(' and ')}`,
    "Sync the clock on the gateway's machine.",
    details,
  );
}

export async function checkGateway(app: App, profile: ResolvedProfile): Promise<Finding> {
  const base = gatewayBaseUrl(profile);
  const get = (path: string) => fetchWithTimeout(app, `${base}${path}`);
  let metadata: { resource?: unknown; authorization_servers?: unknown };
  try {
    const [health, described] = await Promise.all([get('/healthz'), get('/.well-known/oauth-protected-resource')]);
    if (!health.ok || !described.ok) {
      const status = health.ok ? described.status : health.status;
      return fail('gateway', `${base} responds with HTTP status ${status}`, "Check the gateway's log.");
    }
    metadata = (await described.json()) as typeof metadata;
  } catch {
    app.signal.throwIfAborted();
    return fail('gateway', `${base} can't be reached`, 'Start the gateway, or fix its address in the profile.');
  }
  const servers = Array.isArray(metadata.authorization_servers) ? metadata.authorization_servers.map(String) : [];
  const same = (url: string) => url.replace(/\/+$/, '') === profile.issuer.replace(/\/+$/, '');
  if (metadata.resource !== profile.audience) {
    return fail(
      'gateway',
      `${base} expects tokens for another audience`,
      `Set the profile's audience to ${String(metadata.resource)}`,
    );
  }
  if (!servers.some(same)) {
    return fail(
      'gateway',
      `${base} trusts ${servers.join(', ') || 'no identity provider'}, not ${profile.issuer}`,
      "Fix the issuer in the profile, or the gateway's settings.",
    );
  }
  return ok('gateway', `${base} is up and trusts the provider`);
}

/** Checks the broker through the gateway, because this machine never has the broker's credentials. */
export async function checkBroker(app: App, profile: ResolvedProfile): Promise<Finding> {
  if ((await app.session()) === undefined) return skip('broker', 'requires signing in: trade-agent login');
  const account = await (await app.gateway()).account();
  const details = { environment: account.environment, simulated: account.simulated, status: account.status };
  const message = `a ${account.environment} account${account.simulated ? ' (simulated)' : ''}, ${account.status}`;
  if (account.environment !== profile.environment) {
    return fail(
      'broker',
      `${message}, but the profile says ${profile.environment}`,
      'Fix the environment in the profile.',
      details,
    );
  }
  return account.trading_blocked
    ? warn('broker', `${message}; trading is blocked`, 'Ask the broker why.', details)
    : ok('broker', message, details);
}
