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
    const lines = ['buy 5 AAPL', 'quote KO', 'sell 2 aapl', 'quote KO'];
    const sent = edit(...lines.flatMap((line) => [type(line), { type: 'sent' } as const]));
    const then = (...actions: EditorAction[]) => actions.reduce(editorReducer, sent);

    it('narrows what it finds with each letter, latest first, the cursor at what it found', () => {
      expect(then(control('r'))).toMatchObject({ text: '', search: { wanted: '' } });
      expect(then(control('r'), type('o'))).toMatchObject({ text: 'quote KO', cursor: 2 });
      const found = then(control('r'), type('a'), type('AP'));
      expect(found).toMatchObject({ text: 'sell 2 aapl', cursor: 7, search: { wanted: 'aAP', failed: false } });
      expect(then(control('r'), type('aa'), type('pl'), press('backspace'), press('backspace')).text).toBe(
        'sell 2 aapl',
      );
      expect(then(control('r'), type('a'), press('backspace'))).toMatchObject({ text: '', search: { wanted: '' } });
    });

    it('goes on to older lines and back to newer ones, and says where there is none', () => {
      const older = then(control('r'), type('aapl'), control('r'));
      expect(older).toMatchObject({ text: 'buy 5 AAPL', search: { failed: false } });
      expect(editorReducer(older, control('r'))).toMatchObject({ text: 'buy 5 AAPL', search: { failed: true } });
      expect(editorReducer(older, control('s'))).toMatchObject({ text: 'sell 2 aapl', search: { failed: false } });
      expect(then(control('r'), type('aaplx'))).toMatchObject({ text: '', search: { failed: true } });
    });

    it('finds a line that was sent twice in a row of matches once', () => {
      expect(then(control('r'), type('ko'), control('r'))).toMatchObject({
        text: 'quote KO',
        search: { failed: true },
      });
    });

    it('starts with what is typed', () => {
      const found = then(type('AAPL'), control('r'));
      expect(found).toMatchObject({ text: 'sell 2 aapl', search: { wanted: 'AAPL' } });
      expect([press('escape'), control('n'), control('n')].reduce(editorReducer, found)).toMatchObject({
        text: 'AAPL',
      });
    });

    it('keeps the line on Esc, and acts on other keys as ever', () => {
      expect(then(control('r'), type('aapl'), press('escape'))).toMatchObject({
        text: 'sell 2 aapl',
        search: undefined,
      });
      expect(then(control('r'), type('aapl'), control('u'))).toMatchObject({ text: 'aapl', search: undefined });
      expect(then(control('r'), type('aapl'), press('upArrow'))).toMatchObject({ text: 'quote KO', search: undefined });
    });

    it('brings back what was typed before on Ctrl-G', () => {
      const back = then(type('sell'), press('leftArrow'), control('r'), type(' 2'), control('g'));
      expect(back).toMatchObject({ text: 'sell', cursor: 3, search: undefined });
      expect(back.shown).toBe(back.history.length);
    });

    it('is over once the line is sent', () => {
      expect(then(control('r'), type('aapl'), { type: 'sent' })).toMatchObject({ text: '', search: undefined });
      expect(then(control('r'), type('aapl'), { type: 'sent' }).history.at(-1)).toBe('sell 2 aapl');
    });

    it('keeps an older entry as it was changed, until something is sent', () => {
      const changed = [press('upArrow'), type('!'), press('upArrow'), press('downArrow')];
      expect(then(...changed).text).toBe('quote KO!');
      expect(then(...changed, { type: 'sent' }, press('upArrow'), press('upArrow')).text).toBe('quote KO');
    });
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
