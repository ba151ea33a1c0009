import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { withDefaultSize } from '../../../../src/cli/terminal/default-size.ts';

const terminal = (columns: number | undefined, rows: number | undefined) =>
  Object.assign(new PassThrough(), { isTTY: true, columns, rows }) as unknown as NodeJS.WriteStream;

describe('a terminal’s size', () => {
  it.each([
    [0, 0],
    [undefined, undefined],
  ])('of %s by %s counts as 80 by 24', (columns, rows) => {
    const { columns: width, rows: height } = withDefaultSize(terminal(columns, rows));
    expect([width, height]).toEqual([80, 24]);
  });

  it('is the terminal’s own otherwise, as it is at the moment', () => {
    const stdout = terminal(132, 43);
    const sized = withDefaultSize(stdout);
    expect([sized.columns, sized.rows]).toEqual([132, 43]);
    stdout.columns = 40;
    expect(sized.columns).toBe(40);
  });

  it('is all that is changed', () => {
    const stdout = terminal(0, 0);
    const sized = withDefaultSize(stdout);
    let resized = 0;
    sized.on('resize', () => resized++);
    stdout.emit('resize');
    sized.write('text');
    expect([resized, String((stdout as unknown as PassThrough).read())]).toEqual([1, 'text']);
  });
});
