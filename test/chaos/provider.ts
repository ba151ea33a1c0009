import { randomUUID } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { decodeJwt, exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../src/machine/clock.ts';
import { listenOnLoopback } from '../../src/net/http-server.ts';
import type { Activity } from './activity.ts';
import { Questions } from './questions.ts';

/** What goes wrong at the provider, once, at the next poll or question; a question whose answer it strikes is spoiled. */
export type ProviderFault =
  | ('slow_down' | 'forget' | 'same_jti' | 'other_person' | 'other_details')
  /** A question may be answered for longer than was asked for. */
  | 'long_expiry';

export interface Provider {
  readonly url: string;
  readonly questions: Questions;
  readonly connected: Map<string, string>;
  readonly faults: ProviderFault[];
  /** Called once each, at the next answer to a question that was approved. */
  readonly atAnswer: (() => void)[];
  readonly app: Hono;
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
  readonly clients: Readonly<Record<string, JWK>>;
  readonly audience: () => string;
  readonly interval: number;
  /** Milliseconds a poll is held open while nothing is decided; 0 answers at once. */
  readonly hold: number;
  /** Calls the client back (CIBA Core §10.2), for questions that came with a notification token. */
  readonly ping?: (authReqId: string, token: string) => void;
}

const CIBA = 'urn:openid:params:grant-type:ciba';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** A small identity provider: CIBA in poll and ping mode with rich authorization requests, and token exchange. */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const server = await listenOnLoopback(0, () => 0);
  const issuing = new Issuing(options, server.url);
  const app = new Hono();
  app.get('/.well-known/openid-configuration', (c) => c.json(metadataOf(server.url)));
  app.get('/jwks', (c) => c.json({ keys: [options.keys.publicJwk] }));
  app.post('/bc-authorize', async (c) => issuing.ask(c, await issuing.form(c)));
  app.post('/outcome', async (c) => {
    const form = await issuing.form(c);
    const [state = '', text = ''] = [form.get('state') ?? undefined, form.get('text') ?? undefined];
    switch (issuing.questions.tell(form.get('auth_req_id') ?? '', state, text)) {
      case 'told':
        return c.body(null, 204);
      case 'already_decided':
        return c.json({ error: 'already_decided' }, 409);
      case 'not_found':
        return c.json({ error: 'invalid_request' }, 400);
    }
  });
  app.post('/token', async (c) => {
    const form = await issuing.form(c);
    if (form.get('grant_type') === CIBA) return issuing.poll(c, form);
    if (form.get('grant_type') !== EXCHANGE) return c.json({ error: 'unsupported_grant_type' }, 400);
    return issuing.exchange(c, form);
  });
  const listener = getRequestListener(app.fetch);
  server.serve((request, response) => void listener(request, response));
  const { questions, faults, atAnswer, connected } = issuing;
  return {
    url: server.url,
    app,
    questions,
    connected,
    faults,
    atAnswer,
    accessToken: (claims) => issuing.accessToken(claims),
    close: () => server.close(),
  };
}

const metadataOf = (url: string) => ({
  issuer: url,
  jwks_uri: `${url}/jwks`,
  token_endpoint: `${url}/token`,
  backchannel_authentication_endpoint: `${url}/bc-authorize`,
  backchannel_outcome_endpoint: `${url}/outcome`,
  backchannel_token_delivery_modes_supported: ['poll', 'ping'],
  token_endpoint_auth_methods_supported: ['private_key_jwt'],
  id_token_signing_alg_values_supported: ['ES256'],
});

/** Beyond what was asked for. */
const LONG_EXPIRY_S = 3_600;

class Issuing {
  readonly questions: Questions;
  readonly faults: ProviderFault[] = [];
  readonly atAnswer: (() => void)[] = [];
  readonly connected = new Map<string, string>();
  readonly #options: ProviderOptions;
  readonly #url: string;
  #lastJti = '';

  constructor(options: ProviderOptions, url: string) {
    this.#options = options;
    this.#url = url;
    this.questions = new Questions(options.clock, options.ping ?? (() => undefined));
  }

  /** The form of a client that proves to be one. */
  async form(c: Context): Promise<URLSearchParams> {
    const form = new URLSearchParams(await c.req.text());
    const assertion = form.get('client_assertion') ?? '';
    const client = decodeJwt(assertion).iss ?? '';
    const jwk = this.#options.clients[client];
    if (jwk === undefined) throw new Error('no such client');
    await jwtVerify(assertion, jwk, { algorithms: ['ES256'], subject: client });
    form.set('client_id', client);
    return form;
  }

  accessToken(claims: Record<string, unknown>): Promise<string> {
    const { audience } = this.#options;
    return this.#sign({ aud: audience(), client_id: 'trade-agent', jti: randomUUID(), ...claims }, 'at+jwt');
  }

