// Preloaded (NODE_OPTIONS=--import) into a home of a test's world: the push service at https://push.example.com is the
// one on loopback that PUSH_AT_HAND names.
import { answerAtHand } from '../origins-at-hand.mjs';

answerAtHand({ 'https://push.example.com': process.env.PUSH_AT_HAND });
