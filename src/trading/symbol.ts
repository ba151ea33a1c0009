import { z } from 'zod';
import { parseOptionSymbol, symbolAssetClass } from './asset-class.ts';

export const shareSymbolPattern = /[A-Z][A-Z0-9]{0,9}(\.[A-Z0-9]{1,4})?/;

const symbolPattern = new RegExp(
  `^(${shareSymbolPattern.source}|[A-Z0-9]{2,10}/(USD|USDT|USDC|BTC)|[A-Z][A-Z0-9]{0,5}\\d{6}[CP]\\d{8})$`,
);

export const symbolSchema = z
  .string()
  // This check runs before the conversion to upper case, which would turn the ligature U+FB01 into FI and the long s
  // into S.
  .regex(/^[ -~]*$/, 'must be printable ASCII')
  .transform((text) => text.trim().toUpperCase())
  .pipe(
    z
      .string()
      .regex(symbolPattern, 'must be a ticker symbol such as AAPL, BRK.B, BTC/USD or AAPL261218C00190000')
      .refine(
        (text) => symbolAssetClass(text) !== 'us_option' || parseOptionSymbol(text) !== undefined,
        'must contain a real date, as AAPL261218C00190000 contains 2026-12-18',
      ),
  );
