import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createWorld, options, play, quickClock, type World } from './world.ts';

/** Keeps request bodies byte by byte. */
async function keepingServer() {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.once('end', () => {
      bodies.push(body);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const [content, finish_reason] of [
        ['Hello.', null],
        ['', 'stop'],
      ]) {
        const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason }];
        response.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices })}\n\n`);
      }
      response.end('data: [DONE]\n\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

const agentOn = (world: World, url: string, ahead: number) =>
  world.agent({
    profile: { ...world.profile, model: { provider: 'openai', name: 'small', base_url: url } },
    clock: quickClock(ahead),
  });

/** What a server's prompt cache sees. */
function parts(body: string | undefined) {
  const { tools, messages } = JSON.parse(body ?? '') as { tools: unknown; messages: { content: string }[] };
  return { tools: JSON.stringify(tools), messages: messages.map((message) => JSON.stringify(message)) };
}

it('each turn of a thread begins, byte by byte, with all of the turn before it, minutes later too', async () => {
  const world = await createWorld();
  const { bodies, url } = await keepingServer();
  const first = await play((await agentOn(world, url, 0)).run({ prompt: 'hi' }, options()));
  const { thread } = first.result;
  await play((await agentOn(world, url, 61)).run({ prompt: 'again', thread }, options()));
  await play((await agentOn(world, url, 122)).run({ prompt: 'and again', thread }, options()));
  const [one, two, three] = bodies.map(parts);
  for (const [before, after] of [
    [one, two],
    [two, three],
  ]) {
    expect(after?.tools).toBe(before?.tools);
    expect(after?.messages.slice(0, before?.messages.length)).toEqual(before?.messages);
  }
  expect(three?.messages).toHaveLength(6);
  // Each is told its own minute, behind the person's words.
  const minutes = three?.messages.flatMap((message) => /It was (\S+)Z when/.exec(message)?.[1] ?? []);
  expect(new Set(minutes).size).toBe(3);
  expect(three?.messages[1]).toMatch(/"content":"hi\\n\\n\[It was /);
});

it('two threads of one profile begin with the same bytes up to what the person says', async () => {
  const world = await createWorld();
  const { bodies, url } = await keepingServer();
  await play((await agentOn(world, url, 0)).run({ prompt: 'hi' }, options()));
  await play((await agentOn(world, url, 3600)).run({ prompt: 'good evening' }, options()));
  const [one, two] = bodies.map(parts);
  expect(two?.tools).toBe(one?.tools);
  expect(two?.messages[0]).toBe(one?.messages[0]);
  expect(one?.messages).toHaveLength(2);
  // Nothing of when or who in what all have in common.
  expect(`${one?.tools}${one?.messages[0]}`).not.toMatch(/\d{4}-\d{2}-\d{2}|user is signed in|profile "/);
  // In the body too: the model's name, settings and messages come in the same order.
  const same = [...(bodies[0] ?? '')].findIndex((character, at) => character !== bodies[1]?.[at]);
  expect(bodies[0]?.slice(0, same)).toContain('Prices marked as simulated');
});

it('the person’s words are kept without what was added: provenance goes by them', async () => {
  const world = await createWorld();
  const { url } = await keepingServer();
  const agent = await agentOn(world, url, 0);
  const { result } = await play(agent.run({ prompt: 'hi' }, options()));
  expect((await agent.thread(result.thread)).messages[0]).toEqual({ role: 'user', text: 'hi' });
});
