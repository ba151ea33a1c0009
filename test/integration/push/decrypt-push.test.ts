import { expect, it } from 'vitest';
import { decryptPush } from './decrypt-push.ts';

/** RFC 8291 §5 and Appendix A. */
const vector = {
  receiver: {
    privateKey: Buffer.from('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url'),
    publicKey: Buffer.from(
      'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      'base64url',
    ),
    auth: Buffer.from('BTBZMqHH6r4Tts7J_aSIgg', 'base64url'),
  },
  body: Buffer.from(
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
    'base64url',
  ),
};

it('decrypts the example of RFC 8291', () => {
  expect(decryptPush(vector.body, vector.receiver)).toBe('When I grow up, I want to be a watermelon');
});

it('takes nothing that was changed on its way, and nothing of another browser', () => {
  for (const place of [0, 30, 90, vector.body.length - 1]) {
    const changed = Buffer.from(vector.body);
    changed[place] = (changed[place] ?? 0) ^ 1;
    expect(() => decryptPush(changed, vector.receiver)).toThrow();
  }
  expect(() => decryptPush(vector.body, { ...vector.receiver, auth: Buffer.alloc(16) })).toThrow();
});
