import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { programAudience, terminalAudience } from '../../../../src/cli/text/audience.ts';
import { accessText, approvalsText, threadsText } from '../../../../src/cli/text/lists.ts';
import { orderText } from '../../../../src/cli/text/reports.ts';
import { approval, order } from '../sample-events.ts';

const one = { ...approval, id: 'pr_1Vq0M2k3ZzB7cD9e', thread: 'th_4k2m9x7f3a' };
const two = { ...approval, id: 'pr_9aF0M2k3ZzB7cD9e', thread: 'th_7k2m9x7f3a', status: 'executed' as const };
const local = /\d{4}-\d\d-\d\d \d\d:\d\d(?!:)/;

/** No line is wider, and no word is cut: each word of it is one of the whole list's. */
function breaksNothing(text: string, whole: string, width: number): void {
  const words = new Set(whole.split(/\s+/));
  for (const line of text.split('\n')) {
    expect(line.length).toBeLessThanOrEqual(width);
    for (const word of line.split(/\s+/)) {
      const said = word.replace(/\.\.\.$/, '');
      expect(
        [said, `${said},`].some((form) => words.has(form)),
        word,
      ).toBe(true);
    }
  }
}
/** Everything, as a very wide terminal has it. */
const wide = terminalAudience(500);

describe('lists on a terminal', () => {
  beforeAll(() => {
    vi.stubEnv('TZ', 'America/New_York');
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  it('of approvals: short ids, local time, whole words at 80 columns', async () => {
    const text = await approvalsText([one, two], terminalAudience(80));
    expect(text).toContain('pr_1Vq0M2k3  K7QP');
    expect(text).not.toContain(one.id);
    expect(await approvalsText([one], wide)).toMatch(local);
    breaksNothing(text, await approvalsText([one, two], wide), 80);
    expect(await approvalsText([one, two], terminalAudience(80))).toMatchSnapshot();
  });

  it('of threads: what was said loses whole words', async () => {
    const threads = [
      {
        thread: one.thread,
        updated_at: '2026-01-30T14:35:00Z',
        status: 'done' as const,
        prompt: 'please tell me everything there is about my considerable position in Microsoft',
      },
    ];
    const text = await threadsText(threads as never, terminalAudience(80));
    breaksNothing(text, `${await threadsText(threads as never, wide)} ${threads[0]?.prompt}`, 80);
    expect(text).toMatch(/considerable|position|\.\.\.$/);
    expect(text).toMatch(local);
  });

  it('of who may what', async () => {
    const given = {
      ...{ id: '1e3efda0-449e-4802-8935-6c3d1d53e5f4', account: 'alice', role: 'advisor', who: 'carol' },
      ...{ of: 'acme', from: '', granted_at: '', until: '2026-12-30T14:35:00Z', in_force: true },
    };
    const text = await accessText([given as never], terminalAudience(80));
    expect(text).toContain('1e3efda0  alice');
    expect(text).toMatch(local);
    breaksNothing(text, await accessText([given as never], wide), 80);
  });

  it('for a program are whole, and in UTC', async () => {
    const text = await approvalsText([one], programAudience);
    expect(text).toContain(one.id);
    expect(text).toContain(one.thread);
    expect(text).toContain('2026-01-30T14:35:00Z');
    expect(orderText({ ...order, id: '1e3efda0-449e-4802-8935-6c3d1d53e5f4' })).toContain('-6c3d1d53e5f4');
    expect(orderText({ ...order, id: '1e3efda0-449e-4802-8935-6c3d1d53e5f4' }, wide)).not.toContain('-4802');
  });
});
