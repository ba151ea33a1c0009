import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import { streamRunEvents } from '../../../../src/agent/remote/remote-agent.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import { approval, doneResult, executed, messageApproval, order } from '../../../unit/cli/sample-events.ts';
import { options, play } from '../world.ts';
import { hurriedClock, remoteWorld, telling } from './remote-world.ts';

const told: AgentEvent[] = [
  { type: 'thread', thread: 'th_1' },
  { type: 'text', delta: 'I propose: ünïcode\r\n\u2028' },
  { type: 'tool_call', id: 'c1', name: 'place_order', args: { symbol: 'AAPL', nested: { qty: '5' } } },
  { type: 'approval', approval },
  { type: 'notice', message: 'The broker is slow.' },
  { type: 'approval', approval: messageApproval },
  {
    type: 'connection',
    connection: { name: 'slack', status: 'needed', command: 'trade-agent connections add slack' },
  },
  { type: 'approval', approval: executed },
  { type: 'order', order, approval: executed.id },
  { type: 'tool_result', id: 'c1', name: 'place_order', ok: true, summary: 'filled', ms: 12 },
  { type: 'result', result: doneResult },
];
const prompt = { prompt: 'buy 5 AAPL limit 180' };
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
const withoutNotices = (events: readonly AgentEvent[]) =>
  events.filter((event) => event.type !== 'notice' || !/server/.test(event.message));

describe('a run at a server', () => {
  it('tells what the agent there tells', async () => {
    const { agent } = await remoteWorld(telling(told));
    const { events } = await play(agent.run(prompt, options()));
    expect(plain(events)).toEqual(plain(told));
  });

  it('is asked for with all that was said, and nothing of this machine', async () => {
    const { agent, server } = await remoteWorld(telling(told), {
      readOnly: true,
      model: 'gpt-5-mini',
      account: 'PA3ALICE01',
    });
    const mandates = [{ symbols: ['KO'], sides: ['buy'], mandate: 'M-0000000001', slot: '2026-W48' }] as const;
    await play(
      agent.run(
        { ...prompt, thread: 'th_mine', context: 'a,b' },
        { ...options('mandate'), requestedBy: 'chat', ttl: 90, maxTurns: 3, cancelOnExit: true, mandates },
      ),
    );
    expect(server.begun).toEqual([
      {
        input: { ...prompt, thread: 'th_mine', context: 'a,b' },
        options: {
          ...{
            approval: 'mandate',
            requested_by: 'chat',
            ttl: 90,
            max_turns: 3,
            cancel_on_exit: true,
            mandates,
          },
          ...{ read_only: true, model: 'gpt-5-mini', account: 'PA3ALICE01' },
        },
      },
    ]);
  });

  it('goes on where its stream was cut, whatever was told by then: each event once, in order', async () => {
    const cuts = fc.array(fc.integer({ min: 0, max: told.length - 1 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.boolean(), fc.nat(2), async (at, repeats, lostAnswers) => {
        const { agent, server } = await remoteWorld(telling(told));
        // A server that begins again each time gets no further where it is always cut before.
        Object.assign(server.faults, { cuts: [...at], repeats, lostAnswers });
        const { events } = await play(agent.run(prompt, options()));
        expect(plain(withoutNotices(events))).toEqual(plain(told));
        expect(server.begun).toHaveLength(1);
      }),
      { numRuns: 40 },
    );
  });

  it('says once that the server is gone, and once that it is back', async () => {
    const { agent, server } = await remoteWorld(telling(told));
    server.faults.cuts = [2, 0, 0];
    const { events } = await play(agent.run(prompt, options()));
    const notices = events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
    expect(notices).toEqual([
      'The server cannot be reached; the run continues there.',
      'The server is reachable again.',
      'The broker is slow.',
    ]);
  });

  it.each([
    ['lost', { lostAnswers: 2 }],
    ['cut in half', { halfAnswers: 2 }],
    ['a refusal for now', { unavailable: 2 }],
  ])('is begun once where the answer to it was %s', async (_, faults) => {
    const { agent, server } = await remoteWorld(telling(told));
    Object.assign(server.faults, faults);
    const { result } = await play(agent.run(prompt, options()));
    expect(result.status).toBe('done');
    expect(server.asked.filter((one) => one === 'POST /v1/agent/runs')).toHaveLength(3);
    expect(server.begun).toHaveLength(1);
  });

  it('may be going on where no answer ever came, and says so', async () => {
    const { agent, server } = await remoteWorld(telling(told));
    server.faults.lostAnswers = 9;
    const { events, result } = await play(agent.run(prompt, options()));
    expect(events).toHaveLength(1);
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'gateway_unreachable', hint: expect.stringContaining('trade-agent threads') },
    });
    expect(server.begun).toHaveLength(1);
  });

  it('is nowhere where the server cannot be reached', async () => {
    const { agent, server } = await remoteWorld(telling(told));
    await server.stop();
    const { result } = await play(agent.run(prompt, options()));
    expect(result).toMatchObject({ thread: '', status: 'failed', error: { code: 'gateway_unreachable' } });
    expect(result.error?.hint).not.toContain('threads');
  });
});

