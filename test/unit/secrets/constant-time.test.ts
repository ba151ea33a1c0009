import { expect, it } from 'vitest';
import { isSameSecret } from '../../../src/secrets/constant-time.ts';

it.each([
  ['a text', 'é of mine', 'é of mine'],
  ['bytes', Buffer.from([0, 255]), Buffer.from([0, 255])],
  ['a text and its bytes', 'é', Buffer.from('é')],
])('%s is the same as itself', (_, one, other) => {
  expect(isSameSecret(one, other)).toBe(true);
});

it.each([
  ['another of its length', 'secret', 'secreT'],
  ['the beginning of it', 'secret', 'secre'],
  ['one that it begins', 'secre', 'secret'],
  ['bytes of another length', Buffer.from([0]), Buffer.from([0, 0])],
  ['nothing', 'secret', ''],
])('a secret is not the same as %s', (_, one, other) => {
  expect(isSameSecret(one, other)).toBe(false);
});

it('nothing is not the same as nothing: who has no secret gets in nowhere', () => {
  expect(isSameSecret('', '')).toBe(false);
  expect(isSameSecret(Buffer.alloc(0), '')).toBe(false);
});
