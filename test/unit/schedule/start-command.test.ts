import { describe, expect, it } from 'vitest';
import { createScheduledCommand } from '../../../src/schedule/scheduler.ts';

const base = { node: '/usr/bin/node', script: '/x/trade-agent.js', id: 's1', keychain: false };

describe('how the machine starts a run', () => {
  it('takes along where the user’s files are, and nothing else of the environment', () => {
    const { environment } = createScheduledCommand({
      ...base,
      env: {
        TRADE_AGENT_HOME: '/home/me/agent',
        XDG_DATA_HOME: '/home/me/data',
        TRADE_AGENT_REFRESH_TOKEN_FILE: '/home/me/session',
        OPENAI_API_KEY: 'sk-secret',
        DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1/bus',
        PATH: '/usr/bin',
        XDG_STATE_HOME: '',
      },
    });
    expect(environment).toEqual({
      TRADE_AGENT_HOME: '/home/me/agent',
      XDG_DATA_HOME: '/home/me/data',
      TRADE_AGENT_REFRESH_TOKEN_FILE: '/home/me/session',
    });
  });

  it('takes along the way to the keychain where the session is kept there', () => {
    const env = { XDG_RUNTIME_DIR: '/run/user/1', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1/bus' };
    expect(createScheduledCommand({ ...base, keychain: true, env }).environment).toEqual(env);
    const fromFile = { ...env, TRADE_AGENT_REFRESH_TOKEN_FILE: '/s' };
    expect(createScheduledCommand({ ...base, keychain: true, env: fromFile }).environment).toEqual({
      TRADE_AGENT_REFRESH_TOKEN_FILE: '/s',
    });
  });

  it('makes a relative path whole: cron starts in another folder', () => {
    const { environment } = createScheduledCommand({ ...base, env: { TRADE_AGENT_HOME: 'agent' } });
    expect(environment.TRADE_AGENT_HOME).toBe(`${process.cwd()}/agent`);
  });

  it.each(['TRADE_AGENT_REFRESH_TOKEN_FILE', 'TRADE_AGENT_PASSPHRASE_FILE'])(
    'takes a file along that %s names, and refuses an open descriptor, which no later run has',
    (name) => {
      const start = (value: string) => createScheduledCommand({ ...base, env: { [name]: value } });
      expect(start('/home/me/file').environment).toEqual({ [name]: '/home/me/file' });
      expect(() => start('fd:3')).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );

  it.each([['/a\nb'], ['/a\\b'], ['/a\u0000b']])('refuses %j, which an entry can’t say', (path) => {
    expect(() => createScheduledCommand({ ...base, script: path, env: {} })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });
});
