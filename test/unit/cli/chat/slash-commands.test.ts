import { describe, expect, it } from 'vitest';
import { type EditorState, emptyEditor } from '../../../../src/cli/chat/line-editor.ts';
import {
  completeCommand,
  highlightedCommand,
  matchingCommands,
  parseSlashCommand,
  slashHelpLines,
} from '../../../../src/cli/chat/slash-commands.ts';

const typed = (text: string): EditorState => ({ ...emptyEditor, text });

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

  it('is taken by Enter as it is marked, half typed as it may be', () => {
    expect(highlightedCommand(typed('/thr'), 0)).toEqual({ text: '/threads', send: true });
    expect(highlightedCommand(typed('/p'), 1)).toEqual({ text: '/profile', send: true });
    expect(highlightedCommand(typed('/ch'), 0)).toEqual({ text: '/chart ', send: false });
    // Whole as they are, or none at all.
    for (const text of ['/', '/q', '/help', '/orders 3', '/zzz', 'buy 5 AAPL']) {
      expect(highlightedCommand(typed(text), 0)).toBeUndefined();
    }
    expect(highlightedCommand(typed('/'), 1)).toEqual({ text: '/portfolio', send: true });
  });

  it('is explained in lines that fit 80 columns', () => {
    for (const line of slashHelpLines.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('may become several while half typed, and none once it is whole', () => {
    expect(matchingCommands('/p').map(({ name }) => name)).toEqual(['portfolio', 'profile']);
    expect(matchingCommands('/portfolio')).toEqual([]);
    expect(matchingCommands('/p x')).toEqual([]);
    expect(matchingCommands('p')).toEqual([]);
  });

  it('is completed as far as all agree, then to the one that is marked', () => {
    expect(completeCommand('/p', 0)).toBe('/portfolio');
    expect(completeCommand('/p', 1)).toBe('/profile ');
    expect(completeCommand('/po', 0)).toBe('/portfolio');
    expect(completeCommand('/ch', 0)).toBe('/chart ');
    expect(completeCommand('/ha', 0)).toBe('/halt ');
    expect(completeCommand('/zzz', 0)).toBe('/zzz');
  });
});
