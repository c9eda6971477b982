/**
 * What may be told of a release to those who judge it. The data side makes it while it builds; reviewers see this and never
 * a row.
 *
 * How many persons cannot be told from how few is what is judged, and says nothing of anybody's values: it is told as it
 * is. What tells how many have something (rows of sensitive classes, changed cells, persons of one release and not of the
 * other) is hidden where it is small, with what would give it away.
 */
import { z } from 'zod'
import type { Difference } from './disclosure.ts'
import type { Measured } from './disclosure-report.ts'
import { hiddenCells, isSmall } from './small-cells.ts'
import type { UtilityReport } from './utility-report.ts'

const count = z.int().min(0)
/** Null: fewer than the threshold and not none, or withheld because such a count would follow from it. */
const told = count.nullable()
const share = z.number().min(0).max(1)
const name = z.string().max(200)

const classesSchema = z.object({
  records: count,
  /** Where a missing value matches all, a sum of parts of classes. */
  classes: z.number().min(0),
  uniques: count,
  smallest: count,
  largest: count,
  highestRisk: z.number(),
  averageRisk: z.number(),
  below: z.array(z.object({ k: z.int(), records: count, share })),
})

const sensitiveSchema = z.object({
  distinctL: count,
  entropyL: z.number().min(0),
  t: z.number().min(0),
})
const setsSchema = z.object({
  persons: count,
  codes: count,
  rareCodes: count,
  rarePairs: count,
  smallest: count,
  personsWithRare: count,
})
const place = { table: name, column: name }
const beforeAndAfter = <T>(of: z.ZodType<T>) => z.object({ ...place, before: of, after: of })

const measuredSchema = z.object({
  before: classesSchema,
  underRules: classesSchema,
  after: classesSchema,
  suppressed: z
    .object({
      records: count,
      recordsShare: share,
      cells: count,
      cellsShare: share,
      /** `table.column` → emptied cells. */
      cellsOf: z.record(name, count),
    })
    .nullable(),
  sensitive: z.array(beforeAndAfter(sensitiveSchema)),
  sets: z.array(beforeAndAfter(setsSchema)),
})

/** The schema of what is stored with a release. */
export const toldDisclosureSchema = z.strictObject({
  format: z.literal('gyeol-told-disclosure-1'),
  threshold: z.int().min(1),
  /** Null: the policy names no quasi-identifiers. */
  measured: measuredSchema.nullable(),
  /** Persons that only one of this and an earlier release of the domain has. */
  differences: z.array(z.strictObject({ release: z.uuid(), onlyEarlier: told, onlyThis: told })),
})
export type ToldDisclosure = z.infer<typeof toldDisclosureSchema>

/** The schema of what is stored with a built release: what it lost, a table each. */
export const toldUtilitySchema = z.record(
  name,
  z.strictObject({
    /** Rows that leave; rows left out by reason. */
    rows: z.strictObject({ rows: count, outsideScope: told, sensitive: told, otherPersons: told }),
    columns: z.record(
      name,
      z.strictObject({
        cells: told,
        changed: told,
        emptied: told,
        meanBefore: z.number().nullable(),
        meanAfter: z.number().nullable(),
      }),
    ),
  }),
)
export type ToldUtility = z.infer<typeof toldUtilitySchema>

/** What is told of the measures of a release and of its differences from earlier ones. */
export function toldDisclosureOf(
  measured: Measured | undefined,
  differences: readonly (Difference & { release: string })[],
  threshold: number,
): ToldDisclosure {
  const few = (value: number): number | null => (isSmall(value, threshold) ? null : value)
  const sensitive = measured?.sensitive.map(({ table, before, after }) => {
    return { table, column: before.column.slice(table.length + 1), before, after }
  })
  const suppressed = measured?.suppressed ?? null
  return {
    format: 'gyeol-told-disclosure-1',
    threshold,
    // Parsed, so that nothing is stored that is not named above.
    measured: measured ? measuredSchema.parse({ ...measured, suppressed, sensitive }) : null,
    differences: differences.map(({ release, onlyEarlier, onlyThis }) => ({
      release,
      onlyEarlier: few(onlyEarlier),
      onlyThis: few(onlyThis),
    })),
  }
}

const reasons = ['outsideScope', 'sensitive', 'otherPersons'] as const

/** What is told of what a release lost. Means are of a thousand values or more already. */
export function toldUtilityOf({ tables }: UtilityReport, threshold: number): ToldUtility {
  return Object.fromEntries(
    Object.entries(tables).map(([table, { rows, columns }]) => {
      const shown = Object.entries(columns).map(([column, of]) => {
        const { cells } = of
        const part = (value: number): number | null =>
          isSmall(value, threshold) || isSmall(cells - value, threshold) ? null : value
        const means = { meanBefore: of.before?.mean ?? null, meanAfter: of.after?.mean ?? null }
        const counts = {
          cells: isSmall(cells, threshold) ? null : cells,
          changed: part(of.changed),
          emptied: part(of.emptied),
        }
        return [column, { ...counts, ...means }] as const
      })
      return [table, { rows: toldRows(rows, threshold), columns: Object.fromEntries(shown) }]
    }),
  )
}

/**
 * How many rows leave is in the manifest, and how many there were is told of the cohort: so the sum of the others is known.
 */
function toldRows(
  rows: Readonly<Record<string, number>>,
  threshold: number,
): ToldUtility[string]['rows'] {
  const counts = reasons.map((reason) => rows[reason] ?? 0)
  const hidden = hiddenCells({ quantities: [counts], sums: [[0, 1, 2]] }, threshold)
  const [outsideScope = null, sensitive = null, otherPersons = null] = counts.map((value, at) =>
    hidden.has(at) ? null : value,
  )
  return { rows: rows['rows'] ?? 0, outsideScope, sensitive, otherPersons }
}
