import { createECDH, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HumanMessage } from '@langchain/core/messages';
import webPush from 'web-push';
import { z } from 'zod';
import { createChatModel } from '../../../src/agent/model/create-chat-model.ts';
import { createTimeStampAuthority } from '../../../src/approval/checkpoints/time-stamp-authority.ts';
import { createConnectedAccountsClient } from '../../../src/auth/connections/connected-accounts-client.ts';
import { verifyIdToken } from '../../../src/auth/provider/id-token.ts';
import { getProviderMetadata } from '../../../src/auth/provider/provider.ts';
import { sendToGateway } from '../../../src/auth/session/gateway-request.ts';
import { noticeChannelSchema } from '../../../src/config/notice-channels.ts';
import { createIdentityProvider } from '../../../src/gateway/auth/identity-provider.ts';
import { createAlpacaConnector } from '../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { createAlpacaTradeUpdateListener } from '../../../src/gateway/broker/alpaca/trade-updates.ts';
import { createAssetCatalog } from '../../../src/gateway/broker/asset-catalog.ts';
import { connectMcpClient } from '../../../src/gateway/broker/mcp/connect-client.ts';
import { createSendOnce } from '../../../src/gateway/broker/rest-client.ts';
import { postMessageRequest } from '../../../src/gateway/messages/delivery.ts';
import { createRelationsClient } from '../../../src/gateway/relations/relations-client.ts';
import { createTelemetry } from '../../../src/gateway/telemetry/telemetry.ts';
import { createDocumentReader } from '../../../src/home/identity-provider/authorization/client-documents.ts';
import { createThirdPartyClient } from '../../../src/home/identity-provider/third-party.ts';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { createPushSender } from '../../../src/home/phone/push/push-sender.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createMcpServerFetch } from '../../../src/mcp/client/connection.ts';
import { readTermsAddress } from '../../../src/net/acme/order-certificate.ts';
import { dispatchFetch } from '../../../src/net/dispatch-fetch.ts';
import { createPublicFetch, createPublicResolver } from '../../../src/net/outbound-client.ts';
import type { Notice } from '../../../src/notify/notice.ts';
import { createChannelSender } from '../../../src/notify/open-channel.ts';
import { fetchCredentialText } from '../../../src/secrets/kms/aws/credential-request.ts';
import { openAwsKms } from '../../../src/secrets/kms/aws-kms.ts';
import { openVaultKms } from '../../../src/secrets/kms/vault-kms.ts';
import type { outboundPaths } from '../../unit/house/outbound-paths.ts';

/** Takes one path to an address such as `https://host:port`. @param own a server that stays where it is */
export type Run = (url: string, own: string) => Promise<unknown>;

const TIMEOUT_MS = 3_000;
const fetching = { fetch: dispatchFetch, timeoutMs: TIMEOUT_MS };
const soon = () => AbortSignal.timeout(TIMEOUT_MS);
/** No pause is waited for, so that each path makes all its attempts at once. */
const clock = { ...systemClock, sleep: async () => undefined };
const notice: Notice = {
  ...{ id: 'nt_1', type: 'test', severity: 'info', title: 'Test', body: 'Nothing happened.' },
  ...{ at: '2026-11-30T12:00:00Z', data: {} },
};

const strangers = createPublicResolver();
const publicFetch = createPublicFetch(strangers, { mostBytes: 5_000 });

const browser = createECDH('prime256v1');
browser.generateKeys();
const push = createPushSender({
  ...{ vapid: webPush.generateVAPIDKeys(), contact: 'mailto:a@example.com', fetch: publicFetch, clock },
  ...{ closing: new AbortController().signal, timeoutMs: TIMEOUT_MS },
});

function sendNotice(channel: object, secret: string | undefined, more: object) {
  const deps = { env: {}, platform: process.platform, now: Date.now, command: 'trade-agent notices' };
  return createChannelSender('mine', noticeChannelSchema.parse(channel), secret, {
    ...{ ...deps, fetch: dispatchFetch },
    ...more,
  })(notice, soon());
}

const webhook = (url: string, more: object) =>
  sendNotice({ kind: 'webhook', url }, `whsec_${Buffer.alloc(32).toString('base64')}`, more);
const mail = (url: string, more: object) => {
  const { hostname: host, port } = new URL(url);
  const place = { kind: 'email', host, port: Number(port), security: 'tls', timeout: 1 };
  return sendNotice({ ...place, from: 'a@example.com', to: ['b@example.com'] }, undefined, more);
};

