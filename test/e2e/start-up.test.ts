import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createHomeWorld } from './home-world.ts';
import { suiteWorld } from './suite-world.ts';

const root = new URL('../..', import.meta.url).pathname;
const preload = new URL('log-loaded-files.mjs', import.meta.url).href;

interface Metafile {
  readonly outputs: Record<string, { readonly inputs: Record<string, { readonly bytesInOutput: number }> }>;
}
const { outputs } = JSON.parse(readFileSync(join(root, 'dist/metafile.json'), 'utf8')) as Metafile;

/** The packages, and sources of the program's own, of which a file in dist/ has code. */
function contents(file: string): string[] {
  return Object.entries(outputs[`dist/${file}`]?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? input);
}

const world = suiteWorld();
beforeAll(async () => {
  // The first command after a login exchanges the refresh token, with the OAuth library; those after it do not.
  await world.cli(['quote', 'AAPL']);
});

/** What a command really loads: the files of dist/, and whose code is in them and in node_modules. */
async function loads(args: readonly string[]): Promise<{ files: string[]; code: Set<string> }> {
  rmSync(list(), { force: true });
  const { code: exit, stderr } = await world.cli(args, { env: logging() });
  expect(exit, stderr).toBe(0);
  return loaded();
}

const list = () => join(world.folder, 'loaded');
const logging = () => ({ NODE_OPTIONS: `--import ${preload}`, LOADED_FILES: list() });

