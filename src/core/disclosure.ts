/**
 * How recognisable the persons of a release are, from the sizes of their classes: persons who share every
 * quasi-identifier are one class. RELEASE.md, "Measuring". Nothing here sees a person or a value, only counts.
 */

/**
 * One line of a histogram: `records` persons each of whom cannot be told from `size` persons, itself included. When
 * every person is in one class, `records` is `size` times the number of classes of that size.
 */
export type ClassSize = { size: number; records: number }

/** Persons in classes below a threshold. */
export type BelowK = { k: number; records: number; share: number; classes: number }

/** What a histogram says. Of no records at all, every figure is 0. */
export type ClassMeasures = {
  records: number
  classes: number
  /** Persons alone in their class. */
  uniques: number
  smallest: number
  largest: number
  /** Of re-identification, for somebody who knows that a person is in it: 1 / smallest class. */
  highestRisk: number
  /** Classes / records: the mean over persons of 1 / size of the class. */
  averageRisk: number
  below: BelowK[]
}

/**
 * The measures of a histogram.
 *
 * Where a missing value matches all, a person can be like one and another who are not like each other, and there are no
 * classes; `classes` is then the sum of 1 / size over persons, which the average risk rests on, and may be a fraction.
 *
 * @param sizes - in any order, no size twice.
 * @param thresholds - which k to count below.
 * @throws {RangeError} for a size or count that is none: a defect.
 */
export function classMeasures(
  sizes: readonly ClassSize[],
  thresholds: readonly number[],
): ClassMeasures {
  for (const { size, records } of sizes) {
    if (!Number.isSafeInteger(size) || size < 1) throw new RangeError('a class has a size')
    if (!Number.isSafeInteger(records) || records < 1) throw new RangeError('a class has records')
  }
  const records = sumOf(sizes, (line) => line.records)
  const classes = sumOf(sizes, classesOf)
  const all = sizes.map(({ size }) => size)
  const smallest = all.length === 0 ? 0 : all.reduce((a, b) => Math.min(a, b))
  const below = [...new Set(thresholds)].sort((a, b) => a - b)
  return {
    records,
    classes,
    uniques: sumOf(sizes, (line) => (line.size === 1 ? line.records : 0)),
    smallest,
    largest: all.reduce((a, b) => Math.max(a, b), 0),
    highestRisk: smallest === 0 ? 0 : 1 / smallest,
    averageRisk: records === 0 ? 0 : classes / records,
    below: below.map((k) => {
      const small = sizes.filter(({ size }) => size < k)
      const count = sumOf(small, (line) => line.records)
      const share = records === 0 ? 0 : count / records
      return { k, records: count, share, classes: sumOf(small, classesOf) }
    }),
  }
}

/** Persons that only one of two releases has. */
export type Difference = { onlyEarlier: number; onlyThis: number }

/**
 * Whether two releases of one domain, whose pseudonyms can be joined, single out too few persons by what one has and the
 * other has not: fewer than k on either side, and not nobody.
 */
export function singlesOut({ onlyEarlier, onlyThis }: Difference, k: number): boolean {
  return [onlyEarlier, onlyThis].some((persons) => persons > 0 && persons < k)
}

function classesOf({ size, records }: ClassSize): number {
  return records / size
}

function sumOf<T>(lines: readonly T[], amountOf: (line: T) => number): number {
  return lines.reduce((sum, line) => sum + amountOf(line), 0)
}
