import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { noticeChannelsConfigSchema } from '../../config/notice-channels.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { brokerNameSchema } from '../../gateway/broker/named-broker.ts';
import { challengeTypes } from '../../net/acme/challenge.ts';
import { createTrustedProxyList } from '../../net/peer-list.ts';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../../net/secure-url.ts';
import { isAllowedRedirect } from '../identity-provider/authorization/public-client.ts';
import {
  clientIdSchema,
  clientKeySchemas,
  findDuplicate,
  hasOneKeySource,
  MISSING_KEY_SOURCE_ISSUE,
  requireUniqueClientIds,
} from './client-settings.ts';
import { companiesSchema } from './company-settings.ts';
import { findHomeAddressProblem, isLocalAddress } from './home-address.ts';

/** Default port, for use behind `tailscale serve` or a proxy. */
export const DEFAULT_PORT = 4780;

/** `funnel` serves the home to the internet, and `serve` only to devices in the owner's Tailscale network. */
const tailscaleModes = ['funnel', 'serve'] as const;
export type TailscaleMode = (typeof tailscaleModes)[number];

const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

/** The directory of Let's Encrypt, which issues free certificates to anyone. */
export const DEFAULT_DIRECTORY = 'https://acme-v02.api.letsencrypt.org/directory';

/** An address and port such as `127.0.0.1:4780` or `[::1]:4780`. */
const listenAddressSchema = z
  .string()
  .refine((text) => parseHostPort(text) !== undefined, 'must be HOST:PORT, as in 127.0.0.1:4780');

const knownClientSchema = z.strictObject({
  client_id: clientIdSchema,
  /** The client's name on the consent page. */
  name: z.string().min(1).max(60),
  redirect_uris: z
    .array(z.string().refine(isAllowedRedirect, 'must be https, http on localhost, or an app’s own scheme'))
    .min(1)
    .max(20),
});

const serverSchema = z
  .strictObject({
    client_id: clientIdSchema,
    /** The server's public address, exactly as users enter it, and the resource of the server's tokens (RFC 8707). */
    address: z
      .string()
      .refine(
        (text) => isSecureUrl(text) && new URL(text).origin === text,
        'must be an https address without a path, as in https://agent.example',
      ),
    ...clientKeySchemas,
  })
  .refine(hasOneKeySource, MISSING_KEY_SOURCE_ISSUE);

/** Settings for a certificate that the home obtains by itself (ACME, RFC 8555). */
const acmeSchema = z.strictObject({
  /** Address of the authority's terms of service, to which the owner agreed. */
  terms: z.url().max(2_000).optional(),
  /** The owner's e-mail address, to which the authority may report problems. */
  email: z.email().optional(),
  /** The authority's directory. Defaults to Let's Encrypt. */
  directory: z.string().max(2_000).refine(isSecureUrl, INSECURE_URL_MESSAGE).optional(),
  /** The authority checks the home at port 443 in the TLS handshake (the default), or at port 80 over HTTP. */
  challenge: z.enum(challengeTypes).optional(),
  /** The local address that answers HTTP-01, if port 80 is forwarded to another port. Defaults to 0.0.0.0:80. */
  http_listen: listenAddressSchema.optional(),
});

/** A Shared Signals receiver: the endpoint that receives Security Event Tokens (RFC 8935), and the tokens' `aud`. */
const receiverSchema = z.strictObject({
  endpoint: z.string().refine(isSecureUrl, INSECURE_URL_MESSAGE),
  audience: z.string().min(1).max(255),
});

const pushSettingsSchema = z.lazy(() =>
  z.strictObject({
    /** Content of lock-screen notifications: the whole order (`full`), or only that there is an order (`short`). */
    content: z.enum(['full', 'short']).optional(),
    /** When the owner is also notified through `notices`: only if no push was delivered (`fallback`), or `always`. */
    notices: z.enum(['fallback', 'always']).optional(),
    /** Whether people are notified when their orders fill. Defaults to true. */
    fills: z.boolean().optional(),
    /** Contact address for push services that detect a problem (RFC 8292 §2.1). */
    contact: z
      .string()
      .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/, 'must be mailto:… or https://…')
      .optional(),
  }),
);

