/**
 * A small seeded generator (sfc32 by Chris Doty-Humphrey, public domain; 128 bits of state): the only source of chance in the
 * house. Equal seeds give equal numbers on every machine: integer arithmetic, and `Math.log`/`sqrt` as V8 computes them.
 */
import { logGamma } from './special.ts';

export interface Random {
  /** Uniform on [0, 1), 32 bits. */
  next(): number;
  /** Standard normal (polar method). */
  normal(): number;
  /** Whole number, 0 … n − 1. */
  integer(n: number): number;
  /** Binomial(n, p): inversion for small means, else Hörmann's BTRS (1993). */
  binomial(n: number, p: number): number;
}

export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = seed >>> 0;
  let c = Math.floor(seed / 4294967296) >>> 0;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 15; i++) next();

  let spare: number | null = null;
  const normal = (): number => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    for (;;) {
      const u = 2 * next() - 1;
      const v = 2 * next() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * factor;
      return u * factor;
    }
  };

  const binomial = (n: number, p: number): number => {
    if (!(n > 0) || !(p > 0)) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - binomial(n, 1 - p);
    return n * p < 10 ? byInversion(next, n, p) : byRejection(next, n, p);
  };

  return { next, normal, integer: (n) => Math.floor(next() * n), binomial };
}

/** A seed from text: 32-bit FNV-1a over UTF-16 units. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function byInversion(next: () => number, n: number, p: number): number {
  const ratio = p / (1 - p);
  let term = Math.exp(n * Math.log1p(-p));
  let u = next();
  let k = 0;
  while (u > term && k < n) {
    u -= term;
    k++;
    term *= ((n - k + 1) / k) * ratio;
  }
  return k;
}

function byRejection(next: () => number, n: number, p: number): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const center = n * p + 0.5;
  const squeeze = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * spread;
  const logOdds = Math.log(p / (1 - p));
  const mode = Math.floor((n + 1) * p);
  const height = logGamma(mode + 1) + logGamma(n - mode + 1);
  for (;;) {
    const u = next() - 0.5;
    const v = next();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + center);
    if (us >= 0.07 && v <= squeeze) return k;
    if (k < 0 || k > n) continue;
    const bound = height - logGamma(k + 1) - logGamma(n - k + 1) + (k - mode) * logOdds;
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return k;
  }
}
