import { describe, expect, it } from 'vitest';
import { createPhoneAlerter } from '../../../../src/cli/run/phone-alerter.ts';
import { createAttention } from '../../../../src/cli/terminal/attention.ts';
import { fakeTerminal } from '../fake-terminal.ts';
import { approval } from '../sample-events.ts';

const BELL = '\u0007';

function rung(env: NodeJS.ProcessEnv, { tty = true, wanted = true } = {}) {
  const terminal = fakeTerminal({ tty });
  const attention = createAttention(terminal.io, env, wanted);
  attention.alert('approval needed on your phone: BUY 5 AAPL; now\u001b]0;x\u0007');
  return { attention, stderr: terminal.stderr, stdout: terminal.stdout };
}

describe('a call to the person', () => {
  it('rings the bell and names it in the title, on stderr', () => {
    const { stderr, stdout, attention } = rung({ TERM: 'xterm-256color' });
    expect(stderr()).toBe(
      `${BELL}\u001b[22;2t\u001b]2;trade-agent: approval needed on your phone: BUY 5 AAPL, now ]0,x ${BELL}`,
    );
    attention.clear();
    attention.clear();
    expect(stderr().split('\u001b[23;2t')).toHaveLength(2);
    expect(stdout()).toBe('');
  });

  it.each([
    [{ TERM_PROGRAM: 'iTerm.app' }, '\u001b]9;approval needed on your phone'],
    [{ TERM: 'foot' }, '\u001b]777;notify;trade-agent;approval needed on your phone'],
  ])('is a notification where the terminal knows one: %j', (env, sequence) => {
    expect(rung(env).stderr()).toContain(sequence);
  });

  it('is no notification within tmux', () => {
    expect(rung({ TERM_PROGRAM: 'iTerm.app', TMUX: 'x' }).stderr()).not.toContain('\u001b]9');
  });

  it.each([
    ['a pipe', {}, { tty: false }],
    ['who wants none', {}, { wanted: false }],
    ['a dumb terminal', { TERM: 'dumb' }, {}],
  ])('is silent for %s', (_, env, options) => {
    expect(rung(env, options).stderr()).toBe('');
  });

  it('comes once for each approval, and ends once none waits', () => {
    const calls: string[] = [];
    const call = createPhoneAlerter({ alert: (text) => calls.push(text), clear: () => calls.push('cleared') });
    call([]);
    call([approval]);
    call([approval]);
    call([approval, { ...approval, id: 'pr_2' }]);
    call([{ ...approval, status: 'executing' }]);
    call([]);
    const line = 'approval needed on your phone: BUY 5 AAPL, limit $180.00';
    expect(calls).toEqual([line, line, 'cleared']);
  });
});
