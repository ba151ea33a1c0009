export { dollars, percent, sharePrice, shares, signedDollars, signedPercent } from '../../trading/amounts.ts';
