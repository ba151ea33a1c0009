import { describe, expect, it } from 'vitest';
import { type EditorState, emptyEditor } from '../../../../src/cli/chat/line-editor.ts';
import {
  completeCommand,
  findOfferedCommands,
  highlightedCommand,
  nearestCommand,
  parseSlashCommand,
  slashCommands,
  slashHelpLines,
} from '../../../../src/cli/chat/slash-commands.ts';

const typed = (text: string): EditorState => ({ ...emptyEditor, text });
const names = (text: string) => findOfferedCommands(typed(text)).map(({ name }) => name);

describe('a / command', () => {
  it('has a name and arguments', () => {
    expect(parseSlashCommand('/Chart AAPL  3m')).toEqual({ name: 'chart', args: ['AAPL', '3m'] });
    expect(parseSlashCommand('/q')).toEqual({ name: 'quit', args: [] });
    expect(parseSlashCommand('/')).toEqual({ name: 'help', args: [] });
    expect(parseSlashCommand('buy 5 AAPL')).toBeUndefined();
    expect(parseSlashCommand('/constructor')).toEqual({ name: 'constructor', args: [] });
  });

  it('may be left out where one leaves', () => {
    expect(parseSlashCommand('exit')).toEqual({ name: 'quit', args: [] });
    expect(parseSlashCommand('Quit')).toEqual({ name: 'quit', args: [] });
    expect(parseSlashCommand('quit my KO position')).toBeUndefined();
  });

  it('is run by Enter as it is marked, half typed as it may be', () => {
    expect(highlightedCommand(typed('/thr'), 0)).toBe('/threads');
    expect(highlightedCommand(typed('/p'), 1)).toBe('/profile');
    expect(highlightedCommand(typed('/ch'), 0)).toBe('/chart');
    // Whole as they are, or none at all.
    for (const text of ['/', '/q', '/help', '/orders 3', '/zzz', 'buy 5 AAPL']) {
      expect(highlightedCommand(typed(text), 0)).toBeUndefined();
    }
    expect(highlightedCommand(typed('/'), 1)).toBe('/portfolio');
  });

  it('is explained in lines that fit 80 columns', () => {
    for (const line of slashHelpLines.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('may become several while half typed, and none once it is whole', () => {
    expect(names('/')).toEqual(slashCommands.map(({ name }) => name));
    expect(names('/p').slice(0, 2)).toEqual(['portfolio', 'profile']);
    expect(names('/portfolio')).toEqual([]);
    expect(names('/p x')).toEqual([]);
    expect(names('p')).toEqual([]);
  });

  it('is found by letters of its name in order, by another name and by what it does', () => {
    expect(names('/ptf')[0]).toBe('portfolio');
    expect(names('/positions')).toEqual(['portfolio']);
    expect(names('/sessions')).toEqual(['resume']);
    expect(names('/withdraw')).toEqual(['halt']);
    // Not from within a word: portFOliO.
    expect(names('/foo')).toEqual([]);
  });

  it('is not offered where an earlier line is shown or searched for', () => {
    const earlier = { ...typed('/po'), history: ['/po'], shown: 0 };
    expect(findOfferedCommands(earlier)).toEqual([]);
    const search = { wanted: 'po', failed: false, before: emptyEditor };
    expect(findOfferedCommands({ ...typed('/po'), search })).toEqual([]);
  });

  it('is completed to the one that is marked', () => {
    const complete = (text: string, chosen: number) => completeCommand(typed(text), chosen);
    expect(complete('/p', 0)).toBe('/portfolio');
    expect(complete('/p', 1)).toBe('/profile ');
    expect(complete('/po', 0)).toBe('/portfolio');
    expect(complete('/ch', 0)).toBe('/chart ');
    expect(complete('/ha', 0)).toBe('/halt ');
    expect(complete('/ptf', 0)).toBe('/portfolio');
    expect(complete('/zzz', 0)).toBe('/zzz');
  });

  it('has a nearest one where it is misspelled, or named as elsewhere', () => {
    expect(nearestCommand('portfolo')).toBe('portfolio');
    expect(nearestCommand('histroy')).toBe('threads');
    expect(nearestCommand('xyzzyx')).toBeUndefined();
  });
});
