import { expect, it } from 'vitest';
import { createBrokerRequests } from '../../../src/gateway/broker/broker-requests.ts';

const refused = (status: number) =>
  createBrokerRequests(() => ({
    kind: 'refused',
    status,
    reason: 'insufficient_funds',
    message: 'no money',
    brokerCode: 'E1',
  })).submit('ta-00000001', () => Promise.reject(new Error('no')));

it.each([400, 402, 403, 404, 409, 422])('words that come with %i are a no', async (status) => {
  expect(await refused(status)).toEqual({
    outcome: 'refused',
    reason: 'insufficient_funds',
    message: 'no money',
    brokerCode: 'E1',
  });
});

it.each([408, 500, 503])('words that come with %i prove nothing', async (status) => {
  expect(await refused(status)).toEqual({ outcome: 'unknown' });
});
