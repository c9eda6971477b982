/**
 * The rows of an agency's tables: the person's id replaced by the serial, the columns named as in the catalogue, everything
 * as text. One pass over each file, which also searches every column for registration numbers.
 */
import { Refusal } from '../core/errors.ts'
import { quoteIdentifier } from '../engine/session.ts'
import type { Searched } from './explain.ts'
import type { Parts } from './parts.ts'
import { cellSql } from './persons.ts'
import type { Piece } from './readable.ts'
import type { AgencySession } from './session.ts'
import type { TableFiles } from './source-description.ts'

/** The columns of a table in the catalogue's order. */
export type WantedColumns = Readonly<Record<string, { required?: boolean | undefined }>>

export type TableReport = {
  rows: number
  /** Rows whose person is not among the persons, left out. */
  unknownPersons: number
  /** Columns of the catalogue that a file lacks, as `file: column`. */
  absent: string[]
}

/** The columns to search, and the query of a piece. */
export type RowsPlan = { query: string; searched: Searched; absent: string[] }

/**
 * Plans the query of a piece.
 *
 * @throws {Refusal} `column-unknown` if the description maps a column that the catalogue lacks; `column-missing` if the file
 *   lacks a column that is mapped or required.
 */
export function planRows(
  { piece, layout }: { piece: Piece; layout: TableFiles },
  table: string,
  wanted: WantedColumns,
): RowsPlan {
  for (const column of [...Object.keys(layout.columns), ...layout.notIdentifying]) {
    if (Object.hasOwn(wanted, column)) continue
    const sentence = 'The source description names a column that the catalogue does not have.'
    throw new Refusal('column-unknown', sentence, { table, column })
  }
  const selected: string[] = []
  const searched = new Set<string>()
  const absent: string[] = []
  for (const [column, { required }] of Object.entries(wanted)) {
    const mapped = Object.hasOwn(layout.columns, column) ? layout.columns[column] : undefined
    const source = mapped === undefined ? column : mapped
    const isAbsent = mapped === undefined && !piece.columns.includes(column) && required !== true
    if (isAbsent) absent.push(`${piece.file}: ${column}`)
    const cell = isAbsent || source === null ? 'null::varchar' : cellSql(piece, source, layout.trim)
    selected.push(`${cell} as ${quoteIdentifier(column)}`)
    if (cell !== 'null::varchar' && source !== null && !layout.notIdentifying.includes(column))
      searched.add(source)
  }
  const columns = [...searched].filter((column) => column !== layout.person)
  const person = cellSql(piece, layout.person, layout.trim)
  const clean = columns.map((column) => notNumber(quoteIdentifier(column))).join(' and ') || 'true'
  // `error` is only reached by a row that is not clean; it stops the whole query.
  // The agency's files may well have columns called id or serial; none is called like these.
  const query = `select "gyeol serial" as serial, ${selected.join(', ')} from ${piece.relation} row
    join (select id as "gyeol id", serial as "gyeol serial" from serial_of) on "gyeol id" = ${person}
    where (${clean}) or error('registration number')::boolean`
  return { query, searched: { columns, isNumber }, absent }
}

/** Writes the rows of one piece. Gives how many there were and how many had a person. */
export async function writeRows(
  session: AgencySession,
  plan: RowsPlan,
  parts: Parts,
): Promise<{ scanned: number; written: number }> {
  const written = await parts.add(session, plan.query)
  return { scanned: await session.rowsScanned(), written }
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

/** The same turned round, so that the common case, a short cell, is decided first. */
function notNumber(cell: string): string {
  return `(${cell} is null or strlen(${cell}) < 13 or not regexp_matches(${cell}, '${registrationNumber}'))`
}