async function withVaultToken(url: string) {
  const folder = mkdtempSync(join(tmpdir(), 'outbound-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'token', { mode: 0o600 });
  try {
    await openVaultKms({ ...fetching, url, key: 'k', tokenFile }).wrap(Buffer.from('x'), 'context');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const settled = async (...all: Promise<unknown>[]) => await Promise.allSettled(all);

/** How each path is taken; a text says why one is not. */
export const runs: Readonly<Record<keyof typeof outboundPaths, Run | string>> = {
  'client documents, their keys and sector documents': (url) => createDocumentReader(publicFetch).fetch(url),
  'pings to registered clients': (url) => createPublicFetch(strangers)(url, { method: 'POST', body: '{}' }),
  'Web Push': (endpoint) => {
    const keys = { p256dh: browser.getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') };
    const subscription = { ...keys, endpoint, restsUntil: 0 } as Parameters<typeof push>[0];
    const until = Date.now() + 60_000;
    return push(subscription, {
      ...{ payload: () => '{}', topic: 'topic', urgency: 'high', until, wanted: async () => true },
    });
  },
  'webhooks of people on a server': (url) => webhook(url, { fetch: createPublicFetch(strangers) }),
  'mail servers of people on a server': (url) => mail(url, { resolveMail: strangers }),
  'what an MCP server refers to': async (url, own) => {
    const send = createMcpServerFetch(dispatchFetch, own);
    await send(own).catch(() => undefined);
    return await settled(
      send(`${url}/.well-known/oauth-authorization-server`),
      send(`${url}/token`, { method: 'POST', body: new URLSearchParams({ code: 'c' }) }),
    );
  },
  'MCP servers': async (url) => {
    const send = createMcpServerFetch(dispatchFetch, url);
    return await settled(send(url, { method: 'POST', body: '{}' }), send(url));
  },
  webhooks: (url) => webhook(url, {}),
  'mail servers': (url) => mail(url, {}),
  'brokers by REST': (url) => createSendOnce(fetching)(url, { method: 'POST', headers: {}, body: '{}' }),
  Alpaca: (url) =>
    createAlpacaConnector({
      ...{ ...fetching, environment: 'paper', tradingUrl: url, dataUrl: url, simulated: false },
      assets: createAssetCatalog(Date.now),
    })({ keyId: 'k', secret: 's' }, () => undefined).account(),
  'Alpaca’s trade updates': (url) =>
    createAlpacaTradeUpdateListener({ keyId: 'k', secret: 's' }, { tradingUrl: url, timeoutMs: TIMEOUT_MS })(soon(), {
      live: () => undefined,
      update: () => undefined,
    }),
  'brokers by MCP': (url) => connectMcpClient({ ...fetching, url, now: Date.now }, 'token'),
  'the gateway’s identity provider': (issuer) => createIdentityProvider({ ...fetching, issuer, clock }).metadata(),
  'signing in': (url) => getProviderMetadata(url, { fetch: dispatchFetch, fresh: true }),
  'ID-token keys': (url, own) =>
    verifyIdToken('e30.e30.e30', {
      ...{ metadata: { issuer: own, jwks_uri: `${url}/keys` }, clientId: 'c', clock, fetch: dispatchFetch },
    }),
  'gateways and servers': (url) =>
    sendToGateway({
      ...{ ...fetching, prover: {} as never, token: { value: 't', type: 'bearer' }, url: new URL(url) },
      init: { method: 'POST', body: '{}' },
    }),
  'connected accounts': (endpoint) =>
    createConnectedAccountsClient({ endpoint, authorize: async () => ({}), fetch: dispatchFetch }).list(),
  'phones of a sandbox': (url) =>
    createPhoneClient({ phone: `${url}/phone`, pairingSecret: 'p', fetch: dispatchFetch }).allRequests('alice'),
  models: async (url) => {
    const settings = { provider: 'openai', name: 'm', base_url: url } as never;
    const model = await createChatModel({ settings, tools: [], clock, apiKey: 'k', fetch: dispatchFetch });
    for await (const _ of model.stream([new HumanMessage('hi')], soon())) break;
  },
  'updates and the home’s own address': (url) => dispatchFetch(`${url}/trade-agent/latest`, { signal: soon() }),
  relations: (url) =>
    createRelationsClient({ url, credential: async () => ({}), fetch: dispatchFetch })('/x', {}, z.any()),
  messages: (url) =>
    postMessageRequest(url, { body: '{}', contentType: 'application/json', accessToken: 't' }, fetching),
  'third parties of a vault': (url) =>
    createThirdPartyClient(dispatchFetch).tokens(
      { url, client: { client_id: 'c', client_secret: 's' }, redirectUri: 'https://home.example' },
      {},
    ),
  'security events': (url) => dispatchFetch(url, { method: 'POST', body: 'token', redirect: 'error', signal: soon() }),
  'certificate authorities': (url) =>
    readTermsAddress(url, { fetch: dispatchFetch, clock: systemClock, signal: soon() }),
  'time-stamp authorities': (url) =>
    createTimeStampAuthority({ url, fetch: dispatchFetch }).attest(Buffer.alloc(32), soon()),
  traces: async (url) => {
    const telemetry = createTelemetry({ version: '0', clock, traces: `${url}/v1/traces` }, async () => new Response());
    await telemetry.fetch('https://traced.example');
    await telemetry.close();
  },
  'AWS KMS': (url) =>
    openAwsKms({
      ...{ ...fetching, key: 'k', region: 'eu-west-1', clock },
      env: { AWS_ENDPOINT_URL_KMS: url, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' },
    }).wrap(Buffer.from('x'), 'context'),
  'AWS credentials': (url) => fetchCredentialText(dispatchFetch, 'AWS', { url: new URL(url), method: 'PUT' }),
  Vault: withVaultToken,
  databases: 'a database is an internal service that only the operator names',
  'requests that are passed on': 'they are sent by one of the other paths',
};
