import { describe, expect, it } from 'vitest';
import { shouldUseColor } from '../../../../src/cli/terminal/io.ts';
import { fakeTerminal } from '../fake-terminal.ts';

describe('color', () => {
  it.each<[string, NodeJS.ProcessEnv, boolean, boolean, boolean]>([
    ['a terminal', {}, true, false, true],
    ['a pipe', {}, false, false, false],
    ['NO_COLOR', { NO_COLOR: '1' }, true, false, false],
    ['an empty NO_COLOR', { NO_COLOR: '' }, true, false, true],
    ['FORCE_COLOR in a pipe', { FORCE_COLOR: '1' }, false, false, true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, false, false],
    ['FORCE_COLOR over NO_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, false, false, true],
    ['--no-color over FORCE_COLOR', { FORCE_COLOR: '1' }, true, true, false],
    ['a CI job', { CI: 'true' }, true, false, false],
    ['a dumb terminal', { TERM: 'dumb' }, true, false, false],
  ])('is decided for %s', (_name, env, isTty, noColor, expected) => {
    expect(shouldUseColor(env, isTty, noColor)).toBe(expected);
  });

  it('paints nothing into a pipe', () => {
    expect(fakeTerminal().io.paint('stderr', 'red', 'error')).toBe('error');
    expect(fakeTerminal({ tty: true }).io.paint('stderr', 'red', 'error')).toBe('\u001b[31merror\u001b[39m');
  });
});

describe('asking', () => {
  it('refuses without a terminal, and says what to do', async () => {
    const { io } = fakeTerminal();
    await expect(io.prompt('Go on? ', new AbortController().signal)).rejects.toMatchObject({ code: 'usage' });
  });

  it('is not done in a CI job, even on a terminal', () => {
    expect(fakeTerminal({ tty: true, env: { CI: 'true' } }).io.interactive).toBe(false);
  });

  it('reads a line on a terminal', async () => {
    const terminal = fakeTerminal({ tty: true });
    const answer = terminal.io.prompt('Go on? ', new AbortController().signal);
    terminal.stdin.write('yes\n');
    expect(await answer).toBe('yes');
    expect(terminal.stderr()).toContain('Go on? ');
  });

  it('ends as interrupted when the terminal ends, as with Ctrl-D', async () => {
    const terminal = fakeTerminal({ tty: true });
    const answer = terminal.io.prompt('Go on? ', new AbortController().signal);
    terminal.stdin.end();
    await expect(answer).rejects.toMatchObject({ code: 'interrupted' });
    expect(terminal.stderr()).toMatch(/\n$/);
  });
});

describe('talk', () => {
  it.each([
    ['goes to the screen that is drawn on the terminal, and back to stderr after it', true],
    ['stays where stderr was redirected to', false],
  ])('%s', (_name, tty) => {
    const { io, stderr } = fakeTerminal({ tty });
    const shown: string[] = [];
    io.divertTalk((line) => shown.push(line));
    io.talk('meanwhile');
    io.divertTalk(undefined);
    io.talk('afterwards');
    expect(shown).toEqual(tty ? ['meanwhile'] : []);
    expect(stderr()).toBe(tty ? 'afterwards\n' : 'meanwhile\nafterwards\n');
  });
});

describe('the locale', () => {
  it.each([
    [{ LANG: 'en_US.UTF-8' }, true],
    [{ LANG: 'en_US.ISO-8859-1' }, false],
    [{ LC_ALL: 'de_DE.ISO-8859-15', LANG: 'en_US.UTF-8' }, false],
    [{ TERM: 'linux' }, false],
    [{ LANG: 'C' }, false],
    [{ LANG: 'C.UTF-8' }, true],
    [{}, true],
  ])('decides about Unicode: %j', (env, unicode) => {
    expect(fakeTerminal({ env }).io.unicode).toBe(unicode);
  });
});
