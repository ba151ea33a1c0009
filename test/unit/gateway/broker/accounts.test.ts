import { beforeEach, describe, expect, it } from 'vitest';
import { type ConfiguredBroker, createAccountDirectory } from '../../../../src/gateway/broker/accounts.ts';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import type { Broker } from '../../../../src/gateway/broker/broker.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';

/** A broker whose accounts are opened by tokens, which tell no account's number. */
interface Fake {
  readonly place: ConfiguredBroker;
  token: string | undefined;
  /** By token. */
  readonly numbers: Map<string, string>;
  down: boolean;
  asked: number;
}

const notConnected = () => new HttpProblem(409, 'account_not_connected', 'none');

function fake(name: string, number: string | undefined): Fake {
  const it: Fake = {
    token: number === undefined ? undefined : `token at ${name}`,
    numbers: new Map([[`token at ${name}`, number ?? '']]),
    down: false,
    asked: 0,
    place: {
      ...{ name, label: name.toUpperCase(), traits: alpacaTraits, isUnattended: false, sendFor: () => fetch },
      credentials: {
        credentialsFor: async () => {
          if (it.token === undefined) throw notConnected();
          return { accessToken: it.token };
        },
        isConnected: async () => it.token !== undefined,
        forget: () => {},
      },
      connect: (credentials) =>
        ({
          account: async () => {
            it.asked += 1;
            if (it.down) throw new HttpProblem(502, 'broker_unavailable', 'down');
            return { account: it.numbers.get('accessToken' in credentials ? credentials.accessToken : '') };
          },
        }) as unknown as Broker,
    },
  };
  return it;
}

const who = { sub: 'alice', accessToken: 'session' };
let one: Fake;
let two: Fake;
let chosen: string | undefined;
beforeEach(() => {
  one = fake('one', 'A1');
  two = fake('two', 'B2');
  chosen = undefined;
});
const accounts = (...places: readonly Fake[]) =>
  createAccountDirectory({
    brokers: places.map(({ place }) => place),
    environment: 'paper',
    defaultAccounts: {
      find: async () => chosen,
      choose: async (_, account) => {
        chosen = account;
      },
    },
  });
const both = () => accounts(one, two);
const nameOf = async (opened: ReturnType<ReturnType<typeof accounts>['open']>) => (await opened).at.name;

describe('an account whose broker has to be asked for its number', () => {
  it('is found by its number alone, whichever is the default', async () => {
    const all = both();
    expect(await nameOf(all.open(who))).toBe('one');
    expect(await nameOf(all.open(who, 'B2'))).toBe('two');
    expect(await nameOf(all.open(who, 'A1'))).toBe('one');
    await all.choose(who, 'B2');
    expect(await nameOf(all.open(who))).toBe('two');
    expect(await nameOf(all.open(who, 'A1'))).toBe('one');
  });

  it('is asked for once, and again once other credentials open it', async () => {
    const all = both();
    for (const _ of [1, 2, 3]) await all.open(who, 'B2');
    expect([one.asked, two.asked]).toEqual([1, 1]);
    two.token = 'another token';
    two.numbers.set('another token', 'B9');
    await expect(all.open(who, 'B2')).rejects.toMatchObject({ code: 'account_mismatch' });
    expect(await nameOf(all.open(who, 'B9'))).toBe('two');
  });

  it('that is not theirs is refused, of one broker and of several', async () => {
    await expect(accounts(one).open(who, 'B2')).rejects.toMatchObject({
      status: 403,
      code: 'account_mismatch',
    });
    await expect(both().open(who, 'C3')).rejects.toMatchObject({ status: 403, code: 'account_mismatch' });
  });

  it('that two brokers tell of is refused: nobody can say which is meant', async () => {
    two.numbers.set('token at two', 'A1');
    await expect(both().open(who, 'A1')).rejects.toMatchObject({ code: 'account_mismatch' });
  });

  it('may be at the broker that is down: that is no proof that it is nobody’s', async () => {
    two.down = true;
    const all = both();
    await expect(all.open(who, 'B2')).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect(await nameOf(all.open(who, 'A1'))).toBe('one');
    expect(await all.of(who)).toEqual([
      { account: 'A1', broker: 'one', label: 'ONE', environment: 'paper', default: true },
      {
        ...{ account: null, broker: 'two', label: 'TWO', environment: 'paper', default: false },
        problem: 'broker_unavailable',
      },
    ]);
  });

  it('is the first that is connected where none was chosen; where none is, there is one to connect', async () => {
    one.token = undefined;
    expect(await nameOf(both().open(who))).toBe('two');
    expect((await both().of(who)).map(({ account }) => account)).toEqual(['B2']);
    two.token = undefined;
    await expect(both().open(who)).rejects.toMatchObject({ code: 'account_not_connected' });
    await expect(both().open(who, 'B2')).rejects.toMatchObject({ code: 'account_not_connected' });
    expect(await both().of(who)).toEqual([]);
  });

  it('is not taken for the chosen one that is connected no more', async () => {
    chosen = 'B2';
    two.token = undefined;
    await expect(both().open(who)).rejects.toMatchObject({ code: 'account_not_connected' });
    expect((await both().of(who)).map((entry) => entry.default)).toEqual([false]);
  });

  it('brings its own broker’s traits along', async () => {
    const traits = { ...alpacaTraits, label: 'Two' };
    two = { ...two, place: { ...two.place, traits } };
    const all = both();
    expect((await all.open(who, 'B2')).traits).toBe(traits);
    expect((await all.open(who, 'A1')).traits).toBe(alpacaTraits);
  });
});
