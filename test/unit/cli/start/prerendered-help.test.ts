import { afterEach, describe, expect, it, vi } from 'vitest';

const noTerminal = {};

/** loadPrerenderedHelp with the texts a build would have put in. */
async function withTexts(helpTexts: Record<string, string>) {
  vi.resetModules();
  vi.doMock('../../../../src/cli/start/help-texts.ts', () => ({ helpTexts }));
  return (await import('../../../../src/cli/start/prerendered-help.ts')).loadPrerenderedHelp;
}

afterEach(() => vi.doUnmock('../../../../src/cli/start/help-texts.ts'));

describe('help rendered when the program was built', () => {
  const texts = { '': 'the program', orders: 'orders', 'orders list': 'list of orders' };

  it.each([
    [['--help'], 'the program'],
    [['-h'], 'the program'],
    [['help'], 'the program'],
    [['orders', '--help'], 'orders'],
    [['help', 'orders'], 'orders'],
    [['orders', 'list', '-h'], 'list of orders'],
  ])('answers %j', async (argv, text) => {
    const loadPrerenderedHelp = await withTexts(texts);
    expect(await loadPrerenderedHelp(argv, noTerminal)).toBe(text);
  });

  it.each([
    [['orders']],
    [['nonsense', '--help']],
    [['--no-color', '--help']],
    [['--help', 'orders']],
    [['orders', '--', '--help']],
    // commander's own help command takes one word.
    [['help', 'orders', 'list']],
    [['constructor', '--help']],
    [[]],
  ])('leaves %j to commander', async (argv) => {
    const loadPrerenderedHelp = await withTexts(texts);
    expect(await loadPrerenderedHelp(argv, noTerminal)).toBeUndefined();
  });

  it.each([80, 120, 0, undefined])('is for a terminal of %s columns', async (columns) => {
    const loadPrerenderedHelp = await withTexts(texts);
    const stdout = columns === undefined ? { isTTY: true } : { isTTY: true, columns };
    expect(await loadPrerenderedHelp(['--help'], stdout)).toBe('the program');
  });

  it('is left to commander on a narrower terminal', async () => {
    const loadPrerenderedHelp = await withTexts(texts);
    expect(await loadPrerenderedHelp(['--help'], { isTTY: true, columns: 79 })).toBeUndefined();
  });

  it('is not there when the program runs from its sources', async () => {
    vi.resetModules();
    const { loadPrerenderedHelp } = await import('../../../../src/cli/start/prerendered-help.ts');
    expect(await loadPrerenderedHelp(['--help'], noTerminal)).toBeUndefined();
  });
});