describe('a signal', () => {
  const waiting = telling([...told.slice(0, 4), { type: 'result', result: { ...doneResult, status: 'pending' } }], {
    holds: true,
  });

  it('stops the run at the server, whose result it is, for the reason that it was stopped for', async () => {
    const { agent, server } = await remoteWorld(waiting);
    const stop = new AbortController();
    const timeout = new TradeAgentError('timeout', 'did not finish within 90s');
    const { result } = await play(agent.run(prompt, options('wait', stop.signal)), (event) => {
      if (event.type === 'approval') stop.abort(timeout);
    });
    expect(result).toMatchObject({ status: 'pending', error: { code: 'timeout' } });
    expect(server.stopped()).toEqual(['th_1']);
  });

  it('before it is begun begins nothing', async () => {
    const { agent, server } = await remoteWorld(waiting);
    const signal = AbortSignal.abort(new TradeAgentError('interrupted', 'stopped'));
    const { result } = await play(agent.run(prompt, options('wait', signal)));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });
    expect(server.asked).toEqual([]);
  });

  it('while the answer is awaited stops what was begun by then', async () => {
    const stop = new AbortController();
    const { agent, server } = await remoteWorld(
      telling([...told.slice(0, 1), { type: 'result', result: doneResult }], {
        holds: true,
        asked: () => stop.abort(new TradeAgentError('interrupted', 'stopped')),
      }),
    );
    const { result } = await play(agent.run(prompt, options('wait', stop.signal)));
    expect(result.error?.code).toBe('interrupted');
    await expect.poll(() => server.stopped()).toEqual(['th_1']);
    expect(server.begun).toHaveLength(1);
  });

  it('ends it here where the server cannot be told, with what was pending by then', async () => {
    const { agent, server } = await remoteWorld(waiting);
    const stop = new AbortController();
    const playing = play(agent.run(prompt, options('wait', stop.signal)), (event) => {
      if (event.type !== 'approval') return;
      server.dropConnections();
      server.faults.unavailable = 99;
      stop.abort(new TradeAgentError('interrupted', 'stopped'));
    });
    const { events, result } = await playing;
    expect(result).toMatchObject({
      status: 'pending',
      approvals: [{ id: approval.id }],
      error: { code: 'interrupted' },
    });
    expect(events).toContainEqual({
      type: 'notice',
      message: expect.stringContaining('trade-agent resume th_1'),
    });
    expect(server.stopped()).toEqual([]);
  });
});

describe('a reader who leaves', () => {
  const held = () => telling([...told.slice(0, 4), { type: 'result', result: doneResult }], { holds: true });

  it.each([
    ['wait', ['th_1']],
    ['detach', []],
  ] as const)('of a run with approval %s', async (mode, stopped) => {
    const { agent, server } = await remoteWorld(held());
    for await (const event of agent.run(prompt, options(mode))) if (event.type === 'approval') break;
    expect(server.stopped()).toEqual(stopped);
  });
});

describe('a stream', () => {
  it('has types of events that are not known here passed over, and none that is malformed', async () => {
    const stream = (...data: unknown[]) =>
      streamRunEvents(
        {
          events: async () =>
            new Response(data.map((one, at) => `id: ${at + 1}\ndata: ${JSON.stringify(one)}\n\n`).join(''))
              .body as ReadableStream<Uint8Array>,
        },
        'rn_1',
        { clock: hurriedClock, signal: new AbortController().signal, notice: () => undefined },
      );
    const result = { type: 'result', result: doneResult };
    const seen: string[] = [];
    for await (const event of stream({ type: 'mood', of: 'the market' }, result)) seen.push(event.type);
    expect(seen).toEqual(['result']);
    const malformed = stream({ type: 'order', order: { ...order, filled_qty: 5 }, approval: 'a' }, result);
    await expect(malformed.next()).rejects.toMatchObject({ code: 'gateway_refused' });
    const { order: _, ...nothingApproved } = approval;
    await expect(stream({ type: 'approval', approval: nothingApproved }, result).next()).rejects.toMatchObject({
      code: 'gateway_refused',
    });
  });
});
