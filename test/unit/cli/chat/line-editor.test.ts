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
    expect([press('upArrow'), press('upArrow'), press('downArrow')].reduce(editorReducer, up).text).toBe(
      'two',
    );
    expect(editorReducer(up, press('downArrow')).text).toBe('thr');
  });

  it('takes a paste of several lines as one, without control characters', () => {
    expect(edit({ type: 'paste', text: 'buy 5\r\nAAPL\u001b[2J' }).text).toBe('buy 5 AAPL[2J');
  });
});
