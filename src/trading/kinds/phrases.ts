import type { KindPhrases } from './kind-words.ts';

export const orderStatusWords = {
  drafted: 'being prepared',
  requested: 'waiting for your phone',
  approved: 'approved',
  executing: 'placing the order',
  executed: 'order placed',
  denied: 'denied on the phone; nothing was ordered',
  expired: 'expired; nothing was ordered',
  cancelled: 'canceled; nothing was ordered',
  blocked: 'blocked; nothing was ordered',
  unknown: 'outcome unknown: check before you order again',
} as const;

export const orderPhrases: KindPhrases = {
  nothing: 'Nothing was traded.',
  twice: 'placed',
  again: 'place the order',
  inProgress: (id, summary) => `the order for approval ${id} (${summary}) may already be at the broker`,
  status: {},
};

export const changePhrases: KindPhrases = {
  ...orderPhrases,
  status: {
    executing: 'in progress',
    executed: 'done',
    denied: 'denied on the phone; nothing was changed',
    expired: 'expired; nothing was changed',
    cancelled: 'canceled; nothing was changed',
    blocked: 'blocked; nothing was changed',
    unknown: 'outcome unknown: check your orders',
  },
};
