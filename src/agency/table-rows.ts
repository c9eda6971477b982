/**
 * The rows of an agency's tables: the person's id replaced by the serial, the columns named and typed as in the catalogue.
 * One pass over the files, which also searches every column for registration numbers.
 *
 * A column is typed only if every value of it is exactly of its type, as intake would read it; else it goes as the text that
 * it is, so that the service counts its bad rows by reason and no value is lost here.
 */
import { Refusal } from '../core/errors.ts'
import type { RecipeAnswer } from '../core/manifest.ts'
import { exactlyTyped, typeOf } from '../engine/column-check.ts'
import { quoteIdentifier } from '../engine/session.ts'
import type { Searched } from './explain.ts'
import type { Parts } from './parts.ts'
import { cellSql } from './persons.ts'
import type { Piece } from './readable.ts'
import type { AgencySession } from './session.ts'
import type { TableFiles } from './source-description.ts'

/** The columns of a table in the catalogue's order. One without a type is written as text. */
export type WantedColumns = Readonly<RecipeAnswer['tables'][string]['columns']>

export type TableReport = {
  rows: number
  /** Rows whose person is not among the persons, left out. */
  unknownPersons: number
  /** Rows of persons who are not on the list of serials, left out. */
  notWanted: number
  /** Columns of the catalogue that a file lacks, as `file: column`. */
  absent: string[]
  /** Columns that have a value which is not of their type: written as text from there on. */
  asText: string[]
}

/** What is read of one piece, and which of its columns are searched. */
export type PiecePlan = { piece: Piece; query: string; searched: Searched; absent: string[] }

/**
 * Plans the query of a piece: the person's id and the wanted columns as text.
 *
 * @throws {Refusal} `column-unknown` if the description maps a column that the catalogue lacks; `column-missing` if the file
 *   lacks a column that is mapped or required.
 */
export function planPiece(
  { piece, layout }: { piece: Piece; layout: TableFiles },
  table: string,
  wanted: WantedColumns,
): PiecePlan {
  for (const column of [...Object.keys(layout.columns), ...layout.notIdentifying]) {
    if (Object.hasOwn(wanted, column)) continue
    const sentence = 'The source description names a column that the catalogue does not have.'
    throw new Refusal('column-unknown', sentence, { table, column })
  }
  const selected: string[] = []
  /** By the names of the file; true where a right value is too short to be a registration number. */
  const searched = new Map<string, boolean>()
  const absent: string[] = []
  for (const [column, of] of Object.entries(wanted)) {
    const mapped = Object.hasOwn(layout.columns, column) ? layout.columns[column] : undefined
    const source = mapped === undefined ? column : mapped
    const isAbsent = mapped === undefined && !piece.columns.includes(column) && of.required !== true
    if (isAbsent) absent.push(`${piece.file}: ${column}`)
    const cell = isAbsent || source === null ? 'null::varchar' : cellSql(piece, source, layout.trim)
    selected.push(`${cell} as ${quoteIdentifier(column)}`)
    if (cell !== 'null::varchar' && source !== null && !layout.notIdentifying.includes(column))
      searched.set(source, isShort(of) && (searched.get(source) ?? true))
  }
  searched.delete(layout.person)
  const columns = [...searched.keys()]
  const person = cellSql(piece, layout.person, layout.trim)
  const clean = cleanSql(searched)
  // `error` is only reached by a row that is not clean; it stops the whole query.
  const query = `select ${[`${person} as "gyeol person"`, ...selected].join(', ')}
    from ${piece.relation} row
    where (${clean}) or error('registration number')::boolean`
  return { piece, query, searched: { columns, isNumber }, absent }
}

/** What a row of a person who is not on the list is tallied as; columns are from 0. */
const codeOfNotWanted = -1

/**
 * Writes the rows of some pieces of one table as one part, or as several if they are many. Gives how many rows there were,
 * how many were written, and how many had a person who is not on the list.
 *
 * @param asText - the columns that are known to be text only; those that turn out to be are added.
 */
