import type { Policy } from '../core/policy.ts'
import type { CountTable } from '../core/policy-sections.ts'
import { diagnosisSql } from './measure-release.ts'
import { type KnownPersons, tableSql, valuesSql } from './person-values.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

/** A column under the rules of one policy. */
export type Labelled = KnownPersons & { diagnosisTime: NonNullable<Policy['diagnosisTime']> }

const pairsMax = 100_000

/**
 * What the values of a column become under two policies: which of one stands for the same as which of the other. A missing
 * value is null.
 *
 * @returns undefined for more than 100,000 pairs: then neither is a table of counts.
 */
export async function labelPairs(
  session: Session,
  { use, count }: { use: CountTable['rows']; count: CountTable['count'] },
  under: { earlier: Labelled; now: Labelled },
): Promise<{ earlier: string | null; now: string | null }[] | undefined> {
  const labels = (of: Labelled): string => {
    const [before, after] = ['before', 'after'].map((when) =>
      quoteIdentifier(`${when} ${use.column}`),
    )
    const from =
      use.table === 'persons'
        ? `select anchor_month as ${before}, ${diagnosisSql(of.diagnosisTime)} as ${after}
           from read_parquet(${quoteText(of.persons)})`
        : count === 'rows'
          ? valuesSql(of, use.table, [use.column])
          : tableSql(of, { table: use.table, uses: [use], together: 'texts' })
    // What does not leave, or is hidden, is missing in the table whatever it was.
    return `select distinct ${before} as value, ${after} as label from (${from})
      where ${after} is not null or ${before} is null`
  }
  const pairs = await session.rows<{ earlier: string | null; now: string | null }>(`
    select distinct earlier.label as earlier, now.label as now
    from (${labels(under.earlier)}) as earlier
    join (${labels(under.now)}) as now on earlier.value is not distinct from now.value
    limit ${pairsMax + 1}`)
  return pairs.length > pairsMax ? undefined : pairs
}
