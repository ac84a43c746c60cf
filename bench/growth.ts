/** How something grows with the size of a burst: value = factor × n ^ exponent. */
export interface Growth {
  readonly exponent: number;
  readonly at: (n: number) => number;
}

/**
 * The power law through the two largest bursts: in smaller ones the longest copy decides more than the number does.
 * Undefined if there are no two sizes, or if what was nothing in one is something in the other.
 */
export function growthOf(measured: readonly { readonly n: number; readonly value: number }[]): Growth | undefined {
  const [largest, smaller] = measured.toSorted((a, b) => b.n - a.n);
  if (largest === undefined || smaller === undefined || largest.n === smaller.n) return undefined;
  if (largest.value === smaller.value) return { exponent: 0, at: () => largest.value };
  if (largest.value <= 0 || smaller.value <= 0) return undefined;
  const exponent = Math.log(largest.value / smaller.value) / Math.log(largest.n / smaller.n);
  return { exponent, at: (n) => largest.value * (n / largest.n) ** exponent };
}