export async function writeRows(
  session: AgencySession,
  { plans, wanted, asText }: { plans: PiecePlan[]; wanted: WantedColumns; asText: string[] },
  parts: Parts,
): Promise<{ scanned: number; written: number; notWanted: number }> {
  const { tally } = session
  const isRight = (): boolean => [...tally.keys()].every((code) => code === codeOfNotWanted)
  for (;;) {
    tally.clear()
    const query = typedQuery(plans, wanted, asText)
    const written = await parts.add(session, query, isRight)
    const notWanted = tally.get(codeOfNotWanted) ?? 0
    if (written !== undefined) return { scanned: await session.rowsScanned(), written, notWanted }
    const names = Object.keys(wanted)
    asText.push(...[...tally.keys()].flatMap((index) => names[index] ?? []))
  }
}

/** Rows with a cell that is not exactly of its type are tallied by column: then nothing of this query is used. */
function typedQuery(
  plans: readonly PiecePlan[],
  wanted: WantedColumns,
  asText: readonly string[],
): string {
  const typed: string[] = []
  const inexact: string[] = []
  const written: string[] = []
  for (const [index, [column, { type, ...limits }]] of Object.entries(wanted).entries()) {
    const raw = quoteIdentifier(column)
    const typedName = quoteIdentifier(`${column}\u0020typed`)
    const of = type && { type, ...limits }
    if (!of || asText.includes(column) || (typeOf(of) === 'VARCHAR' && type !== 'year-month')) {
      written.push(raw)
      continue
    }
    const cast = exactlyTyped(raw, typedName, of)
    typed.push(`, ${cast.typed} as ${typedName}`)
    // A year and month is a text of one form; what is no month stays what it is.
    const isText = type === 'year-month'
    written.push(`${isText ? `coalesce(${typedName}, ${raw})` : typedName} as ${raw}`)
    if (!isText)
      inexact.push(...cast.inexactWhen.map((when) => `when ${when} then tallied(${index})`))
  }
  const exact = inexact.length === 0 ? 'true' : `case ${inexact.join('\n      ')} else true end`
  // The tally stands in the select list: a filter would be moved below the casts, which would be computed twice.
  // The agency's files may well have columns called id or serial; none is called like these. Who is not on the list has no
  // serial; that both sides of the join are named keeps this where rows are counted, not persons.
  const isWanted = `case when "gyeol serial" is not null then true
      when "gyeol person" is null then false else tallied(${codeOfNotWanted}) end`
  return `select ${['"gyeol serial" as serial', ...written].join(', ')}
    from (select *, ${exact} as "gyeol exact"
      from (select *${typed.join('')} from (${plans.map(({ query }) => query).join('\nunion all\n')})))
    join (select id as "gyeol id", serial as "gyeol serial" from serial_of) on "gyeol id" = "gyeol person"
    where "gyeol exact" and ${isWanted}`
}

/**
 * A registration number: 13 digits, with or without a hyphen after the sixth, that begin with a plausible month and day and
 * have a seventh digit in use; alone or between other text, but not as part of a longer number or of a decimal fraction.
 */
const registrationNumber =
  '(^|[^0-9.]|[^0-9][.])[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[- ]?[1-8][0-9]{6}($|[^0-9])'

function isNumber(cell: string): string {
  return `(strlen(${cell}) >= 13 and regexp_matches(${cell}, '${registrationNumber}'))`
}

/** Whether a right value of the column has fewer than 13 characters. */
function isShort({ type = 'text', codes, lengthMax = Infinity }: WantedColumns[string]): boolean {
  return (type !== 'code' && type !== 'text') || codes !== undefined || lengthMax < 13
}

/** True where no column has one. The columns that are short if they are right are looked at together first. */
function cleanSql(searched: ReadonlyMap<string, boolean>): string {
  const [short, long] = [true, false].map((isShort) =>
    [...searched].filter((one) => one[1] === isShort).map(([name]) => quoteIdentifier(name)),
  )
  const conditions = (long ?? []).map(notNumber)
  if (short !== undefined && short.length > 0) {
    const longest = `coalesce(greatest(${short.map((cell) => `strlen(${cell})`).join(', ')}), 0)`
    const each = short.map(notNumber).join(' and ')
    conditions.push(`(case when ${longest} < 13 then true else ${each} end)`)
  }
  return conditions.join(' and ') || 'true'
}

/** The same turned round, so that the common cases, a short cell and a claim number, are decided first. */
function notNumber(cell: string): string {
  return `(case when ${cell} is null or strlen(${cell}) < 13 then true
    when strlen(${cell}) = 13 and substr(${cell}, 3, 4) not between '0101' and '1231' then true
    else not regexp_matches(${cell}, '${registrationNumber}') end)`
}
