import { createRequire } from 'node:module';

const fc = createRequire(import.meta.url)('fast-check') as typeof import('fast-check').default;

const { PROPERTY_SEED = '1' } = process.env;
/**
 * fast-check as `npm test` has it: the same examples in every run, so that a run that fails is about what was changed.
 * `npm run test:properties` draws new ones.
 */
fc.configureGlobal({ ...(PROPERTY_SEED !== 'random' && { seed: Number(PROPERTY_SEED) }) });

export default fc;
