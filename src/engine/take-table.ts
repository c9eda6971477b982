/**
 * A delivered part of a table becomes a typed part: the serial and the catalogue's columns in the catalogue's order, every
 * value of its type. One pass reads, checks, counts and writes; a second one runs only when rows were set aside, to say
 * where the first of each kind is. A part that has exactly this form already, and no bad row, is checked and stays the very
 * bytes that came.
 *
 * A bad row is counted by reason and column and left out; too many of them, or one with a registration number in it, and
 * the part is refused whole. No message carries a value.
 */
import { rename, rm } from 'node:fs/promises'
import type { CatalogueTable } from '../catalogue/schema.ts'
import { Refusal } from '../core/errors.ts'
import { type ColumnCheck, checkOf } from './column-check.ts'
import { codeOf, judgedRows, nameOfCode } from './judged-rows.ts'
import { type MediaType, openPart, type PartSource, positionsOf, reading } from './part-source.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

export type TakeTable = {
  /** A file in the session's scratch directory; afterwards it may be gone, because it is the output. */
  input: string
  mediaType: MediaType
  table: CatalogueTable
  /** The typed Parquet file to write, in the same directory. */
  output: string
}

/** `column: reason` → how many rows, and the line (CSV) or row (Parquet) of the first, from 1. */
export type Refusals = Record<string, { rows: number; firstLine: number }>

export type TakenTable = { rows: number; taken: number; refusals: Refusals }

/**
 * What the intermediate objects are worth: read once or twice more, then destroyed. Measured on statements (CPU of writing,
 * and size): as they are by default 730 ns and 18 bytes a row, with small dictionaries 550 ns and 19 bytes, with lz4 as well
 * 530 ns and 25 bytes.
 */
export const parquetOptions = `format parquet, compression zstd, compression_level 1,
  parquet_version 'v2', dictionary_size_limit 1000, string_dictionary_page_size_limit 65536,
  row_group_size 122880`

/**
 * Takes a part of a table.
 *
 * @throws {Refusal} `column-missing`, `column-unknown`, `input-malformed`, `identifier-in-payload`, `too-many-bad-rows`,
 *   `disk-full`. Details are columns, counts and lines.
 */
export async function takeTable(session: Session, part: TakeTable): Promise<TakenTable> {
  const source = await openPart(session, part.input, part.mediaType)
  const checks = checksOf(part.table, source)
  const tally = new Map<number, number>()
  session.registerTally('set_aside', tally)
  const taken = await reading(source, async () => {
    const rowsKept = await rowsIfGoodAsItIs(session, checks, source)
    if (rowsKept !== undefined) {
      await rename(part.input, part.output)
      return rowsKept
    }
    const [copied] = await session.rows<{ Count: number }>(copyOf(checks, source, part.output))
    return copied?.Count ?? 0
  })
  const setAside = [...tally.values()].reduce((sum, rows) => sum + rows, 0)
  const rows = taken + setAside
  if (setAside === 0) return { rows, taken, refusals: {} }
  const refusals = await refusalsOf(session, source, { checks, tally })
  await refuseIfBad(refusals, { part, rows, setAside })
  return { rows, taken, refusals }
}

/** The columns must be the catalogue's, no more and no less, whatever their order. */
function checksOf(table: CatalogueTable, source: PartSource): ColumnCheck[] {
  const names = ['serial', ...Object.keys(table.columns)]
  const missing = names.find((name) => !source.columns.has(name))
  const unknown = [...source.columns.keys()].findIndex((name) => !names.includes(name))
  // A file without a header has a row of values for names: those are never repeated, so the wanted name goes first.
  if (missing !== undefined) {
    throw new Refusal(
      'column-missing',
      'A column of the table is missing. Add it, or its header.',
      {
        column: missing,
      },
    )
  }
  if (unknown >= 0) {
    throw new Refusal('column-unknown', 'A column is not in the column list. Leave it out.', {
      position: unknown + 1,
      ...nameIfHarmless([...source.columns.keys()][unknown] ?? ''),
    })
  }
  const checks = Object.entries(table.columns).map(([name, column]) =>
    checkOf(name, column, source.columns.get(name) ?? 'VARCHAR'),
  )
  const wrong = checks.find((check) => check.isOfWrongType)
  if (wrong === undefined && source.columns.get('serial') === 'VARCHAR') return checks
  throw new Refusal('input-malformed', 'A column has the wrong Parquet type. Write it as text.', {
    column: wrong?.name ?? 'serial',
    reason: 'wrong type',
  })
}

