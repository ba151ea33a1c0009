import { describe, expect, it } from 'vitest';
import { NotificationTokens } from '../../../src/approval/notification-tokens.ts';

const question = { id: 'pr_1', asked: 1, notificationToken: undefined };

describe('the token that goes with a question', () => {
  const tokens = new NotificationTokens('of the test');
  const token = tokens.of(question);

  it('is the same at each gateway that has the secret: RFC 5869 by Python’s hmac', () => {
    expect(token).toMatch(/^xziKUiUh0uQiYSr9lAS0q9FLQOnK1yW2gzy86vZKUwI\.[\w-]{43}$/);
    expect(new NotificationTokens('of the test').isTokenFor(token, question)).toBe(true);
  });

  it.each([
    ['another proposal', tokens.of({ ...question, id: 'pr_2' })],
    ['the question before', tokens.of({ ...question, asked: 0 })],
    ['the next question', tokens.of({ ...question, asked: 2 })],
    ['ids and counts that read alike', tokens.of({ id: 'pr_1 1', asked: 1 })],
    ['another gateway', new NotificationTokens('of another').of(question)],
  ])('does not count where it is of %s', (_, another) => {
    expect(another).toMatch(/^[\w-]{43}\.[\w-]{43}$/);
    expect(tokens.isTokenFor(another, question)).toBe(false);
  });

  it.each([
    ['truncated', token.slice(0, -1)],
    ['longer', `${token}A`],
    ['in other letters', token.toLowerCase()],
    ['empty', ''],
  ])('does not count %s', (_, changed) => {
    expect(tokens.isTokenFor(changed, question)).toBe(false);
  });

  it('is known as a gateway’s own without its question, and a stranger’s is not', () => {
    expect(tokens.isOwn(token)).toBe(true);
    expect(new NotificationTokens(['the next', 'of the test']).isOwn(token)).toBe(true);
    const [body = '', tag = ''] = token.split('.');
    const strangers = ['', '.', body, `${body}.`, `.${tag}`, `${body}A.${tag}`, `${body}.${tag}A`, `x.${tag}`];
    for (const other of [...strangers, 'x'.repeat(100_000), new NotificationTokens('of another').of(question)])
      expect(tokens.isOwn(other)).toBe(false);
  });

  it('counts after the secret was replaced, when the next ones are of the newer', () => {
    const later = new NotificationTokens(['the next', 'of the test']);
    expect(later.of(question)).not.toBe(token);
    for (const one of [token, later.of(question)]) expect(later.isTokenFor(one, question)).toBe(true);
    expect(new NotificationTokens('the next').isTokenFor(token, question)).toBe(false);
  });
});
