import fc from 'fast-check'
import { test } from 'tap'
import { maskQuality } from '../../src/core/mask-quality.ts'
import { type QualityCounts, qualityCountsSchema } from '../../src/core/quality-counts.ts'
import { differenceOfShares, wilsonInterval } from '../../src/core/quality-numbers.ts'
import type { RawQuality, RawTable } from '../../src/core/quality-raw.ts'

const threshold = 10
const agencies = ['claims', 'deaths', 'insurer']

/** A population from a table of persons: how many of each year, sex and site, and of those how many each agency knows. */
const rawArbitrary: fc.Arbitrary<RawQuality> = fc
  .array(
    fc.record({
      year: fc.constantFrom('2018', '2019', '2020', 'unknown'),
      sex: fc.constantFrom('M', 'F'),
      persons: fc.oneof(fc.nat(6), fc.nat(60)),
      known: fc.nat(100),
    }),
    { minLength: 1, maxLength: 16 },
  )
  .map((strata) => {
    const persons = strata.reduce((sum, stratum) => sum + stratum.persons, 0)
    const tables = (basis: 'records' | 'spine', agency: string): RawTable[] =>
      [[], ['year'], ['sex'], ['year', 'sex']].map((by) => {
        const cells = new Map<string, RawTable['cells'][number]>()
        for (const stratum of strata) {
          const levels = by.map((name) => stratum[name as 'year' | 'sex'])
          const name = levels.join(' ')
          const cell = cells.get(name) ?? { levels, delivered: 0, linked: 0 }
          cells.set(name, {
            levels,
            delivered: cell.delivered + stratum.persons,
            linked: cell.linked + Math.round((stratum.persons * stratum.known) / 100),
          })
        }
        return { basis, agency, by: by as RawTable['by'], cells: [...cells.values()] }
      })
    const overlap = new Map<string, number>()
    for (const [at, stratum] of strata.entries()) {
      const name = agencies.filter((_, bit) => (at >> bit) % 2 === 1).join(' ')
      overlap.set(name, (overlap.get(name) ?? 0) + stratum.persons)
    }
    return {
      spine: 'registry',
      persons,
      agencies,
      rates: agencies.flatMap((agency) => [
        ...tables('records', agency),
        ...tables('spine', agency),
      ]),
      births: [
        {
          agency: 'insurer',
          linked: { persons: strata[0]?.persons ?? 0, mean: 1950, sd: 8 },
          unlinked: { persons: 50, mean: 1960, sd: 8 },
        },
      ],
      checks: strata.slice(0, 4).map((stratum, at) => ({
        rule: 'sex-differs' as const,
        agency: 'insurer',
        pass: String(at + 1),
        compared: stratum.persons,
        flagged: Math.round((stratum.persons * stratum.known) / 100),
      })),
      overlap: [...overlap].map(([name, count]) => ({
        agencies: name === '' ? [] : name.split(' '),
        persons: count,
      })),
      chanceOfDifference: { sex: 0.5, birthYear: 0.98 },
    }
  })

/** Every count of persons that is told. */
function countsIn(counts: QualityCounts): number[] {
  return [
    ...counts.rates.flatMap(({ cells }) =>
      cells.flatMap(({ delivered, linked }) => [
        delivered,
        linked,
        delivered === null || linked === null ? null : delivered - linked,
      ]),
    ),
    ...counts.checks.flatMap(({ compared, flagged }) => [compared, flagged]),
    ...counts.overlap.map(({ persons }) => persons),
  ].filter((count) => count !== null)
}

test('tells no count of fewer persons than the threshold, and no rate that would', (t) => {
  fc.assert(
    fc.property(rawArbitrary, (raw) => {
      const counts = qualityCountsSchema.parse(maskQuality(raw, threshold))
      if (countsIn(counts).some((count) => count > 0 && count < threshold)) return false
      return counts.rates.every(({ cells }) =>
        cells.every(({ delivered, linked, rate, low, high, mask }) =>
          delivered === null || linked === null
            ? rate === null && low === null && high === null && mask !== 'none'
            : mask === 'none',
        ),
      )
    }),
    { numRuns: 300 },
  )
  t.end()
})

