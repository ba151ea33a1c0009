import { describe, expect, it } from 'vitest';
import { createOutput, parseRequestedFormat, reportError } from '../../../../src/cli/context/output.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import { fakeTerminal } from '../fake-terminal.ts';

const denied = new TradeAgentError('approval_denied', 'you said no', { hint: 'ask again' });

describe('output', () => {
  it('writes JSON with its schema on one line where stdout is no terminal', async () => {
    const terminal = fakeTerminal();
    await createOutput(terminal.io, 'json').result('whoami', { user: 'alice' }, () => 'Alice');
    expect(terminal.stdout()).toBe('{"schema":"trade-agent.whoami/1","user":"alice"}\n');
  });

  it('indents JSON for a person', async () => {
    const terminal = fakeTerminal({ tty: true });
    await createOutput(terminal.io, 'json').result('whoami', { user: 'alice' }, () => 'Alice');
    expect(terminal.stdout()).toContain('\n  "user": "alice"\n');
  });

  it('writes text for people, and no events', async () => {
    const terminal = fakeTerminal();
    const output = createOutput(terminal.io, 'text');
    output.event({ type: 'thread' });
    await output.result('whoami', { user: 'alice' }, () => 'Alice');
    expect(terminal.stdout()).toBe('Alice\n');
  });

  it('writes one event a line under stream-json', async () => {
    const terminal = fakeTerminal();
    const output = createOutput(terminal.io, 'stream-json');
    output.event({ type: 'thread', thread: 'th_1' });
    await output.result('run', { status: 'done' }, () => '');
    expect(
      terminal
        .stdout()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { type: 'thread', thread: 'th_1' },
      { schema: 'trade-agent.run/1', status: 'done' },
    ]);
  });

  it('reports an error as text on stderr, with its hint, and leaves stdout alone', () => {
    const terminal = fakeTerminal();
    expect(reportError(terminal.io, 'text', denied)).toBe(6);
    expect(terminal.stderr()).toBe('error: you said no\nhint: ask again\n');
    expect(terminal.stdout()).toBe('');
  });

  it('reports an error as an object on stdout under json', () => {
    const terminal = fakeTerminal();
    expect(reportError(terminal.io, 'json', denied)).toBe(6);
    expect(JSON.parse(terminal.stdout())).toEqual({
      schema: 'trade-agent.error/1',
      error: { code: 'approval_denied', message: 'you said no', hint: 'ask again' },
    });
  });

  it('never prints the cause or the stack of an error', () => {
    const terminal = fakeTerminal();
    const cause = new Error('body with SECRET-TOKEN');
    reportError(terminal.io, 'text', new TradeAgentError('provider_error', 'no usable answer', { cause }));
    expect(terminal.stderr()).not.toContain('SECRET-TOKEN');
    expect(terminal.stderr()).not.toMatch(/^\s+at /m);
  });

  it('keeps escape sequences in a message from reaching the terminal', () => {
    const terminal = fakeTerminal();
    reportError(terminal.io, 'text', new TradeAgentError('broker_rejected', 'no\u001b[2J\u001b]0;x\u0007 funds'));
    expect(terminal.stderr()).toBe('error: no funds\n');
  });

  const hostile =
    '5\u007f\u0085\u009b2J\u009f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e081\u2060\u2066\u2069\ufeff\u{e0041}é😀';
  const shown =
    '5\\u007f\\u0085\\u009b2J\\u009f\\u00ad\\u061c\\u200b\\u200e\\u200f\\u2028\\u2029\\u202a\\u202e081\\u2060\\u2066\\u2069\\ufeff\\udb40\\udc41é😀';

  it('escapes in JSON what a terminal heeds or does not show, and means the same', async () => {
    const terminal = fakeTerminal();
    await createOutput(terminal.io, 'json').result('quote', { [hostile]: hostile }, () => '');
    createOutput(terminal.io, 'stream-json').event({ text: hostile });
    reportError(terminal.io, 'json', new TradeAgentError('broker_rejected', hostile));
    const [result = '', event = '', error = ''] = terminal.stdout().trim().split('\n');
    expect(result).toContain(`"${shown}":"${shown}"`);
    expect(event).toBe(`{"text":"${shown}"}`);
    expect(error).toContain(`"message":"${shown}"`);
    expect(JSON.parse(result)).toEqual({ schema: 'trade-agent.quote/1', [hostile]: hostile });
    expect(JSON.parse(event)).toEqual({ text: hostile });
  });

  it('escapes them in indented JSON too, and keeps its lines', async () => {
    const terminal = fakeTerminal({ tty: true });
    await createOutput(terminal.io, 'json').result('quote', { text: hostile }, () => '');
    expect(terminal.stdout()).toContain(`\n  "text": "${shown}"\n`);
  });

  it.each([
    [['run', 'x', '--output', 'json'], 'json'],
    [['--output=stream-json', 'run'], 'stream-json'],
    [['run', 'x'], 'text'],
    [['run', '--', '--output', 'json'], 'text'],
    [['run', '--output', 'jsno'], 'text'],
    [['run', '--output'], 'text'],
  ])('finds the format in %j', (args, format) => {
    expect(parseRequestedFormat(args)).toBe(format);
  });
});
