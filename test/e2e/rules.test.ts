import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { suiteWorld } from './suite-world.ts';

const root = new URL('../..', import.meta.url).pathname;

const world = suiteWorld();

function write(name: string, text: string): void {
  const file = join(world.ready.home, name);
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
}

/** What a refused order is refused with, nobody having been asked. */
async function refusal(sentence: string): Promise<string> {
  const { code, stdout, stderr } = await world.cli(['run', sentence]);
  expect(code, stdout + stderr).toBe(8);
  expect(await world.phone.requests('alice')).toEqual([]);
  return stdout + stderr;
}

/** An order that stays open: far below the market, approved on the phone. */
async function restingOrder(): Promise<string> {
  const run = world.start(['run', 'buy 1 AAPL limit 10 gtc', '--output', 'json']);
  const [request] = await world.phone.requests('alice', { waitSeconds: 25 });
  await world.phone.decide(request?.id ?? '', 'approve');
  const { code, stdout } = await run.finished;
  expect(code).toBe(0);
  const [, id = ''] = /"orders":\[\{"id":"([^"]+)"/.exec(stdout) ?? [];
  return id;
}

async function cancelsAndReads(order: string): Promise<void> {
  expect((await world.cli(['portfolio'])).code).toBe(0);
  const { code, stdout, stderr } = await world.cli(['orders', 'cancel', order, '--output', 'json']);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('"status":"canceled"');
}

it('an owner’s rule refuses before the phone rings, and a broken one every order, but no cancel', async () => {
  const order = await restingOrder();
  write(
    'policies/own.cedar',
    '@id("no-games") @message("games are no investment")\nforbid (principal, action in Action::"trade", resource) when { context.order.symbol == "GME" };\n',
  );
  expect(await refusal('buy 1 GME limit 10')).toContain('games are no investment');

  write(
    'policies/own.cedar',
    '@id("typo") forbid (principal, action in Action::"trade", resource) when { context.odrer };\n',
  );
  expect(await refusal('buy 1 AAPL limit 10')).toMatch(/own\.cedar:1:76[\s\S]*order/);
  await cancelsAndReads(order);

  // It would not start with such rules.
  await world.killSandbox();
  await expect(world.restartSandbox()).rejects.toThrow(/ended with 2:[\s\S]*own\.cedar:1:76/);
  write('policies/own.cedar', 'permit (principal, action, resource);\n');
  await expect(world.restartSandbox()).rejects.toThrow(/ended with 2:[\s\S]*own\.cedar:1:1: .*forbid/);
  rmSync(join(world.ready.home, 'policies'), { recursive: true });
  await world.restartSandbox();
});

it('without Cedar’s WebAssembly nothing is traded, and what is open can be cancelled', async () => {
  const order = await restingOrder();
  const copy = join(world.folder, 'copy');
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  rmSync(join(copy, 'dist/cedar_wasm_bg.wasm'));
  await world.killSandbox();
  await world.restartSandbox(join(copy, 'bin/trade-agent.js'));

  expect(await refusal('buy 1 AAPL limit 10')).toContain('a rule could not be evaluated');
  await cancelsAndReads(order);
  await world.killSandbox();
  await world.restartSandbox();
});