test('no hidden cell is what is left of a sum that is told', (t) => {
  fc.assert(
    fc.property(rawArbitrary, (raw) => {
      const { rates } = maskQuality(raw, threshold)
      return rates.every((table) => {
        if (table.by.length === 0) return true
        return (['delivered', 'linked'] as const).every((what) =>
          table.by.every((_, place) => {
            const groups = Map.groupBy(table.cells, ({ levels }) =>
              table.by.length === 1 ? '' : levels[place],
            )
            return [...groups].every(([level, cells]) => {
              const sum = rates.find(
                (other) =>
                  other.basis === table.basis &&
                  other.agency === table.agency &&
                  other.by.join(' ') === (table.by.length === 1 ? '' : table.by[place]),
              )
              const told = sum?.cells.find(({ levels }) => (levels[0] ?? '') === level)?.[what]
              const hidden = cells.filter((cell) => cell[what] === null)
              if (told === null || told === undefined || hidden.length !== 1) return true
              const found = cells.reduce((left, cell) => left - (cell[what] ?? 0), told)
              const others = (hidden[0]?.delivered ?? found) - found
              return [found, others].every((count) => count === 0 || count >= threshold)
            })
          }),
        )
      })
    }),
    { numRuns: 300 },
  )
  t.end()
})

test('overlap adds up to the persons, and no agency has a small part of the pool', (t) => {
  fc.assert(
    fc.property(rawArbitrary, (raw) => {
      const { overlap, persons } = maskQuality(raw, threshold)
      const total = overlap.reduce((sum, line) => sum + line.persons, 0)
      if (total !== persons) return persons < threshold && total === 0
      const pool = overlap.find((line) => line.agencies === null)
      if (!pool || overlap.length === 1) return true
      return agencies.every((agency) => {
        const all = raw.overlap.filter((line) => line.agencies.includes(agency))
        const told = overlap.filter((line) => line.agencies?.includes(agency) === true)
        const sumOf = (lines: readonly { persons: number }[]): number =>
          lines.reduce((sum, line) => sum + line.persons, 0)
        const part = sumOf(all) - sumOf(told)
        return part === 0 || part >= threshold
      })
    }),
    { numRuns: 300 },
  )
  t.end()
})

test('where hardly any record is unlinked, how many were linked is withheld and there are no strata', (t) => {
  const table = (by: RawTable['by'], cells: RawTable['cells']): RawTable => ({
    basis: 'records',
    agency: 'deaths',
    by,
    cells,
  })
  const none = { births: [], checks: [], overlap: [], chanceOfDifference: { sex: 0, birthYear: 0 } }
  const rates = [
    table([], [{ levels: [], delivered: 491, linked: 487 }]),
    table(['year'], [{ levels: ['2018'], delivered: 491, linked: 487 }]),
  ]
  const raw = { ...none, spine: 'registry', persons: 2_000, agencies: ['deaths'], rates }
  t.same(maskQuality(raw, threshold).rates, [
    {
      ...table([], []),
      cells: [
        {
          levels: [],
          delivered: 491,
          linked: null,
          mask: 'few-unlinked',
          rate: null,
          low: null,
          high: null,
        },
      ],
    },
  ])
  t.end()
})

test("Wilson's interval and standardised differences are those of the textbooks", (t) => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  const cases = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const
  for (const [count, of, low, high] of cases) {
    const interval = wilsonInterval(count, of)
    t.ok(
      Math.abs(interval.low - low) < 5e-5 && Math.abs(interval.high - high) < 5e-5,
      `${count}/${of}`,
    )
  }
  t.same(wilsonInterval(0, 0), { low: 0, high: 1 })
  t.ok(Math.abs((differenceOfShares(0.5, 0.4) ?? 0) - 0.1 / Math.sqrt(0.245)) < 1e-12)
  t.end()
})
