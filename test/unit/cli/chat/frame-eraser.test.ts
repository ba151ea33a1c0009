import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createFrameEraser } from '../../../../src/cli/chat/start-chat.tsx';

const ERASE = '\u001b[2K\u001b[1A\u001b[2K';

function terminal(columns: number, env: NodeJS.ProcessEnv) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 24 });
  let written = '';
  stream.on('data', (chunk: Buffer) => {
    written += chunk.toString('utf8');
  });
  const stdout = createFrameEraser(stream, env);
  return {
    stream,
    stdout,
    /** How many rows it goes up by where Ink itself goes up by one. */
    erased(text = '') {
      written = '';
      stdout.write(ERASE + text);
      return written.match(/\u001b\[1A/g)?.length;
    },
  };
}

describe('a terminal that grows narrower', () => {
  it('gets as many rows more erased as its wrapping of the frame made, once', () => {
    const { stream, stdout, erased } = terminal(80, { TERM: 'xterm-256color' });
    stdout.write(`${'─'.repeat(80)}\nshort\n${'x'.repeat(45)}\n`);
    // The end of a synchronized update is no frame.
    stdout.write('\u001b[?2026l');
    stream.columns = 40;
    expect(erased(`${'y'.repeat(90)}\n`)).toBe(3);
    stream.columns = 80;
    expect(erased()).toBe(2);
    expect(erased()).toBe(1);
  });

  it('is asked how wide it is at the moment, since the signal of a change comes late', () => {
    const { stream, stdout, erased } = terminal(80, {});
    Object.assign(stream, { getWindowSize: () => [40, 24] });
    stdout.write(`${'x'.repeat(80)}\n`);
    expect(erased()).toBe(2);
  });

  it('gets nothing more erased where it cuts lines off instead of wrapping them', () => {
    const { stream, stdout, erased } = terminal(80, { TERM: 'linux' });
    stdout.write(`${'x'.repeat(80)}\n`);
    stream.columns = 40;
    expect(erased()).toBe(1);
  });
});
