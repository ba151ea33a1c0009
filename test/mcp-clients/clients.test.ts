import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claudeChat, claudePrint } from './clients/claude-code.ts';
import { codex } from './clients/codex.ts';
import { fastmcp } from './clients/fastmcp.ts';
import { gemini } from './clients/gemini.ts';
import { opencode } from './clients/opencode.ts';
import type { ClientDriver } from './driver.ts';
import { installed } from './installed.ts';
import { orderingModel, statusOf } from './model/script.ts';
import { createStage, installIn, type Stage } from './setting.ts';

/*
 * Other people's agents as their registries have them, without the internet: each signs in by its own way, has its
 * scripted model place orders, and waits for a person. What each did is in docs/guide/MCP.md.
 */

const all: readonly ClientDriver[] = [claudePrint, claudeChat, codex, opencode, gemini, fastmcp];
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

const MINUTE_MS = 60_000;
/** Longer than a question waits at the home. */
const AFTER_MS = 6 * MINUTE_MS;
/** Longer than the home's access tokens are valid. With `MCP_CLIENTS_WAIT=real` this time passes for the client too. */
const TOKEN_OVER_MS = 11 * MINUTE_MS;
const waitsForReal = process.env.MCP_CLIENTS_WAIT === 'real';

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
  const starts = it.skipIf(command === undefined || driver.installs === undefined);
  /** Some ask their model before their servers are connected: a person asks again. */
  const askUntilConnected = async (at: Stage, words: string): Promise<string> => {
    for (let left = 3; ; left--) {
      const shown = await driver.ask(at, words);
      if (left === 0 || !shown.includes('There is no place_order')) return shown;
    }
  };
  /** Has the model place an order; `meanwhile` is what becomes of it. */
  const ask = async (
    side: 'buy' | 'sell',
    qty: string,
    meanwhile: (called: readonly string[]) => Promise<void>,
    server = 'trade.agent',
  ) => {
    const model = orderingModel({ symbol: 'AAPL', side, qty }, driver.installs === undefined ? '' : server);
    stage.server.play(model);
    const [asked, done] = await Promise.allSettled([
      askUntilConnected(stage, `${side} ${qty} AAPL`),
      meanwhile(model.called),
    ]);
    const shown = asked.status === 'fulfilled' ? asked.value : String(asked.reason);
    process.stdout.write(
      `${title}: called ${model.called.join(', ')}; was told ${model.saw.map(statusOf).join(', ')}\n`,
    );
    if (done.status === 'rejected') {
      throw new Error(`${done.reason}; its model was told:\n${model.saw.join('\n')}\nit said:\n${shown}`);
    }
    if (asked.status === 'rejected') throw asked.reason;
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
    const { saw, shown } = await ask('buy', '1', () => stage.person.answer('approve'));
    expect(saw.map(statusOf).at(-1)).toBe('executed');
    expect(shown).toContain('It ends: executed.');
    expect(stage.world.sandbox.broker.book()).toMatchObject([{ qty: '1', status: 'filled' }]);
  });

  here('goes on waiting once the call is no longer held, and is told of the no', async () => {
    const { saw } = await ask('buy', '2', async (called) => {
      if (driver.waits === 'check_approval') {
        await expect.poll(() => called.includes('check_approval'), { timeout: 100_000 }).toBe(true);
      }
      await stage.person.answer('deny');
    });
    expect(saw.map(statusOf).at(-1)).toBe('denied');
    expect(stage.world.sandbox.broker.book()).toHaveLength(1);
  });

  starts('starts the program itself, and trades by that alike', async () => {
    await stage.world.login(stage.phone);
    await installIn(stage.world, driver.installs ?? '', '--name', 'here');
    const { saw } = await ask('sell', '1', () => stage.person.answer('approve'), 'here');
    expect(saw.map(statusOf).at(-1)).toBe('executed');
    expect(stage.world.sandbox.broker.book()).toHaveLength(2);
  });

  here('is told that nobody answered', async () => {
    const { saw } = await ask('buy', '3', async () => {
      await expect.poll(() => stage.world.waiting(stage.phone), { timeout: 90_000 }).toHaveLength(1);
      stage.clock.set(Date.now() + AFTER_MS);
    });
    expect(saw.map(statusOf).at(-1)).toBe('expired');
    const { revision } = driver;
    expect(stage.revisions()).toEqual(revision === null ? [] : expect.arrayContaining([revision]));
  });

  here(
    'places an order after its access token has expired and the home has restarted',
    { timeout: 1_200_000 },
    async () => {
      const before = stage.world.sandbox.broker.book().length;
      if (waitsForReal) await delay(TOKEN_OVER_MS);
      else stage.clock.set(Date.now() + AFTER_MS + TOKEN_OVER_MS);
      await stage.restart();
      const { saw } = await ask('buy', '2', () => stage.person.answer('approve'));
      expect(saw.map(statusOf).at(-1)).toBe('executed');
      expect(stage.world.sandbox.broker.book()).toHaveLength(before + 1);
      // A client whose own clock has not moved may take the 401 for the end of its sign-in: only real time tells.
      if (waitsForReal) expect(stage.person.opened).toHaveLength(1);
    },
  );
});
