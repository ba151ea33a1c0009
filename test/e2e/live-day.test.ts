import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { growthOf, middle } from '../growth.ts';
import { type Memory, memoryProbe } from './memory-probe.ts';
import { hasTmux, openTerminal } from './tmux.ts';
import { createWorld } from './world.ts';
import { worldClock } from './world-clock.ts';

/** Of the market's time: 8 take some five minutes. */
const HOURS = Number(process.env.LIVE_DAY_HOURS ?? '0.2');
/** So many times as fast as real time, but for as long as an order waits for the phone: it would expire. */
const RATE = 120;
const FILL_EVERY = 8;
/** The first requests compile and fill what is kept. */
const WARM_UP_MS = 3_000;
/** How often its memory is looked at; a whole day's looks tell growth from what is compiled and cached once. */
const LOOKS = 16;
/** From the earlier to the later half of a day: what a look may differ by from the next. */
const MOST_HEAP_MIB = 0.5;
const MOST_RESIDENT_MIB = 8;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it.skipIf(!hasTmux() || process.platform !== 'linux')(
  `a day of the market in a live portfolio: each price and fill within a second, no flicker, no more memory`,
  async () => {
    const file = join(process.env.TMPDIR ?? '/tmp', `trade-agent-day-${process.pid}.json`);
    const clock = worldClock(file);
    const start = Date.UTC(2026, 10, 24, 14, 30);
    let [world0, real0, rate] = [start, Date.now(), 1];
    const now = () => world0 + (Date.now() - real0) * rate;
    const goOn = (by: number) => {
      [world0, real0, rate] = [now(), Date.now(), by];
      clock.set(world0, by);
    };
    goOn(1);
    const world = await createWorld({ env: clock.env });
    onTestFinished(() => world.close());
    const memories = join(world.folder, 'memory');
    mkdirSync(memories);
    const probe = memoryProbe(memories);
    await world.login();
    const terminal = openTerminal({
      args: ['portfolio', '--watch'],
      env: { ...world.env, ...probe.env(clock.env) },
      columns: 100,
      rows: 32,
    });
    const written = join(world.folder, 'written');
    const bytes = () => readFileSync(written).length;
    await terminal.shows(/AAPL/);
    terminal.record(written);
    goOn(RATE);
    /** Milliseconds until it stands on the screen. */
    const seenAfter = async (pattern: RegExp, since: number) => {
      while (!pattern.test(terminal.screen())) {
        if (Date.now() - since > 10_000) throw new Error(`${pattern} never came:\n${terminal.screen()}`);
        await pause(20);
      }
      return Date.now() - since;
    };
    await pause(WARM_UP_MS);
    const memory: Memory[] = [];
    const look = async () => memory.push(await probe.of(terminal.pid()));
    await look();
    const lags = { price: [] as number[], fill: [] as number[] };
    const rates = { idle: [] as number[], busy: [] as number[] };
    const from = now();
    const passed = () => (now() - from) / 3_600_000;
    for (let round = 0; passed() < HOURS; round++) {
      const price = (200 + (round % 100) + 0.37).toFixed(2);
      const [at, had] = [Date.now(), bytes()];
      await world.setPrice('AAPL', price);
      lags.price.push(await seenAfter(new RegExp(`AAPL .*\\$${price.replace('.', '\\.')}`), at));
      rates.busy.push((bytes() - had) / ((Date.now() - at) / 1_000));
      if (round % FILL_EVERY === 1) lags.fill.push(await filled(round));
      const [quietAt, quiet] = [Date.now(), bytes()];
      await pause(1_000);
      rates.idle.push((bytes() - quiet) / ((Date.now() - quietAt) / 1_000));
      if (passed() >= (memory.length * HOURS) / LOOKS) await look();
    }
    async function filled(round: number): Promise<number> {
      const known = (await world.book()).length;
      const qty = 1 + (round % 50);
      goOn(1);
      const asked = await world.cli(['order', 'buy', 'KO', '--qty', String(qty), '--approval', 'detach']);
      const [request] = await world.phone.requests('alice', { waitSeconds: 5 });
      if (request === undefined) throw new Error(`nothing was asked: ${asked.stderr}`);
      await world.phone.decide(request.id, 'approve');
      goOn(RATE);
      while ((await world.book()).length === known) await pause(10);
      return seenAfter(new RegExp(`Bought ${qty} KO at`), Date.now());
    }
    const output = readFileSync(written, 'utf8');
    const figures = {
      market_hours: Number(passed().toFixed(1)),
      ...{ prices: lags.price.length, fills: lags.fill.length },
      price_ms: [middle(lags.price), Math.max(...lags.price)],
      fill_ms: [middle(lags.fill), Math.max(0, ...lags.fill)],
      heap_mib: memory.map(({ heap }) => Number(heap.toFixed(1))),
      resident_mib: memory.map(({ resident }) => Math.round(resident)),
      idle_bytes_s: Math.round(middle(rates.idle)),
      busy_bytes_s: Math.round(middle(rates.busy)),
      cleared: output.match(/\u001b\[[0-3]?J/g)?.length ?? 0,
    };
    console.log(JSON.stringify(figures));
    expect(figures.cleared).toBe(0);
    expect(output.match(/\u001b\[\?2026h/g)?.length).toBe(output.match(/\u001b\[\?2026l/g)?.length);
    // The middle one, of few in the short form: a machine with other work to do delays single ones, and this test's own looking as well.
    const bound = HOURS < 1 ? 2_000 : 1_000;
    expect(figures.price_ms[0]).toBeLessThan(bound);
    if (lags.fill.length > 0) expect(figures.fill_ms[0]).toBeLessThan(bound);
    expect(figures.idle_bytes_s).toBeLessThan(4_096);
    const heap = memory.map((one) => one.heap);
    const resident = memory.map((one) => one.resident);
    expect(heap.at(-1)).toBeLessThan(1.5 * (heap[0] ?? 0));
    if (HOURS >= 8) {
      expect(growthOf(heap)).toBeLessThan(MOST_HEAP_MIB);
      expect(growthOf(resident)).toBeLessThan(MOST_RESIDENT_MIB);
    }
    expect(terminal.screen()).not.toMatch(/STALE/);
  },
  HOURS * 90_000 + 60_000,
);
