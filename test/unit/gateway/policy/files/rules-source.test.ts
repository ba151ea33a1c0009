import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toNamedBrokers } from '../../../../../src/gateway/broker/named-broker.ts';
import { evaluatePolicy } from '../../../../../src/gateway/policy/decide.ts';
import type { DecisionFacts, PolicyAction } from '../../../../../src/gateway/policy/decision.ts';
import {
  createFolderRulesSource,
  type RulesSourceOptions,
} from '../../../../../src/gateway/policy/files/rules-source.ts';
import type { Rules } from '../../../../../src/gateway/policy/rules.ts';
import type { BrokerKey } from '../../../../../src/store/broker-key-store.ts';
import { createSqliteGatewayStores } from '../../../../../src/store/sqlite/gateway-stores.ts';
import { alice, facts } from '../cedar/decided.ts';

let folder: string;
let told: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-rules-'));
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string, mode = 0o600): void {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

const source = (options: RulesSourceOptions = {}) =>
  createFolderRulesSource(folder, { onError: (message) => void told.push(message), ...options });

const noAapl =
  '@id("no-aapl") forbid (principal, action in Action::"trade", resource) when { context.order.symbol == "AAPL" };\n';
const noGme = noAapl.replace('aapl', 'gme').replace('AAPL', 'GME');
const limit = (amount: string) => `version: 1\naccounts: {"*": {max_order_notional: "${amount}"}}\n`;

function said(rules: Rules, action: PolicyAction = 'place', known: DecisionFacts = facts) {
  const { effect, reasons } = evaluatePolicy(rules, alice, action, known);
  return [effect, ...reasons];
}

/** What a start is refused with. */
async function fault(): Promise<{ code: string; message: string; hint: string | undefined }> {
  const opened = source().then(
    () => new Error('it started'),
    (error: unknown) => error,
  );
  return (await opened) as { code: string; message: string; hint: string | undefined };
}

describe('the rules of a gateway’s folder', () => {
  it('without files are those of every gateway', async () => {
    const rules = await (await source()).current();
    expect(said(rules)).toEqual(['allow']);
    expect(rules.limitsOf('PA1')).toBeUndefined();
    expect(
      evaluatePolicy(rules, { ...alice, sub: 'bob', approvers: ['bob'] }, 'place', {
        ...facts,
        more: { 'relations.can_propose': true },
      }).reasons,
    ).toEqual(['APPROVAL_BY_PROPOSER']);
  });

  it('are limits, the owner’s rules and the firm’s, all together', async () => {
    write('limits.yaml', limit('999.99'));
    write('policies/own.cedar', noAapl);
    write('firm/house.cedar', `@code("SYMBOL_RESTRICTED") ${noAapl}`, 0o644);
    expect(said(await (await source()).current())).toEqual([
      'deny',
      'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
      'POLICY_FORBIDS',
      'SYMBOL_RESTRICTED',
    ]);
  });

  it('are the next decision’s as soon as a file is another one', async () => {
    const rules = await source();
    const steps: [() => void, string[]][] = [
      [() => undefined, ['allow']],
      [() => write('policies/own.cedar', noGme), ['allow']],
      [() => write('policies/own.cedar', noAapl), ['deny', 'POLICY_FORBIDS']],
      [() => rmSync(join(folder, 'policies/own.cedar')), ['allow']],
      [() => write('limits.yaml', limit('999.99')), ['deny', 'NOTIONAL_EXCEEDS_MAX_PER_ORDER']],
      // As an editor does: another file in its place, of the same length.
      [
        () => {
          write('new.yaml', limit('1000.0'));
          renameSync(join(folder, 'new.yaml'), join(folder, 'limits.yaml'));
        },
        ['allow'],
      ],
      [() => write('firm/house.cedar', noAapl, 0o444), ['deny', 'POLICY_FORBIDS']],
    ];
    for (const [change, expected] of steps) {
      change();
      expect(said(await rules.current())).toEqual(expected);
    }
    expect(told).toEqual([]);
  });

  it('are read once while no file changes', async () => {
    write('policies/own.cedar', noGme);
    const rules = await source();
    const first = await rules.current();
    expect(await rules.current()).toBe(first);
    expect((await Promise.all([rules.current(), rules.current()])).every((one) => one === first)).toBe(true);
  });

  it('have a digest that is the same for the same rules, whatever their files are called', async () => {
    const digest = async () => (await (await source()).current()).digest;
    write('limits.yaml', limit('5'));
    write('policies/a.cedar', noAapl);
    write('policies/b.cedar', noGme);
    const first = await digest();
    expect(first).toMatch(/^[\w-]{43}$/);
    renameSync(join(folder, 'policies/a.cedar'), join(folder, 'policies/c.cedar'));
    expect(await digest()).toBe(first);
    write('policies/b.cedar', noGme.replace('GME', 'AMC'));
    const second = await digest();
    expect(second).not.toBe(first);
    write('limits.yaml', limit('6'));
    expect(await digest()).not.toBe(second);
  });
});

describe('the accounts that limits.yaml names', () => {
  const own = '{max_order_notional: "5000"}';
  const limits = (accounts: string) => write('limits.yaml', `version: 1\naccounts: {${accounts}}\n`);
  let stored = ['PA1'];
  const opened = async (credentials: 'key_pair' | 'exchange' = 'key_pair') => {
    const rules = await source();
    rules.checkAccounts({
      brokers: toNamedBrokers({ broker: { kind: 'alpaca', credentials } as never }),
      brokerKeys: { list: async () => stored.map((accountNumber) => ({ accountNumber }) as BrokerKey) },
    });
    return async () => {
      const { effect, hint } = evaluatePolicy(await rules.current(), alice, 'place', facts);
      return [effect, ...(hint === undefined ? [] : [hint])].join(': ');
    };
  };
  beforeEach(() => {
    stored = ['PA1'];
  });

  it.each<[string, string, 'key_pair' | 'exchange']>([
    ['is misspelled', `PA1O: ${own}`, 'key_pair'],
    ['is misspelled, beside limits for all others', `PA1O: {max_order_notional: "1"}, "*": ${own}`, 'key_pair'],
  ])('deny the orders of an account without an entry while one %s', async (_, accounts, credentials) => {
    limits(accounts);
    const decided = await opened(credentials);
    expect(await decided()).toBe(
      'deny: Ask the gateway’s owner to fix the limits: limits.yaml has an entry for PA1O, but no account here has that number',
    );
    limits(`PA1: ${own}`);
    expect(await decided()).toBe('allow');
    // A new account may be the one that was meant.
    limits(accounts);
    stored = ['PA1', 'PA1O'];
    expect(await decided()).toMatch(accounts.includes('*') ? /^allow$/ : /no entry for the account PA1,/);
  });

  it('deny the orders of an account without an entry where the numbers are not known here', async () => {
    limits(`PA1O: ${own}`);
    const decided = await opened('exchange');
    expect(await decided()).toContain('limits.yaml has no entry for the account PA1, and none for "*"');
    limits(`PA1O: ${own}, "*": {}`);
    expect(await decided()).toBe('allow');
  });

  it('are not compared before an account is connected, and do not stop an account with an entry', async () => {
    limits(`PA1: ${own}, PA1O: ${own}`);
    const decided = await opened();
    expect(await decided()).toBe('allow');
    stored = [];
    limits(`PA1O: ${own}, "*": ${own}`);
    expect(await decided()).toBe('allow');
  });
});

describe('a start is refused', () => {
  it('for a permit, with its line', async () => {
    write('policies/own.cedar', `${noAapl}\npermit (principal, action, resource);\n`);
    const { code, message } = await fault();
    expect(code).toBe('invalid_config');
    expect(message).toBe(
      `${join(folder, 'policies/own.cedar')}:3:1: a rule here can only forbid, but this rule permits`,
    );
  });

  it.each<[string, () => void, RegExp]>([
    ['a typo', () => write('policies/own.cedar', noAapl.replace('symbol', 'symbl')), /own\.cedar:1:79: .*symbl/],
    ['limits that are none', () => write('limits.yaml', 'max_orders: 5'), /limits\.yaml/],
    ['a name that is no rule’s', () => write('policies/own.cedar.txt', noAapl), /named \*\.cedar/],
    ['a file others may read', () => write('policies/own.cedar', noAapl, 0o644), /chmod 600/],
    ['a firm’s file others may write', () => write('firm/own.cedar', noAapl, 0o664), /chmod go-w/],
    [
      'a folder others may write',
      () => {
        write('policies/own.cedar', noAapl);
        chmodSync(join(folder, 'policies'), 0o777);
      },
      /policies can't be used/,
    ],
    [
      'a symbolic link',
      () => {
        write('elsewhere.cedar', noAapl);
        mkdirSync(join(folder, 'policies'));
        symlinkSync(join(folder, 'elsewhere.cedar'), join(folder, 'policies/own.cedar'));
      },
      /symbolic link/,
    ],
    ['a file in the folder’s place', () => write('policies', noAapl), /not a folder/],
  ])('for %s', async (_, plant, message) => {
    plant();
    const error = await fault();
    expect(error).toMatchObject({ code: 'invalid_config', message: expect.stringMatching(message) });
    expect(error.hint).not.toBe('');
  });

  it('for nothing that an editor leaves behind', async () => {
    write('policies/own.cedar', noGme);
    for (const name of ['.own.cedar.swp', 'own.cedar~', 'own.cedar.bak']) write(`policies/${name}`, 'x');
    expect(said(await (await source()).current())).toEqual(['allow']);
  });
});

describe('files that go wrong while it runs', () => {
  it.each([
    ['a broken rule', 'policies/own.cedar', 'forbid (', 'own.cedar:1:9: unexpected end of input'],
    ['a permit', 'policies/own.cedar', 'permit (principal, action, resource);', 'this rule permits'],
    ['broken limits', 'limits.yaml', 'accounts: [', 'limits.yaml'],
  ])('let no order out until they are mended, and cancels pass: %s', async (_, file, text, why) => {
    write('policies/own.cedar', noGme);
    const rules = await source();
    expect(said(await rules.current())).toEqual(['allow']);
    write(file, text);
    const broken = await rules.current();
    expect(said(broken)).toEqual(['deny', 'POLICY_INVALID']);
    expect(said(broken, 'replace')).toEqual(['deny', 'POLICY_INVALID']);
    expect(said(broken, 'cancel')).toEqual(['allow']);
    expect(broken.problem).toContain(why);
    await rules.current();
    expect(told).toEqual([broken.problem]);
    rmSync(join(folder, file));
    expect(said(await rules.current())).toEqual(['allow']);
  });
});

describe('where Cedar can’t be loaded', () => {
  const load = () => Promise.reject(new Error('no such file: cedar_wasm_bg.wasm'));

  it.each([['with rules'], ['without rules']])('no order goes out, and cancels pass: %s', async (which) => {
    if (which === 'with rules') write('policies/own.cedar', noGme);
    const rules = await source({ load });
    await rules.preload();
    const unevaluable = await rules.current();
    expect(said(unevaluable)).toEqual(['deny', 'POLICY_UNEVALUABLE']);
    expect(said(unevaluable, 'replace')).toEqual(['deny', 'POLICY_UNEVALUABLE']);
    expect(said(unevaluable, 'cancel')).toEqual(['allow']);
    expect(told).toEqual([
      "Cedar can't be loaded, so nothing can be traded: no such file: cedar_wasm_bg.wasm. Reinstall trade-agent.",
    ]);
  });
});

describe('limits that there were', () => {
  const open = async (database = new Database(':memory:')) => {
    const rules = await source();
    rules.rememberIn(createSqliteGatewayStores(database).limits, Date);
    return rules;
  };

  it.each<[string, () => void]>([
    ['the file is gone', () => rmSync(join(folder, 'limits.yaml'))],
    ['the file is empty', () => write('limits.yaml', '')],
    ['the file has comments alone', () => write('limits.yaml', '# none\n')],
    ['no account is named', () => write('limits.yaml', 'version: 1\naccounts: {}\n')],
    ['no account has a limit', () => write('limits.yaml', 'version: 1\naccounts: {"*": {}, PA1: {}}\n')],
  ])('are missed where %s: nothing is traded, and cancels pass', async (_, lose) => {
    write('limits.yaml', limit('1000'));
    const database = new Database(':memory:');
    const rules = await open(database);
    expect(said(await rules.current())).toEqual(['allow']);
    lose();
    expect(said(await rules.current())).toEqual(['deny', 'POLICY_INVALID']);
    expect(said(await rules.current(), 'cancel')).toEqual(['allow']);
    expect(told).toEqual([expect.stringContaining('limits.yaml')]);
    // A process that starts later misses them as well.
    const later = await open(database);
    expect(said(await later.current())).toEqual(['deny', 'POLICY_INVALID']);
    // What is there again counts again.
    write('limits.yaml', limit('2000'));
    expect(said(await rules.current())).toEqual(['allow']);
    expect((await rules.current()).limitsOf('PA1')).toMatchObject({ max_order_notional: '2000' });
  });

  it('are not missed where there were none', async () => {
    const rules = await open();
    expect(said(await rules.current())).toEqual(['allow']);
    write('limits.yaml', 'version: 1\naccounts: {}\n');
    expect(said(await rules.current())).toEqual(['allow']);
    expect(told).toEqual([]);
  });

  it('are not missed once their owner approved that there are none', async () => {
    write('limits.yaml', limit('1000'));
    const rules = await open();
    await rules.current();
    rmSync(join(folder, 'limits.yaml'));
    expect(said(await rules.current())).toEqual(['deny', 'POLICY_INVALID']);
    await rules.forgetLimits();
    expect(said(await rules.current())).toEqual(['allow']);
  });

  it('are asked for once as long as the files stay the same', async () => {
    const rules = await source();
    const { limits } = createSqliteGatewayStores(new Database(':memory:'));
    let asked = 0;
    const hadLimits = () => {
      asked++;
      return limits.hadLimits();
    };
    rules.rememberIn({ ...limits, hadLimits }, Date);
    for (let times = 0; times < 3; times++) await rules.current();
    expect(asked).toBe(1);
  });
});
