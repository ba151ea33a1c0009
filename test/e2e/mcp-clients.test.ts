import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { linesIn } from '../fixtures/record-lines.ts';
import { freePort } from '../free-port.ts';
import { type Person, playPerson } from '../mcp-clients/person.ts';
import { hearRevisions, type Revisions } from '../mcp-clients/revisions.ts';
import { createHomeWorld, type HomeWorld, type PairedPhone } from './home-world.ts';

/* Other people's programs as they are on npm, each from its sign-in to an order that the phone signed. */

let world: HomeWorld;
let phone: PairedPhone;
let person: Person;
let endpoint: string;
let revisions: Revisions;
beforeEach(async () => {
  revisions = hearRevisions();
  const env = { NODE_OPTIONS: revisions.preload, ...revisions.env };
  world = await createHomeWorld(undefined, { env });
  await world.init();
  await world.serve();
  phone = await world.pair();
  person = await playPerson(world, phone);
  endpoint = `${world.address}/mcp`;
});
afterEach(async () => {
  await person?.close();
  await world?.close();
  revisions?.close();
});

/** The file that a package's command starts. */
function commandOf(name: string, command: string): string {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin[command]);
}

/** The order is the broker's, once, by a signature of this phone's; and the client is listed as the one that asked. */
async function expectSignedFill(client: RegExp, revision: string): Promise<void> {
  expect(person.failures).toEqual([]);
  expect(person.opened).toHaveLength(1);
  expect(revisions.heard()).toContain(revision);
  expect(world.sandbox.broker.book()).toMatchObject([{ symbol: 'AAPL', qty: '1', status: 'filled' }]);
  expect(JSON.stringify(linesIn(join(world.home, 'gateway.db')))).toContain(phone.authenticator.credentialId);
  const { grants } = await world.json<{ grants: { kind: string; name: string }[] }>('home', 'grants', 'list');
  expect(grants).toContainEqual(expect.objectContaining({ kind: 'agent', name: expect.stringMatching(client) }));
}

const ORDER = { symbol: 'AAPL', side: 'buy', qty: '1' };
const FILLED = { status: 'executed', environment: 'paper', order: { status: 'filled' } };

describe('the MCP inspector', () => {
  const inspector = commandOf('@modelcontextprotocol/inspector', 'mcp-inspector');

  it.each([
    ['2025-11-25', []],
    ['2026-07-28', ['--protocol-era', 'modern']],
  ])('signs in by registering itself, and buys once it is allowed: %s', async (revision, era) => {
    const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`;
    const inspect = async (...args: string[]) => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [inspector, '--cli', endpoint, '--callback-url', callback, '--format', 'json', ...era, ...args],
        {
          env: {
            ...person.env,
            HOME: world.folder,
            // Nobody's keychain, and a browser though there is no terminal.
            MCP_INSPECTOR_SECRET_STORE: 'file',
            MCP_AUTO_OPEN_ENABLED: 'true',
          },
        },
      );
      return JSON.parse(stdout).result;
    };
    const { tools } = await inspect('--method', 'tools/list');
    expect(tools).toContainEqual(expect.objectContaining({ name: 'place_order' }));
    const call = ['--method', 'tools/call', '--tool-name', 'place_order'];
    const [placed] = await Promise.all([
      inspect(...call, '--tool-args-json', JSON.stringify(ORDER)),
      person.answer('approve'),
    ]);
    expect(placed.structuredContent).toMatchObject(FILLED);
    await expectSignedFill(/inspector/i, revision);
  });
});

describe('mcp-remote', () => {
  it('signs in by registering itself, and buys once it is allowed', async () => {
    const client = new Client({ name: 'behind mcp-remote', version: '1' });
    onTestFinished(() => client.close());
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [commandOf('mcp-remote', 'mcp-remote'), endpoint, String(await freePort())],
        env: { ...person.env, HOME: world.folder },
        stderr: 'ignore',
      }),
    );
    const [placed] = await Promise.all([
      client.callTool({ name: 'place_order', arguments: ORDER }),
      person.answer('approve'),
    ]);
    expect(placed.structuredContent).toMatchObject(FILLED);
    await expectSignedFill(/mcp/i, '2025-11-25');
  });
});
