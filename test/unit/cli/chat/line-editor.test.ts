import { describe, expect, it } from 'vitest';
import { type EditorAction, editorReducer, emptyEditor } from '../../../../src/cli/chat/line-editor.ts';

const type = (input: string): EditorAction => ({ type: 'key', input, key: {} });
const press = (key: string): EditorAction => ({ type: 'key', input: '', key: { [key]: true } });
const control = (input: string): EditorAction => ({ type: 'key', input, key: { ctrl: true } });
const edit = (...actions: EditorAction[]) => actions.reduce(editorReducer, emptyEditor);

describe('the line editor', () => {
  it('types at the cursor', () => {
    expect(edit(type('by'), press('leftArrow'), type('u'))).toMatchObject({ text: 'buy', cursor: 2 });
  });

  it('removes before and at the cursor', () => {
    expect(edit(type('buyy'), press('backspace')).text).toBe('buy');
    expect(edit(type('bbuy'), press('home'), press('delete')).text).toBe('buy');
    expect(edit(press('backspace')).text).toBe('');
  });

  it('moves by whole characters, also over an emoji made of several', () => {
    const state = edit(type('a👩‍👩‍👧b'), press('leftArrow'), press('backspace'));
    expect(state).toMatchObject({ text: 'ab', cursor: 1 });
  });

  it('knows the readline keys', () => {
    expect(edit(type('buy 5 AAPL'), control('w')).text).toBe('buy 5 ');
    expect(edit(type('buy'), control('u')).text).toBe('');
    expect(edit(type('buy 5'), control('a'), press('rightArrow'), control('k')).text).toBe('b');
    expect(edit(type('buy'), control('a'), control('e')).cursor).toBe(3);
  });

  it('goes through earlier lines and back to the one begun', () => {
    const sent = edit(type('one'), { type: 'sent' }, type('two'), { type: 'sent' }, type('thr'));
    const up = editorReducer(sent, press('upArrow'));
    expect(up.text).toBe('two');
    expect(editorReducer(up, press('upArrow')).text).toBe('one');
    expect([press('upArrow'), press('upArrow'), press('downArrow')].reduce(editorReducer, up).text).toBe('two');
    expect(editorReducer(up, press('downArrow')).text).toBe('thr');
  });

  describe('looking back', () => {
    const lines = ['buy 5 AAPL', 'quote KO', 'sell 2 AAPL'];
    const sent = edit(...lines.flatMap((line) => [type(line), { type: 'sent' } as const]));
    const then = (...actions: EditorAction[]) => actions.reduce(editorReducer, sent);

    it('after Ctrl-U finds what is typed since, not what was typed before', () => {
      expect(then(type('AAPL'), control('r'), control('u'), type('KO'), control('r')).text).toBe('quote KO');
    });

    it('says what it looked for in vain, until the next key', () => {
      const vain = then(type('TSLA'), control('r'));
      expect(vain).toMatchObject({ text: 'TSLA', noMatch: 'TSLA' });
      expect(editorReducer(vain, type('x')).noMatch).toBeUndefined();
      expect(then(type('AAPL'), control('r'), control('r'), control('r'))).toMatchObject({
        text: 'buy 5 AAPL',
        noMatch: 'AAPL',
      });
    });

    it('keeps an older entry as it was changed, until something is sent', () => {
      const changed = [press('upArrow'), type('!'), press('upArrow'), press('downArrow')];
      expect(then(...changed).text).toBe('sell 2 AAPL!');
      expect(then(...changed, { type: 'sent' }, press('upArrow'), press('upArrow')).text).toBe('sell 2 AAPL');
    });
  });

  it('finds earlier lines by what is typed, latest first, and comes back to it', () => {
    const lines = ['buy 5 AAPL', 'quote KO', 'sell 2 aapl', 'quote KO'];
    const sent = edit(...lines.flatMap((line) => [type(line), { type: 'sent' } as const]), type('AAPL'));
    const found = editorReducer(sent, control('r'));
    expect(found).toMatchObject({ text: 'sell 2 aapl', cursor: 11 });
    const older = editorReducer(found, control('r'));
    expect(older.text).toBe('buy 5 AAPL');
    expect(editorReducer(older, control('r')).text).toBe('buy 5 AAPL');
    expect([control('n'), control('n'), control('n'), control('n')].reduce(editorReducer, older).text).toBe('AAPL');
    expect(edit(type('nothing like it'), control('r')).text).toBe('nothing like it');
  });

  it('finds a line that was sent twice once', () => {
    const lines = ['sell 1 KO', 'buy 5 KO', 'quote AAPL', 'buy 5 KO'];
    const sent = edit(...lines.flatMap((line) => [type(line), { type: 'sent' } as const]), type('KO'));
    expect([control('r'), control('r')].reduce(editorReducer, sent).text).toBe('sell 1 KO');
  });

  it('keeps the lines of a paste, without control characters', () => {
    expect(edit({ type: 'paste', text: 'buy 5\r\nAAPL\u001b[2J' }).text).toBe('buy 5\nAAPL[2J');
  });

  it('moves and cuts within the line of several, and up and down between them', () => {
    const lines = edit({ type: 'paste', text: 'first line\nsecond' });
    const up = editorReducer(lines, press('upArrow'));
    expect(up.cursor).toBe(6);
    expect(editorReducer(up, control('k')).text).toBe('first \nsecond');
    expect(editorReducer(editorReducer(up, press('downArrow')), control('u')).text).toBe('first line\n');
    expect([control('e'), control('k')].reduce(editorReducer, up).text).toBe('first linesecond');
  });

  it('goes to the entry before only from the first line, and to the next only from the last', () => {
    const state = edit(type('one'), { type: 'sent' }, { type: 'paste', text: 'a\nb' });
    const above = editorReducer(state, press('upArrow'));
    expect(above.text).toBe('a\nb');
    expect(editorReducer(above, press('upArrow')).text).toBe('one');
  });

  it('moves and cuts by words', () => {
    const start = edit(type('sell half my MSFT'));
    const meta = (input: string): EditorAction => ({ type: 'key', input, key: { meta: true } });
    const left: EditorAction = { type: 'key', input: '', key: { leftArrow: true, ctrl: true } };
    expect(editorReducer(start, meta('b')).cursor).toBe(13);
    expect([left, left].reduce(editorReducer, start).cursor).toBe(10);
    expect([control('a'), meta('f')].reduce(editorReducer, start).cursor).toBe(4);
    expect([control('a'), meta('d')].reduce(editorReducer, start).text).toBe(' half my MSFT');
    const back: EditorAction = { type: 'key', input: '', key: { backspace: true, meta: true } };
    expect(editorReducer(start, back).text).toBe('sell half my ');
  });

  it('puts back what was cut last', () => {
    expect(edit(type('buy 5'), control('u'), control('y')).text).toBe('buy 5');
  });
});
