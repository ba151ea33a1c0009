import { describe, expect, it } from 'vitest';
import { completed, completions, parseSlashCommand } from '../../../../src/cli/chat/slash-commands.ts';

describe('a / command', () => {
  it('has a name and arguments', () => {
    expect(parseSlashCommand('/Chart AAPL  3m')).toEqual({ name: 'chart', args: ['AAPL', '3m'] });
    expect(parseSlashCommand('/q')).toEqual({ name: 'quit', args: [] });
    expect(parseSlashCommand('/')).toEqual({ name: 'help', args: [] });
    expect(parseSlashCommand('buy 5 AAPL')).toBeUndefined();
    expect(parseSlashCommand('/constructor')).toEqual({ name: 'constructor', args: [] });
  });

  it('may become several while half typed, and none once it is whole', () => {
    expect(completions('/p').map(({ name }) => name)).toEqual(['portfolio', 'profile']);
    expect(completions('/portfolio')).toEqual([]);
    expect(completions('/p x')).toEqual([]);
    expect(completions('p')).toEqual([]);
  });

  it('is completed as far as all agree, then to the one that is marked', () => {
    expect(completed('/p', 0)).toBe('/portfolio');
    expect(completed('/p', 1)).toBe('/profile ');
    expect(completed('/po', 0)).toBe('/portfolio');
    expect(completed('/ch', 0)).toBe('/chart ');
    expect(completed('/ha', 0)).toBe('/halt');
    expect(completed('/zzz', 0)).toBe('/zzz');
  });
});
