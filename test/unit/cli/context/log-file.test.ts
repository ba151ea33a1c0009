import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createLogFile, createTracedFetch } from '../../../../src/cli/context/trace.ts';
import { systemClock } from '../../../../src/machine/clock.ts';
import { redactSecrets } from '../../../../src/text/redact.ts';
import { folderOfTest } from '../../../folders.ts';

let folder: string;
beforeEach(() => {
  folder = folderOfTest();
});

describe('the log file', () => {
  it('is the owner’s alone, also where it was not before', () => {
    const file = join(folder, 'log', 'a.log');
    createLogFile(file, systemClock).write('start');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'log')).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder, 'b.log'), '', { mode: 0o644 });
    createLogFile(join(folder, 'b.log'), systemClock).write('start');
    expect(statSync(join(folder, 'b.log')).mode & 0o777).toBe(0o600);
  });

  it('is set aside at a megabyte, three times, and then forgotten', () => {
    const file = join(folder, 'a.log');
    for (let round = 1; round <= 5; round++) {
      writeFileSync(file, `${round}`.repeat(1024 * 1024));
      createLogFile(file, systemClock).write('start');
    }
    expect(readFileSync(file, 'utf8').length).toBeLessThan(200);
    expect([1, 2, 3].map((n) => readFileSync(`${file}.${n}`, 'utf8')[0])).toEqual(['5', '4', '3']);
    expect(existsSync(`${file}.4`)).toBe(false);
  });

  it('that can’t be written stops nothing', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => createLogFile(join(folder, 'file', 'a.log'), systemClock).write('start')).not.toThrow();
  });

  it.each(['eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl', 'sk-proj-abcdefgh1234', 'A'.repeat(43)])(
    'never holds %s',
    (secret) => {
      expect(redactSecrets(`before ${secret} after`)).toBe('before [redacted] after');
    },
  );

  it('redacts every line it writes', () => {
    const file = join(folder, 'a.log');
    createLogFile(file, systemClock).write('error', { message: `refused ${'A'.repeat(43)}` });
    expect(readFileSync(file, 'utf8')).toContain('refused [redacted]');
  });

  it('keeps ids and words', () => {
    const line = '{"url":"http://127.0.0.1:1/v1/orders/61e69015-8549-4bfd-b9c3-01e75843f47d"}';
    expect(redactSecrets(line)).toBe(line);
  });
});

describe('a traced request', () => {
  it('tells method, path and status; neither query nor headers', async () => {
    const told: unknown[] = [];
    const traced = createTracedFetch(
      async () => new Response('secret body', { status: 503 }),
      { ...systemClock, now: () => 0 },
      (facts) => told.push(facts),
    );
    await traced('https://id.example.com/token?code=secret', {
      method: 'POST',
      headers: { authorization: 'secret' },
    });
    expect(told).toEqual([{ method: 'POST', url: 'https://id.example.com/token', status: 503, ms: 0 }]);
  });

  it('that fails tells the network’s own word, and still fails', async () => {
    const told: unknown[] = [];
    const cause = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
    const traced = createTracedFetch(
      () => Promise.reject(new TypeError('fetch failed', { cause })),
      { ...systemClock, now: () => 0 },
      (facts) => told.push(facts),
    );
    await expect(traced('http://127.0.0.1:9/')).rejects.toThrow('fetch failed');
    expect(told).toEqual([{ method: 'GET', url: 'http://127.0.0.1:9/', failure: 'ECONNREFUSED', ms: 0 }]);
  });
});
