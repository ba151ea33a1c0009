import { describe, expect, it } from 'vitest';
import { flagVariableName, readFlagsFromEnvironment } from '../../../../src/cli/options/flag-environment.ts';
import { createProgramForDocs, listAllCommands } from '../../../../src/cli/program.ts';

/** The command, with flags from the command line and the environment. */
async function parsed(path: string, flags: string[], env: NodeJS.ProcessEnv) {
  const program = await createProgramForDocs();
  const command = path
    .split(' ')
    .reduce((at, name) => at.commands.find((child) => child.name() === name) ?? at, program);
  command.parseOptions(flags);
  readFlagsFromEnvironment(command, env);
  return command.optsWithGlobals();
}

describe('a flag that the command line leaves out', () => {
  it('is read from its variable, as the flag would be', async () => {
    expect(await parsed('run', [], { TRADE_AGENT_TIMEOUT: '90s', TRADE_AGENT_MAX_TURNS: '3' })).toMatchObject({
      timeout: 90_000,
      maxTurns: 3,
    });
    expect(await parsed('phone login', [], { TRADE_AGENT_PHONE_USER: 'bob' })).toMatchObject({ user: 'bob' });
    expect(await parsed('sandbox', [], { TRADE_AGENT_SANDBOX_FAULT: 'idp_5xx:1, slow_down' })).toMatchObject({
      fault: ['idp_5xx:1', 'slow_down'],
    });
  });

  it('names a profile or a server, of which the one on the command line stands in the place of both', async () => {
    const both = { TRADE_AGENT_PROFILE: 'work', TRADE_AGENT_SERVER: 'https://agents.example' };
    const chosen = async (flags: string[], env: NodeJS.ProcessEnv) => {
      const program = await createProgramForDocs();
      program.parseOptions(flags);
      readFlagsFromEnvironment(program, env);
      const { profile, server } = program.opts();
      return { profile, server };
    };
    expect(await chosen(['--server', 'https://other.example'], both)).toEqual({
      server: 'https://other.example',
    });
    expect(await chosen(['--profile', 'home'], both)).toEqual({ profile: 'home' });
    const { TRADE_AGENT_SERVER } = both;
    expect(await chosen([], { TRADE_AGENT_SERVER })).toEqual({ server: TRADE_AGENT_SERVER });
  });

  it('yields to the command line', async () => {
    expect(await parsed('run', ['--model', 'a'], { TRADE_AGENT_MODEL: 'b' })).toMatchObject({ model: 'a' });
  });

  it.each([
    ['1', true],
    ['yes', true],
    ['0', false],
    ['false', false],
  ])('is a switch that %s turns %s', async (text, value) => {
    expect((await parsed('run', [], { TRADE_AGENT_READ_ONLY: text })).readOnly).toBe(value);
    expect((await parsed('logout', [], { TRADE_AGENT_LOGOUT_ALL: text })).all).toBe(value);
  });

  it.each([
    [{ TRADE_AGENT_READ_ONLY: 'perhaps' }, /TRADE_AGENT_READ_ONLY can't be "perhaps"/],
    [{ TRADE_AGENT_APPROVAL: 'dney' }, /TRADE_AGENT_APPROVAL: Did you mean deny/],
    [{ TRADE_AGENT_TIMEOUT: '5' }, /TRADE_AGENT_TIMEOUT: "5" is not a duration/],
  ])('is refused where its variable is wrong: %j', async (env, message) => {
    await expect(parsed('run', [], env)).rejects.toThrow(message);
  });

  it.each([
    [
      'phone',
      { TRADE_AGENT_PHONE_DECIDE: 'approve' },
      /TRADE_AGENT_PHONE_DECIDE is set, but this option can only be given on the command line/,
    ],
    ['phone', { TRADE_AGENT_PHONE_DECIDE: 'deny' }, /only be given on the command line/],
    ['profile remove', { TRADE_AGENT_PROFILE_REMOVE_YES: '1' }, /only be given on the command line/],
    ['schedule add', { TRADE_AGENT_SCHEDULE_ADD_YES: '1' }, /only be given on the command line/],
    ['check', { TRADE_AGENT_CHECK_SUGGEST: '1' }, /only be given on the command line/],
    ['orders buy', { TRADE_AGENT_ORDERS_BUY_QTY: '5' }, /only be given on the command line/],
    ['orders replace', { TRADE_AGENT_ORDERS_REPLACE_LIMIT: '5' }, /only be given on the command line/],
    [
      'run',
      { TRADE_AGENT_APPROVAL: 'detach' },
      /TRADE_AGENT_APPROVAL is set, but this option can only be given on the command line/,
    ],
    ['schedule add', { TRADE_AGENT_APPROVAL: 'wait' }, /only be given on the command line/],
  ])('is refused where it decides about money: %s %j', async (path, env, message) => {
    await expect(parsed(path, [], env)).rejects.toThrow(message);
    await expect(parsed(path, [], env)).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('command line'),
    });
  });

  it('may decide about money on the command line, whatever its variable says', async () => {
    const env = { TRADE_AGENT_PHONE_DECIDE: 'approve', TRADE_AGENT_APPROVAL: 'detach' };
    expect(await parsed('phone', ['--decide', 'ask'], env)).toMatchObject({ decide: 'ask' });
    expect(await parsed('run', ['--approval', 'wait'], env)).toMatchObject({ approval: 'wait' });
  });

  it('may be told by its variable to ask nobody', async () => {
    expect(await parsed('run', [], { TRADE_AGENT_APPROVAL: 'deny' })).toMatchObject({ approval: 'deny' });
  });

  it('has a variable, and no two flags that differ share one', async () => {
    const program = await createProgramForDocs();
    const flags = new Map<string, Set<string>>();
    for (const command of [program, ...listAllCommands(program)]) {
      for (const option of command.options) {
        const name = flagVariableName(command, option);
        // Each flag of those says what is to be traded.
        if (name === undefined && /^(buy|sell|replace|cancel)$/.test(command.name())) continue;
        if (name === undefined)
          expect([
            '--version',
            '--no-color',
            '--decide',
            '--yes',
            '--confirm',
            '--suggest',
            '--lift',
            '--confirm-live',
            '--max-order',
            '--tool',
            '--max-day-orders',
          ]).toContain(option.long);
        else flags.set(name, (flags.get(name) ?? new Set()).add(option.flags.split(' ')[0] ?? ''));
      }
    }
    expect([...flags].filter(([, names]) => names.size > 1)).toEqual([]);
    // These mean something else.
    for (const taken of ['HOME', 'SANDBOX', 'API_KEY', 'LOG', 'HISTORY']) {
      expect(flags.has(`TRADE_AGENT_${taken}`)).toBe(false);
    }
  });
});
