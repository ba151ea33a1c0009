import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createInterruption } from '../../../../src/cli/terminal/interruption.ts';

function interruptible() {
  const signals = new EventEmitter();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const exits: number[] = [];
  const interruption = createInterruption({
    on: (event, listener) => signals.on(event, listener),
    off: (event, listener) => signals.off(event, listener),
    exit: (code) => exits.push(code),
    stdout,
    stderr,
  });
  return { signals, stdout, stderr, exits, interruption };
}

afterEach(() => vi.useRealTimers());

describe('an interruption', () => {
  it('aborts the command on the first Ctrl-C, and ends the process on the second', () => {
    const { signals, exits, interruption } = interruptible();
    signals.emit('SIGINT');
    expect(interruption.signal.reason).toMatchObject({ code: 'interrupted' });
    expect(exits).toEqual([]);
    signals.emit('SIGINT');
    expect(exits).toEqual([130]);
    interruption.dispose();
  });

  it('ends a command that does not stop by itself', () => {
    vi.useFakeTimers();
    const { signals, exits, interruption } = interruptible();
    signals.emit('SIGTERM');
    vi.advanceTimersByTime(5000);
    expect(exits).toEqual([130]);
    interruption.dispose();
  });

  it('keeps the time limit, and says which', () => {
    vi.useFakeTimers();
    const { exits, interruption } = interruptible();
    interruption.limit(90_000);
    vi.advanceTimersByTime(89_999);
    expect(interruption.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(interruption.signal.reason).toMatchObject({ code: 'timeout', message: 'did not finish within 90s' });
    vi.advanceTimersByTime(5000);
    expect(exits).toEqual([124]);
    interruption.dispose();
  });

  it('stops the command when the reader of its output goes away', () => {
    const { stdout, interruption } = interruptible();
    stdout.emit('error', Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    expect(interruption.signal.aborted).toBe(true);
    expect(interruption.readerGone).toBe(true);
    interruption.dispose();
  });

  it('stops the command where its result cannot be written, and says why; talk may be lost', () => {
    const { stdout, stderr, interruption } = interruptible();
    const full = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    stderr.emit('error', full());
    expect(interruption.signal.aborted).toBe(false);
    stdout.emit('error', full());
    expect(interruption.signal.reason).toMatchObject({ code: 'output_failed' });
    expect(interruption.outputFailure?.message).toContain('no space left on device');
    expect(interruption.readerGone).toBe(false);
    interruption.dispose();
  });

  it('lets go of the process’s signals afterwards', () => {
    const { signals, interruption } = interruptible();
    interruption.dispose();
    expect(signals.eventNames()).toEqual([]);
  });
});
