import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandWords } from '../../src/cli/options/flag-environment.ts';
import { createProgramForDocs, listAllCommands } from '../../src/cli/program.ts';
import { createPhoneClient } from '../../src/home/phone/phone-client.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { folderOfSuite } from '../folders.ts';
import { checkedSchemas, schemaNames } from './output-schemas.ts';
import { readScenario, type Scenario } from './script-file.ts';
import { playScenario, ScriptFaults } from './script-session.ts';

const scripts = fileURLToPath(new URL('../scripts/', import.meta.url));
/** Each by its folder and name: `run/signals`. */
const scenarios = globSync('**/*.txt', { cwd: scripts })
  .sort()
  .map((file): [string, Scenario] => [file.replace(/\.txt$/, ''), readScenario(join(scripts, file))]);

/** Always Sunday noon in New York, give or take the seconds a test takes. */
const sunday = Date.parse('2026-11-22T17:00:00Z');
const started = Date.now();
const closedMarket = {
  marketHours: 'exchange' as const,
  marketClock: { ...systemClock, now: () => sunday + (Date.now() - started) },
};

const folder = folderOfSuite();
/** A sandbox's home as it is made: making one takes four times as long as starting a copy. */
const made = join(folder, 'made');
beforeAll(async () => {
  await (await startSandbox({ home: made, port: 0, partialFills: false })).close();
});

/** Each has a sandbox of its own, since most of a scenario's time is waiting, and several can wait at once. */
async function play(name: string, scenario: Scenario): Promise<void> {
  const home = mkdtempSync(join(folder, 'home-'));
  const faults = new ScriptFaults();
  const other = {
    ...(name === 'run/market-closed' ? closedMarket : {}),
    ...(name === 'login/company' ? { company: true } : {}),
    ...(name.startsWith('accounts/') ? { secondAccounts: true } : {}),
  };
  if (Object.keys(other).length === 0) cpSync(made, home, { recursive: true });
  const sandbox = await startSandbox({ home, port: 0, faults, partialFills: false, ...other });
  const { ready, pairingSecret } = sandbox;
  try {
    const phone = createPhoneClient({ phone: ready.phone, pairingSecret });
    await playScenario(scenario, { ready, phone, faults });
  } finally {
    await sandbox.close();
    rmSync(home, { recursive: true, force: true });
  }
}

describe('a shell session shows that', () => {
  // Each command has a limit of its own; how many a session has is nothing that went wrong.
  it.concurrent.each(scenarios)('%s', play, 0);
});

describe('the scripts, taken together,', () => {
  const commands = scenarios.flatMap(([, { steps }]) => steps.filter((step) => step.kind === 'command'));

  it('see every exit code', () => {
    const seen = new Set(commands.map(({ exit }) => exit));
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 124, 130]);
  });

  it('run every command', async () => {
    const names = listAllCommands(await createProgramForDocs())
      .map((command) => commandWords(command).join(' '))
      // The chat needs a terminal (chat.test.ts).
      .filter((name) => name !== 'chat');
    // "order" is "orders" by another name.
    const all = commands
      .map(({ command }) => command.replace(/\btrade-agent order /g, 'trade-agent orders '))
      .join('\n');
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !new RegExp(`trade-agent ${name}\\b`).test(all))).toEqual([]);
  });

  it('check every schema in docs/schema against real output', () => {
    // What takes a PostgreSQL is checked in test/postgres.
    const elsewhere = [
      'gateway-migrate',
      'gateway-rules-import',
      'home-migrate',
      'server',
      'server-migrate',
      'server-rewrap',
      'worker',
    ];
    expect(schemaNames.filter((name) => !checkedSchemas.has(name)).sort()).toEqual(elsewhere);
  });
});
