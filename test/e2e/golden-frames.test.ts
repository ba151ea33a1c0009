import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasTmux, openTerminal } from './tmux.ts';
import { createWorld, type World } from './world.ts';
import { worldClock } from './world-clock.ts';

const launcher = new URL('../../bin/trade-agent.js', import.meta.url).pathname;
/** A Tuesday, 10:30 in New York; time stands still there, and with it the seeded prices. */
const NOW = Date.UTC(2026, 10, 24, 15, 30);

/** What no seed settles: the ids of a run and its ports. */
const masked = (screen: string) =>
  screen
    .replace(/localhost:\d+/g, 'localhost:PORT')
    .replace(/trade-agent \d+\.\d+\.\d+/, 'trade-agent VERSION')
    .replace(/[ \t]+$/gm, '');

/** Colours by name, so that a frame can be read: `{32}+$4.00{39}`. */
const named = (screen: string) =>
  masked(screen.replace(/\u001b\[([\d;]*)m/g, (_, codes: string) => `{${codes}}`));

describe.skipIf(!hasTmux())('golden frames of the built program', () => {
  let world: World;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    const file = join(process.env.TMPDIR ?? '/tmp', `trade-agent-frames-${process.pid}.json`);
    const clock = worldClock(file);
    clock.set(NOW);
    env = { ...clock.env, TZ: 'America/New_York' };
    world = await createWorld({ env });
    // The market's seed is drawn at random when a sandbox is made, and its accounts bought at those prices.
    await world.killSandbox();
    for (const name of readdirSync(world.ready.home)) {
      if (!['seed.json', 'pairing-secret'].includes(name)) rmSync(join(world.ready.home, name));
    }
    const seedFile = join(world.ready.home, 'seed.json');
    const seed = JSON.parse(readFileSync(seedFile, 'utf8'));
    writeFileSync(seedFile, JSON.stringify({ ...seed, market_seed: 'golden' }));
    clock.set(NOW, 0);
    await world.restartSandbox();
    await world.login();
  });
  afterAll(async () => {
    await world?.close();
  });

  const sizes = [
    [80, 24],
    [100, 32],
    [200, 50],
  ] as const;
  const cases = sizes.flatMap(([columns, rows]) =>
    ['dark', 'colour-blind'].map((theme) => ({ columns, rows, theme })),
  );
  it.each(cases)('portfolio and chart at $columns×$rows, $theme', async ({ columns, rows, theme }) => {
    const terminal = openTerminal({
      command: [process.execPath, launcher, '--theme', theme],
      env: {
        ...env,
        PATH: process.env.PATH,
        HOME: world.folder,
        TRADE_AGENT_HOME: world.agentHome,
        TRADE_AGENT_SANDBOX: join(world.folder, 'ready.json'),
      },
      columns,
      rows,
    });
    try {
      await terminal.shows(/^PAPER[^\n]* · Alice/m);
      terminal.type('/portfolio\n');
      await terminal.shows(/TOTAL[\s\S]*\/help$/m);
      const portfolio = terminal.colors();
      terminal.type('/chart AAPL 3m candles\n');
      await terminal.shows(/AAPL 3m[\s\S]*\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d[\s\S]*\/help$/m);
      for (const line of terminal.screen().split('\n')) expect([...line].length).toBeLessThanOrEqual(columns);
      expect(named(portfolio)).toMatchSnapshot('portfolio');
      expect(named(terminal.colors())).toMatchSnapshot('chart');
    } finally {
      terminal.close();
    }
  });
});
