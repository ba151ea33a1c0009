import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkResultSchema } from '../../../src/check/result-schema.ts';
import { checkJson, driftRules, onPhone, rulesFile, startCheck, withCli, world } from './check-world.ts';

withCli();

const approvalOf = ({ proposals: [proposal] }: Awaited<ReturnType<typeof checkJson>>['result']): string =>
  ((proposal?.approvals ?? []) as { id: string }[])[0]?.id ?? 'none';

describe('check', () => {
  it('looks by the default rules without a file, and prints what its schema says', async () => {
    const { result, exitCode } = await checkJson();
    expect([0, 3]).toContain(exitCode);
    expect(exitCode === 3).toBe(result.findings.length > 0);
    expect(result.account).toEqual({ account: 'PA3ALICE01', environment: 'paper', simulated: true });
    expect(result.figures.by_sector.some(({ name }) => name === 'unknown')).toBe(false);
    expect(result.figures.time_weighted_return?.days).toBeGreaterThan(100);
    expect(result.figures.money_weighted_return).not.toBe(null);
    const { high_water_mark, equity } = result.figures;
    expect(Number(high_water_mark?.value)).toBeGreaterThanOrEqual(Number(equity));
  });

  it('finds a thing once, is silent while it lasts, and ends 3 and then 0', async () => {
    const rules = rulesFile('rules:\n  - {name: apple-up, kind: price, symbol: AAPL, above: 1}\n');
    const first = await checkJson('--rules', rules);
    expect(first.exitCode).toBe(3);
    expect(first.result.findings).toMatchObject([{ rule: 'apple-up', subject: 'AAPL', severity: 'warning' }]);
    const second = await checkJson('--rules', rules);
    expect(second.exitCode).toBe(0);
    expect(second.result).toMatchObject({ status: 'clear', findings: [], ongoing: [{ rule: 'apple-up' }] });
    expect(second.result.ongoing[0]?.since).toBe(first.result.findings[0]?.since);
  });

  it('tells of a symbol nobody knows, and looks at the rest all the same', async () => {
    const rules = rulesFile(`rules:
  - {name: typo, kind: price, symbol: APPL, above: 1}
  - {name: apple-there, kind: price, symbol: AAPL, above: 2}
  - {name: microsoft-year, kind: move, symbols: [MSFT], by: 0.000001%, sessions: 200}
`);
    const { exitCode, result } = await checkJson('--rules', rules);
    expect(exitCode).toBe(3);
    const problems = result.findings.map(({ rule, problem = 'none' }) => `${rule} ${problem}`);
    expect(problems).toEqual(['apple-there none', 'microsoft-year none', 'typo unknown_symbol']);
  });

  it('names line, key and the nearest right one of a wrong file, and ends 2', async () => {
    const rules = rulesFile('rules:\n  - name: a\n    kind: price\n    symbl: AAPL\n    above: 5\n');
    const { exitCode, stderr } = await world.run(['check', '--rules', rules]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${rules}:`);
    expect(stderr).toContain('Did you mean "symbol"?');
  });

  it('writes a page that stands alone, for its owner’s eyes', async () => {
    const report = join(world.folder, 'report.html');
    await world.run(['check', '--report', report]);
    const page = readFileSync(report, 'utf8');
    expect(page).toContain('<svg class="chart value"');
    expect(page).toContain('<svg class="chart allocation"');
    expect(page).not.toMatch(/<script|src=|href=|https?:\/\/(?!www\.w3\.org)/);
    expect(statSync(report).mode & 0o777).toBe(0o600);
  });

  it('tells what it found although the report can’t be written, and ends 2', async () => {
    const rules = rulesFile('rules:\n  - {name: seen, kind: price, symbol: AAPL, above: 1}\n');
    const missing = join(world.folder, 'no-such-folder', 'report.html');
    const { exitCode, result } = await checkJson('--rules', rules, '--report', missing);
    expect(exitCode).toBe(2);
    expect(result.findings).toHaveLength(1);
    expect(result.notes.join()).toContain("can't be written (ENOENT)");
    expect(existsSync(missing)).toBe(false);
  });

  it('prints text and Markdown for people', async () => {
    const text = await world.run(['check']);
    expect(text.stdout).toContain('PA3ALICE01 PAPER (simulated)');
    expect(text.stdout).toMatch(/time-weighted return +[+-]/);
    const markdown = await world.run(['check', '--format', 'markdown']);
    expect(markdown.stdout).toMatch(/^# Portfolio check: /);
    expect(markdown.stdout).toContain('| symbol | value | weight |');
  });

  it('streams each finding, and the result last', async () => {
    const rules = rulesFile('rules:\n  - {name: streamed, kind: price, symbol: AAPL, above: 1}\n');
    const { stdout } = await world.run(['check', '--rules', rules, '--output', 'stream-json']);
    const lines = stdout.trim().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ type: 'finding', finding: { rule: 'streamed' } });
    expect(checkResultSchema.parse(JSON.parse(lines.at(-1) ?? '')).findings).toHaveLength(1);
  });

  it('lets one check of an account run at a time', async () => {
    const both = await Promise.all([world.run(['check']), world.run(['check'])]);
    expect(both.map(({ exitCode }) => exitCode).filter((code) => code === 12)).toHaveLength(1);
    expect(both.find(({ exitCode }) => exitCode === 12)?.stderr).toContain('another check of this account');
  });
});

describe('check --suggest', () => {
  /** Targets that the account misses by eight points in one symbol, and keeps in the others. */
  const targets = async () => {
    const { result } = await checkJson();
    const weight = (symbol: string) =>
      Number(result.figures.by_symbol.find(({ name }) => name === symbol)?.weight ?? 0) * 100;
    return `AAPL: ${(weight('AAPL') + 8).toFixed(2)}%, MSFT: ${weight('MSFT').toFixed(2)}%`;
  };
  let rules: string;

  it('asks nobody under --approval deny, but says what it would propose', async () => {
    rules = driftRules(await targets());
    const { result, exitCode } = await checkJson('--rules', rules, '--suggest', '--approval', 'deny');
    expect(exitCode).toBe(3);
    expect(result.findings).toMatchObject([{ rule: 'drift', subject: 'AAPL' }]);
    const order = { symbol: 'AAPL', side: 'buy', type: 'limit', reason: 'drift' };
    expect(result.suggestion?.orders).toMatchObject([order]);
    expect(result.proposals).toEqual([]);
    expect(world.ordersAtBroker()).toBe(0);
  });

  it('leaves the approval pending under detach, asks for nothing twice, and ends 5', async () => {
    const first = await checkJson('--rules', rules, '--suggest', '--approval', 'detach');
    expect(first.exitCode).toBe(5);
    const pending = { status: 'pending', approvals: [{ status: 'requested' }] };
    expect(first.result.proposals).toMatchObject([pending]);
    const second = await checkJson('--rules', rules, '--suggest', '--approval', 'detach');
    expect(second.exitCode).toBe(0);
    expect(second.result.proposals).toEqual([]);
    expect(second.result.suggestion?.left).toEqual([{ symbol: 'AAPL', reason: 'order_under_way' }]);
    expect(world.ordersAtBroker()).toBe(0);
    const id = approvalOf(first.result);
    expect((await world.run(['approvals', 'cancel', id])).exitCode).toBe(0);
    // What is taken back is gone from the phone too.
    expect((await onPhone('deny', '1s')).exitCode).toBe(124);
  });

  it('turns a drift of eight points into an order that is approved, filled once, and found no more', async () => {
    const waiting = startCheck('--rules', rules, '--suggest');
    expect((await onPhone('approve', '20s')).exitCode).toBe(0);
    const { exitCode, result } = await waiting();
    expect(exitCode).toBe(0);
    const done = { status: 'done', orders: [{ symbol: 'AAPL', status: 'filled' }] };
    expect(result.proposals).toMatchObject([done]);
    expect(world.ordersAtBroker()).toBe(1);
    const after = await checkJson('--rules', rules, '--suggest');
    expect(after.exitCode).toBe(0);
    const nothing = { findings: [], ongoing: [], proposals: [], suggestion: { orders: [] } };
    expect(after.result).toMatchObject(nothing);
    expect(world.ordersAtBroker()).toBe(1);
  });

  it('proposes a conditional order when it is met, once, with the values of that moment', async () => {
    const conditional = rulesFile(`rules:
  - {name: nvidia-dip, kind: order, symbol: NVDA, below: 100000, before: 2099-01-01, order: {side: buy, qty: 1}}
`);
    const seen = await checkJson('--rules', conditional);
    expect(seen.result.findings).toMatchObject([{ rule: 'nvidia-dip', facts: { order: 'BUY 1 NVDA MKT' } }]);
    const first = await checkJson('--rules', conditional, '--suggest', '--approval', 'detach');
    expect(first.exitCode).toBe(5);
    const asked = { approvals: [{ order: { symbol: 'NVDA', side: 'buy', qty: '1' } }] };
    expect(first.result.proposals).toMatchObject([asked]);
    const id = approvalOf(first.result);
    await world.run(['approvals', 'cancel', id]);
    // Taken back is an answer too: it is not asked again.
    const second = await checkJson('--rules', conditional, '--suggest', '--approval', 'detach');
    expect(second.exitCode).toBe(0);
    expect(second.result.proposals).toEqual([]);
    expect(world.ordersAtBroker()).toBe(1);
  });
});
