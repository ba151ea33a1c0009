import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { expect, it, onTestFinished } from 'vitest';
import { growthOf } from '../growth.ts';
import { memoryProbe } from './memory-probe.ts';
import { hasTmux, openTerminal } from './tmux.ts';
import { createWorld } from './world.ts';

/** Of the conversation; in few of them it is what is compiled for the first time that shows. Left out, it is not played. */
const TURNS = Number(process.env.LONG_CHAT_TURNS ?? '0');
/** Each such turn an order is approved and filled. */
const ORDER_EVERY = 8;
const LOOKS = 16;
/** A turn may keep its messages (about 2 KB here) and its scrollback; each question sends all of them. */
const MOST_KB_A_TURN = 16;
it.skipIf(TURNS === 0 || !hasTmux() || process.platform !== 'linux')(
  'a long chat with a language model: tools, orders and fills, and the memory of a turn',
  async () => {
    const world = await createWorld();
    onTestFinished(() => world.close());
    const mock = new LLMock({ port: 0 });
    await mock.start();
    onTestFinished(() => mock.stop());
    await world.login();
    const folder = join(world.folder, 'memory');
    mkdirSync(folder);
    const probe = memoryProbe(folder);
    const terminal = openTerminal({
      args: ['chat', '--model', 'gpt-test', '--base-url', `${mock.url}/v1`],
      env: probe.env({ ...world.env, TRADE_AGENT_API_KEY: 'not-a-key' }),
      columns: 100,
      rows: 30,
    });
    await terminal.shows(/^PAPER[^\n]* · Alice/m);
    const heap: number[] = [];
    for (let turn = 1; turn <= TURNS; turn++) {
      const isOrder = turn % ORDER_EVERY === 0;
      const call = isOrder
        ? { name: 'place_order', arguments: { symbol: 'KO', side: 'buy', qty: String(1 + (turn % 50)) } }
        : { name: 'get_quote', arguments: { symbol: 'AAPL' } };
      const userMessage = `turn ${turn}:`;
      mock.on(
        { userMessage, hasToolResult: false },
        { toolCalls: [{ name: call.name, arguments: JSON.stringify(call.arguments) }] },
      );
      mock.on({ userMessage, hasToolResult: true }, { content: `That was **turn ${turn}** of them.` });
      terminal.type(`turn ${turn}: ${isOrder ? `buy ${1 + (turn % 50)} KO` : 'what is AAPL worth?'}\n`);
      if (isOrder) {
        const [request] = await world.phone.requests('alice', { waitSeconds: 10 });
        if (request === undefined) throw new Error(`nothing was asked:\n${terminal.screen()}`);
        await world.phone.decide(request.id, 'approve');
      }
      await terminal.shows(new RegExp(`That was turn ${turn} of them\\.[\\s\\S]*/help$`, 'm'));
      if (turn % Math.ceil(TURNS / LOOKS) === 0) heap.push((await probe.of(terminal.pid())).heap);
    }
    const kbATurn = (growthOf(heap) * 1024) / (TURNS * (3 / 8));
    console.log(JSON.stringify({ turns: TURNS, heap_mib: heap.map((mib) => Number(mib.toFixed(1))), kbATurn }));
    expect((await world.book()).filter(({ symbol }) => symbol === 'KO')).toHaveLength(Math.floor(TURNS / ORDER_EVERY));
    if (TURNS >= 200) expect(kbATurn).toBeLessThan(MOST_KB_A_TURN);
  },
  TURNS * 5_000 + 60_000,
);
