import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../../../src/app/app.ts';
import { editConfig } from '../../../../src/app/config.ts';
import { createApp } from '../../../../src/app/create-app.ts';
import { systemClock } from '../../../../src/machine/clock.ts';

const before = '# mine\ndefault_profile: sandbox\n';
const wrong = 'default_profle: sandbox\n';
const right = '# still mine\ndefault_profile: sandbox\n';

let folder: string;
let app: App;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-edit-config-'));
  writeFileSync(join(folder, 'config.yaml'), before, { mode: 0o600 });
  app = createApp({
    env: { TRADE_AGENT_HOME: folder },
    clock: systemClock,
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    signal: new AbortController().signal,
    tell: () => undefined,
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const written = () => readFileSync(join(folder, 'config.yaml'), 'utf8');

/** Somebody who types these one after the other, and goes on as long as there is another. */
function editor(texts: readonly string[]) {
  const left = [...texts];
  const seen: string[] = [];
  const refused: string[] = [];
  return {
    seen,
    refused,
    edit: async (text: string) => {
      seen.push(text);
      return left.shift() ?? text;
    },
    confirmRetry: async ({ message }: Error) => {
      refused.push(message);
      return left.length > 0;
    },
  };
}

describe('config.yaml, edited', () => {
  it('is replaced by what is valid', async () => {
    const result = await editConfig(app, editor([right]));
    expect(result).toEqual({ file: join(folder, 'config.yaml'), changed: true });
    expect(written()).toBe(right);
  });

  it('is not written where nothing was changed', async () => {
    expect(await editConfig(app, editor([before]))).toMatchObject({ changed: false });
    expect(written()).toBe(before);
  });

  it('goes on with the text that was refused, not with the file', async () => {
    const person = editor([wrong, right]);
    expect(await editConfig(app, person)).toMatchObject({ changed: true });
    expect(person.seen).toEqual([before, wrong]);
    expect(person.refused).toEqual([expect.stringContaining('default_profle')]);
  });

  it('stays as it was where the editor gives up', async () => {
    await expect(editConfig(app, editor([wrong]))).rejects.toMatchObject({ code: 'invalid_config' });
    expect(written()).toBe(before);
  });
});
