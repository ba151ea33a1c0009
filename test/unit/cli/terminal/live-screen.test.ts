import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { frameDiff, openLiveScreen } from '../../../../src/cli/terminal/live-screen.ts';
import { manualClock } from '../manual-clock.ts';

describe('from one frame to the next', () => {
  it('only rows that differ are written', () => {
    expect(frameDiff(['a', 'b', 'c'], ['a', 'B', 'c'])).toBe('\u001b[2;1HB\u001b[K');
    expect(frameDiff(['a'], ['a'])).toBe('');
    expect(frameDiff(['a', 'b'], ['a'])).toBe('\u001b[2;1H\u001b[K');
    expect(frameDiff([], ['a'])).toBe('\u001b[1;1Ha\u001b[K');
  });
});

function opened() {
  const clock = manualClock(0);
  const written: string[] = [];
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  stdout.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
  let quits = 0;
  let resizes = 0;
  const screen = openLiveScreen({
    stdout,
    stdin,
    clock,
    quit: () => quits++,
    resized: () => resizes++,
  });
  return { clock, written, stdin, stdout, raw, screen, quits: () => quits, resizes: () => resizes };
}

describe('the live screen', () => {
  it('shows ten frames a second at most, and of those that came between the last', async () => {
    const { clock, written, screen } = opened();
    await expect.poll(() => written.length).toBe(1);
    screen.show(['one']);
    screen.show(['two']);
    screen.show(['three']);
    await clock.slept(100);
    expect(written.join('')).toContain('one');
    expect(written.join('')).not.toContain('two');
    clock.advance(100);
    await expect.poll(() => written.join('')).toContain('three');
    expect(written.join('')).not.toContain('two');
  });

  it.each(['q', '\u001b', '\u0003'])('is left by %j', async (key) => {
    const { stdin, quits } = opened();
    stdin.write(key);
    await expect.poll(quits).toBe(1);
  });

  it('is not left by an arrow', async () => {
    const { stdin, quits } = opened();
    stdin.write('\u001b[A');
    stdin.write('x');
    await new Promise(setImmediate);
    expect(quits()).toBe(0);
  });

  it('is made again at another size, and gives the terminal back as it was', async () => {
    const { stdout, screen, resizes, written, raw } = opened();
    screen.show(['one']);
    stdout.emit('resize');
    expect(resizes()).toBe(1);
    screen.close();
    screen.close();
    await expect.poll(() => written.join('').endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    expect(raw).toEqual([true, false]);
  });
});
