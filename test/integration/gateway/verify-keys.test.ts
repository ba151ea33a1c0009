import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokerSettingsSchema } from '../../../src/gateway/broker/brokers.ts';
import { verifyCredentials } from '../../../src/gateway/broker/verify-keys.ts';
import { type HttpServer, listenOnLoopback } from '../../../src/net/http-server.ts';
import { KEYS, startWorld, type World } from '../sandbox/paper-broker-world.ts';

const alpaca = brokerSettingsSchema.parse({ kind: 'alpaca', credentials: 'key_pair' });
const PAPER = 'paper-api.alpaca.markets';
const LIVE = 'api.alpaca.markets';

/** Alpaca's two hosts, each as a test has it; a host that isn't named can't be reached. */
function hosts(answers: Record<string, () => Response | Promise<Response>>) {
  const asked: string[] = [];
  const send: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    asked.push(url.host);
    expect([url.pathname, init?.redirect]).toEqual(['/v2/account', 'error']);
    const answer = answers[url.host];
    if (answer === undefined) throw new TypeError(`fetch failed with ${KEYS.alice.secret}`);
    return answer();
  };
  return { asked, send };
}
const account =
  (changes: object = {}) =>
  () =>
    Response.json({ account_number: '123456789', status: 'ACTIVE', trading_blocked: false, ...changes });
const forbidden = () => Response.json({ message: 'forbidden.' }, { status: 403 });
const unauthorized = () => Response.json({ code: 40110000, message: 'not authorized' }, { status: 401 });
const verify = (send: typeof fetch, pair = KEYS.alice) =>
  verifyCredentials(alpaca, pair, { environment: 'paper', fetch: send, timeoutMs: 200 });

describe('a key pair is of the account of the host that takes it:', () => {
  it.each<[string, string, string[], 'paper' | 'live', Parameters<typeof hosts>[0]]>([
    ['a paper key, asked on paper first', 'PK12345', [PAPER], 'paper', { [PAPER]: account(), [LIVE]: forbidden }],
    ['a live key, asked live first', 'AK12345', [LIVE], 'live', { [LIVE]: account(), [PAPER]: forbidden }],
    ['whatever its name says', 'PK12345', [PAPER, LIVE], 'live', { [PAPER]: forbidden, [LIVE]: account() }],
    ['or says not', 'AK12345', [LIVE, PAPER], 'paper', { [LIVE]: unauthorized, [PAPER]: account() }],
    ['also while the other is away', 'AK12345', [LIVE, PAPER], 'paper', { [PAPER]: account() }],
  ])('%s', async (_, keyId, asked, environment, answers) => {
    const world = hosts(answers);
    expect(await verify(world.send, { ...KEYS.alice, keyId })).toEqual({
      accountNumber: '123456789',
      environment,
      status: 'ACTIVE',
      tradingBlocked: false,
    });
    expect(world.asked).toEqual(asked);
  });

  it.each([
    { trading_blocked: true },
    { account_blocked: true },
    { trade_suspended_by_user: true },
    { status: 'SUBMITTED' },
  ])('which may be one that takes no orders: %j', async (changes) => {
    const { send } = hosts({ [PAPER]: account(changes) });
    expect(await verify(send)).toMatchObject({ tradingBlocked: true });
  });
});

describe('a key pair is refused, with what to do next and no part of it,', () => {
  const slow = () => new Promise<Response>(() => {});
  const codes = {
    wrong_pair: 'broker_rejected',
    no_account: 'broker_rejected',
    unreachable: 'broker_unreachable',
  } as const;
  const ill = () => new Response('', { status: 503 });
  const endless = () => new Response('x'.repeat(70_000));
  const page = () => new Response('<html>');
  it.each<[string, keyof typeof codes, Parameters<typeof hosts>[0]]>([
    ['that no host knows', 'wrong_pair', { [PAPER]: forbidden, [LIVE]: unauthorized }],
    ['where no host can be reached', 'unreachable', {}],
    ['where one says no and the other is away', 'unreachable', { [PAPER]: forbidden }],
    ['where one says no and the other is ill', 'unreachable', { [PAPER]: forbidden, [LIVE]: ill }],
    ['where a page answers', 'no_account', { [PAPER]: page, [LIVE]: forbidden }],
    ['without a number', 'no_account', { [PAPER]: account({ account_number: undefined }), [LIVE]: forbidden }],
    ['whose number is none', 'no_account', { [PAPER]: account({ account_number: '\u001b' }), [LIVE]: forbidden }],
    ['where the answer is endless', 'unreachable', { [PAPER]: endless, [LIVE]: forbidden }],
    ['where the answer stays away', 'unreachable', { [PAPER]: slow, [LIVE]: forbidden }],
  ])('%s', async (_, reason, answers) => {
    const code = codes[reason];
    const { send } = hosts(answers);
    const late: typeof fetch = (input, init) =>
      Promise.race([
        send(input, init),
        new Promise<Response>((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        }),
      ]);
    const error = await verify(late).then(
      () => undefined,
      (failure: unknown) => failure as Error & { hint?: string },
    );
    expect(error).toMatchObject({ code, details: { reason }, hint: expect.stringMatching(/\w/) });
    const told = JSON.stringify([error?.message, error?.hint, error?.stack, error?.cause, error]);
    expect(told).not.toContain(KEYS.alice.secret);
    expect(told).not.toContain(KEYS.alice.keyId);
  });

  it.each<[string, { keyId: string; secret: string }]>([
    ['that has a line break in it', { ...KEYS.alice, secret: 'the secret\r\nx-evil: 1' }],
    ['that has no secret', { ...KEYS.alice, secret: '' }],
    ['whose id is none', { ...KEYS.alice, keyId: 'a b' }],
  ])('%s, before anybody is asked', async (_, pair) => {
    const { send, asked } = hosts({});
    const failure = verify(send, pair);
    await expect(failure).rejects.toMatchObject({ code: 'usage', hint: expect.stringMatching(/Alpaca/) });
    await expect(failure).rejects.not.toThrow(pair.secret === '' ? pair.keyId : pair.secret);
    expect(asked).toEqual([]);
  });
});

describe('with an address of one’s own', () => {
  let paper: World;
  let thief: HttpServer;
  beforeEach(async () => {
    paper = await startWorld();
    thief = await listenOnLoopback(0, () => 0);
  });
  afterEach(() => Promise.all([paper.close(), thief.close()]));
  const at = (trading_url: string, pair = KEYS.alice) =>
    verifyCredentials(brokerSettingsSchema.parse({ credentials: 'key_pair', trading_url }), pair, {
      environment: 'paper',
      fetch,
    });

  it('that is asked alone, and the settings say which environment it is', async () => {
    expect(await at(paper.url)).toMatchObject({ accountNumber: 'PA3ALICE01', environment: 'paper' });
    expect(await at(`${paper.url}/`, KEYS.bob)).toMatchObject({ accountNumber: 'PA3BOB0002' });
    await expect(at(paper.url, { ...KEYS.alice, secret: KEYS.bob.secret })).rejects.toMatchObject({
      details: { reason: 'wrong_pair' },
    });
  });

  it('no redirect carries the pair elsewhere', async () => {
    const seen: unknown[] = [];
    thief.serve((request, response) => {
      seen.push(request.headers['apca-api-secret-key']);
      response.writeHead(302, { location: `${paper.url}/v2/account` }).end();
    });
    await expect(at(thief.url)).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(seen).toHaveLength(1);
  });
});
