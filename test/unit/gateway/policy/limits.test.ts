import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLimits } from '../../../../src/gateway/policy/files/rules-source.ts';
import { defaultLimits, findAccountLimits, limitsSchema } from '../../../../src/gateway/policy/rules.ts';

it('the limits of an account are its own, or those of all others', () => {
  const limits = limitsSchema.parse({
    accounts: { PA3ALICE01: { max_day_orders: 7 }, '*': { max_order_notional: '1000' } },
  });
  expect(findAccountLimits(limits, 'PA3ALICE01')).toEqual({ max_day_orders: 7 });
  expect(findAccountLimits(limits, 'PA3BOB0001')).toEqual({ max_order_notional: '1000' });
  expect(findAccountLimits({ version: 1, accounts: { PA3ALICE01: {} } }, 'PA3BOB0001')).toBeUndefined();
  expect(findAccountLimits(undefined, 'PA3BOB0001')).toBeUndefined();
  expect(findAccountLimits({ version: 1, accounts: {} }, 'constructor')).toBeUndefined();
});

describe('limits.yaml', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-limits-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (text: string, mode = 0o600) => {
    writeFileSync(join(folder, 'limits.yaml'), text);
    chmodSync(join(folder, 'limits.yaml'), mode);
  };

  it('may be left out, and then limits nothing', async () => {
    expect(await readLimits(folder)).toBeUndefined();
  });

  it('says what each account is held to', async () => {
    const accounts = {
      PA3ALICE01: {
        max_order_notional: '2500.50',
        max_order_qty: '100',
        max_day_notional: '5000',
        max_day_orders: 7,
        max_orders_per_minute: 3,
        max_open_orders: 5,
        max_day_loss: '500',
        max_position_weight: '0.25',
        max_price_deviation: '0.05',
        min_seconds_between_same: 60,
        deny_opposing: true,
        symbols: { allow: ['AAPL', 'BRK.B'], deny: ['TSLA'] },
        sides: ['buy', 'sell'],
        types: ['limit'],
        hours: { zone: 'Europe/Berlin', from: '09:30', to: '24:00', days: ['mon'] },
        live: { mandate_up_to: '100', second_person_above: '10000', acr: 'urn:phishing-resistant' },
      },
      '*': { hours: { from: '09:30', to: '16:00' } },
    };
    write(JSON.stringify({ version: 1, accounts }));
    expect(await readLimits(folder)).toEqual({
      version: 1,
      accounts: {
        ...accounts,
        '*': {
          hours: {
            zone: 'America/New_York',
            from: '09:30',
            to: '16:00',
            days: ['mon', 'tue', 'wed', 'thu', 'fri'],
          },
        },
      },
    });
    write('version: 1\n');
    expect(await readLimits(folder)).toEqual({ version: 1, accounts: {} });
    write('');
    expect(await readLimits(folder)).toEqual({ version: 1, accounts: {} });
  });

  it('is what a new home begins with', async () => {
    expect(limitsSchema.parse(defaultLimits())).toEqual(defaultLimits());
    write(JSON.stringify(defaultLimits()));
    expect(await readLimits(folder)).toEqual(defaultLimits());
  });

  const account = (line: string) => `version: 1\naccounts:\n  "*":\n    ${line}\n`;
  it.each<[string, string, RegExp]>([
    ['a misspelt limit', account('max_order_notionl: "1"'), /:4: unknown key "accounts\.\*\.max_order_notionl"/],
    ['a limit of no account', 'version: 1\nmax_day_orders: 5\n', /limits\.yaml:2: unknown key "max_day_orders"/],
    ['an account of no number', 'accounts:\n  "a b":\n    max_day_orders: 5\n', /:2: .*account’s number/],
    ['no orders at all', account('max_day_orders: 0'), /limits\.yaml:4: /],
    ['half an order', account('max_day_orders: 1.5'), /limits\.yaml:4: /],
    ['orders in quotes', account('max_day_orders: "5"'), /limits\.yaml:4: /],
    ['another version', 'version: 2\n', /limits\.yaml:1: "version": must be 1/],
    ['a number, maybe rounded', account('max_order_notional: 1000'), /:4: .*in quotes, such as "1000"/],
    ['less than nothing', account('max_order_notional: "-1"'), /:4: .*greater than zero/],
    ['nothing at all', account('max_order_notional: "0"'), /:4: .*greater than zero/],
    ['no amount', account('max_order_notional: "1e9"'), /:4: .*plain decimal number/],
    ['more than the whole', account('max_position_weight: "1.01"'), /:4: .*at most 1/],
    ['no symbol', account('symbols: {allow: ["APPLE INC"]}'), /:4: .*ticker symbol/],
    ['symbols that say nothing', account('symbols: {}'), /:4: .*"allow" or "deny"/],
    ['a side that there is not', account('sides: [short]'), /:4: /],
    ['a type that there is not', account('types: [iceberg]'), /:4: /],
    ['hours that end too early', account('hours: {from: "16:00", to: "09:30"}'), /:4: .*after "from"/],
    ['a time that there is not', account('hours: {from: "9:30", to: "16:00"}'), /:4: .*time of day/],
    ['an unknown zone', account('hours: {zone: Europe/Atlantis, from: "09:30", to: "16:00"}'), /:4: .*time zone/],
    ['false for what is left out', account('deny_opposing: false'), /:4: .*true or omitted/],
    ['half a file', 'version: 1\naccounts: "10', /limits\.yaml:\d/],
  ])('with %s is refused, with the line and a hint', async (_, text, message) => {
    write(text);
    await expect(readLimits(folder)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/\w/),
    });
  });

  it('that others may read is refused', async () => {
    write('version: 1\n', 0o644);
    await expect(readLimits(folder)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('chmod 600'),
    });
  });
});
