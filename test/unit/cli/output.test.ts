import { describe, expect, it } from 'vitest';
import { createOutput, reportError, requestedFormat } from '../../../src/cli/output.ts';
import { TradeAgentError } from '../../../src/trading/errors.ts';
import { fakeTerminal } from './fake-terminal.ts';

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
    reportError(
      terminal.io,
      'text',
      new TradeAgentError('broker_rejected', 'no\u001b[2J\u001b]0;x\u0007 funds'),
    );
    expect(terminal.stderr()).toBe('error: no funds\n');
  });

  it.each([
    [['run', 'x', '--output', 'json'], 'json'],
    [['--output=stream-json', 'run'], 'stream-json'],
    [['run', 'x'], 'text'],
    [['run', '--', '--output', 'json'], 'text'],
    [['run', '--output', 'jsno'], 'text'],
    [['run', '--output'], 'text'],
  ])('finds the format in %j', (args, format) => {
    expect(requestedFormat(args)).toBe(format);
  });
});
