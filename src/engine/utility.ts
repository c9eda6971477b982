/**
 * What one part lost. What the files say of their columns is taken from there: how many values there are. Rows are read
 * again only where a rule may leave a value as it is, and only the columns that have such a rule; `keep` changes nothing,
 * and a band or a day is never the value itself.
 */
import type { ReleasedColumn } from '../core/policy.ts'
import type { PartUtility } from '../core/utility-report.ts'
import type { FewValued } from './few-values.ts'
import type { LeavingRows } from './leaving-rows.ts'
import type { ReleaseRows } from './release-rows.ts'
import { lookupJoins, ownValue, releasedSql } from './rule-sql.ts'
import { sensitiveSql } from './sensitive-sql.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

/** A part, what was made of it, and what is known of it by then. */
export type Built = ReleaseRows & {
  leaving: LeavingRows
  few: ReadonlyMap<string, FewValued>
  /** That left. */
  rows: number
}

/** A mean of fewer values is not told: it is read by people who may not see values. */
const meanValuesMin = 1_000

type Column = PartUtility['columns'][string]

/** Compares a part with what `releaseRows` made of it. Needs the session that it ran in. */
export async function measureUtility(session: Session, built: Built): Promise<PartUtility> {
  const { columns, few } = built
  const counts = await countsOf(session, built)
  const [before, after] = [
    await meansOf(session, built.part, columns),
    await meansOf(session, built.parquet, columns),
  ]
  const utility = columns.map(({ name }): [string, Column] => {
    const { cells = 0, changed = 0, emptied = 0 } = few.get(name) ?? counts.get(name) ?? {}
    const [was, is] = [before.get(name), after.get(name)]
    return [name, { cells, changed, emptied, ...(was && is && { before: was, after: is }) }]
  })
  return { columns: Object.fromEntries(utility) }
}

/** Of the columns that are not of few values. */
async function countsOf(session: Session, built: Built): Promise<Map<string, Column>> {
  const came = await valuesIn(session, built.part)
  const left = await valuesIn(session, built.parquet)
  const cells = built.columns
    .filter(({ name }) => !built.few.has(name))
    .map((column) => {
      const { name, rule, quasiIdentifier } = column
      const isNumber = rule.rule === 'rekey' && quasiIdentifier === undefined
      const { was, is } = cellsOf(built, column)
      const isFull = came.get(name)?.nulls === 0
      const leaves = left.get(name)?.values ?? 0
      const known = was === is || isNumber ? leaves : isFull ? built.rows : undefined
      const same = was === is ? leaves : ownValue.has(rule.rule) ? 0 : undefined
      return { column, known, same, leaves }
    })
  const unknown = cells.filter(({ known, same }) => known === undefined || same === undefined)
  const counted = await compared(
    session,
    built,
    unknown.map(({ column }) => column),
  )
  return new Map(
    cells.map(({ column: { name }, known, same, leaves }) => {
      const all = known ?? counted[`cells ${name}`] ?? 0
      const changed = all - (same ?? counted[`same ${name}`] ?? 0)
      return [name, { cells: all, changed, emptied: all - leaves }]
    }),
  )
}

/** How many values and how many empty cells a file says that its columns have. */
async function valuesIn(
  session: Session,
  file: string,
): Promise<Map<string, { values: number; nulls: number }>> {
  const rows = await session.rows<{ name: string; values: number; nulls: number }>(`
    select path_in_schema as name, sum(num_values - stats_null_count)::bigint as "values",
      sum(stats_null_count)::bigint as nulls
    from parquet_metadata(${quoteText(file)}) group by name`)
  return new Map(rows.map(({ name, values, nulls }) => [name, { values, nulls }]))
}

async function compared(
  session: Session,
  built: Built,
  columns: readonly ReleasedColumn[],
): Promise<Record<string, number>> {
  if (columns.length === 0) return {}
  const { from, leaves } = built.leaving
  const counts = columns.flatMap((column) => {
    const { was, is } = cellsOf(built, column)
    return [
      `count(${was}) as ${quoteIdentifier(`cells ${column.name}`)}`,
      `count(*) filter (${was}::varchar = ${is}::varchar) as ${quoteIdentifier(`same ${column.name}`)}`,
    ]
  })
  const [row = {}] = await session.rows<Record<string, number>>(
    `select ${counts.join(', ')} from ${from} ${lookupJoins(columns)} where ${leaves}`,
  )
  return row
}

function cellsOf(built: Built, column: ReleasedColumn): { was: string; is: string } {
  const { shown } = sensitiveSql(built.table, built.sensitive ?? [])
  const is = shown(column.name, releasedSql(column, built.rules ?? { dates: 'relative' }))
  return { was: `part.${quoteIdentifier(column.name)}`, is }
}

/** Of columns that are numbers before and after, where there are values enough. */
async function meansOf(
  session: Session,
  file: string,
  columns: readonly ReleasedColumn[],
): Promise<Map<string, { values: number; mean: number }>> {
  const numbers = columns.filter(
    ({ type, rule }) => (type === 'integer' || type === 'number') && !ownValue.has(rule.rule),
  )
  if (numbers.length === 0) return new Map()
  const means = numbers.flatMap(({ name }, index) => {
    const value = quoteIdentifier(name)
    return [`count(${value}) as values_${index}`, `avg(${value}) as mean_${index}`]
  })
  const [row = {}] = await session.rows<Record<string, number | null>>(
    `select ${means.join(', ')} from read_parquet(${quoteText(file)})`,
  )
  const known = numbers.flatMap(({ name }, index) => {
    const [values, mean] = [row[`values_${index}`] ?? 0, row[`mean_${index}`]]
    if (values < meanValuesMin || typeof mean !== 'number') return []
    return [[name, { values, mean: Number(mean.toPrecision(4)) }] as const]
  })
  return new Map(known)
}
