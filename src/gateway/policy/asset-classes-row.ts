import { z } from 'zod';
import { assetClasses, assetClassOf } from '../../trading/asset-class.ts';
import { assetClassWords } from '../../trading/asset-class-words.ts';
import { limitRow } from './limit-row.ts';

/** Which classes may be traded; an order is of the class that its symbol says. */
export const assetClassesRow = limitRow({
  schema: z.array(z.enum(assetClasses)).min(1),
  reason: 'ASSET_CLASS_NOT_ALLOWED',
  needs: 'the symbol',
  check(limit, { order: { symbol } }) {
    const value = assetClassOf(symbol);
    if (limit.includes(value)) return undefined;
    return { text: `${assetClassWords[value]} are not traded here`, limit: limit.join(', '), value };
  },
});
