import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { isHistoryEnabled, isStorableEntry, openInputHistory } from '../../../../src/cli/chat/input-history.ts';
import { folderOfTest } from '../../../folders.ts';

let folder: string;
beforeEach(() => {
  folder = folderOfTest();
});

const file = () => join(folder, 'history.jsonl');
const mode = () => statSync(file()).mode & 0o777;

describe('the history of what was typed', () => {
  it('is there the next time, entries of several lines whole, each once in a row, for its owner alone', () => {
    const first = openInputHistory(folder);
    for (const entry of ['what do I own', 'what do I own', 'buy 5 AAPL\nlimit 180']) first.add(entry);
    // Before it is opened again: opening closes a file that is open to others.
    expect(mode()).toBe(0o600);
    expect(openInputHistory(folder).entries).toEqual(['what do I own', 'buy 5 AAPL\nlimit 180']);
  });

  it('closes a file that others could read', () => {
    writeFileSync(file(), '"quote AAPL"\n');
    chmodSync(file(), 0o644);
    expect(openInputHistory(folder).entries).toEqual(['quote AAPL']);
    expect(mode()).toBe(0o600);
  });

  it('survives a broken line and a folder that can’t be written', () => {
    writeFileSync(file(), '{"not":"text"}\n"one"\n"cut o');
    expect(openInputHistory(folder).entries).toEqual(['one']);
    const nowhere = openInputHistory(join(file(), 'below-a-file'));
    nowhere.add('what do I own');
    expect(nowhere.entries).toEqual([]);
  });

  it('does not grow without end', () => {
    writeFileSync(file(), Array.from({ length: 2500 }, (_, index) => `"quote ${index}"\n`).join(''));
    expect(openInputHistory(folder).entries).toHaveLength(1000);
    expect(readFileSync(file(), 'utf8').trim().split('\n')).toHaveLength(1000);
    expect(openInputHistory(folder).entries.at(-1)).toBe('quote 2499');
  });

  it.each([
    'my key is sk-abcdefghijklmnop',
    'password hunter2',
    'use the API key abc',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx',
    '-----BEGIN PRIVATE KEY-----',
    'PKTEST1234567890ABCD',
    'export X=0123456789abcdef0123456789abcdef',
    ' begins with a blank',
    '',
  ])('never keeps %j', (entry) => {
    expect(isStorableEntry(entry)).toBe(false);
    openInputHistory(folder).add(entry);
    expect(openInputHistory(folder).entries).toEqual([]);
  });

  it.each(['buy 5 AAPL limit 180', 'sell $1,250.50 of MSFT', '/resume th_90yb1t0src'])('keeps %j', (entry) => {
    expect(isStorableEntry(entry)).toBe(true);
  });

  it('can be turned off', () => {
    expect(isHistoryEnabled({}, {})).toBe(true);
    expect(isHistoryEnabled({ history: false }, {})).toBe(false);
    expect(isHistoryEnabled({}, { TRADE_AGENT_HISTORY: 'off' })).toBe(false);
    expect(isHistoryEnabled({ history: false }, { TRADE_AGENT_HISTORY: 'on' })).toBe(true);
  });
});