/** Every wanted column is there, so this is a header; still, a name with digits in it is not repeated. */
function nameIfHarmless(name: string): { column?: string } {
  return /^[A-Za-z][A-Za-z_]{0,30}$/.test(name) ? { column: name } : {}
}

/**
 * The rows of a part that can stay as it is; undefined if it must be written again, or has a bad row.
 *
 * Of its bytes nobody but this engine, on this side, ever reads more than the columns of its rows, all of which are read
 * here; what else a file may hold, in its metadata or between its pages, goes no further than the next step, which writes
 * a file of its own.
 */
async function rowsIfGoodAsItIs(
  session: Session,
  checks: readonly ColumnCheck[],
  source: PartSource,
): Promise<number | undefined> {
  const names = ['serial', ...checks.map(({ name }) => name)]
  if (source.mediaType === 'text/csv') return undefined
  // As the next step will read it: without the leave to take bytes for text, which `source` has.
  const described = await session.rows<{ column_name: string; column_type: string }>(
    `describe select * from read_parquet(${quoteText(source.path)})`,
  )
  const types = ['VARCHAR', ...checks.map(({ type }) => type)]
  const isTyped = described.every(
    ({ column_name: name, column_type: type }, index) =>
      name === names[index] && type === types[index],
  )
  if (!isTyped) return undefined
  const read = names.map((name) => `count(${quoteIdentifier(name)})`)
  const others = checks.flatMap((check) =>
    check.typed === quoteIdentifier(check.name)
      ? []
      : [`count(*) filter (where ${check.typedName} <> ${quoteIdentifier(check.name)})`],
  )
  const [seen] = await session.rows<{ rows: number; bad: number; others: number }>(`
    select count(*) as rows, count(fault) as bad, ${others.join(' + ') || '0'} as others, ${read.join(', ')}
    from (${judgedRows(checks, source.sql)})`)
  return seen === undefined || seen.bad > 0 || seen.others > 0 ? undefined : seen.rows
}

function copyOf(checks: readonly ColumnCheck[], source: PartSource, output: string): string {
  const columns = checks.map((check) => `${check.typedName} as ${quoteIdentifier(check.name)}`)
  // The tally stands in the select list: were it in the filter, the optimizer would move the filter below the casts and
  // compute them twice.
  return `
    copy (
      select ${['serial', ...columns].join(', ')}
      from (
        select *, case when fault is null then true else set_aside(${codeOf(checks)}) end as is_good
        from (${judgedRows(checks, source.sql)})
      )
      where is_good
    ) to ${quoteText(output)} (${parquetOptions})`
}

type Found = { checks: readonly ColumnCheck[]; tally: ReadonlyMap<number, number> }

async function refusalsOf(
  session: Session,
  source: PartSource,
  { checks, tally }: Found,
): Promise<Refusals> {
  const firsts = await session.rows<{ code: number; first: number }>(`
    select code, min(row_number) as first
    from (
      select row_number, ${codeOf(checks)} as code
      from (${judgedRows(checks, source.numberedSql)})
      where fault is not null
    )
    group by code
    order by first, code`)
  const positions = await positionsOf(
    source,
    firsts.map(({ first }) => first),
  )
  return Object.fromEntries(
    firsts.map(({ code, first }) => [
      nameOfCode(code, checks),
      { rows: tally.get(code) ?? 0, firstLine: positions.get(first) ?? first },
    ]),
  )
}

type Bad = { part: TakeTable; rows: number; setAside: number }

async function refuseIfBad(refusals: Refusals, { part, rows, setAside }: Bad): Promise<void> {
  const [identifier] = Object.entries(refusals).filter(([name]) => name.endsWith(': identifier'))
  const isTooMany = setAside > rows * part.table.badRowsMaxShare
  if (identifier === undefined && !isTooMany) return
  await rm(part.output, { force: true })
  if (identifier !== undefined) {
    const [name, { rows: count, firstLine }] = identifier
    throw new Refusal(
      'identifier-in-payload',
      'The column holds what looks like registration numbers. Remove them and deliver the part again.',
      { column: name.replace(/: identifier$/, ''), rows: count, line: firstLine },
    )
  }
  const worst = Object.entries(refusals)
    .sort(([, a], [, b]) => b.rows - a.rows)
    .slice(0, 5)
  throw new Refusal(
    'too-many-bad-rows',
    'More rows are bad than the table allows. Correct the columns named and deliver the part again.',
    {
      rows,
      badRows: setAside,
      ...Object.fromEntries(worst.map(([name, { rows: bad }]) => [`${name} (rows)`, bad])),
      ...Object.fromEntries(worst.map(([name, at]) => [`${name} (first line)`, at.firstLine])),
    },
  )
}
