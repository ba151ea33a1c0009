import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { readStdin, toPrompt } from '../../../../src/cli/terminal/stdin-context.ts';
import { systemClock } from '../../../../src/machine/clock.ts';
import { manualClock } from '../manual-clock.ts';

const limits = { firstByteMs: 500, endMs: 5000, maxBytes: 16 };

describe('standard input as context', () => {
  it.each([
    ['is read to its end', 'some context', { text: 'some context', ended: 'end' }],
    ['is nothing where it ends at once, as /dev/null does', '', { text: '', ended: 'end' }],
    // "é" takes two bytes.
    ['is cut at its size limit, between characters', 'fifteen bytes..é', { text: 'fifteen bytes..', ended: 'cut' }],
  ])('%s', async (_, written, read) => {
    const stdin = new PassThrough();
    stdin.end(written);
    expect(await readStdin(stdin, limits, { clock: systemClock })).toEqual(read);
  });

  it('is not read from a terminal', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    expect(await readStdin(stdin, limits, { clock: systemClock })).toEqual({ text: '', ended: 'end' });
  });

  it('does not hang on a pipe that stays open and silent', async () => {
    const stdin = new PassThrough();
    const clock = manualClock();
    const reading = readStdin(stdin, limits, { clock });
    clock.advance(500);
    expect(await reading).toEqual({ text: '', ended: 'open' });
    expect(stdin.destroyed).toBe(true);
  });

  it('goes on with what came where the writer never closes', async () => {
    const stdin = new PassThrough();
    const clock = manualClock();
    const reading = readStdin(stdin, limits, { clock });
    stdin.write('half');
    await clock.slept(5000);
    clock.advance(5000);
    expect(await reading).toEqual({ text: 'half', ended: 'open' });
  });

  it('is waited for where somebody is there to write it, however long that takes', async () => {
    const stdin = new PassThrough();
    const clock = manualClock();
    const asked: boolean[] = [];
    const keepWaiting = (came: boolean) => asked.push(came) > 0;
    const reading = readStdin(stdin, { firstByteMs: 500, keepWaiting, maxBytes: 16 }, { clock });
    clock.advance(500);
    await vi.waitFor(() => expect(asked).toEqual([false]));
    clock.advance(3_600_000);
    stdin.write('late');
    clock.advance(3_600_000);
    stdin.end(' words');
    expect(await reading).toEqual({ text: 'late words', ended: 'end' });
    expect(asked).toEqual([false]);
  });

  it('ends with the signal, as a time limit ends it', async () => {
    const stdin = new PassThrough();
    const stop = new AbortController();
    const until = { clock: manualClock(), signal: stop.signal };
    const reading = readStdin(stdin, { maxBytes: 16 }, until);
    stop.abort(new Error('out of time'));
    await expect(reading).rejects.toThrow('out of time');
    expect(stdin.destroyed).toBe(true);
  });
});

describe('the prompt from standard input', () => {
  it('is what was said, without the space around it', () => {
    expect(toPrompt({ text: '  what do I own\n', ended: 'end' })).toBe('what do I own');
  });

  it('is refused where it is empty', () => {
    expect(() => toPrompt({ text: '\n', ended: 'end' })).toThrow('has no prompt');
  });

  it('is refused where only half of it may have come: it could ask for another order', () => {
    expect(() => toPrompt({ text: 'sell 1', ended: 'cut' })).toThrow('longer than');
  });
});
