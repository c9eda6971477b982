/**
 * What one part lost, in one pass over it. Only where a rule may leave a value as it is are values compared; `keep` changes
 * nothing, and a band or a day is never the value itself.
 */
import type { ReleasedColumn, Rule } from '../core/policy.ts'
import type { PartUtility } from '../core/utility-report.ts'
import type { ReleaseRows } from './release-rows.ts'
import { lookupJoins, releasedSql, scopeSql } from './rule-sql.ts'
import { sensitiveSql } from './sensitive-sql.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

/** A mean of fewer values is not told: it is read by people who may not see values. */
const meanValuesMin = 1_000

/** Rules after which no value is what it was. */
const changesAll: ReadonlySet<Rule['rule']> = new Set(['band', 'date', 'quantile', 'rekey'])

/** Compares a part with what `releaseRows` made of it, by the same rules. Needs the session that it ran in. */
export async function measureUtility(session: Session, release: ReleaseRows): Promise<PartUtility> {
  const { columns } = release
  if (columns.length === 0) return { columns: {} }
  const rules = release.rules ?? { dates: 'relative' }
  const { shown } = sensitiveSql(release.table, release.sensitive ?? [])
  const cells = columns.map((released, index) => {
    const was = `part.${quoteIdentifier(released.name)}`
    const is = shown(released.name, releasedSql(released, rules))
    return { released, was, is, index, isSame: is === was || released.rule.rule === 'rekey' }
  })
  const values = cells.flatMap(({ was, is, index, isSame }) => [
    `${was} as was_${index}`,
    ...(isSame ? [] : [`${is} as is_${index}`]),
  ])
  const counts = cells.flatMap(countsOf)
  const [row = {}] = await session.rows<Record<string, number | null>>(`
    select ${counts.join(',\n      ')}
    from (
      select ${[`${leavesSql(release)} as leaves`, ...values].join(',\n        ')}
      from read_parquet(${quoteText(release.part)}) as part
      left join read_parquet(${quoteText(release.persons)}) as persons on part.ordinal = persons.ordinal
      ${lookupJoins(columns)}
    )`)
  return {
    columns: Object.fromEntries(
      columns.map(({ name }, index) => {
        const count = row[`cells_${index}`] ?? 0
        const before = meanOf(row[`values_${index}`], row[`mean_${index}`])
        const after = meanOf(row[`left_values_${index}`], row[`left_mean_${index}`])
        const changed = count - (row[`same_${index}`] ?? 0)
        const emptied = count - (row[`left_${index}`] ?? 0)
        return [name, { cells: count, changed, emptied, ...(before && after && { before, after }) }]
      }),
    ),
  }
}

/** `isSame`: what leaves is what came, or, of a new number for a number, as much of it. */
type Cell = { released: ReleasedColumn; index: number; isSame: boolean }

function countsOf({ released, index, isSame }: Cell): string[] {
  const { rule, type } = released
  const [was, is] = [`was_${index}`, isSame ? `was_${index}` : `is_${index}`]
  const same = isSame
    ? `count(${was}) filter (leaves)`
    : `count(*) filter (leaves and ${was}::varchar = ${is}::varchar)`
  const counts = [
    `count(${was}) filter (leaves) as cells_${index}`,
    `${changesAll.has(rule.rule) ? '0' : same} as same_${index}`,
    `count(${is}) filter (leaves) as left_${index}`,
  ]
  if (type === 'string' || type === 'date' || changesAll.has(rule.rule)) return counts
  return [
    ...counts,
    `count(${was}) as values_${index}`,
    `avg(${was}) as mean_${index}`,
    `count(${is}) filter (leaves) as left_values_${index}`,
    `avg(${is}) filter (leaves) as left_mean_${index}`,
  ]
}

/** True where a row leaves; never NULL. */
function leavesSql({ where, table, sensitive }: ReleaseRows): string {
  const type = where && table.columns[where.column]?.type
  const { isSensitive } = sensitiveSql(table, sensitive ?? [])
  return [
    'persons.ordinal is not null',
    ...(where && type ? [scopeSql(where, type)] : []),
    ...(isSensitive === undefined ? [] : [`not ${isSensitive}`]),
  ].join(' and ')
}

function meanOf(
  values: number | null | undefined,
  mean: number | null | undefined,
): { values: number; mean: number } | undefined {
  if (typeof values !== 'number' || typeof mean !== 'number') return undefined
  return values < meanValuesMin ? undefined : { values, mean: Number(mean.toPrecision(4)) }
}
