/**
 * Which events are kept when there is no room for all: a hash of the id decides, so that a repeated event, and the other half of an inference,
 * meets the same fate, and the probability of being kept is known. Its inverse travels with the event as `weight`, so that sums over what was
 * kept estimate those over what came (Horvitz and Thompson 1952).
 */
import { hash52 } from '../engine/hash.ts';

/** Share of the room from which events are sampled. */
const CALM = 0.75;
/** Each further share of the room halves the probability. */
const STEP = 0.02;
/** 2^-12: the weight stays within its bound. */
const MOST_HALVINGS = 12;
const HASHES = 2 ** 52;

/**
 * Probability with which an event is kept, of how full the room is (0: empty, 1: full). Halves in steps, and depends on what came before
 * alone, never on the event: otherwise large events would be rarer among those that are kept. 0 when there is no room.
 */
export function keepProbability(fill: number): number {
  if (fill < CALM) return 1;
  if (fill >= 1) return 0;
  return 2 ** -Math.min(MOST_HALVINGS, Math.floor((fill - CALM) / STEP) + 1);
}

/** Whether the event with this id is among those kept. Who is kept at one probability is kept at every higher one. */
export function isKept(id: string, probability: number): boolean {
  // Sketches count distinct ids by their smallest hashes: with the same hash their estimate would be that of all that came.
  return probability >= 1 || hash52(`kept ${id}`) < probability * HASHES;
}
