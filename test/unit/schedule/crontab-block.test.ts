import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appendCrontabBlock,
  crontabBlock,
  findCrontabBlock,
  removeCrontabBlock,
} from '../../../src/schedule/crontab.ts';

const command = {
  node: '/usr/bin/node',
  script: '/opt/trade-agent/bin/trade-agent.js',
  args: ['schedule', 'run', 's1'],
  environment: {},
};
const block = crontabBlock('s1', command, [0, 15, 30, 45]);
const bytes = (text: string) => Buffer.from(text);

describe('a schedule’s lines in the crontab', () => {
  it('are one entry between two marks', () => {
    expect(block.split('\n')).toEqual([
      expect.stringMatching(/^# trade-agent schedule s1 begins/),
      '0,15,30,45 * * * * /usr/bin/node /opt/trade-agent/bin/trade-agent.js schedule run s1',
      '# trade-agent schedule s1 ends',
      '',
    ]);
  });

  it('escape what cron and the shell would take for something else', () => {
    const odd = crontabBlock(
      's1',
      { ...command, script: "/o'brien/100% $HOME/x.js", environment: { TRADE_AGENT_HOME: '/my home' } },
      Array.from({ length: 60 }, (_, minute) => minute),
    );
    expect(odd.split('\n')[1]).toBe(
      `* * * * * /usr/bin/env TRADE_AGENT_HOME='/my home' /usr/bin/node '/o'\\''brien/100\\% $HOME/x.js' schedule run s1`,
    );
  });

  it('are refused where cron would cut them off', () => {
    expect(() => crontabBlock('s1', { ...command, script: `/${'x'.repeat(1000)}` }, [0])).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('998') }),
    );
  });

  it('go in and out, and leave every other byte as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (before, after) => {
        // A crontab that does not end its last line can't be installed; the line is ended.
        const foreign = Buffer.from(before.length > 0 ? [...before, 10] : []);
        const later = Buffer.from(after);
        const all = Buffer.concat([appendCrontabBlock(foreign, block), later]);
        expect(findCrontabBlock(all, 's1')).toBe(block);
        expect(removeCrontabBlock(all, 's1')).toEqual(Buffer.concat([foreign, later]));
      }),
    );
  });

  it('end the last line of a crontab that does not end it itself', () => {
    expect(appendCrontabBlock(bytes('0 1 * * * mine'), block).toString()).toBe(`0 1 * * * mine\n${block}`);
  });

  it('of another schedule stay', () => {
    const other = crontabBlock('s2', command, [5]);
    const both = appendCrontabBlock(appendCrontabBlock(bytes('# mine\n'), other), block);
    expect(removeCrontabBlock(both, 's1')?.toString()).toBe(`# mine\n${other}`);
    expect(findCrontabBlock(both, 's')).toBeUndefined();
  });

  it('are found by the marks after somebody changed the entry', () => {
    const edited = block.replace('0,15,30,45', '*/5');
    expect(findCrontabBlock(bytes(edited), 's1')).toBe(edited);
    expect(removeCrontabBlock(bytes(edited), 's1')?.toString()).toBe('');
  });

  it.each([
    ['the end is gone', block.split('\n').slice(0, 2).join('\n')],
    ['the beginning is gone', block.split('\n').slice(1).join('\n')],
    ['somebody’s own line stands between', block.replace('\n', '\n5 4 * * * mine\n')],
  ])('are not taken out where %s', (_what, crontab) => {
    expect(findCrontabBlock(bytes(crontab), 's1')).toBeUndefined();
    expect(() => removeCrontabBlock(bytes(crontab), 's1')).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });

  it('that are not there are nothing to take out', () => {
    expect(removeCrontabBlock(bytes('# mine\n'), 's1')).toBeUndefined();
  });
});
