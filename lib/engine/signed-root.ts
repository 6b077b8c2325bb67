/**
 * Signed root of the binomial deviance of a count, over √n: sign(y/n − p)·√(2·KL(y/n ‖ p)). √n times it is close to N(0, 1)
 * deep into the tails even for small expected counts. `half`: how far the count is first moved towards n·p (never past it):
 * half a row when a window is judged, nothing when the null is fitted. 0 < p < 1, n > 0, 0 ≤ x ≤ n.
 */
export function signedRoot(x: number, n: number, p: number, half: number): number {
  const expected = n * p;
  const moved = x > expected ? Math.max(x - half, expected) : Math.min(x + half, expected);
  const share = Math.min(n, Math.max(0, moved)) / n;
  let divergence = 0;
  if (share > 0) divergence += share * Math.log(share / p);
  if (share < 1) divergence += (1 - share) * Math.log((1 - share) / (1 - p));
  const root = Math.sqrt(Math.max(0, 2 * divergence));
  return share > p ? root : share < p ? -root : 0;
}
