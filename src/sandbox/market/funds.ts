/**
 * Exchange-traded funds that people name, as the stocks stand in `symbols-data.ts`. Prices are made up, near those of that
 * snapshot.
 */
export const funds = `\
SPY|SPDR S&P 500 ETF Trust|588.00|ARCA|Funds
VOO|Vanguard S&P 500 ETF|540.00|ARCA|Funds
VTI|Vanguard Total Stock Market ETF|290.00|ARCA|Funds
QQQ|Invesco QQQ Trust|505.00|NASDAQ|Funds
BND|Vanguard Total Bond Market ETF|72.50|NASDAQ|Funds
`;
