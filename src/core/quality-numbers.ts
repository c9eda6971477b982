/** The statistics of the quality report. */

const z95 = 1.959963984540054

/**
 * Wilson's score interval for a share (J. Am. Stat. Assoc. 22, 1927), 95 %.
 *
 * @returns both ends, 0 to 1. Of nothing at all: 0 and 1.
 */
export function wilsonInterval(count: number, of: number): { low: number; high: number } {
  if (of === 0) return { low: 0, high: 1 }
  const share = count / of
  const square = z95 * z95
  const centre = share + square / (2 * of)
  const half = z95 * Math.sqrt((share * (1 - share)) / of + square / (4 * of * of))
  const scale = 1 + square / of
  return {
    low: count === 0 ? 0 : Math.max(0, (centre - half) / scale),
    high: count === of ? 1 : Math.min(1, (centre + half) / scale),
  }
}

/** The standardised difference of two shares (Austin 2009); undefined where neither varies. */
export function differenceOfShares(one: number, other: number): number | undefined {
  const spread = Math.sqrt((one * (1 - one) + other * (1 - other)) / 2)
  return spread === 0 ? undefined : (one - other) / spread
}

/** The standardised difference of two means; undefined where neither varies. */
export function differenceOfMeans(
  one: { mean: number; sd: number },
  other: { mean: number; sd: number },
): number | undefined {
  const spread = Math.sqrt((one.sd ** 2 + other.sd ** 2) / 2)
  return spread === 0 ? undefined : (one.mean - other.mean) / spread
}
