import type { KindPhrases } from './kind-words.ts';

export const orderStatusWords = {
  drafted: 'being prepared',
  requested: 'waiting for your phone',
  approved: 'approved',
  executing: 'placing the order',
  executed: 'order placed',
  denied: 'denied on the phone: no order',
  expired: 'expired: no order',
  cancelled: 'canceled: no order',
  blocked: 'blocked: no order',
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
    denied: 'denied on the phone: nothing changed',
    expired: 'expired: nothing changed',
    cancelled: 'canceled: nothing changed',
    blocked: 'blocked: nothing changed',
    unknown: 'outcome unknown: check your orders',
  },
};
