/** What a session may propose, and nothing else: `orders:write` and `messages:write` come only with an approval. */
export const PROPOSE_ORDERS = 'orders:propose';
export const PROPOSE_MESSAGES = 'messages:propose';