/** Schema of `home.yaml`: all settings of a home that are neither secret nor in the gateway's settings. */
export const homeSettingsSchema = z
  .strictObject({
    /** The home's only public address: the token issuer, the gateway's resource, and the phone app's address. */
    address: z.string().superRefine((text, context) => {
      const problem = findHomeAddressProblem(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    }),
    listen: listenAddressSchema.optional(),
    /** The home's own certificate and its private key (PEM). The files are read again after they are renewed. */
    tls: z.strictObject({ cert: absolutePath, key: absolutePath }).optional(),
    /** Settings for a certificate that the home obtains and renews by itself. */
    acme: acmeSchema.optional(),
    /** The Tailscale command that the home runs to be reachable at its address. */
    tailscale: z.enum(tailscaleModes).optional(),
    /**
     * Addresses and networks of trusted proxies. Only they may connect. Client addresses that they forward are trusted.
     */
    proxy: z.array(z.string()).min(1).superRefine(validateProxies).optional(),
    push: pushSettingsSchema.optional(),
    /** The broker in gateway.yaml that the home itself simulates, for practice with simulated money. */
    practice_broker: brokerNameSchema.optional(),
    /** When the phone shows three codes to choose from instead of one to compare. Defaults to live accounts only. */
    number_matching: z.enum(['live', 'always', 'off']).optional(),
    /** For real money, the dollar amount from which Approve must be pressed and held. Defaults to 1,000. */
    hold_to_approve: z
      .string()
      .regex(/^(off|\d{1,9}(\.\d{1,2})?)$/, 'must be dollars such as "1000", or off')
      .optional(),
    /** Preregistered clients. They don't register themselves and have no metadata document. */
    clients: z.array(knownClientSchema).min(1).max(50).superRefine(requireUniqueClientIds).optional(),
    /** Servers (`trade-agent server`) that run the agent for this home's users, who sign in through this home. */
    servers: z.array(serverSchema).min(1).max(20).superRefine(requireUniqueClientIds).optional(),
    /** Companies whose members sign in with an assertion from the company's identity provider (ID-JAG). */
    companies: companiesSchema.optional(),
    /** Receivers that are notified when a session ends or passkeys change. */
    signals: z.strictObject({ receivers: z.array(receiverSchema).min(1).max(20) }).optional(),
    /** Channels through which the owner is notified if no push is delivered. Same format as `notices` in a profile. */
    notices: noticeChannelsConfigSchema.optional(),
  })
  .superRefine(requireUniqueNames)
  .refine(({ address, tls }) => tls === undefined || !isLocalAddress(address), {
    path: ['tls'],
    error: 'is allowed only for a home at an https address',
  })
  .refine(({ address, acme }) => acme === undefined || !isLocalAddress(address), {
    path: ['acme'],
    error: 'is allowed only for a home at an https address',
  })
  .refine(({ tls, acme }) => acme === undefined || tls === undefined, {
    path: ['acme'],
    error: 'can\'t be combined with "tls": a home has one certificate',
  })
  .refine((settings) => settings.tailscale === undefined || isBehindLocalProxy(settings), {
    path: ['tailscale'],
    error: 'needs an https address and a home that listens on 127.0.0.1 without "tls", "acme" and "proxy"',
  });
export type HomeSettings = z.output<typeof homeSettingsSchema>;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export function parseHostPort(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined;
  return { host, port };
}

export function formatListenAddress({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Returns the configured listen address. Defaults to loopback, with the port of `address` if `address` is local. */
export function resolveListenAddress({ address, listen }: Pick<HomeSettings, 'address' | 'listen'>): ListenAddress {
  const said = listen === undefined ? undefined : parseHostPort(listen);
  if (said !== undefined) return said;
  const port = isLocalAddress(address) ? Number(new URL(address).port || 80) : DEFAULT_PORT;
  return { host: '127.0.0.1', port };
}

/**
 * Returns the addresses that may connect, or undefined if all may. A home with a public address that listens only on
 * loopback accepts, by default, only a proxy on this machine.
 */
export function resolveTrustedProxies(settings: ReachSettings): readonly string[] | undefined {
  const { address, proxy, listen } = settings;
  if (proxy !== undefined || hasCertificate(settings) || isLocalAddress(address)) return proxy;
  const { host } = resolveListenAddress({ address, listen });
  return host === '127.0.0.1' || host === '::1' ? ['127.0.0.1', '::1'] : undefined;
}

function isBehindLocalProxy(settings: ReachSettings): boolean {
  const { address, proxy, listen } = settings;
  const { host } = resolveListenAddress({ address, listen });
  return !isLocalAddress(address) && !hasCertificate(settings) && proxy === undefined && host === '127.0.0.1';
}

const hasCertificate = ({ tls, acme }: ReachSettings) => tls !== undefined || acme !== undefined;

/** Checks that addresses and client IDs are unique, because each token and client must belong to only one party. */
function requireUniqueNames(
  { address, clients = [], servers = [], companies = [] }: NamedSettings,
  context: z.RefinementCtx,
): void {
  const issue = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
  const place = findDuplicate([address, ...servers.map((server) => server.address)]);
  if (place !== undefined) issue('servers', `${place} is used twice`);
  const both = servers.find((server) => clients.some((client) => client.client_id === server.client_id));
  if (both !== undefined) issue('servers', `${both.client_id} is already listed under "clients"`);
  for (const { issuer, clients: theirs } of companies) {
    if (issuer === address) issue('companies', `${issuer} is this home itself`);
    for (const [name, ours] of Object.entries({ clients, servers })) {
      const taken = theirs.find(({ client_id }) => ours.some((one) => one.client_id === client_id));
      if (taken !== undefined) issue('companies', `${taken.client_id} is already listed under "${name}"`);
    }
  }
}

interface ReachSettings {
  readonly address: string;
  readonly listen?: string | undefined;
  readonly tls?: object | undefined;
  readonly acme?: object | undefined;
  readonly proxy?: readonly string[] | undefined;
}

interface NamedSettings {
  readonly address: string;
  readonly clients?: readonly z.output<typeof knownClientSchema>[] | undefined;
  readonly servers?: readonly z.output<typeof serverSchema>[] | undefined;
  readonly companies?: z.output<typeof companiesSchema> | undefined;
}

function validateProxies(addresses: readonly string[], context: z.RefinementCtx): void {
  try {
    createTrustedProxyList(addresses);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    context.addIssue({ code: 'custom', message: `${error.message}. ${error.hint ?? ''}` });
  }
}
