import type { Activity } from '../../../trading/activity.ts';

/**
 * Alpaca's activity types by what they do to an account (Trading API, "ActivityType"; changelog of 6 November 2026). What
 * each kind means for cash, shares, flows and income is in docs/reference/METRICS.md. A type that is not here is `unknown`: it is
 * shown, and the figures that it may touch are marked.
 *
 * Where the sign decides (`deposit`), less than nothing is a withdrawal; where shares decide (`transfer`), a row without
 * any is cash that was moved.
 */
export const kindOfType: Readonly<Record<string, Activity['kind']>> = {
  FILL: 'fill',
  OPTRD: 'fill', // the shares that an exercise or an assignment trades, at the strike

  // Cash from outside, or to it.
  CSD: 'deposit',
  CSW: 'withdrawal',
  CSR: 'deposit', // the former name of CSW
  TRANS: 'deposit',
  JNLC: 'deposit',
  ACATC: 'deposit',

  // Shares from outside, or to it.
  ACATS: 'transfer',
  FOPT: 'transfer',
  JNL: 'transfer',
  JNLS: 'transfer',

  // What shares pay.
  DIV: 'dividend',
  CGD: 'dividend',
  DIVCGL: 'dividend',
  DIVCGS: 'dividend',
  DIVROC: 'dividend',
  DIVTXEX: 'dividend',
  INT: 'interest',

  // What is kept back or charged, and what of it is given back.
  FEE: 'fee',
  CFEE: 'fee',
  DIVFEE: 'fee',
  DIVFT: 'fee',
  DIVNRA: 'fee',
  DIVTW: 'fee',
  DIVWH: 'fee',
  INTNRA: 'fee',
  INTTW: 'fee',
  PTC: 'fee',
  PTR: 'fee',

  // Shares that become others.
  SPLIT: 'other',
  SSP: 'other', // the former name of SPLIT
  SPIN: 'other',
  SSO: 'other', // the former name of SPIN
  MA: 'other',
  NC: 'other',
  SC: 'other',
  REORG: 'other',

  // Options that end, or become others.
  OPEXP: 'other',
  OPEXC: 'other',
  OPASN: 'other',
  OPCA: 'other',
  OPCSH: 'other',
};

/** The types whose cash is a flow: what a portfolio's history is asked to tell of (`cashflow_types`). */
export const flowTypes: readonly string[] = Object.entries(kindOfType)
  // TRANS stands for two others, and would count them twice.
  .filter(([type, kind]) => (kind === 'deposit' || kind === 'withdrawal') && type !== 'TRANS')
  .map(([type]) => type);
