import type { SensitiveMeasures } from '../core/disclosure-report.ts'
import { quoteIdentifier, type Session } from './session.ts'

/**
 * Distinct and entropy l-diversity (Machanavajjhala 2007) and t-closeness (Li 2007) of one column over the classes of the
 * quasi-identifiers. A missing value is a value of its own, in classes and in the column. Of no records, all are 0.
 */
export async function measureSensitive(
  session: Session,
  of: { from: string; quasiIdentifiers: readonly string[]; column: string },
): Promise<SensitiveMeasures> {
  const by = of.quasiIdentifiers.map(quoteIdentifier)
  const value = quoteIdentifier(of.column)
  // The class's key is packed into one value: the column may be a quasi-identifier as well.
  const [measured] = await session.rows<{
    l: number | null
    entropy: number | null
    t: number | null
  }>(`
    with cells as (
      select row(${['0', ...by].join(', ')}) as class, ${value} as value, count(*) as n
      from ${of.from} group by class, value
    ),
    overall as (select value, sum(n) / (select sum(n) from cells) as share from cells group by value),
    classes as (select class, sum(n) as size from cells group by class)
    select min(l)::bigint as l, min(entropy) as entropy, max(t) as t
    from (
      select count(*) as l, exp(-sum(n / size * ln(n / size))) as entropy,
        (sum(abs(n / size - share)) + 1 - sum(share)) / 2 as t
      from cells
      join classes using (class)
      join overall on overall.value is not distinct from cells.value
      group by class
    )`)
  return {
    column: of.column,
    distinctL: measured?.l ?? 0,
    entropyL: measured?.entropy ?? 0,
    t: measured?.t ?? 0,
  }
}
