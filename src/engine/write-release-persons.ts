import { quoteIdentifier, quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'

/** Columns of tables → the greatest values of the groups of `quantile`; the list of persons carries them to the parts. */
export type Cuts = Record<string, Record<string, number[]>>

/**
 * Writes the list of persons that the parts are built with: who is kept after `measureRelease`, with the marks of hidden
 * cells, and the cuts of quantiles.
 *
 * @param of.isMeasured - the session has the table gyeol_after; `isSuppressed`: with marks.
 */
export async function writeReleasePersons(
  session: Session,
  of: { persons: string; isMeasured: boolean; isSuppressed: boolean; cuts: Cuts; output: string },
): Promise<number> {
  const kept = of.isMeasured ? 'semi join gyeol_after using (ordinal)' : ''
  const rows = `read_parquet(${quoteText(of.persons)})`
  const from = of.isSuppressed
    ? `select list.* replace (after.hidden as hidden) from ${rows} list join gyeol_after after using (ordinal)`
    : `select * from ${rows} ${kept}`
  const [copied] = await session.rows<{ Count: number }>(`
    copy (${from} order by rank) to ${quoteText(of.output)}
    (${parquetOptions}, kv_metadata {cuts: ${quoteText(JSON.stringify(of.cuts))}})`)
  return copied?.Count ?? 0
}

/** The cuts that a list of persons carries for one table. */
export async function cutsOf(
  session: Session,
  persons: string,
  table: string,
): Promise<Record<string, number[]>> {
  const [row] = await session.rows<{ cuts: string }>(`
    select decode(value) as cuts from parquet_kv_metadata(${quoteText(persons)})
    where decode(key) = 'cuts'`)
  const cuts = JSON.parse(row?.cuts ?? '{}') as Cuts
  return Object.hasOwn(cuts, table) ? (cuts[table] ?? {}) : {}
}

/**
 * The greatest value of every group but the last, when a column's rows are put into groups of equally many. A value stands
 * in one group whole, so groups of few values are uneven.
 */
export async function quantileCuts(
  session: Session,
  of: { files: readonly string[]; column: string; groups: number },
): Promise<number[]> {
  if (of.files.length === 0) return []
  const shares = Array.from({ length: of.groups - 1 }, (_, index) => (index + 1) / of.groups)
  const rows = await session.rows<{ cut: number | null }>(`
    select unnest(quantile_disc(${quoteIdentifier(of.column)}, [${shares.join(', ')}])) as cut
    from read_parquet([${of.files.map(quoteText).join(', ')}])`)
  return rows.flatMap(({ cut }) => (cut === null ? [] : [cut]))
}
