import { showPolicy } from '../../../app/policy/show-policy.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { dollars } from '../../../trading/amounts.ts';
import { decimalString } from '../../../trading/decimal.ts';
import { environmentWord } from '../../../trading/environment.ts';
import { flatLimits, limitLabel, shownLimit } from '../../../trading/limit-words.ts';
import type { PolicyView } from '../../../trading/policy-views.ts';
import type { Context } from '../../context.ts';

export async function printPolicy(context: Context): Promise<void> {
  const policy = await showPolicy(context);
  await context.output.result('policy', { ...policy }, () => policyText(policy));
}

/** How much of each limit is used, by the facts' own names. */
const usedOf: Readonly<Record<string, { readonly fact: string; readonly money?: true }>> = {
  max_day_notional: { fact: 'day_notional', money: true },
  max_day_orders: { fact: 'day_orders' },
  max_orders_per_minute: { fact: 'last_minute' },
  max_open_orders: { fact: 'open_orders' },
};

const stateWords = {
  active: 'active',
  reducing: 'REDUCING: nothing is bought, and no more sold than is held',
  halted: 'HALTED: nothing is traded',
} as const;

async function policyText(policy: PolicyView): Promise<string> {
  const { account, environment, trading, digest, limits, problem } = policy;
  const head = [
    ['account', `${safeLine(account)} ${environmentWord(environment)}`],
    ['trading', tradingText(trading)],
    ...(policy.today.clock_behind === undefined
      ? []
      : [
          [
            'CLOCK',
            'behind the newest order by more than a day: nothing is traded. See docs/guide/POLICY.md',
          ],
        ]),
    ['rules', digest],
    ...rulesLine('own', policy.policies),
    ...rulesLine('the firm’s', policy.firm),
    ...(problem === undefined
      ? []
      : [['WRONG', `${safeLine(problem)} Nothing is traded until it is mended.`]]),
  ].map(([label = '', value = '']) => `${label.padEnd(10)} ${value}`);
  const rows = flatLimits(limits);
  if (rows.length === 0) return [...head, '', 'No limits.'].join('\n');
  const { table } = await import('../../text/table.ts');
  const limitTable = await table<[string, string]>(
    [
      { head: 'LIMIT', cell: ([key]) => safeLine(key) },
      { head: 'IS', cell: ([key, value]) => safeLine(shownLimit(key, value)) },
      { head: 'USED', cell: ([key]) => used(policy, key) },
      { head: '', cell: ([key]) => safeLine(limitLabel(key)) },
    ],
    rows,
  );
  return [...head, '', limitTable].join('\n');
}

function tradingText({ state, until }: PolicyView['trading']): string {
  return until === undefined ? stateWords[state] : `${stateWords[state]}, until ${safeLine(until)}`;
}

function rulesLine(whose: string, files: PolicyView['policies']): string[][] {
  const names = Object.keys(files);
  return names.length === 0 ? [] : [[whose, safeLine(names.join(', '))]];
}

function used({ today }: PolicyView, key: string): string {
  const words = Object.hasOwn(usedOf, key) ? usedOf[key] : undefined;
  const value = words === undefined ? undefined : today[words.fact];
  if (value === undefined || value === null) return '';
  const text = String(value);
  return words?.money === true && decimalString.safeParse(text).success ? dollars(text) : safeLine(text);
}
