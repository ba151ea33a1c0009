import { describe, expect, it } from 'vitest';
import { promptForPhone } from '../../../../../src/cli/commands/home/init-answers.ts';
import type { Context } from '../../../../../src/cli/context/context.ts';
import { systemClock } from '../../../../../src/machine/clock.ts';

const DIRECTORY = 'https://ca.example/directory';
const TERMS = 'https://ca.example/terms-v3';

/** Answers the questions in order. */
function asking(...answers: string[]) {
  const told: string[] = [];
  const context = {
    io: {
      interactive: answers.length > 0,
      talk: (line: string) => void told.push(line),
      prompt: async (question: string) => {
        told.push(question);
        return answers.shift() ?? '';
      },
    },
    signal: new AbortController().signal,
    clock: systemClock,
    fetch: async (url: string) =>
      url === DIRECTORY
        ? Response.json({ newNonce: `${DIRECTORY}/nonce`, meta: { termsOfService: TERMS } })
        : new Response('', { status: 404 }),
  };
  return { context: context as unknown as Context, told };
}
const domain = { phone: 'domain', address: 'https://home.example', acmeDirectory: DIRECTORY } as const;

describe('a home at its own domain', () => {
  it('shows the terms, and keeps which ones its owner agreed to', async () => {
    const { context, told } = asking('y', 'ada@home.example');
    expect(await promptForPhone(context, domain)).toEqual({
      address: 'https://home.example',
      listen: '0.0.0.0:443',
      acme: { terms: TERMS, email: 'ada@home.example', directory: DIRECTORY },
    });
    expect(told.join('\n')).toContain(TERMS);
  });

  it('is not made without that agreement', async () => {
    await expect(promptForPhone(asking('n').context, domain)).rejects.toMatchObject({ code: 'usage' });
    await expect(promptForPhone(asking().context, domain)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('--agree-tos'),
    });
    await expect(promptForPhone(asking('y').context, { ...domain, yes: true })).rejects.toMatchObject({
      code: 'usage',
    });
  });

  it('takes the agreement and the kind of challenge from a script', async () => {
    const reach = await promptForPhone(asking().context, { ...domain, agreeTos: true, challenge: 'http-01' });
    expect(reach.acme).toEqual({ terms: TERMS, directory: DIRECTORY, challenge: 'http-01' });
  });

  it('uses certificate files if they are given', async () => {
    const { phone, address } = domain;
    const reach = await promptForPhone(asking().context, { phone, address, tlsCert: '/c.pem', tlsKey: '/k.pem' });
    expect(reach).toEqual({ address, listen: '0.0.0.0:443', tls: { cert: '/c.pem', key: '/k.pem' } });
  });

  it('says why an authority can’t be used', async () => {
    const options = { ...domain, agreeTos: true };
    const gone = promptForPhone(asking().context, { ...options, acmeDirectory: 'https://ca.example/gone' });
    await expect(gone).rejects.toMatchObject({
      code: 'certificate_failed',
      message: expect.stringContaining('HTTP 404'),
    });
    const plain = promptForPhone(asking().context, { ...options, acmeDirectory: 'http://ca.example/directory' });
    await expect(plain).rejects.toMatchObject({ code: 'usage' });
  });
});
