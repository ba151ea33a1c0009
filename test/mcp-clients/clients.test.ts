import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claudePrint } from './clients/claude-code.ts';
import { codex } from './clients/codex.ts';
import { opencode } from './clients/opencode.ts';
import type { ClientDriver } from './driver.ts';
import { installed } from './installed.ts';
import { orderingModel, statusOf } from './model/script.ts';
import { createStage, type Stage } from './setting.ts';

/*
 * Other people's agents as their registries have them, without the internet: each signs in by its own way, has its
 * scripted model place orders, and waits for a person. What each did is in docs/MCP.md.
 */

const all: readonly ClientDriver[] = [claudePrint, codex, opencode];
const only = process.env.MCP_CLIENTS?.split(',');
const drivers = all.filter(({ title }) => only?.some((name) => title.startsWith(name)) ?? true);

const commands = new Map<string, string>();
for (const { title, package: needed } of drivers) {
  try {
    commands.set(title, await installed(needed));
  } catch (error) {
    process.stdout.write(`skipped: ${title} can't be installed here: ${(error as Error).message}\n`);
  }
}

/** Longer than a question waits at the home. */
const AFTER_MS = 6 * 60_000;

describe.each(drivers.map((driver) => ({ title: driver.title, driver })))('$title', ({ title, driver }) => {
  const command = commands.get(title);
  let stage: Stage;
  beforeAll(async () => {
    if (command === undefined) return;
    stage = await createStage(driver, command);
    await driver.configure(stage);
  });
  afterAll(() => stage?.close());

  const here = it.skipIf(command === undefined);
  const order = (qty: string) => ({ symbol: 'AAPL', side: 'buy', qty });
  /** Has the model place an order; `meanwhile` is what becomes of it. */
  const ask = async (qty: string, meanwhile: (called: readonly string[]) => Promise<void>) => {
    const model = orderingModel(order(qty));
    stage.server.play(model);
    const [shown] = await Promise.all([driver.ask(stage, `Buy ${qty} AAPL.`), meanwhile(model.called)]);
    process.stdout.write(
      `${title}: called ${model.called.join(', ')}; saw ${model.saw.map(statusOf).join(', ')}\n`,
    );
    return { ...model, shown };
  };

  here('signs in by its own way, and is known by that', async () => {
    await driver.signIn(stage);
    expect(stage.person.failures).toEqual([]);
    const { clients } = await stage.world.json<{ clients: { client_id: string; name: string }[] }>(
      'mcp',
      'clients',
      'list',
    );
    expect(clients).toHaveLength(1);
    const [client] = clients;
    process.stdout.write(`${title}: let in as ${client?.name} (${client?.client_id})\n`);
    expect(client?.client_id).toMatch(driver.registers === 'CIMD' ? /^https:/ : /^[\w-]{20,}$/);
  });

  here('buys what the phone has signed', async () => {
    const { saw, shown } = await ask('1', () => stage.person.answer('approve'));
    expect(saw.map(statusOf).at(-1)).toBe('executed');
    expect(shown).toContain('It ends: executed.');
    expect(stage.world.sandbox.broker.book()).toMatchObject([{ qty: '1', status: 'filled' }]);
  });

  here('goes on waiting once the call is no longer held, and is told of the no', async () => {
    const { saw } = await ask('2', async (called) => {
      if (driver.waits === 'check_approval') {
        await expect.poll(() => called.includes('check_approval'), { timeout: 40_000 }).toBe(true);
      }
      await stage.person.answer('deny');
    });
    expect(saw.map(statusOf).at(-1)).toBe('denied');
    expect(stage.world.sandbox.broker.book()).toHaveLength(1);
  });

  here('is told that nobody answered', async () => {
    const { saw } = await ask('3', async () => {
      await expect.poll(() => stage.world.waiting(stage.phone), { timeout: 30_000 }).toHaveLength(1);
      stage.clock.set(Date.now() + AFTER_MS);
    });
    expect(saw.map(statusOf).at(-1)).toBe('expired');
    expect(stage.world.sandbox.broker.book()).toHaveLength(1);
  });
});
