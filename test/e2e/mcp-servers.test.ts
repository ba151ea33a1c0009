import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pairByHttp } from '../integration/home/http-browser.ts';
import { letIn } from '../integration/home/public-client.ts';
import { suiteWorld } from './suite-world.ts';

/* Somebody else's server that wants a sign-in, with the built program: a home's own endpoint stands in for it. */

const world = suiteWorld();
const model = new LLMock({ port: 0 });
beforeAll(() => model.start());
afterAll(() => model.stop());

it('is signed in at once, by a browser, and used by runs without one until it is removed', async () => {
  const { browser } = await pairByHttp((await world.phone.pairing('alice')).url);
  const url = `${world.ready.issuer}/mcp`;
  const add = world.start(['mcp', 'servers', 'add', 'desk', '--url', url, '--tool', 'market_clock']);
  const [address] = await add.waitFor(/http:\S+\/authorize?\S+/);
  await fetch(await letIn(browser, new URL(address)));
  const added = await add.finished;
  expect(added.code, added.stderr).toBe(0);
  expect(added.stdout).toContain('market_clock  (allowed)');

  model.on(
    { userMessage: 'open', hasToolResult: false },
    { toolCalls: [{ name: 'mcp__desk__market_clock', arguments: '{}' }] },
  );
  model.on({ userMessage: 'open', hasToolResult: true }, { content: 'It is open.' });
  const run = () =>
    world.cli(['run', 'is it open?', '--model', 'gpt', '--base-url', `${model.url}/v1`], {
      env: { TRADE_AGENT_API_KEY: 'sk-test' },
    });
  const first = await run();
  expect(first.code, first.stdout + first.stderr).toBe(0);
  const asked = JSON.stringify(model.getRequests().at(-1)?.body);
  expect(asked).toContain('MCP server desk');
  expect(asked).toContain('is_open');

  // What the owner ends at the provider is told as a sign-in that is needed, and costs no run its end.
  const programs = await (await browser.visit('/phone/programs')).text();
  const [, id = ''] = /programs\/end".*?name="id" value="([^"]+)"/.exec(programs) ?? [];
  await browser.submit('/phone/programs', '/phone/programs/end', { id });
  const after = await run();
  expect(after.code, after.stdout + after.stderr).toBe(0);
  expect(after.stderr).toContain('MCP server desk requires you to sign in; its tools are not available');
  expect(after.stderr).not.toContain('mcp-sdk');

  expect((await world.cli(['mcp', 'servers', 'remove', 'desk'])).code).toBe(0);
  expect((await world.cli(['mcp', 'servers'])).stdout).toContain('No servers');
});
