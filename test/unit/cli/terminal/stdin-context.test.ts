import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readPrompt, readStdin } from '../../../../src/cli/terminal/stdin-context.ts';
import { systemClock } from '../../../../src/machine/clock.ts';
import { manualClock } from '../manual-clock.ts';

const limits = { firstByteMs: 500, endMs: 5000, maxBytes: 16 };

describe('standard input as context', () => {
  it('is read to its end', async () => {
    const stdin = new PassThrough();
    stdin.end('some context');
    expect(await readStdin(stdin, limits, systemClock)).toEqual({ text: 'some context', ended: 'end' });
  });

  it('is nothing where it ends at once, as /dev/null does', async () => {
    const stdin = new PassThrough();
    stdin.end();
    expect(await readStdin(stdin, limits, systemClock)).toBeUndefined();
  });

  it('is not read from a terminal', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    expect(await readStdin(stdin, limits, systemClock)).toBeUndefined();
  });

  it('does not hang on a pipe that stays open and silent', async () => {
    const stdin = new PassThrough();
    const clock = manualClock();
    const reading = readStdin(stdin, limits, clock);
    clock.advance(500);
    expect(await reading).toBeUndefined();
    expect(stdin.destroyed).toBe(true);
  });

  it('goes on with what came where the writer never closes', async () => {
    const stdin = new PassThrough();
    const clock = manualClock();
    const reading = readStdin(stdin, limits, clock);
    stdin.write('half');
    await clock.slept(5000);
    clock.advance(5000);
    expect(await reading).toEqual({ text: 'half', ended: 'open' });
  });

  it('is cut at its size limit, not in the middle of a character', async () => {
    const stdin = new PassThrough();
    stdin.end('fifteen bytes..é and more');
    expect(await readStdin(stdin, limits, systemClock)).toEqual({ text: 'fifteen bytes..', ended: 'cut' });
  });
});

describe('the prompt from standard input', () => {
  it('is read', async () => {
    const stdin = new PassThrough();
    stdin.end('  what do I own\n');
    expect(await readPrompt(stdin, systemClock)).toBe('what do I own');
  });

  it('is refused where it is empty', async () => {
    const stdin = new PassThrough();
    stdin.end('\n');
    await expect(readPrompt(stdin, systemClock)).rejects.toMatchObject({ code: 'usage' });
  });

  it('is refused where only half of it may have come: it could ask for another order', async () => {
    const stdin = new PassThrough();
    const clock = manualClock();
    const reading = readPrompt(stdin, clock);
    stdin.write('sell 1');
    await clock.slept(10_000);
    clock.advance(10_000);
    await expect(reading).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('did not end'),
    });
  });
});
