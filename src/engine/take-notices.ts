/**
 * A delivered part of notices becomes pairs of tokens: which number took the place of which. Both are keys like those of a
 * part of keys, re-keyed alike, so that they meet them. A part with one key that is not canonical is refused whole; a pair
 * with a key that stands for no identifier says nothing and is left out.
 */
import { Refusal } from '../core/errors.ts'
import { isOneOf } from './column-check.ts'
import type { OnColumn } from './column-function.ts'
import { type MediaType, openPart, type PartSource, positionsOf, reading } from './part-source.ts'
import { quoteText, type Session } from './session.ts'
import { parquetOptions, type Refusals } from './take-table.ts'

export type TakeNotices = {
  /** A file in the session's scratch directory: columns old_K1 and new_K1. */
  input: string
  mediaType: MediaType
  /** Keys (n × 32 bytes) → tokens (n × 16 bytes). */
  tokensOf: OnColumn
  /** Keys, as 64 hexadecimal digits, that stand for no identifier. */
  quarantine: readonly string[]
  /** The Parquet file to write: old_t1 UUID, new_t1 UUID, sorted. */
  output: string
}

export type TakenNotices = {
  rows: number
  taken: number
  /** Always empty: a fault in a part of notices refuses it whole. */
  refusals: Refusals
}

const columns = ['old_K1', 'new_K1'] as const
const isKey = (column: string): string =>
  `coalesce(regexp_full_match(${column}, '[0-9a-f]{64}'), false)`

/**
 * Takes a part of notices.
 *
 * @throws {Refusal} `column-missing`, `column-unknown`, `key-not-canonical`, `input-malformed`, `disk-full`.
 */
export async function takeNotices(session: Session, part: TakeNotices): Promise<TakenNotices> {
  const source = await openPart(session, part.input, part.mediaType)
  requireColumns(source)
  session.registerColumnFunction('token_of', 32, part.tokensOf)
  return await reading(source, async () => {
    const rows = await requireKeys(session, source)
    const token = (column: string): string =>
      `token_of(left(${column}, 32)::uuid, right(${column}, 32)::uuid)`
    const stands = columns.map((column) =>
      part.quarantine.length === 0 ? 'true' : `not ${isOneOf(column, part.quarantine)}`,
    )
    const [copied] = await session.rows<{ Count: number }>(`
      copy (
        select distinct ${token('old_K1')} as old_t1, ${token('new_K1')} as new_t1
        from ${source.sql}
        where ${stands.join(' and ')} and old_K1 <> new_K1
        order by all
      ) to ${quoteText(part.output)} (${parquetOptions})`)
    return { rows, taken: copied?.Count ?? 0, refusals: {} }
  })
}

function requireColumns(source: PartSource): void {
  const missing = columns.find((name) => source.columns.get(name) !== 'VARCHAR')
  if (missing !== undefined) {
    throw new Refusal('column-missing', 'Notices are two columns of text: old_K1 and new_K1.', {
      column: missing,
    })
  }
  if (source.columns.size === columns.length) return
  throw new Refusal('column-unknown', 'A part of notices holds old_K1 and new_K1 only.', {
    columns: source.columns.size,
  })
}

async function requireKeys(session: Session, source: PartSource): Promise<number> {
  const [counted] = await session.rows<{ rows: number; faults: number; first: number | null }>(`
    select count(*) as rows, count(*) filter (is_fault) as faults,
      min(row_number) filter (is_fault) as first
    from (
      select row_number, not (${columns.map(isKey).join(' and ')}) as is_fault
      from ${source.numberedSql}
    )`)
  if (!counted || counted.first === null) return counted?.rows ?? 0
  throw new Refusal('key-not-canonical', 'A key is not 64 lower-case hexadecimal digits.', {
    line: (await positionsOf(source, [counted.first])).get(counted.first) ?? counted.first,
    rows: counted.faults,
  })
}