  ask(c: Context, form: URLSearchParams): Response {
    const details = JSON.parse(form.get('authorization_details') ?? '[]') as Record<string, unknown>[];
    const asked = Number(form.get('requested_expiry'));
    if (details.length > 1 || !(asked > 0)) return c.json({ error: 'invalid_request' }, 400);
    const seconds = this.#take('long_expiry') ? asked + LONG_EXPIRY_S : asked;
    const { interval, clock } = this.#options;
    const { id } = this.questions.add({
      client: form.get('client_id') ?? '',
      sub: form.get('login_hint') ?? '',
      scope: form.get('scope') ?? '',
      details: details[0],
      bindingMessage: form.get('binding_message') ?? '',
      notificationToken: form.get('client_notification_token') ?? undefined,
      expiresAt: clock.now() + seconds * 1000,
      interval,
    });
    return c.json({ auth_req_id: id, expires_in: seconds, interval });
  }

  async poll(c: Context, form: URLSearchParams): Promise<Response> {
    const { clock } = this.#options;
    const error = (code: string) => c.json({ error: code }, 400);
    const question = this.questions.find(form.get('auth_req_id') ?? '');
    if (question === undefined || question.redeemed) return error('invalid_grant');
    if (this.#take('slow_down')) {
      question.interval += 5;
      question.spoilt.push({ at: clock.now(), by: 'slow_down' });
      return error('slow_down');
    }
    if (question.decision === undefined && question.withdrawnAt === undefined) await this.#hold(c, question.id);
    if (c.req.raw.signal.aborted || question.redeemed) return error('invalid_grant');
    if (question.decision === 'deny' || question.withdrawnAt !== undefined) return error('access_denied');
    if (question.decision === undefined) {
      return error(clock.now() >= question.expiresAt ? 'expired_token' : 'authorization_pending');
    }
    question.redeemed = true;
    for (const call of this.atAnswer.splice(0)) call();
    const spoil = (by: ProviderFault) => {
      if (!this.#take(by)) return false;
      question.spoilt.push({ at: clock.now(), by });
      return true;
    };
    if (spoil('forget')) return error('invalid_grant');
    question.jti = this.#lastJti !== '' && spoil('same_jti') ? this.#lastJti : randomUUID();
    this.#lastJti = question.jti;
    const sub = spoil('other_person') ? 'mallory' : question.sub;
    const details =
      question.details !== undefined && spoil('other_details')
        ? { ...question.details, code: '0000' }
        : question.details;
    const rich = details === undefined ? {} : { authorization_details: [details] };
    const [access_token, id_token] = await Promise.all([
      this.accessToken({
        sub,
        client_id: question.client,
        scope: question.scope,
        jti: question.jti,
        ...rich,
      }),
      this.#sign({ sub, aud: question.client, 'urn:openid:params:jwt:claim:auth_req_id': question.id }, 'JWT'),
    ]);
    return c.json({
      access_token,
      id_token,
      token_type: 'Bearer',
      expires_in: 300,
      scope: question.scope,
      ...rich,
    });
  }

  async exchange(c: Context, form: URLSearchParams): Promise<Response> {
    const { keys, clock, audience } = this.#options;
    const { payload } = await jwtVerify(form.get('subject_token') ?? '', keys.signing.publicKey, {
      audience: audience(),
      currentDate: new Date(clock.now()),
      clockTolerance: 30,
    }).catch(() => ({ payload: { sub: '' } }));
    const token = this.connected.get(String(payload.sub));
    if (token === undefined) return c.json({ error: 'invalid_grant' }, 400);
    return c.json({
      access_token: token,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 900,
    });
  }

  /** Until there is news, or until the poll was held long enough. Nothing is under way meanwhile. */
  async #hold(c: Context, id: string): Promise<void> {
    const { clock, hold, activity } = this.#options;
    const question = this.questions.find(id);
    const left = Math.min(hold, (question?.expiresAt ?? 0) - clock.now());
    if (left <= 0) return;
    const stop = new AbortController();
    const wake = () => stop.abort();
    const off = this.questions.onNews(id, wake);
    c.req.raw.signal.addEventListener('abort', wake, { once: true });
    const request = c.req.header('x-chaos-request') ?? '';
    activity.end(request);
    await clock.sleep(left, stop.signal).catch(() => undefined);
    if (!c.req.raw.signal.aborted) activity.begin(request, 'a held poll');
    off();
  }

  #take(fault: ProviderFault): boolean {
    const index = this.faults.indexOf(fault);
    if (index >= 0) this.faults.splice(index, 1);
    return index >= 0;
  }

  #sign(claims: Record<string, unknown>, typ: string): Promise<string> {
    const { clock, keys } = this.#options;
    const now = Math.floor(clock.now() / 1000);
    return new SignJWT({ iss: this.#url, sub: 'alice', iat: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ, kid: 'main' })
      .sign(keys.signing.privateKey);
  }
}
