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
  const counts = columns.flatMap((column, index) => countsOf(column, index, release))
  const [row = {}] = await session.rows<Record<string, number | null>>(`
    select ${counts.join(',\n      ')}
    from read_parquet(${quoteText(release.part)}) as part
    left join read_parquet(${quoteText(release.persons)}) as persons on part.ordinal = persons.ordinal
    ${lookupJoins(columns)}`)
  return {
    columns: Object.fromEntries(
      columns.map(({ name }, index) => {
        const cells = row[`cells_${index}`] ?? 0
        const before = meanOf(row[`values_${index}`], row[`mean_${index}`])
        const after = meanOf(row[`left_values_${index}`], row[`left_mean_${index}`])
        const changed = cells - (row[`same_${index}`] ?? 0)
        const emptied = cells - (row[`left_${index}`] ?? 0)
        return [name, { cells, changed, emptied, ...(before && after && { before, after }) }]
      }),
    ),
  }
}

function countsOf(released: ReleasedColumn, index: number, release: ReleaseRows): string[] {
  const { name, rule, type, quasiIdentifier } = released
  const was = `part.${quoteIdentifier(name)}`
  const leaves = `filter (${leavesSql(release)})`
  const { shown } = sensitiveSql(release.table, release.sensitive ?? [])
  const is = shown(name, releasedSql(released, release.rules ?? { dates: 'relative' }))
  const counts = [`count(${was}) ${leaves} as cells_${index}`]
  if (rule.rule === 'keep' && is === was) {
    counts.push(`cells_${index} as same_${index}`, `cells_${index} as left_${index}`)
  } else if (rule.rule === 'rekey' && quasiIdentifier === undefined) {
    // A number stays a number; to make it again would cost as much as the release.
    counts.push(`0 as same_${index}`, `cells_${index} as left_${index}`)
  } else {
    const same = `count(*) filter (${leavesSql(release)} and ${was}::varchar = (${is})::varchar)`
    counts.push(`${changesAll.has(rule.rule) ? '0' : same} as same_${index}`)
    counts.push(`count(${is}) ${leaves} as left_${index}`)
  }
  const isNumber = type !== 'string' && type !== 'date' && !changesAll.has(rule.rule)
  if (!isNumber) return counts
  return [
    ...counts,
    `count(${was}) as values_${index}`,
    `avg(${was}) as mean_${index}`,
    `count(${is}) ${leaves} as left_values_${index}`,
    `avg(${is}) ${leaves} as left_mean_${index}`,
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
