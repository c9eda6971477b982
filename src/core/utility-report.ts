/**
 * What a release lost on its way: cells that do not leave as they came, rows, and by how much means moved. From counts of
 * the parts alone.
 */
import { z } from 'zod'

/** A mean, to four digits, of at least a thousand values: what may be said of a part. */
const meanSchema = z.object({ values: z.number(), mean: z.number() })

const columnUtilitySchema = z.object({
  /** Cells with a value in the rows that leave. */
  cells: z.number(),
  /** Of these, how many leave as something else or as nothing. */
  changed: z.number(),
  /** Of these, how many leave as nothing. */
  emptied: z.number(),
  before: meanSchema.exactOptional(),
  after: meanSchema.exactOptional(),
})

const partUtilitySchema = z.object({ columns: z.record(z.string(), columnUtilitySchema) })

/** What one part lost, by column. */
export type PartUtility = z.infer<typeof partUtilitySchema>

type ColumnUtility = z.infer<typeof columnUtilitySchema>

const resultSchema = z.object({
  rows: z.number(),
  outsideScope: z.number(),
  sensitive: z.number(),
  otherPersons: z.number(),
  /** Texts of the CSV file that got an apostrophe. */
  escapedCells: z.number(),
  utility: partUtilitySchema,
})

/** The document. */
export type UtilityReport = {
  report: 'gyeol-utility-1'
  means: string
  tables: Record<
    string,
    {
      rows: Record<string, number>
      columns: Record<string, ColumnUtility & { meanShift?: number }>
    }
  >
}

const lost = ['rows', 'outsideScope', 'sensitive', 'otherPersons', 'escapedCells'] as const

/**
 * `utility-report.json`, from the results of the parts' jobs.
 *
 * @throws {ZodError} for a result that is none: a defect.
 */
export function utilityReportOf(
  parts: readonly { table: string; result: unknown }[],
): UtilityReport {
  const tables: Record<string, { rows: Record<string, number>; columns: PartUtility['columns'] }> =
    {}
  for (const { table, result } of parts) {
    const part = resultSchema.parse(result)
    const known = tables[table] ?? { rows: {}, columns: {} }
    for (const name of lost) known.rows[name] = (known.rows[name] ?? 0) + part[name]
    for (const [column, utility] of Object.entries(part.utility.columns)) {
      const before = known.columns[column]
      known.columns[column] = before ? together(before, utility) : utility
    }
    tables[table] = known
  }
  return {
    report: 'gyeol-utility-1',
    means: 'of parts with at least 1,000 values, each to four digits',
    tables: Object.fromEntries(
      Object.entries(tables).map(([table, { rows, columns }]) => [
        table,
        { rows, columns: Object.fromEntries(Object.entries(columns).map(shown)) },
      ]),
    ),
  }
}

function shown([column, utility]: [string, ColumnUtility]): [
  string,
  ColumnUtility & { meanShift?: number },
] {
  const { before, after } = utility
  const shift = before && after ? { meanShift: after.mean - before.mean } : {}
  return [column, { ...utility, ...shift }]
}

function together(a: ColumnUtility, b: ColumnUtility): ColumnUtility {
  const before = meanOf(a.before, b.before)
  const after = meanOf(a.after, b.after)
  return {
    cells: a.cells + b.cells,
    changed: a.changed + b.changed,
    emptied: a.emptied + b.emptied,
    ...(before && { before }),
    ...(after && { after }),
  }
}

type Mean = z.infer<typeof meanSchema>

function meanOf(a: Mean | undefined, b: Mean | undefined): Mean | undefined {
  if (!a || !b) return a ?? b
  const values = a.values + b.values
  return { values, mean: (a.mean * a.values + b.mean * b.values) / values }
}
