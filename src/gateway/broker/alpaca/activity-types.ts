import type { Activity } from '../../../trading/activity.ts';

/**
 * Maps Alpaca's activity types ("ActivityType"; changelog of 6 November 2026) to our kinds, which
 * docs/reference/METRICS.md defines. Any other type is `unknown`: the activity is shown, and the figures that it may
 * affect are marked. A `deposit` with a negative amount is a withdrawal. A `transfer` without shares moves cash.
 */
export const activityKindByType: Readonly<Record<string, Activity['kind']>> = {
  FILL: 'fill',
  OPTRD: 'fill', // the shares that an exercise or an assignment trades, at the strike

  // Cash is moved in or out.
  CSD: 'deposit',
  CSW: 'withdrawal',
  CSR: 'deposit', // the former name of CSW
  TRANS: 'deposit',
  JNLC: 'deposit',
  ACATC: 'deposit',

  // Shares are moved in or out.
  ACATS: 'transfer',
  FOPT: 'transfer',
  JNL: 'transfer',
  JNLS: 'transfer',

  DIV: 'dividend',
  CGD: 'dividend',
  DIVCGL: 'dividend',
  DIVCGS: 'dividend',
  DIVROC: 'dividend',
  DIVTXEX: 'dividend',
  INT: 'interest',

  // Cash is withheld, charged or refunded.
  FEE: 'fee',
  CFEE: 'fee',
  DIVFEE: 'fee',
  DIVFT: 'fee',
  DIVNRA: 'fee',
  DIVTW: 'fee',
  DIVWH: 'fee',
  WH: 'fee',
  INTNRA: 'fee',
  INTTW: 'fee',
  PTC: 'fee',
  PTR: 'fee',

  // Shares become other shares.
  SPLIT: 'other',
  SSP: 'other', // the former name of SPLIT
  SPIN: 'other',
  SSO: 'other', // the former name of SPIN
  MA: 'other',
  NC: 'other',
  SC: 'other',
  REORG: 'other',
  VOF: 'other', // a tender or exchange offer

  // Options expire or become something else.
  OPEXP: 'other',
  OPEXC: 'other',
  OPASN: 'other',
  OPCA: 'other',
  OPCSH: 'other',
};

/** Alpaca's types of deposits and withdrawals, sent as `cashflow_types` in requests for the portfolio history. */
export const cashFlowTypes: readonly string[] = Object.entries(activityKindByType)
  // Leaves out TRANS, because it includes two of the listed types, whose cash would be counted twice.
  .filter(([type, kind]) => (kind === 'deposit' || kind === 'withdrawal') && type !== 'TRANS')
  .map(([type]) => type);
