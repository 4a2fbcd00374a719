// Unwrapping: turns counters that wrap (sequence numbers, timestamps) into numbers that only grow.

/**
 * A function that maps each value of a counter of `bits` bits to the place nearest to the one before.
 * The first value keeps itself, plus one whole turn so that older values stay positive.
 */
export function createUnwrapper(bits: 16 | 32): (value: number) => number {
  const turn = 2 ** bits;
  let last: number | null = null;
  return (value) => {
    if (last === null) {
      last = value + turn;
      return last;
    }
    let step = (value - last) % turn;
    if (step < 0) step += turn;
    if (step >= turn / 2) step -= turn;
    last += step;
    return last;
  };
}
