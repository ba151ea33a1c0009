import { randomUUID } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import {
  decodeJwt,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { listenOnLoopback } from '../../src/gateway/http-server.ts';
import type { TradeOrderDetails } from '../../src/trading/approval-details.ts';
import type { Clock } from '../../src/trading/clock.ts';
import type { Activity } from './activity.ts';

/** One question to the person, and all that became of it. Times are the world's. */
export interface Question {
  readonly id: string;
  readonly details: TradeOrderDetails;
  readonly expiresAt: number;
  interval: number;
  decision: 'approve' | 'deny' | undefined;
  decidedAt: number | undefined;
  redeemed: boolean;
  /** Of the approval's token. */
  jti: string | undefined;
  /** Polls that were told to slow down. */
  slowed: number;
}

export type ProviderFault = 'slow_down' | 'forget' | 'same_jti';

export interface Provider {
  readonly url: string;
  readonly questions: Question[];
  readonly connected: Map<string, string>;
  readonly faults: ProviderFault[];
  /** The person decides. False where it is too late, or decided already. */
  decide(question: Question, decision: 'approve' | 'deny'): boolean;
  open(): Question[];
  accessToken(claims: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

export interface ProviderKeys {
  readonly signing: GenerateKeyPairResult;
  readonly publicJwk: JWK;
}

export async function makeProviderKeys(): Promise<ProviderKeys> {
  const signing = await generateKeyPair('ES256', { extractable: true });
  return {
    signing,
    publicJwk: { ...(await exportJWK(signing.publicKey)), kid: 'main', alg: 'ES256', use: 'sig' },
  };
}

export interface ProviderOptions {
  readonly clock: Clock;
  readonly activity: Activity;
  readonly keys: ProviderKeys;
  /** The public keys of the clients, by client_id. */
  readonly clients: Readonly<Record<string, JWK>>;
  readonly audience: () => string;
  /** Seconds between polls. */
  readonly interval: number;
  /** Milliseconds a poll is held open while nothing is decided; 0 answers at once. */
  readonly hold: number;
}

const CIBA = 'urn:openid:params:grant-type:ciba';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** A small identity provider: CIBA in poll mode with rich authorization requests, and token exchange. */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const { clock, keys } = options;
  const server = await listenOnLoopback(0, () => 0);
  const questions: Question[] = [];
  const faults: ProviderFault[] = [];
  const connected = new Map<string, string>();
  const waiting = new Map<string, Set<() => void>>();
  let lastJti = '';

  const sign = (claims: Record<string, unknown>, typ: string) => {
    const now = Math.floor(clock.now() / 1000);
    return new SignJWT({ iss: server.url, sub: 'alice', iat: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ, kid: 'main' })
      .sign(keys.signing.privateKey);
  };
  const accessToken = (claims: Record<string, unknown>) =>
    sign({ aud: options.audience(), client_id: 'trade-agent', jti: randomUUID(), ...claims }, 'at+jwt');

  const authenticate = async (form: URLSearchParams): Promise<string> => {
    const assertion = form.get('client_assertion') ?? '';
    const client = decodeJwt(assertion).iss ?? '';
    const jwk = options.clients[client];
    if (jwk === undefined) throw new Error('no such client');
    await jwtVerify(assertion, jwk, { algorithms: ['ES256'], subject: client });
    return client;
  };

  const take = (fault: ProviderFault): boolean => {
    const index = faults.indexOf(fault);
    if (index >= 0) faults.splice(index, 1);
    return index >= 0;
  };

  /** Until a decision, or until the poll was held long enough. Nothing is under way meanwhile. */
  const hold = async (c: Context, question: Question): Promise<void> => {
    const request = c.req.header('x-chaos-request') ?? '';
    const left = Math.min(options.hold, question.expiresAt - clock.now());
    if (left <= 0) return;
    const stop = new AbortController();
    const wake = () => stop.abort();
    const set = waiting.get(question.id) ?? new Set();
    waiting.set(question.id, set.add(wake));
    c.req.raw.signal.addEventListener('abort', wake, { once: true });
    options.activity.end(request);
    await clock.sleep(left, stop.signal).catch(() => undefined);
    if (!c.req.raw.signal.aborted) options.activity.begin(request, 'a held poll');
    set.delete(wake);
  };

  const poll = async (c: Context, form: URLSearchParams) => {
    const error = (code: string) => c.json({ error: code }, 400);
    const question = questions.find(({ id }) => id === form.get('auth_req_id'));
    if (question === undefined || question.redeemed) return error('invalid_grant');
    if (take('slow_down')) {
      question.slowed += 1;
      question.interval += 5;
      return error('slow_down');
    }
    if (question.decision === undefined) await hold(c, question);
    if (c.req.raw.signal.aborted || question.redeemed) return error('invalid_grant');
    if (question.decision === 'deny') return error('access_denied');
    if (question.decision === undefined) {
      return error(clock.now() >= question.expiresAt ? 'expired_token' : 'authorization_pending');
    }
    question.redeemed = true;
    if (take('forget')) return error('invalid_grant');
    question.jti = take('same_jti') && lastJti !== '' ? lastJti : randomUUID();
    lastJti = question.jti;
    const [access_token, id_token] = await Promise.all([
      accessToken({
        client_id: 'approvals',
        scope: 'openid orders:write',
        jti: question.jti,
        authorization_details: [question.details],
      }),
      sign({ aud: 'approvals', 'urn:openid:params:jwt:claim:auth_req_id': question.id }, 'JWT'),
    ]);
    return c.json({
      access_token,
      id_token,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'openid orders:write',
      authorization_details: [question.details],
    });
  };

  const app = new Hono();
  app.get('/.well-known/openid-configuration', (c) =>
    c.json({
      issuer: server.url,
      jwks_uri: `${server.url}/jwks`,
      token_endpoint: `${server.url}/token`,
      backchannel_authentication_endpoint: `${server.url}/bc-authorize`,
      backchannel_token_delivery_modes_supported: ['poll'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      id_token_signing_alg_values_supported: ['ES256'],
    }),
  );
  app.get('/jwks', (c) => c.json({ keys: [keys.publicJwk] }));
  app.post('/bc-authorize', async (c) => {
    const form = new URLSearchParams(await c.req.text());
    await authenticate(form);
    const [details] = JSON.parse(form.get('authorization_details') ?? '[]') as TradeOrderDetails[];
    const seconds = Number(form.get('requested_expiry'));
    if (details === undefined || !(seconds > 0)) return c.json({ error: 'invalid_request' }, 400);
    const question: Question = {
      id: randomUUID(),
      details,
      expiresAt: clock.now() + seconds * 1000,
      interval: options.interval,
      decision: undefined,
      decidedAt: undefined,
      redeemed: false,
      jti: undefined,
      slowed: 0,
    };
    questions.push(question);
    return c.json({ auth_req_id: question.id, expires_in: seconds, interval: options.interval });
  });
  app.post('/token', async (c) => {
    const form = new URLSearchParams(await c.req.text());
    await authenticate(form);
    if (form.get('grant_type') === CIBA) return poll(c, form);
    if (form.get('grant_type') !== EXCHANGE) return c.json({ error: 'unsupported_grant_type' }, 400);
    const { payload } = await jwtVerify(form.get('subject_token') ?? '', keys.signing.publicKey, {
      audience: options.audience(),
      currentDate: new Date(clock.now()),
      clockTolerance: 30,
    }).catch(() => ({ payload: { sub: '' } }));
    const token = connected.get(String(payload.sub));
    if (token === undefined) return c.json({ error: 'invalid_grant' }, 400);
    return c.json({
      access_token: token,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 900,
    });
  });
  const listener = getRequestListener(app.fetch);
  server.serve((request, response) => void listener(request, response));

  return {
    url: server.url,
    questions,
    connected,
    faults,
    open: () => questions.filter((q) => q.decision === undefined && clock.now() < q.expiresAt),
    decide(question, decision) {
      if (question.decision !== undefined || clock.now() >= question.expiresAt) return false;
      question.decision = decision;
      question.decidedAt = clock.now();
      for (const wake of waiting.get(question.id) ?? []) wake();
      return true;
    },
    accessToken,
    close: () => server.close(),
  };
}