/** What was loaded since the list was removed. */
function loaded(): { files: string[]; code: Set<string> } {
  const urls = existsSync(list()) ? readFileSync(list(), 'utf8').trim().split('\n') : [];
  const files = urls.flatMap((url) => /\/dist\/([^/]+\.c?js)$/.exec(url)?.[1] ?? []);
  const installed = urls.flatMap((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  return { files, code: new Set([...files.flatMap(contents), ...installed]) };
}

const terminal = ['ink', 'react', 'react-reconciler', 'yoga-layout'];
const agent = ['@langchain/langgraph', '@langchain/core', '@langchain/langgraph-checkpoint-sqlite'];
const database = ['better-sqlite3-multiple-ciphers'];
const oauth = ['openid-client', 'oauth4webapi'];
const sandbox = ['oidc-provider', 'koa', 'hono', '@alpacahq/alpaca-trade-api', 'ws'];
const model = ['@langchain/openai', 'openai'];
const mcp = ['@modelcontextprotocol/server', '@modelcontextprotocol/client', '@modelcontextprotocol/core'];
const rules = ['@cedar-policy/cedar-wasm'];
const jq = ['jq-wasm'];
const server = ['pg', 'pg-boss'];

function expectNone(code: ReadonlySet<string>, packages: readonly string[]): void {
  expect(packages.filter((name) => code.has(name))).toEqual([]);
}

describe('what a command loads', () => {
  it('knows each of the packages by name: every one of them is in the bundle or beside it', () => {
    const all = new Set(Object.keys(outputs).flatMap((file) => contents(file.replace(/^dist\//, ''))));
    const named = [...terminal, ...agent, ...oauth, ...sandbox, ...model, ...mcp, ...rules, ...jq, ...server];
    for (const name of named) expect(all, name).toContain(name);
  });

  it.each([[['--version']], [['--help']], [['run', '--help']], [['help', 'orders']]])(
    '%j loads a few small files and no package',
    async (args) => {
      const { files, code } = await loads(args);
      expect(files).toContain('main.js');
      expect(files.length).toBeLessThanOrEqual(4);
      expect([...code].filter((name) => !name.startsWith('src/') && !name.startsWith('<'))).toEqual([]);
      expect(code).not.toContain('src/cli/program.ts');
    },
  );

  it.each([[['quote', 'AAPL']], [['whoami']], [['portfolio']]])(
    '%j loads no agent, no database, no OAuth library and no chat',
    async (args) => {
      const { code } = await loads(args);
      expect(code).toContain('zod');
      expectNone(code, [
        ...terminal,
        ...agent,
        ...database,
        ...oauth,
        ...sandbox,
        ...model,
        ...mcp,
        ...rules,
        ...jq,
        ...server,
      ]);
    },
  );

  it('the engine of jobs is in a file of its own, with nothing that another command has a use for', () => {
    const files = Object.keys(outputs).map((file) => contents(file.replace(/^dist\//, '')));
    const [engine = [], another] = files.filter((names) => names.includes('pg-boss'));
    expect(another).toBeUndefined();
    expect(engine.filter((name) => name.startsWith('src/') && !name.startsWith('src/jobs/'))).toEqual([]);
  });

  it('jq is loaded where its option is used', async () => {
    const { code } = await loads(['quote', 'AAPL', '--jq', '.quotes[0].symbol']);
    expect([...code]).toEqual(expect.arrayContaining(jq));
    expectNone(code, [...terminal, ...agent, ...database]);
  });

  it('a list of approvals loads the database, but no graph', async () => {
    const { code } = await loads(['approvals']);
    expect([...code]).toEqual(expect.arrayContaining(database));
    expectNone(code, [...terminal, ...agent, ...oauth, ...sandbox, ...model, ...rules]);
  });

  it('a run of the built-in planner loads no chat, no model client, no OAuth library and no sandbox', async () => {
    const { files, code } = await loads(['run', 'who am I']);
    // What asks an agent at a server.
    expect(
      [...code].filter((file) => /^src\/(agent\/remote|app\/server)\//.test(file) && !/require-here/.test(file)),
    ).toEqual([]);
    expect([...code]).toEqual(expect.arrayContaining([...agent, ...database]));
    expectNone(code, [...terminal, ...oauth, ...sandbox, ...model, ...mcp, ...rules, ...jq, ...server]);
    expect([...code].filter((name) => name.startsWith('src/cli/commands/'))).toEqual(['src/cli/commands/run/run.ts']);
    expect([...code].filter((name) => name.startsWith('src/agent/planner/catalogs/'))).toEqual([]);
    // Each file costs a third of a millisecond: scripts/bundle/groups.mjs says which are kept together.
    // Two of them are the list of companies, whose names the planner reads, and the list of tools, which the chat page
    // and the list of threads read, too.
    expect(files.length).toBeLessThanOrEqual(17);
  });

  it('a run in another language also loads the planner’s sentences in that language', async () => {
    const { code } = await loads(['run', 'wer bin ich']);
    const catalogs = [...code].filter((name) => name.startsWith('src/agent/planner/catalogs/'));
    expect(catalogs).toEqual(['src/agent/planner/catalogs/german.json']);
  });

  it('nor does it load a client of other people’s servers where the profile has some', async () => {
    await world.cli(['config', 'set', 'profiles.sandbox.mcp_servers.news', '{command: node, tools: [search]}']);
    expectNone((await loads(['run', 'who am I'])).code, mcp);
    await world.cli(['config', 'unset', 'profiles.sandbox.mcp_servers']);
  });
});

describe('what serves', () => {
  it('has what signatures are verified by at hand before anybody signs', async () => {
    rmSync(list(), { force: true });
    const serving = world.start(['sandbox', '--home', join(world.folder, 'idle'), '--port', '0'], {
      endless: true,
      env: logging(),
    });
    try {
      await expect.poll(() => [...loaded().code]).toContain('src/approval/signature/verify-evidence.ts');
    } finally {
      serving.child.kill('SIGTERM');
      await serving.finished;
    }
  });
});

describe('a home on SQLite', () => {
  it('carries out an order without loading PostgreSQL’s driver or its job engine', async () => {
    rmSync(list(), { force: true });
    const home = await createHomeWorld(undefined, { env: logging() });
    try {
      await home.init();
      await home.serve();
      const phone = await home.pair();
      await home.json('profile', 'add', 'home', '--home', home.address, '--credential-store', 'file');
      await home.login(phone);
      await home.propose('buy 1 AAPL');
      expect((await home.approve(phone)).status).toBe(200);
      await expect.poll(async () => (await home.json<{ orders: unknown[] }>('orders')).orders).toHaveLength(1);
      const { code } = loaded();
      expect([...code]).toEqual(expect.arrayContaining([...database, 'src/approval/signature/verify-evidence.ts']));
      expectNone(code, server);
    } finally {
      await home.close();
    }
  });
});

describe('the bundle', () => {
  it('has no chunk that cannot be loaded', () => {
    const load = `
      import { readdirSync } from 'node:fs';
      import { pathToFileURL } from 'node:url';
      import { openBundle } from ${JSON.stringify(join(root, 'src/cli/start/bundle-loader.ts'))};
      const folder = ${JSON.stringify(join(root, 'dist/'))};
      const bundle = openBundle(pathToFileURL(folder), undefined, '');
      const chunks = readdirSync(folder).filter((name) => name.endsWith('.cjs'));
      for (const name of chunks) {
        try {
          bundle.load(name);
        } catch (error) {
          console.log(name, error);
        }
      }
      console.log(chunks.length > 100);
      process.exit();
    `;
    const args = ['--input-type=module', '--eval', load];
    expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })).toBe('true\n');
  });

  it('has no tracing service that could be switched on: what a gateway is measured by is a gateway’s alone', () => {
    const all = Object.keys(outputs).flatMap((file) => contents(file.replace(/^dist\//, '')));
    expect(all).not.toContain('langsmith');
    const measuring = Object.values(outputs)
      .map(({ inputs }) => Object.keys(inputs))
      .filter((inputs) => inputs.some((input) => input.includes('/@opentelemetry/')));
    expect(measuring.length).toBeGreaterThan(0);
    const beside = measuring.flat().filter((input) => input.startsWith('src/'));
    expect(beside.filter((input) => !input.startsWith('src/gateway/telemetry/'))).toEqual([]);
  });

  it('has one zod', () => {
    const used = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
    expect(used.filter((input) => /\/zod\/v4\//.test(input)).length).toBeGreaterThan(0);
    expect(used.filter((input) => /\/zod\/v3\//.test(input))).toEqual([]);
  });
});

describe('help rendered at build time', () => {
  it('is for every command what commander prints', async () => {
    // All in one process: a hundred and seventy of their own took as long as some forty tests.
    const render = `
      import { pathToFileURL } from 'node:url';
      import { helpTexts } from ${JSON.stringify(join(root, 'dist/help-texts.js'))};
      import { openBundle } from ${JSON.stringify(join(root, 'src/cli/start/bundle-loader.ts'))};
      const folder = pathToFileURL(${JSON.stringify(join(root, 'dist/'))});
      const { startProgram } = openBundle(folder, undefined, '').load('program.cjs');
      process.setMaxListeners(0);
      const write = process.stdout.write;
      const rendered = {};
      for (const command of Object.keys(helpTexts)) {
        process.stdout.write = (text) => { rendered[command] = (rendered[command] ?? '') + text; return true; };
        // With an option before it, the program renders the help itself.
        await startProgram(['--no-color', ...(command === '' ? [] : command.split(' ')), '--help']);
      }
      process.stdout.write = write;
      process.stdout.write(JSON.stringify({ rendered, helpTexts }), () => process.exit());
    `;
    const args = ['--no-warnings', '--input-type=module', '--eval', render];
    const output = execFileSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 60_000,
      maxBuffer: 16 * 1024 * 1024,
    });
    const { rendered, helpTexts } = JSON.parse(output) as Record<string, Record<string, string>>;
    expect(Object.keys(helpTexts ?? {}).length).toBeGreaterThan(20);
    expect(rendered).toEqual(helpTexts);
    expect((await world.cli(['--no-color', 'orders', 'cancel', '--help'])).stdout).toBe(helpTexts?.['orders cancel']);
  });

  it('is what the short way prints', async () => {
    const { helpTexts } = (await import(join(root, 'dist/help-texts.js'))) as {
      helpTexts: Record<string, string>;
    };
    expect((await world.cli(['orders', 'cancel', '-h'])).stdout).toBe(helpTexts['orders cancel']);
    expect((await world.cli(['help', 'run'])).stdout).toBe(helpTexts.run);
  });

  it('has each command that an error, a hint or a page names', async () => {
    const { helpTexts } = (await import(join(root, 'dist/help-texts.js'))) as { helpTexts: Record<string, string> };
    const isCommand = (words: readonly string[]): boolean => {
      const [group, ...more] = words;
      const help = helpTexts[group ?? ''];
      // What follows a group's name is a command in it, unless the group takes an argument of its own.
      const isGroup = help !== undefined && /^Usage: .*\[command\]$/m.test(help.split('\n', 1)[0] ?? '');
      return help !== undefined && (!isGroup || more.length === 0 || `${group} ${more[0]}` in helpTexts);
    };
    const named = globSync('docs/reference/strings/*.txt', { cwd: root }).flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/["“`(]trade-agent ([a-z][a-z-]*(?: [a-z][a-z-]*)*)/g)].map(
        ([, words = '']) => words,
      ),
    );
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((words) => !isCommand(words.split(' ')))).toEqual([]);
  });
});
